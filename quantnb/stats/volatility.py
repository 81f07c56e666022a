"""Rolling volatility: the standard deviation of log returns, per year."""

from __future__ import annotations

import numpy as np

from quantnb.stats.inputs import Column, check_window, like, to_values
from quantnb.stats.returns import returns_of
from quantnb.stats.timeframes import bars_per_year
from quantnb.stats.windows import centre, quietly, row_sums, windows

__all__ = ["rolling_volatility"]


def rolling_volatility(close: Column, window: int, timeframe: str) -> Column:
    """Return the sample standard deviation of the last ``window`` log returns, annualised.

    Parameters
    ----------
    close : Series or array of shape (n,)
        Closes, oldest first.
    window : int
        Returns in each standard deviation, at least 2; so the first value stands at bar ``window``.
    timeframe : str
        Length of a bar, one of `TIMEFRAME_NS`. A year is 365 days, because the market never closes.

    Returns
    -------
    Series or array of shape (n,)
        In the form of ``close``; a fraction per square root of a year (0.6 is 60 %). NaN during warm-up and
        where a close in the window is missing; exactly 0 where the price stood still.

    Raises
    ------
    InvalidSettingError
        For an unknown timeframe or an impossible window.
    StatisticsError
        Where a close is zero or negative.
    """
    check_window(window, at_least=2)
    annual = np.sqrt(bars_per_year(timeframe))
    returns = returns_of(to_values(close, "close"))
    volatility = np.full(len(returns), np.nan)
    with quietly():
        for rows, (block,) in windows(window, returns):
            deviations, _ = centre(block)
            volatility[rows] = annual * np.sqrt(row_sums(deviations, deviations) / (window - 1))
    return like(close, volatility, "volatility")
