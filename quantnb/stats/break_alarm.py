"""Whether a hedge ratio has broken: two tests of a constant line, fit for a spread that comes back slowly.

*CUSUM* adds up the recursive residuals, each bar against the line fitted on all bars before it. If the line
holds, the sum is a random walk that stays between two lines; a line that has moved away pulls it out.
*Drift* is the ratio of the newer half minus that of the older half, in standard errors.

Both take residuals for independent. A spread's are not: with a half-life of 5 bars, a constant line, and 200
bars, plain CUSUM raises a false alarm in 79 % of cases and plain drift in 54 %. So both legs are first freed
from the spread's memory (y_t - p y_{t-1}, likewise x, with p the persistence of the residual after Kendall's
correction), which leaves the same ratio to be tested; then both together ring falsely in 4 to 6 % of cases. A
change of the ratio is seen well, a shift of the level seldom; a spread that just wanders off is a matter for
`engle_granger`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from quantnb.errors import InvalidSettingError, StatisticsError, choices
from quantnb.stats.adf import FEWEST_OBSERVATIONS, check_observed
from quantnb.stats.half_life import half_life
from quantnb.stats.hedge import fit_line
from quantnb.stats.inputs import Array, pair_values
from quantnb.stats.windows import quietly

__all__ = ["FEWEST_BARS", "BreakAlarm", "Level", "break_alarm", "cusum_statistic", "recursive_residuals"]

Level = Literal["1%", "5%", "10%"]

FEWEST_BARS = 2 * FEWEST_OBSERVATIONS

# Each of the two tests at half the level. CUSUM: Brown, Durbin and Evans' a with
# 2 (Q(3a) + exp(-4 a^2) (1 - Q(a))) = size, Q the normal tail; drift: the normal quantile.
_THRESHOLDS: dict[Level, tuple[float, float]] = {
    "1%": (1.21721702928724, 2.80703376834380),
    "5%": (1.03651324876466, 2.24140272760495),
    "10%": (0.94789891651528, 1.95996398454005),
}


@dataclass(frozen=True, slots=True)
class BreakAlarm:
    """Two tests of a constant hedge ratio; the null hypothesis is no break.

    Attributes
    ----------
    cusum, cusum_threshold : float
        Greatest height of the sum of recursive residuals over Brown, Durbin and Evans' boundary at a = 1, and
        the a that it must exceed.
    drift, drift_threshold : float
        Ratio of the newer half minus that of the older, in standard errors; signed. Its size must exceed the
        threshold.
    ratio_before, ratio_after : float
        Of the two halves.
    persistence : float
        Of the residual from bar to bar, 0 to 1; what the legs were freed from.
    level : {"1%", "5%", "10%"}
        False alarms of both tests together.
    nobs : int
        Bars of the pair.
    """

    cusum: float
    cusum_threshold: float
    drift: float
    drift_threshold: float
    ratio_before: float
    ratio_after: float
    persistence: float
    level: Level
    nobs: int

    @property
    def strength(self) -> float:
        """The larger of the two statistics, each over its threshold; the line has broken above 1."""
        return max(self.cusum / self.cusum_threshold, abs(self.drift) / self.drift_threshold)

    @property
    def is_broken(self) -> bool:
        """Whether either test rejects a constant line."""
        return self.strength > 1.0

    @property
    def verdict(self) -> str:
        """What the tests say, in a sentence."""
        reasons = []
        if self.cusum > self.cusum_threshold:
            reasons.append(f"CUSUM {self.cusum:.2f} is above {self.cusum_threshold:.2f}")
        if abs(self.drift) > self.drift_threshold:
            reasons.append(
                f"the ratio went from {self.ratio_before:.6g} to {self.ratio_after:.6g}, "
                f"{abs(self.drift):.1f} standard errors"
            )
        if not reasons:
            return f"No break is seen at {self.level} over {self.nobs} bars."
        return f"The hedge has broken: {' and '.join(reasons)} ({self.level}, {self.nobs} bars)."


def break_alarm(y: Any, x: Any, *, level: Level = "5%") -> BreakAlarm:
    """Test whether one hedge ratio holds over all bars given.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs (or their logarithms) on one index, oldest first; at least 60 bars, none missing.
        Give the window that the ratio is used on, not a history that has seen other markets.
    level : {"1%", "5%", "10%"}
        False alarms on one window. An alarm that is looked at every bar is raised more often.

    Returns
    -------
    BreakAlarm

    Raises
    ------
    InvalidSettingError
        For an unknown level.
    StatisticsError
        For legs that are not aligned, fewer than 60 bars, a gap among them, or a leg that does not move.

    Notes
    -----
    R. L. Brown, J. Durbin and J. M. Evans (1975), "Techniques for Testing the Constancy of Regression
    Relationships over Time", JRSS B 37; residuals freed from their memory as by Cochrane and Orcutt (1949).
    """
    if level not in _THRESHOLDS:
        raise InvalidSettingError(f"The level is {choices(_THRESHOLDS)}, not {level!r}.")
    leg_y, leg_x = pair_values(y, x)
    for name, leg in (("y", leg_y), ("x", leg_x)):
        if len(leg) < FEWEST_BARS:
            raise StatisticsError(f"Leg {name} has {len(leg)} bars; two halves need {FEWEST_BARS}.")
        check_observed(leg, f"Leg {name}")
    leg_y, leg_x = leg_y - leg_y[0], leg_x - leg_x[0]  # the level would cost digits, and says nothing
    memory = _persistence(leg_y, leg_x)
    free_y, free_x = leg_y[1:] - memory * leg_y[:-1], leg_x[1:] - memory * leg_x[:-1]
    half = len(free_y) // 2
    older, newer = fit_line(free_y[:half], free_x[:half]), fit_line(free_y[half:], free_x[half:])
    with quietly():
        drift = np.divide(newer.hedge_ratio - older.hedge_ratio, math.hypot(older.stderr, newer.stderr))
    statistic = cusum_statistic(recursive_residuals(free_y, free_x))
    if not (math.isfinite(drift) and math.isfinite(statistic)):
        raise StatisticsError("Leg y is a straight line of leg x; there is no residual to test.")
    thresholds = _THRESHOLDS[level]
    ratios = older.hedge_ratio, newer.hedge_ratio
    return BreakAlarm(
        statistic, thresholds[0], float(drift), thresholds[1], *ratios, memory, level, len(leg_y)
    )


def _persistence(y: Array, x: Array) -> float:
    """Return the first autocorrelation of the residual after Kendall's correction, within [0, 1]."""
    fit = fit_line(y, x)
    residual = y - fit.intercept - fit.hedge_ratio * x
    if residual.max() == residual.min():
        return 0.0
    found = half_life(residual)
    return 0.0 if found.corrected == 0 else float(2.0 ** (-1.0 / found.corrected))


