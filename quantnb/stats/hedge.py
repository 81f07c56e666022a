"""The hedge ratio: how much of leg x balances one unit of leg y."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats.inputs import Array, pair_values
from quantnb.stats.regression import least_squares
from quantnb.stats.returns import check_positive

__all__ = ["HedgeRatioResult", "Prices", "fit_line", "hedge_ratio"]

Prices = Literal["level", "log"]

_FEWEST = 3  # two points leave nothing to judge the fit by


@dataclass(frozen=True, slots=True)
class HedgeRatioResult:
    """Ordinary least squares y = intercept + hedge_ratio x.

    Attributes
    ----------
    hedge_ratio : float
        Units of x for one unit of y (prices="level"), or money for money (prices="log").
    intercept : float
        In units of y's price (or its logarithm); 0 when the fit has none.
    stderr : float
        Standard error of the hedge ratio.
    r_squared : float
        Centred with an intercept, about zero without. NaN where y does not move.
    nobs : int
        Pairs of prices used: bars that one leg misses are left out.
    prices : {"level", "log"}
        What was regressed.
    """

    hedge_ratio: float
    intercept: float
    stderr: float
    r_squared: float
    nobs: int
    prices: Prices = "level"


def hedge_ratio(y: Any, x: Any, *, intercept: bool = True, prices: Prices = "level") -> HedgeRatioResult:
    """Fit leg y on leg x by ordinary least squares.

    The fit is not symmetric: y on x and x on y are two ratios, whose product is R squared.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs on one index. Bars in which either is missing are left out of both; ``nobs`` says
        how many were left.
    intercept : bool
        Whether the line may miss the origin.
    prices : {"level", "log"}
        Fit the prices as they stand, a ratio of units, or their logarithms, a ratio of money.

    Returns
    -------
    HedgeRatioResult

    Raises
    ------
    InvalidSettingError
        For unknown ``prices``.
    StatisticsError
        For legs that are not aligned, fewer than 3 pairs, an x that does not move, or a logarithm of a price
        that is not above 0.
    """
    if prices not in ("level", "log"):
        raise InvalidSettingError(f"Prices are fitted as level or log, not {prices!r}.")
    leg_y, leg_x = pair_values(y, x)
    is_joint = np.isfinite(leg_y) & np.isfinite(leg_x)
    leg_y, leg_x = leg_y[is_joint], leg_x[is_joint]
    if prices == "log":
        check_positive(leg_y, "y")
        check_positive(leg_x, "x")
        leg_y, leg_x = np.log(leg_y), np.log(leg_x)
    return fit_line(leg_y, leg_x, intercept=intercept, prices=prices)


def fit_line(y: Array, x: Array, *, intercept: bool = True, prices: Prices = "level") -> HedgeRatioResult:
    """Fit arrays without missing values; the same arithmetic as every rolling fit."""
    if len(y) < _FEWEST:
        raise StatisticsError(
            f"A hedge ratio needs at least {_FEWEST} bars with both legs present; there are {len(y)}."
        )
    fit = least_squares(y[None, :], x[None, :], intercept=intercept)
    slope, constant, stderr, r_squared = (float(column[0]) for column in fit)
    if not np.isfinite(slope):
        raise StatisticsError("Leg x does not move over these bars, so there is no hedge ratio.")
    return HedgeRatioResult(slope, constant, stderr, r_squared, len(y), prices)
