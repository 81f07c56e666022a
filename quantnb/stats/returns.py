"""Log returns: what the market paid, bar by bar."""

from __future__ import annotations

import numpy as np

from quantnb.errors import StatisticsError
from quantnb.stats.inputs import Array, Column, like, to_values

__all__ = ["log_returns"]


def log_returns(close: Column) -> Column:
    """Return ln(C_t / C_{t-1}).

    Parameters
    ----------
    close : Series or array of shape (n,)
        Closes, oldest first; NaN where a bar is not known.

    Returns
    -------
    Series or array of shape (n,)
        In the form of ``close``; dimensionless. NaN for the first bar and on both sides of a missing one,
        never 0.

    Raises
    ------
    StatisticsError
        Where a close is zero or negative.
    """
    return like(close, returns_of(to_values(close, "close")), "log_return")


def returns_of(close: Array) -> Array:
    """Return log returns of an array of closes; the same checks, no pandas."""
    check_positive(close, "close")
    returns = np.full(len(close), np.nan)
    returns[1:] = np.log(close[1:] / close[:-1])
    return returns


def check_positive(prices: Array, name: str, reason: str = "for its logarithm") -> None:
    """Raise `StatisticsError` where a price is zero or negative; NaN is merely missing."""
    wrong = np.flatnonzero(prices <= 0)
    if len(wrong):
        raise StatisticsError(
            f"{name} must be above 0 {reason}; at position {wrong[0]} it is {prices[wrong[0]]:g}."
        )
