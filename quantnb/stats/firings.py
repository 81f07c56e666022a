"""How often would a rule have spoken? An alert rule over bars that are known already.

The rule is `quantnb.trigger.Trigger`, the very fold that alerts go through, so a preview fires where the rule
would have fired had it been shown these values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats.inputs import Column, like, to_values
from quantnb.stats.returns import check_positive
from quantnb.trigger import REARM_FRACTION, Trigger

__all__ = ["firings", "price_changes_pct"]

_NS_PER_S = 1_000_000_000


def firings(
    values: Any, times_ns: Any, threshold: float, *, rearm: float = REARM_FRACTION, cooldown_s: float = 30.0
) -> NDArray[np.int64]:
    """Return where a threshold rule would have fired.

    Parameters
    ----------
    values : Series or array of shape (n,)
        What the rule watches, oldest first: z-scores, price changes, strengths of a break. NaN is no value
        and changes nothing.
    times_ns : array of int of shape (n,)
        When each value was known, in nanoseconds since the epoch.
    threshold : float
        In the unit of the values, above 0; compared with the absolute value.
    rearm : float
        Share of the threshold, above 0 and at most 1, to which the value must come back before the rule fires
        again.
    cooldown_s : float
        Seconds after a firing in which the rule is silent; a value that comes back meanwhile arms it.

    Returns
    -------
    array of int of shape (n_firings,)
        Positions in ``values``, ascending.

    Raises
    ------
    InvalidSettingError
        For a threshold, a share or a cooldown that cannot be.
    StatisticsError
        For times that are not whole numbers in order, one a value.
    """
    if not (math.isfinite(threshold) and threshold > 0):
        raise InvalidSettingError(f"The threshold is a number above 0, not {threshold!r}.")
    if not 0 < rearm <= 1:
        raise InvalidSettingError(f"A rule is armed again at a share above 0 and at most 1, not {rearm!r}.")
    if not 0 <= cooldown_s < math.inf:
        raise InvalidSettingError(f"The cooldown is 0 or more seconds, not {cooldown_s!r}.")
    column = to_values(values, "values")
    times, trigger = _checked(times_ns, len(column)), Trigger(threshold, cooldown_s, rearm)
    shown = zip(column.tolist(), times.tolist(), strict=True)
    fired = [position for position, (value, time) in enumerate(shown) if trigger.fires(value, time)]
    return np.array(fired, dtype=np.int64)


def price_changes_pct(closes: Column, times_ns: Any, span_s: float) -> Column:
    """Return each close's change against the close ``span_s`` before it, what a price rule watches.

    Parameters
    ----------
    closes : Series or array of shape (n,)
        Closes of consecutive bars, oldest first; NaN where a bar is not known.
    times_ns : array of int of shape (n,)
        Opens (or closes) of the bars, in nanoseconds since the epoch.
    span_s : float
        Seconds to look back, above 0. The close it looks at is that of the newest bar at least as old, so a
        span that is no whole number of bars is rounded up to one.

    Returns
    -------
    Series or array of shape (n,)
        In the form of ``closes``; per cent. NaN where either close is not known.

    Raises
    ------
    InvalidSettingError
        For a span that is not above 0.
    StatisticsError
        For times that are not whole numbers in order, one a close, or a close that is not above 0.

    Notes
    -----
    A live price rule sees every trade; this sees one price a bar. What goes up and comes back within a bar is
    missed, so a preview on bars usually fires less often than the rule, the more so on short spans.
    """
    if not 0 < span_s < math.inf:
        raise InvalidSettingError(f"The span is a number of seconds above 0, not {span_s!r}.")
    values = to_values(closes, "closes")
    check_positive(values, "closes", "to be a price")
    times = _checked(times_ns, len(values))
    then = np.searchsorted(times, times - int(span_s * _NS_PER_S), side="right") - 1
    before = np.where(then >= 0, values[np.maximum(then, 0)], np.nan) if len(values) else values
    return like(closes, 100.0 * (values / before - 1.0), "price_change_pct")


def _checked(times_ns: Any, n: int) -> NDArray[np.int64]:
    times = np.asarray(times_ns)
    if times.shape != (n,) or not (n == 0 or np.issubdtype(times.dtype, np.integer)):
        raise StatisticsError(
            f"times_ns is one whole number of nanoseconds for each of the {n} values, "
            f"not {times.dtype} of shape {times.shape}."
        )
    times = times.astype(np.int64)
    if (np.diff(times) < 0).any():
        raise StatisticsError("times_ns must ascend; sort the bars by time first.")
    return times
