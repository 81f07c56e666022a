"""Many tests at once: how many of the findings are chance.

Of m tests at 5 %, m / 20 reject although there is nothing to find. Benjamini and Hochberg's q-value of a test
is the share of false findings to expect if that test and all with a smaller p-value are believed.

Source: Y. Benjamini and Y. Hochberg (1995), "Controlling the False Discovery Rate", Journal of the Royal
Statistical Society B 57(1), 289-300.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from quantnb.errors import StatisticsError
from quantnb.stats.inputs import Array

__all__ = ["benjamini_hochberg"]


def benjamini_hochberg(pvalues: ArrayLike) -> Array:
    """Return the q-value of each test: min over p(k) >= p of p(k) m / k, with k the rank and m the tests.

    The proof asks for tests that are independent or depend positively. Pairs that share a leg depend on each
    other; so a q-value orders and warns, it does not guarantee.

    Parameters
    ----------
    pvalues : array of shape (n_tests,)
        Within [0, 1]; NaN where a test was not made, which then does not count.

    Returns
    -------
    array of shape (n_tests,)
        Within [0, 1], at least the p-value, in the same order as the p-values; NaN where they are.

    Raises
    ------
    StatisticsError
        For a p-value outside [0, 1], or anything but one column.
    """
    p = np.asarray(pvalues, dtype=np.float64)
    if p.ndim != 1 or (p < 0).any() or (p > 1).any():
        raise StatisticsError("P-values are one column of numbers from 0 to 1, NaN where there is no test.")
    order = np.argsort(p, kind="stable")  # NaN sorts last
    order = order[: np.count_nonzero(~np.isnan(p))]
    n_tests = len(order)
    scaled = p[order] * (n_tests / np.arange(1, n_tests + 1))
    q = np.full(len(p), np.nan)
    q[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return q
