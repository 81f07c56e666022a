"""Who moved? The change of a z-score, split exactly into what changed.

z = (y - intercept - hedge_ratio x - mean) / deviation. Between two bars each of the six changes. With the
distance u = y - intercept - hedge_ratio x - mean and g = 1 / deviation, and a bar over a letter for the
midpoint of before and after,

    change of a product:      d(u g) = du g_ + u_ dg
    change of the distance:   du = dy - d(intercept) - (d(hedge_ratio) x_ + hedge_ratio_ dx) - dmean

are identities, not approximations. So the parts add up to the change whatever its size, no order of the
causes is preferred, and backwards in time each part only changes its sign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from quantnb.stats.causal import causal_fit
from quantnb.stats.inputs import Array, check_window, is_series, pair_values
from quantnb.stats.windows import centre, quietly, row_sums, windows

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ZscoreParts",
    "ZscoreState",
    "attribute_zscore",
    "spread_moments",
    "zscore_attribution",
    "zscore_states",
]


class ZscoreState(NamedTuple):
    """All that a z-score is made of, at one bar (numbers) or many (arrays of one shape)."""

    y: Any
    x: Any
    hedge_ratio: Any
    intercept: Any
    mean: Any  # of the causal spread over the window
    deviation: Any  # its standard deviation

    @property
    def distance(self) -> Any:
        """How far the spread stands from its mean, y - intercept - hedge_ratio x - mean; in units of y."""
        return self.y - self.intercept - self.hedge_ratio * self.x - self.mean

    @property
    def zscore(self) -> Any:
        """The distance in standard deviations."""
        return self.distance / self.deviation


class ZscoreParts(NamedTuple):
    """What each cause contributed to the change of a z-score, in standard deviations.

    ``hedge_ratio`` is the whole line: the ratio and the intercept are fitted together, and when the ratio
    moves, the intercept moves against it by nearly as much.
    """

    leg_y: Any
    leg_x: Any
    hedge_ratio: Any
    mean: Any
    deviation: Any


def attribute_zscore(before: ZscoreState, after: ZscoreState) -> ZscoreParts:
    """Split the change of a z-score between two bars into its causes.

    Parameters
    ----------
    before, after : ZscoreState
        Of numbers, or of arrays of one shape. The arithmetic is also that of `fractions.Fraction`, in which
        the parts sum to the change exactly.

    Returns
    -------
    ZscoreParts
        Their sum is ``after.zscore - before.zscore``, up to the rounding of the last digits of the largest
        part; NaN where either z-score is.

    Notes
    -----
    A product's change is split at the midpoint (T. L. Bennet 1920, "The Theory of Measurement of Changes in
    Cost of Living"), for two factors their Shapley value; ratio times x is split within the distance alike.
    """
    g = (1 / before.deviation + 1 / after.deviation) / 2
    ratio, x = (before.hedge_ratio + after.hedge_ratio) / 2, (before.x + after.x) / 2
    line = (after.hedge_ratio - before.hedge_ratio) * x + (after.intercept - before.intercept)
    distance = (before.distance + after.distance) / 2
    return ZscoreParts(
        leg_y=(after.y - before.y) * g,
        leg_x=-(after.x - before.x) * ratio * g,
        hedge_ratio=-line * g,
        mean=-(after.mean - before.mean) * g,
        deviation=distance * (1 / after.deviation - 1 / before.deviation),
    )


def zscore_attribution(y: Any, x: Any, window: int) -> pd.DataFrame:
    """Split every change of a pair's causal z-score into its causes.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs, oldest first, on one index.
    window : int
        Bars in each fit, and in each mean and deviation; at least 3.

    Returns
    -------
    DataFrame
        ``leg_y``, ``leg_x``, ``hedge_ratio``, ``mean``, ``deviation`` and their sum ``change``, in standard
        deviations, on the index of ``y``. NaN where the z-score of the bar or of the one before is.

    Raises
    ------
    InvalidSettingError
        For an impossible window.
    StatisticsError
        For legs that are not aligned.
    """
    import pandas as pd

    states = zscore_states(*pair_values(y, x), window)
    before, after = (ZscoreState(*(column[rows] for column in states)) for rows in (np.s_[:-1], np.s_[1:]))
    with quietly():
        parts = attribute_zscore(before, after)._asdict() | {"change": after.zscore - before.zscore}
    columns = {name: np.concatenate([[np.nan], part])[: len(states.y)] for name, part in parts.items()}
    return pd.DataFrame(columns, index=y.index if is_series(y) else None)


def zscore_states(y: Array, x: Array, window: int) -> ZscoreState:
    """Return what the causal z-score of each bar is made of; arrays of shape (n,), NaN where it has none."""
    check_window(window, at_least=3)
    fit = causal_fit(y, x, window)
    spread = y - fit.intercept - fit.hedge_ratio * x
    return ZscoreState(y, x, fit.hedge_ratio, fit.intercept, *spread_moments(spread, window))


def spread_moments(spread: Array, window: int) -> tuple[Array, Array]:
    """Return mean and standard deviation of the ``window`` spreads up to and with each bar.

    NaN where a spread is missing; a window that does not move has no deviation.
    """
    mean, deviation = np.full(len(spread), np.nan), np.full(len(spread), np.nan)
    with quietly():
        for rows, (block,) in windows(window, spread):
            within, mean[rows] = centre(block)
            deviation[rows] = np.sqrt(row_sums(within, within) / (window - 1))
    deviation[deviation == 0] = np.nan  # a flat window has no z-score
    return mean, deviation
