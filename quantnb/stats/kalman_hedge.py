"""The Kalman hedge of a pair, bar by bar: ratio, its uncertainty, spread and z-score, each known before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import kalman
from quantnb.stats.inputs import Array, check_window, is_series, pair_values
from quantnb.stats.returns import check_positive

if TYPE_CHECKING:
    import pandas as pd

    from quantnb.stats.lines import Prices

__all__ = ["kalman_columns", "kalman_hedge"]

_NAMES = ("spread", "hedge_ratio", "intercept", "stderr", "deviation")


def kalman_hedge(
    y: Any, x: Any, *, warm_up: int = 50, delta: float | Literal["ml"] = 1e-4, prices: Prices = "level"
) -> pd.DataFrame:
    """Follow a hedge ratio that wanders.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs, oldest first, on one index. A bar that one leg misses is left out, and the time
        that passed is counted.
    warm_up : int
        Bars of the first fit, by ordinary least squares; at least 10.
    delta : float or "ml"
        Variance of the intercept's step a bar, in units of the observation noise's; the filter forgets over
        about 1 / sqrt(delta) bars. "ml" takes the likeliest over all bars given, so that no value is causal
        but the newest, and a slow spread is mistaken for a wandering intercept.
    prices : {"level", "log"}
        Follow the prices, a ratio of units, or their logarithms, a ratio of money.

    Returns
    -------
    DataFrame
        On the index of ``y``: ``spread`` (the innovation: y minus what was expected before the bar, in units
        of y), ``hedge_ratio`` and ``intercept`` known before the bar, ``stderr`` (of the ratio),
        ``deviation`` (expected of the innovation) and ``zscore`` (spread / deviation). NaN during warm-up
        and where a price is missing. The column ``delta`` is in ``attrs``.

    Raises
    ------
    InvalidSettingError
        For an impossible warm-up, ``delta`` or ``prices``.
    StatisticsError
        For legs that are not aligned, fewer bars than the warm-up needs, or a leg x that does not move in it.

    Notes
    -----
    R. E. Kalman (1960); the model is that of the module. The z-score is of the innovation *before* the
    update, over its own standard deviation: by construction nearly white, so its half-life says nothing.
    """
    import pandas as pd

    leg_y, leg_x = pair_values(y, x)
    if prices not in ("level", "log"):
        raise InvalidSettingError(f"Prices are followed as level or log, not {prices!r}.")
    if prices == "log":
        check_positive(leg_y, "y")
        check_positive(leg_x, "x")
        leg_y, leg_x = np.log(leg_y), np.log(leg_x)
    columns, used = kalman_columns(leg_y, leg_x, warm_up=warm_up, delta=delta)
    frame = pd.DataFrame(columns, index=y.index if is_series(y) else None)
    frame.attrs["delta"] = used
    return frame


def kalman_columns(
    y: Array, x: Array, *, warm_up: int, delta: float | Literal["ml"]
) -> tuple[dict[str, Array], float]:
    """Return the columns of `kalman_hedge` as arrays, and the ``delta`` used."""
    check_window(warm_up, at_least=10)
    if delta != "ml" and not (isinstance(delta, (int, float)) and 0 <= delta <= 1):
        raise InvalidSettingError(f"delta is a number from 0 to 1, or 'ml', not {delta!r}.")
    present = np.flatnonzero(np.isfinite(y) & np.isfinite(x))
    if len(present) < warm_up:
        raise StatisticsError(f"The warm-up takes {warm_up} bars with both legs; there are {len(present)}.")
    leg_y, leg_x = y[present], x[present]
    if leg_x[:warm_up].max() == leg_x[:warm_up].min():
        raise StatisticsError("Leg x does not move during the warm-up, so there is no ratio to follow.")
    n_bars = np.diff(present, prepend=present[:1]).astype(np.float64)
    if delta == "ml":
        delta = kalman.likeliest_delta(leg_y, leg_x, warm_up=warm_up, n_bars=n_bars)
    _, bars = kalman.run(leg_y[None, :], leg_x[None, :], warm_up=warm_up, delta=delta, n_bars=n_bars)
    columns = {name: np.full(len(y), np.nan) for name in _NAMES}
    for name in _NAMES:
        columns[name][present] = getattr(bars, name)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = columns["spread"] / columns["deviation"]
    columns["zscore"] = np.where(np.isfinite(scores), scores, np.nan)
    return columns, float(delta)