def recursive_residuals(y: Array, x: Array) -> Array:
    """Return each bar's distance from the line on all bars before it, in units of the noise's deviation.

    Parameters
    ----------
    y, x : array of shape (n,)
        Nothing missing.

    Returns
    -------
    array of shape (n - 2,) at most
        From the first bar on before which x has moved. Independent with one variance where the line holds.
    """
    mean_y, mean_x, sxx, sxy, residuals = float(y[0]), float(x[0]), 0.0, 0.0, []
    for n, (value_y, value_x) in enumerate(zip(y[1:].tolist(), x[1:].tolist(), strict=True), start=1):
        dy, dx = value_y - mean_y, value_x - mean_x
        if n >= 2 and sxx > 0:
            residuals.append((dy - sxy / sxx * dx) / math.sqrt(1.0 + 1.0 / n + dx * dx / sxx))
        # Only ever adding, each about the mean so far (Welford): nothing is taken away that could cancel.
        share = n / (n + 1.0)
        sxx, sxy = sxx + share * dx * dx, sxy + share * dx * dy
        mean_y, mean_x = mean_y + dy / (n + 1.0), mean_x + dx / (n + 1.0)
    return np.array(residuals)


def cusum_statistic(residuals: Array) -> float:
    """Return the greatest of abs(sum up to r) / deviation over sqrt(m) + 2 r / sqrt(m), r = 1 ... m."""
    m = len(residuals)
    with quietly():
        path = np.abs(np.cumsum(residuals)) / residuals.std(ddof=1)
        return float((path / (math.sqrt(m) + 2.0 * np.arange(1, m + 1) / math.sqrt(m))).max())
