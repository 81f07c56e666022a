"""What a z-score rests on: how much was observed, whether the spread comes back, and how fast.

A z-score is a number as soon as there are two windows of bars. Whether it means what a desk takes it for, a
distance that will be closed, depends on the bars having been traded, on the two legs sharing a trend, and on
the window being long enough to have seen the mean. Where one of these is not shown, the reason is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantnb.errors import InvalidSettingError, StatisticsError, choices
from quantnb.stats.adf import FEWEST_OBSERVATIONS
from quantnb.stats.causal import causal_fit
from quantnb.stats.engle_granger import EngleGrangerResult, engle_granger
from quantnb.stats.half_life import HalfLifeResult, half_life
from quantnb.stats.inputs import Array, check_window, pair_values
from quantnb.stats.mackinnon import LEVELS
from quantnb.stats.zscore import zscore

__all__ = ["ZscoreEvidence", "zscore_evidence"]


@dataclass(frozen=True, slots=True)
class ZscoreEvidence:
    """The newest z-score and what it rests on.

    Attributes
    ----------
    zscore : float
        Of the causal spread at the newest bar; NaN where there is none.
    window : int
        Bars in each fit, and in each mean and deviation.
    n : int
        Bars with both legs among the newest ``2 * window``, on which the z-score depends.
    coverage : float
        ``n / (2 * window)``, from 0 to 1.
    share_filled : float
        Share of those bars in which a leg had no trade and its close is carried; NaN where nobody said.
    engle_granger : EngleGrangerResult or None
        y on x, on the newest ``max(window, 30)`` bars; None where it could not be run.
    half_life : HalfLifeResult or None
        Of the residual of that test.
    reasons : tuple of str
        Why the z-score is not to be believed, in words; empty where nothing speaks against it.
    """

    zscore: float
    window: int
    n: int
    coverage: float
    share_filled: float
    engle_granger: EngleGrangerResult | None
    half_life: HalfLifeResult | None
    reasons: tuple[str, ...]

    @property
    def is_valid(self) -> bool:
        """Whether nothing speaks against the z-score."""
        return not self.reasons

    @property
    def pvalue(self) -> float:
        """Engle-Granger's p-value, y on x; NaN where the test could not be run."""
        return self.engle_granger.pvalue if self.engle_granger else math.nan

    @property
    def verdict(self) -> str:
        """Whether to believe the z-score, in words."""
        if self.is_valid:
            return f"Valid: n = {self.n}, Engle-Granger p = {self.pvalue:.3f}."
        return f"Not valid: {'; '.join(self.reasons)}."


def zscore_evidence(
    y: Any,
    x: Any,
    window: int,
    *,
    filled: Any = None,
    most_filled: float = 0.2,
    level: str = "10%",
    ages_s: tuple[float, float] | None = None,
    stale_after_s: float = 5.0,
) -> ZscoreEvidence:
    """Say what the newest z-score rests on, and why it is not to be believed where it is not.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs, oldest first, on one index; NaN where a bar is not known.
    window : int
        Bars in each fit, and in each mean and deviation; at least 3.
    filled : Series or bool array of shape (n,), optional
        True where either leg had no trade in the bar and its close is carried.
    most_filled : float
        The share of filled bars that is borne.
    level : {"1%", "5%", "10%"}
        The level at which Engle-Granger must reject, by the critical value for the sample.
    ages_s : tuple of two floats, optional
        Seconds since the newest trade of leg y and of leg x.
    stale_after_s : float
        The age that is borne.

    Returns
    -------
    ZscoreEvidence

    Raises
    ------
    InvalidSettingError
        For an impossible window or an unknown level.
    StatisticsError
        For columns that are not aligned.

    Notes
    -----
    The half-life is judged after Kendall's correction, because as estimated it reads too short just where the
    window is too short. It must be at most half the window: the mean of a window that has seen less than two
    half-lives is a point of the swing and not its middle.
    """
    check_window(window, at_least=3)
    if level not in LEVELS:
        raise InvalidSettingError(f"The level is {choices(LEVELS)}, not {level!r}.")
    leg_y, leg_x = (leg[-2 * window :] for leg in pair_values(y, x))
    n = int(np.count_nonzero(np.isfinite(leg_y) & np.isfinite(leg_x)))
    share_filled = math.nan if filled is None else _share(y, filled, window)
    score = _newest_zscore(leg_y, leg_x, window)
    reasons = _of_bars(leg_y, leg_x, n, window, score)
    if share_filled > most_filled:
        reasons.append(f"{share_filled:.0%} of the bars have no trade and repeat an old price")
    test, life = None, None
    if not math.isnan(score):
        test, life, more = _of_reversion(leg_y, leg_x, window, level)
        reasons += more
    for name, age_s in zip("yx", ages_s or (), strict=False):
        if not age_s <= stale_after_s:
            reasons.append(f"leg {name} has not traded for {age_s:.1f} s")
    return ZscoreEvidence(score, window, n, n / (2 * window), share_filled, test, life, tuple(reasons))


def _share(y: Any, filled: Any, window: int) -> float:
    newest = pair_values(y, filled, ("y", "filled"))[1][-2 * window :]
    return float(np.count_nonzero(newest > 0) / len(newest)) if len(newest) else math.nan


def _newest_zscore(y: Array, x: Array, window: int) -> float:
    if not len(y):
        return math.nan
    fit = causal_fit(y, x, window)
    return float(zscore(y - fit.intercept - fit.hedge_ratio * x, window)[-1])


def _of_bars(y: Array, x: Array, n: int, window: int, score: float) -> list[str]:
    """Say what is wrong with the bars themselves."""
    if len(y) < 2 * window:
        return [f"{len(y)} of {2 * window} bars"]
    if n < 2 * window:
        return [f"{2 * window - n} of the last {2 * window} bars are missing"]
    if not math.isnan(score):
        return []
    still = [name for name, leg in (("y", y), ("x", x)) if leg[-window:].max() == leg[-window:].min()]
    return [f"leg {name} did not move in the window" for name in still] or ["the spread did not move"]


def _of_reversion(
    y: Array, x: Array, window: int, level: str
) -> tuple[EngleGrangerResult | None, HalfLifeResult | None, list[str]]:
    """Test the newest bars, and say where the spread is not shown to come back, or not within the window."""
    newest = slice(-max(window, FEWEST_OBSERVATIONS), None)
    try:
        test = engle_granger(y[newest], x[newest])
        life = half_life(y[newest] - test.intercept - test.hedge_ratio * x[newest])
    except StatisticsError as error:
        return None, None, [f"the spread could not be tested: {error}"]
    reasons = []
    if test.statistic >= test.critical_values[level]:
        reasons.append(
            f"Engle-Granger p = {test.pvalue:.2f}, n = {test.nobs}: the spread is not shown to come back"
        )
    if life.corrected > window / 2:
        bars = "infinite" if math.isinf(life.corrected) else f"{life.corrected:.0f} bars"
        reasons.append(f"half-life {bars}, window {window}: the mean is not observed")
    return test, life, reasons
