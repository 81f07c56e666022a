"""The scan: every pair of a universe tested for cointegration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from quantnb.errors import InvalidSettingError
from quantnb.stats.false_discovery import benjamini_hochberg
from quantnb.stats.half_life import half_life_of
from quantnb.stats.hedge import Prices
from quantnb.stats.mackinnon import engle_granger_critical_values
from quantnb.stats.scan_pvalues import engle_granger_pvalues
from quantnb.stats.scan_result import ScanResult
from quantnb.stats.scan_tests import PairTests, every_test
from quantnb.stats.scan_universe import Universe, read_universe
from quantnb.stats.windows import centre

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["scan"]


def scan(
    closes: Any,
    lags: int = 1,
    *,
    names: Sequence[Any] | None = None,
    prices: Prices = "log",
    n_best: int = 300,
    liquidity: Mapping[Any, float] | pd.Series[Any] | None = None,
    client: Any = None,
) -> ScanResult:
    """Test all pairs of a universe for cointegration, in both directions (Engle-Granger, a constant).

    All tests come from one Gram matrix; the best, and all that lose digits that way, are computed again from
    their residual by QR. Among thousands of tests hundreds pass at 5 % by chance: judge by ``qvalue``, and
    then by bars that were not in the scan.

    Parameters
    ----------
    closes : DataFrame or array of shape (n, n_symbols)
        Closes, oldest first; at least 30 bars. A column that misses a bar (NaN) is left out, and `words` says
        so: all tests have the same bars.
    lags : int
        Lagged changes in the tests of the residuals.
    names : sequence, optional
        Names of the columns; by default those of the DataFrame, or 0, 1, 2...
    prices : {"log", "level"}
        Fit logarithms, a ratio of money, or prices as they stand, a ratio of units.
    n_best : int
        Tests that are computed again by QR, from the best on.
    liquidity : mapping or Series, optional
        By name, in any unit (quote volume, for one); shown with each pair, for the less liquid leg.
    client : dask.distributed.Client, optional
        Scan on its workers, which have quantnb installed. Same blocks, same numbers.

    Returns
    -------
    ScanResult

    Raises
    ------
    InvalidSettingError
        For unknown prices, more lags than the bars can bear, or a client that is none.
    StatisticsError
        For fewer than 30 bars, fewer than 2 columns without a gap, names that do not fit, or a price that has
        no logarithm.
    """
    universe = read_universe(closes, names, prices)
    n = universe.prices.shape[1]
    _check_counts(n, lags, n_best)
    tests = every_test(universe.prices, universe.is_flat, lags=lags, n_best=n_best, client=client)
    pairs = _table(universe, tests, liquidity)
    return ScanResult(
        pairs=pairs,
        n_tests=int(pairs["statistic"].notna().sum()),
        n=n,
        lags=lags,
        prices=prices,
        critical_values=engle_granger_critical_values(n),
        left_out=universe.left_out,
        flat=tuple(universe.symbols[i] for i in np.flatnonzero(universe.is_flat)),
    )


def _check_counts(n: int, lags: int, n_best: int) -> None:
    most = (n - 3) // 2  # one degree of freedom is left
    if not _is_whole(lags) or lags > most:
        raise InvalidSettingError(f"With {n} bars, lags is a whole number from 0 to {most}, not {lags!r}.")
    if not _is_whole(n_best):
        raise InvalidSettingError(f"n_best is a whole number of tests, 0 or more, not {n_best!r}.")


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= 0)


def _table(
    universe: Universe, tests: PairTests, liquidity: Mapping[Any, float] | pd.Series[Any] | None
) -> pd.DataFrame:
    """Return one row a test, the most negative statistic first."""
    import pandas as pd

    order = np.argsort(tests.statistic)  # NaN sorts last
    best = PairTests._make(column[order] for column in tests)
    pvalue = engle_granger_pvalues(best.statistic)
    _, mean = centre(universe.prices)
    symbols = pd.Index(universe.symbols, tupleize_cols=False)
    columns: dict[str, Any] = {
        "y": symbols.take(best.leg_y),
        "x": symbols.take(best.leg_x),
        "statistic": best.statistic,
        "pvalue": pvalue,
        "qvalue": benjamini_hochberg(pvalue),
        "hedge_ratio": best.hedge_ratio,
        "intercept": mean[best.leg_y] - best.hedge_ratio * mean[best.leg_x],
        "half_life": half_life_of(best.slope),
        "zscore": best.zscore,
        "n": universe.prices.shape[1],
        "is_exact": best.is_exact,
    }
    if liquidity is not None:
        each = np.array([liquidity.get(symbol, np.nan) for symbol in universe.symbols], np.float64)
        columns["liquidity"] = np.minimum(each[best.leg_y], each[best.leg_x])
    return pd.DataFrame(columns, copy=False)
