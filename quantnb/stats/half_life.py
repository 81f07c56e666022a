"""The half-life of a spread: after how many bars half of a deviation is gone, if it goes.

The change of the series is regressed on its level before, as if it were an AR(1). On short samples the slope
is biased towards reversion, so the half-life reads too short: a true 20 bars reads about 6 at n = 50 and 13
at n = 200, and even a random walk shows a finite one. `HalfLifeResult.corrected` takes the mean of that bias
off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from quantnb.errors import StatisticsError
from quantnb.stats.hedge import fit_line
from quantnb.stats.inputs import Array, to_values
from quantnb.stats.windows import quietly

__all__ = ["HalfLifeResult", "half_life", "half_life_of"]

_FEWEST = 4  # changes: Kendall's correction divides by three fewer


@dataclass(frozen=True, slots=True)
class HalfLifeResult:
    """Half-life of a series as an AR(1).

    Attributes
    ----------
    half_life : float
        Bars until half of a deviation is gone, -ln 2 / ln(1 + slope): infinite where the series does not come
        back (slope >= 0), 0 where it overshoots within a bar (slope <= -1). Biased short.
    corrected : float
        The same after Kendall's (1954) first-order correction of the slope; infinite far more often, and
        rightly so.
    slope : float
        Of the change on the level before.
    stderr : float
        Standard error of the slope. Not for a t test: the t value has Dickey and Fuller's distribution.
    nobs : int
        Changes used.
    """

    half_life: float
    corrected: float
    slope: float
    stderr: float
    nobs: int

    @property
    def verdict(self) -> str:
        """What the estimate says, in a sentence."""
        if math.isinf(self.half_life):
            return f"Does not come back: no reversion over {self.nobs} changes."
        longer = "no reversion at all" if math.isinf(self.corrected) else f"{self.corrected:.3g} bars"
        return (
            f"Half of a deviation is gone after {self.half_life:.3g} bars; that reads too short over "
            f"{self.nobs} changes, corrected for it: {longer}."
        )


def half_life(series: Any) -> HalfLifeResult:
    """Estimate after how many bars half of a deviation is gone.

    Parameters
    ----------
    series : Series or array of shape (n,)
        A spread with one hedge ratio throughout, oldest first. A missing value takes the two changes beside
        it out.

    Returns
    -------
    HalfLifeResult
        In bars; multiply by the bar's length for a time.

    Raises
    ------
    StatisticsError
        For fewer than 4 changes, or levels that are constant.

    Notes
    -----
    The correction is that of M. G. Kendall (1954), "Note on Bias in the Estimation of Autocorrelation",
    Biometrika 41: E[estimate] = phi - (1 + 3 phi) / n, solved for phi. Where the hedge ratio was estimated
    from the same bars, the bias is larger still.
    """
    values = to_values(series, "The series")
    level, change = values[:-1], np.diff(values)
    is_known = np.isfinite(change)
    level, change = level[is_known], change[is_known]
    n = len(change)
    if n < _FEWEST:
        raise StatisticsError(f"A half-life needs at least {_FEWEST} changes in a row; there are {n}.")
    if level.max() == level.min():
        raise StatisticsError(f"The series is constant ({level[0]:g}); it has no half-life.")
    fit = fit_line(change, level)
    unbiased = (n * (1.0 + fit.hedge_ratio) + 1.0) / (n - 3.0) - 1.0
    plain, corrected = half_life_of([fit.hedge_ratio, unbiased])
    return HalfLifeResult(float(plain), float(corrected), fit.hedge_ratio, fit.stderr, n)


def half_life_of(slope: ArrayLike) -> Array:
    """Return the half-life in bars of slopes of the change on the level before; NaN where one is NaN."""
    slopes = np.asarray(slope, dtype=np.float64)
    with quietly():
        bars = -np.log(2.0) / np.log1p(slopes)
    bars = np.where(slopes >= 0, np.inf, bars)
    return np.where(slopes <= -1, 0.0, bars)
