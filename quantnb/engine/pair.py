"""The pair's statistics, one row a closed bar, always computed by the functions a batch user calls.

At each close only the new rows are computed, from just as many bars as they depend on; by the causality and
window properties of those functions the rows equal the ones a batch over all bars gives, bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantnb.stats.attribution import ZscoreState, attribute_zscore, spread_moments
from quantnb.stats.causal import causal_fit
from quantnb.stats.correlation import rolling_corr
from quantnb.stats.windows import quietly
from quantnb.stats.zscore import zscore
from quantnb.store import Columns

__all__ = ["PAIR_COLUMNS", "PART_COLUMNS", "PairAnalytics", "align_tails"]

# Of what the z-score is made, and what each of its causes added to it since the bar before.
_STATE_COLUMNS = ("y", "x", "hedge_ratio", "intercept", "spread_mean", "spread_deviation")
PART_COLUMNS = ("leg_y", "leg_x", "ratio_part", "mean_part", "deviation_part")
PAIR_COLUMNS = (
    *("y", "x", "spread", "zscore", "hedge_ratio", "intercept", "stderr", "r_squared", "correlation"),
    *("spread_mean", "spread_deviation", *PART_COLUMNS),
)
_DTYPES = {"time_ns": np.int64, **dict.fromkeys(PAIR_COLUMNS, np.float64)}

Array = NDArray[Any]


def align_tails(*bars: Columns) -> list[Array]:
    """Return the closes of several symbols on their common bars.

    All symbols close their bars together, so their newest bars coincide and the oldest ones are cut.
    """
    n_common = min(len(columns) for columns in bars)
    return [columns["close"][len(columns) - n_common :] for columns in bars]


class PairAnalytics:
    """Spread, z-score, hedge ratio and correlation of one pair, bar by bar."""

    def __init__(self, window: int, capacity: int) -> None:
        self._window = window
        self.columns = Columns(_DTYPES, capacity)
        self._generations = (-1, -1)

    def update(self, y_bars: Columns, x_bars: Columns) -> None:
        """Bring the rows up to the newest closed bar of both legs."""
        y, x = align_tails(y_bars, x_bars)
        times = y_bars["time_ns"][len(y_bars) - len(y) :]
        generations = (y_bars.generation, x_bars.generation)
        if generations != self._generations:
            self._generations = generations
            if len(self.columns):
                self.columns.clear()
        if not len(times):
            return
        known = self.columns["time_ns"]
        n_known = int(np.searchsorted(times, known[-1], side="right")) if len(known) else 0
        n_new = len(times) - n_known
        if n_new:
            self.columns.extend(self._rows(times, y, x, n_new))

    def _rows(self, times: Array, y: Array, x: Array, n_new: int) -> dict[str, Array]:
        # A fit needs the window before the bar, a return the bar before it.
        n_needed = min(len(y), n_new + self._window)
        y_tail, x_tail = y[-n_needed:], x[-n_needed:]
        fit = causal_fit(y_tail, x_tail, self._window)
        spread = (y_tail - fit.intercept - fit.hedge_ratio * x_tail)[-n_new:]
        spreads = np.concatenate([self.columns["spread"][-(self._window - 1) :], spread])
        mean, deviation = spread_moments(spreads, self._window)
        known = {
            "y": y_tail,
            "x": x_tail,
            "spread": spread,
            "zscore": zscore(spreads, self._window),
            **fit._asdict(),
            "correlation": rolling_corr(y_tail, x_tail, self._window),
            "spread_mean": mean,
            "spread_deviation": deviation,
        }
        rows = {name: column[-n_new:] for name, column in known.items()}
        return {"time_ns": times[-n_new:], **rows, **self._parts(rows)}

    def _parts(self, rows: dict[str, Array]) -> dict[str, Array]:
        """Split each change of the z-score, as `zscore_attribution` does."""
        nothing = np.full(1, np.nan)
        newest = [self.columns[name][-1:] if len(self.columns) else nothing for name in _STATE_COLUMNS]
        states = [
            np.concatenate([last, rows[name]]) for name, last in zip(_STATE_COLUMNS, newest, strict=True)
        ]
        with quietly():
            parts = attribute_zscore(
                ZscoreState(*(column[:-1] for column in states)),
                ZscoreState(*(column[1:] for column in states)),
            )
        return dict(zip(PART_COLUMNS, parts, strict=True))
