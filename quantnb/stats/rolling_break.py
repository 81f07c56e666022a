"""The break alarm bar by bar: how strong it rang at each close, over the window that ended there."""

from __future__ import annotations

import numpy as np

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats.break_alarm import Level, break_alarm
from quantnb.stats.inputs import Column, check_window, like, pair_values

__all__ = ["rolling_break"]


def rolling_break(y: Column, x: Column, window: int, n_newest: int = 500, *, level: Level = "5%") -> Column:
    """Return the strength of the break alarm on the ``window`` bars up to and with each bar.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs, oldest first, on one index.
    window : int
        Bars in each alarm; below 60 there is none.
    n_newest : int
        How many of the newest bars are looked at; each costs a run of `break_alarm`.
    level : {"1%", "5%", "10%"}
        False alarms of one window; that of many windows together is higher.

    Returns
    -------
    Series or array of shape (n,)
        In the form of ``y``: `BreakAlarm.strength`, which is above 1 where the line has broken. NaN for bars
        before the newest ``n_newest``, and where the alarm cannot be run: too few bars, a bar missing in the
        window, a leg that does not move, a straight line.

    Raises
    ------
    InvalidSettingError
        For an impossible window, number of bars or level.
    StatisticsError
        For legs that are not aligned.
    """
    check_window(window, at_least=1)
    is_integer = isinstance(n_newest, (int, np.integer)) and not isinstance(n_newest, bool)
    if not is_integer or n_newest < 1:
        raise InvalidSettingError(f"n_newest is a whole number of bars above 0, not {n_newest!r}.")
    leg_y, leg_x = pair_values(y, x)
    strengths = np.full(len(leg_y), np.nan)
    for end in range(max(window, len(leg_y) - n_newest + 1), len(leg_y) + 1):
        rows = slice(end - window, end)
        try:
            strengths[end - 1] = break_alarm(leg_y[rows], leg_x[rows], level=level).strength
        except StatisticsError:
            continue  # no honest number: it stays NaN
    return like(y, strengths, "break_strength")
