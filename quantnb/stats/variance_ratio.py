"""The variance ratio: whether moves over many bars are smaller than a random walk's.

Over q bars a random walk moves with q times the variance of one bar. A smaller ratio means that moves are
taken back, a greater one that they go on. On trades' closes the ratio is below 1 by the bounce between bid
and ask alone, which nobody can trade on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats.adf import check_observed
from quantnb.stats.inputs import to_values
from quantnb.stats.lines import Prices
from quantnb.stats.returns import check_positive

__all__ = ["VarianceRatioResult", "variance_ratio"]

_LEVELS = {"1%": 0.01, "5%": 0.05, "10%": 0.10}


@dataclass(frozen=True, slots=True)
class VarianceRatioResult:
    """Lo and MacKinlay's test; the null hypothesis is a random walk with drift.

    Attributes
    ----------
    ratio : float
        Variance of moves over ``periods`` bars, over ``periods`` times that of one bar; 1 for a random walk.
    statistic : float
        Standard normal for a random walk, whatever its volatility does.
    pvalue : float
        Two-sided, asymptotic.
    periods : int
        Bars in the longer move.
    nobs : int
        Values in the series.
    """

    ratio: float
    statistic: float
    pvalue: float
    periods: int
    nobs: int

    @property
    def verdict(self) -> str:
        """What the test says, in a sentence."""
        level = next((name for name, size in _LEVELS.items() if self.pvalue < size), None)
        ratio = f"over {self.periods} bars the variance is {self.ratio:.2f} times a random walk's"
        if level is None:
            return f"Not distinguishable from a random walk at 10%: {ratio}."
        tendency = "Takes its moves back" if self.ratio < 1 else "Goes on as it went"
        return f"{tendency}: {ratio}, a random walk is rejected at {level}."


def variance_ratio(series: Any, *, periods: int = 5, prices: Prices = "log") -> VarianceRatioResult:
    """Test a series for a random walk by the variance of its moves (arch's `VarianceRatio`).

    Parameters
    ----------
    series : Series or array of shape (n,)
        At least 30 values, none missing, oldest first.
    periods : int
        Bars in the longer move, from 2 to half the series; the longer, the less the sample says.
    prices : {"log", "level"}
        Take logarithms, for a price; or take the values as they stand, for a spread.

    Returns
    -------
    VarianceRatioResult

    Raises
    ------
    InvalidSettingError
        For unknown ``prices`` or impossible ``periods``.
    StatisticsError
        For fewer than 30 values, a missing value, a series that is constant or a straight line, a logarithm
        of a price that is not above 0, or where the package arch is not installed.

    Notes
    -----
    A. W. Lo and A. C. MacKinlay (1988), "Stock Market Prices Do Not Follow Random Walks", Review of Financial
    Studies 1: overlapping moves, without bias, robust to changing volatility.
    """
    values = to_values(series, "The series")
    check_observed(values, "The series")
    if prices not in ("level", "log"):
        raise InvalidSettingError(f"Prices are tested as level or log, not {prices!r}.")
    is_integer = isinstance(periods, (int, np.integer)) and not isinstance(periods, bool)
    if not is_integer or not 2 <= periods <= len(values) // 2:
        raise InvalidSettingError(
            f"With {len(values)} values, periods is a whole number from 2 to {len(values) // 2}, "
            f"not {periods!r}."
        )
    if prices == "log":
        check_positive(values, "The series")
        values = np.log(values / values[0])
    changes = np.diff(values)
    if changes.max() == changes.min():
        raise StatisticsError("The series is a straight line; it has no variance to compare.")
    found = _arch()(values - values[0], lags=int(periods))
    return VarianceRatioResult(
        float(found.vr), float(found.stat), float(found.pvalue), int(periods), len(values)
    )


def _arch() -> Any:
    """Return arch's test; the package is optional."""
    try:
        from arch.unitroot import VarianceRatio  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise StatisticsError("The variance ratio needs the package arch: pip install arch") from None
    return VarianceRatio
