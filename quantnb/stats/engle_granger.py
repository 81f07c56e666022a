"""Engle and Granger's test: whether two prices share one trend, so that their spread comes back.

Two steps: regress y on x with a constant, then test the residual for a unit root. Because the first step
chose the hedge ratio that makes the residual look as stationary as it can, the Dickey-Fuller table does not
apply; MacKinnon's for two variables does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantnb.errors import StatisticsError
from quantnb.stats.adf import check_lags, check_observed
from quantnb.stats.hedge import fit_line
from quantnb.stats.inputs import pair_values
from quantnb.stats.mackinnon import engle_granger_critical_values, engle_granger_pvalue, rejects_at
from quantnb.stats.scan_exact import exact_pairs

__all__ = ["EngleGrangerResult", "engle_granger"]

_ROUNDING = 1e-12  # a residual this small against y is rounding error, and testing it would be noise


@dataclass(frozen=True, slots=True)
class EngleGrangerResult:
    """Engle-Granger test of a pair; the null hypothesis is no cointegration.

    Attributes
    ----------
    statistic : float
        Dickey-Fuller t value of the residual; the more negative, the more the spread comes back.
    pvalue : float
        MacKinnon (1994) for two variables and a constant, asymptotic.
    lags : int
        Lagged changes in the test of the residual.
    nobs : int
        Bars of the pair that were tested.
    critical_values : mapping
        MacKinnon (2010) for two variables and a constant, at "1%", "5%" and "10%", for ``nobs`` bars.
    hedge_ratio, intercept : float
        Of the regression of y on x.
    """

    statistic: float
    pvalue: float
    lags: int
    nobs: int
    critical_values: Mapping[str, float]
    hedge_ratio: float
    intercept: float

    @property
    def verdict(self) -> str:
        """What the test says, in a sentence."""
        level, note = rejects_at(self.statistic, self.pvalue, self.critical_values)
        if level is None:
            return f"Not shown to be cointegrated: a random walk is not rejected at 10%.{note}"
        return f"Cointegrated: no cointegration is rejected at {level}.{note}"

    def describe(self) -> str:
        """Return the whole finding in words, with the table it was judged by."""
        critical = ", ".join(f"{value:.2f} at {level}" for level, value in self.critical_values.items())
        return (
            f"{self.verdict} Engle-Granger, MacKinnon 2010 table: statistic {self.statistic:.3f} "
            f"(critical {critical}), p = {self.pvalue:.4f}, {self.nobs} bars, {self.lags} lags; "
            f"hedge ratio {self.hedge_ratio:.6g}, intercept {self.intercept:.6g}."
        )


def engle_granger(y: Any, x: Any, *, lags: int = 1) -> EngleGrangerResult:
    """Test a pair for cointegration, y on x with a constant.

    The test is not symmetric: y on x and x on y may differ, and where it matters both belong on the table.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs (or their logarithms) on one index, oldest first; at least 30 bars, none missing.
    lags : int
        Lagged changes in the test of the residual.

    Returns
    -------
    EngleGrangerResult

    Raises
    ------
    InvalidSettingError
        For more lags than the bars can bear.
    StatisticsError
        For legs that are not aligned, fewer than 30 bars, a gap among them, a leg that does not move, or
        legs that are the same line.
    """
    leg_y, leg_x = pair_values(y, x)
    check_observed(leg_y, "Leg y")
    check_observed(leg_x, "Leg x")
    fit = fit_line(leg_y, leg_x)
    residual = leg_y - fit.intercept - fit.hedge_ratio * leg_x
    if np.abs(residual).max() <= _ROUNDING * np.abs(leg_y).max():
        raise StatisticsError("Leg y is a straight line of leg x; their spread is only rounding error.")
    check_lags(lags, None, len(residual), "n")
    legs, first, second = np.stack([leg_y, leg_x]), np.array([0]), np.array([1])
    statistic = float(exact_pairs(legs, first, second, int(lags)).statistic[0])
    if not np.isfinite(statistic):
        raise StatisticsError("The spread is a straight line or follows from its own past without error.")
    return EngleGrangerResult(
        statistic=statistic,
        pvalue=engle_granger_pvalue(statistic),
        lags=int(lags),
        nobs=len(leg_y),
        critical_values=engle_granger_critical_values(len(leg_y)),
        hedge_ratio=fit.hedge_ratio,
        intercept=fit.intercept,
    )
