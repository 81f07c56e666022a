"""Every test of a scan: by the Gram matrix, and where that is not enough, by QR."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quantnb.stats.inputs import Array
from quantnb.stats.scan_blocks import gram_blocks
from quantnb.stats.scan_exact import exact_pairs
from quantnb.stats.scan_gram import GramBlock, regressors_of

__all__ = ["MOST_LOSS", "PairTests", "every_test"]

MOST_LOSS = 1e4  # tests whose sums cancel by more than this are computed again from their residual


class PairTests(NamedTuple):
    """One element a test; the legs are rows of the values, and what a flat leg leaves undefined is NaN."""

    leg_y: NDArray[np.intp]
    leg_x: NDArray[np.intp]
    statistic: Array
    hedge_ratio: Array
    slope: Array
    zscore: Array
    is_exact: NDArray[np.bool_]


def every_test(
    values: Array, is_flat: NDArray[np.bool_], *, lags: int, n_best: int, client: Any = None
) -> PairTests:
    """Test each row of ``values``, shape (n_symbols, n), on each other row.

    By the Gram matrix a statistic is right to about 2e-15 times its ``loss`` (measured: at worst 8e-12 up to
    `MOST_LOSS`, for 30 to 5,000 bars and 0 to 5 lags). Tests beyond that, and the ``n_best`` best, are
    computed again by QR.
    """
    blocks = gram_blocks(regressors_of(values, lags), client)
    is_pair = ~np.eye(len(values), dtype=np.bool_)
    leg_y, leg_x = np.nonzero(is_pair)
    columns = GramBlock(*(np.concatenate(parts)[is_pair] for parts in zip(*blocks, strict=True)))
    is_dead = is_flat[leg_y] | is_flat[leg_x]
    for column in columns:
        column[is_dead] = np.nan
    is_exact = ~(columns.loss <= MOST_LOSS) & ~is_dead
    is_exact[_best(np.where(is_exact, np.nan, columns.statistic), n_best)] = True
    again = np.flatnonzero(is_exact)
    tests = PairTests(leg_y, leg_x, *columns[:4], is_exact)
    for name, found in exact_pairs(values, leg_y[again], leg_x[again], lags)._asdict().items():
        getattr(tests, name)[again] = found
    return tests


def _best(statistic: Array, n_best: int) -> NDArray[np.intp]:
    """Return the positions of the most negative statistics; NaN is never among them."""
    n_best = min(n_best, int(np.count_nonzero(~np.isnan(statistic))))
    return np.argpartition(statistic, n_best - 1)[:n_best] if n_best else np.zeros(0, np.intp)
