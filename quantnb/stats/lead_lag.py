"""Lead and lag: which of two symbols moves first, in bars.

The correlation of one symbol's returns with the other's some bars later. At bar resolution a lead is at best
one bar long and at worst the clock's: a symbol that trades more often is always first to show news. The
largest of many correlations of nothing is not small, so the verdict asks for more than the band of one lag.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quantnb.errors import InvalidSettingError
from quantnb.stats.correlation import correlation_band, joint_correlation
from quantnb.stats.inputs import Array, pair_values
from quantnb.stats.returns import returns_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LIVE_BARS", "LeadLagResult", "lead_lag"]

LIVE_BARS = 2_000  # who leads now is not asked of yesterday


@dataclass(frozen=True, slots=True, eq=False)
class LeadLagResult:
    """Correlation of returns at each lag; at a positive lag a comes first.

    Attributes
    ----------
    lags : integer array of shape (2 * max_lag + 1,)
        Bars by which b's return is later than a's.
    correlations : array
        NaN for fewer than 3 returns in common or a leg that did not move.
    n : integer array
        Returns in common.
    """

    lags: NDArray[np.int64]
    correlations: Array
    n: NDArray[np.int64]

    @property
    def band(self) -> Array:
        """Half-width of the 95 % band of no correlation at each lag alone, 1.96 / sqrt(n)."""
        return correlation_band(self.n)

    @property
    def joint_band(self) -> Array:
        """Half-width of the band that all lags stay within together, 19 times of 20 (Bonferroni)."""
        return self.band / 1.96 * NormalDist().inv_cdf(1.0 - 0.025 / len(self.lags))

    @property
    def lead(self) -> int | None:
        """Bars by which a leads b (below 0: b leads a) at the strongest lag but 0; None within the band."""
        strength = np.where(self.lags == 0, np.nan, np.abs(self.correlations))
        beyond = strength > self.joint_band
        if not beyond.any():
            return None
        return int(self.lags[np.nanargmax(np.where(beyond, strength, np.nan))])

    @property
    def verdict(self) -> str:
        """Who leads, in a sentence."""
        return self.sentence("a", "b")

    def sentence(self, a: str, b: str) -> str:
        """Return who leads, in a sentence that calls the legs by these names."""
        if self.lead is None:
            return f"Neither leads: no lag of up to {self.lags[-1]} bars goes beyond the band of all lags."
        at = int(np.flatnonzero(self.lags == self.lead)[0])
        first, second = (a, b) if self.lead > 0 else (b, a)
        bars = "1 bar" if abs(self.lead) == 1 else f"{abs(self.lead)} bars"
        return (
            f"{first} leads {second} by {bars}: correlation {self.correlations[at]:.2f}, "
            f"band of all lags {self.joint_band[at]:.2f}, n = {self.n[at]}."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row a lag: ``correlation``, ``n``, ``band``."""
        import pandas as pd

        columns = {"correlation": self.correlations, "n": self.n, "band": self.band}
        return pd.DataFrame(columns, index=pd.Index(self.lags, name="lag"))


def lead_lag(a: Any, b: Any, max_lag: int = 10) -> LeadLagResult:
    """Correlate the log returns of a with those of b some bars later and earlier.

    Parameters
    ----------
    a, b : Series or array of shape (n,)
        Closes of the legs, oldest first, on one index; NaN where a bar is not known.
    max_lag : int
        Bars to look each way, at least 1.

    Returns
    -------
    LeadLagResult

    Raises
    ------
    InvalidSettingError
        For an impossible ``max_lag``.
    StatisticsError
        For legs that are not aligned, or a close that is not above 0.

    Notes
    -----
    Cross-correlation of returns; each lag over the returns that both legs have at it, with its own means. The
    band holds for legs without memory of their own.
    """
    if not isinstance(max_lag, (int, np.integer)) or isinstance(max_lag, bool) or max_lag < 1:
        raise InvalidSettingError(f"max_lag is a whole number of bars above 0, not {max_lag!r}.")
    first, second = (returns_of(leg) for leg in pair_values(a, b, ("a", "b")))
    lags = np.arange(-max_lag, max_lag + 1)
    found = [_at_lag(first, second, lag) for lag in lags.tolist()]
    correlations, n = (np.array(column) for column in zip(*found, strict=True))
    return LeadLagResult(lags, correlations, n)


def _at_lag(a: Array, b: Array, lag: int) -> tuple[float, int]:
    n = max(len(a) - abs(lag), 0)
    earlier, later = (a, b) if lag >= 0 else (b, a)
    return joint_correlation(earlier[:n], later[len(later) - n :])
