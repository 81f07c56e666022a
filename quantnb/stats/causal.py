"""The causal spread: at every bar, the hedge ratio that was known before it.

A spread that uses today's ratio for all of the past repaints whenever the ratio moves; it is what a
cointegration test looks at, and no signal can be read from it. Here bar t is judged by the fit on the
``window`` bars strictly before t, so no later bar ever changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from quantnb.stats.inputs import Array, check_window, is_series, pair_values
from quantnb.stats.regression import FitColumns, least_squares
from quantnb.stats.windows import windows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["causal_fit", "causal_spread", "rolling_fit"]


def causal_spread(y: Any, x: Any, window: int, *, intercept: bool = True) -> pd.DataFrame:
    """Return each bar's spread by its own hedge ratio, fitted on the ``window`` bars before it.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs, oldest first, on one index.
    window : int
        Bars in each fit, at least 3.
    intercept : bool
        Whether each line may miss the origin.

    Returns
    -------
    DataFrame
        ``spread`` (y - intercept - hedge_ratio x, in units of y), ``hedge_ratio``, ``intercept``,
        ``r_squared`` (of the fit that bar is judged by), on the index of ``y``. NaN for the first ``window``
        bars, and where a price in the fit is missing or x did not move.

    Raises
    ------
    InvalidSettingError
        For an impossible window.
    StatisticsError
        For legs that are not aligned.
    """
    import pandas as pd

    leg_y, leg_x = pair_values(y, x)
    fit = causal_fit(leg_y, leg_x, window, intercept=intercept)
    columns = {
        "spread": leg_y - fit.intercept - fit.hedge_ratio * leg_x,
        "hedge_ratio": fit.hedge_ratio,
        "intercept": fit.intercept,
        "r_squared": fit.r_squared,
    }
    return pd.DataFrame(columns, index=y.index if is_series(y) else None)


def causal_fit(y: Array, x: Array, window: int, *, intercept: bool = True) -> FitColumns:
    """Return the fits by which each bar is judged: `rolling_fit`, one bar later; arrays in, arrays out."""
    known = rolling_fit(y, x, window, intercept=intercept)
    return FitColumns(*(_one_later(column) for column in known))


def rolling_fit(y: Array, x: Array, window: int, *, intercept: bool = True) -> FitColumns:
    """Return the fits on the ``window`` bars up to and with each bar, known at its close.

    Parameters
    ----------
    y, x : array of shape (n,)
        Prices of the legs, oldest first.
    window : int
        Bars in each fit, at least 3.
    intercept : bool
        Whether each line may miss the origin.

    Returns
    -------
    FitColumns
        Arrays of shape (n,); NaN for the first ``window - 1`` bars.
    """
    check_window(window, at_least=3)
    fits = FitColumns(*(np.full(len(y), np.nan) for _ in FitColumns._fields))
    for rows, (block_y, block_x) in windows(window, y, x):
        for column, values in zip(fits, least_squares(block_y, block_x, intercept=intercept), strict=True):
            column[rows] = values
    return fits


def _one_later(column: Array) -> Array:
    return np.concatenate([[np.nan], column])[: len(column)]
