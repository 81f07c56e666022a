"""The hedge ratio: how much of leg x balances one unit of leg y."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats.inputs import Array, pair_values
from quantnb.stats.lines import Method, Prices, line_of
from quantnb.stats.regression import least_squares
from quantnb.stats.returns import check_positive

__all__ = ["HedgeRatioResult", "Prices", "fit_line", "hedge_ratio"]

_FEWEST = 3  # two points leave nothing to judge the fit by


@dataclass(frozen=True, slots=True)
class HedgeRatioResult:
    """A line y = intercept + hedge_ratio x.

    Attributes
    ----------
    hedge_ratio : float
        Units of x for one unit of y (prices="level"), or money for money (prices="log").
    intercept : float
        In units of y's price (or its logarithm); 0 when the fit has none.
    stderr : float
        Standard error of the hedge ratio, as if the bars' residuals were independent; on a spread that
        comes back slowly they are not, and the ratio is less certain than this.
    r_squared : float
        Squared correlation of the legs; about zero without an intercept. NaN where y does not move.
    nobs : int
        Pairs of prices used: bars that one leg misses are left out.
    prices : {"level", "log"}
        What was regressed.
    method : {"ols", "inverse", "tls", "theil_sen"}
        How.
    """

    hedge_ratio: float
    intercept: float
    stderr: float
    r_squared: float
    nobs: int
    prices: Prices = "level"
    method: Method = "ols"


def hedge_ratio(
    y: Any, x: Any, *, intercept: bool = True, prices: Prices = "level", method: Method = "ols"
) -> HedgeRatioResult:
    """Fit leg y on leg x.

    Ordinary least squares is not symmetric: y on x and x on y are two ratios, whose product is R squared.
    `compare_hedges` shows all methods side by side, and `kalman_hedge` a ratio that wanders.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs on one index. Bars in which either is missing are left out of both; ``nobs`` says
        how many were left.
    intercept : bool
        Whether the line may miss the origin.
    prices : {"level", "log"}
        Fit the prices as they stand, a ratio of units, or their logarithms, a ratio of money.
    method : {"ols", "inverse", "tls", "theil_sen"}
        Least squares of y on x; of x on y, solved for y; total least squares, on levels in units of their
        own deviation; the median of the slopes between all pairs of bars, which a bad print does not move.

    Returns
    -------
    HedgeRatioResult

    Raises
    ------
    InvalidSettingError
        For unknown ``prices`` or ``method``, or a method other than "ols" without intercept.
    StatisticsError
        For legs that are not aligned, fewer than 3 pairs, an x that does not move, or a logarithm of a price
        that is not above 0.
    """
    line_of(method, prices)  # an unknown name is said before anything else
    if not intercept and method != "ols":
        raise InvalidSettingError(f"Only ols goes through the origin; {method} needs intercept=True.")
    leg_y, leg_x = pair_values(y, x)
    is_joint = np.isfinite(leg_y) & np.isfinite(leg_x)
    leg_y, leg_x = leg_y[is_joint], leg_x[is_joint]
    if prices == "log":
        check_positive(leg_y, "y")
        check_positive(leg_x, "x")
        leg_y, leg_x = np.log(leg_y), np.log(leg_x)
    return fit_line(leg_y, leg_x, intercept=intercept, prices=prices, method=method)


def fit_line(
    y: Array, x: Array, *, intercept: bool = True, prices: Prices = "level", method: Method = "ols"
) -> HedgeRatioResult:
    """Fit arrays without missing values; the same arithmetic as every rolling fit."""
    if len(y) < _FEWEST:
        raise StatisticsError(
            f"A hedge ratio needs at least {_FEWEST} bars with both legs present; there are {len(y)}."
        )
    row_y, row_x = y[None, :], x[None, :]
    line = line_of(method, prices)
    fit = line(row_y, row_x) if intercept else least_squares(row_y, row_x, intercept=False)
    slope, constant, stderr, r_squared = (float(column[0]) for column in fit)
    if not np.isfinite(slope):
        reason = "Leg x does not move" if x.max() == x.min() else "The legs do not move together"
        raise StatisticsError(f"{reason} over these bars, so there is no hedge ratio.")
    return HedgeRatioResult(slope, constant, stderr, r_squared, len(y), prices, method)
