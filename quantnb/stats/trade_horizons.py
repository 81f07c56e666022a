"""From trades to the curve of their correlation: the closes of both symbols at every horizon, and no more.

Of a bar only its close is made here, and whether anything traded in it, so that half a million trades a
symbol cost a pass each over eleven horizons and not the bars themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from quantnb.stats.correlation import correlation_band, joint_correlation
from quantnb.stats.inputs import Array
from quantnb.stats.returns import returns_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HORIZONS_MS", "LIVE_SPAN_NS", "HorizonCorrelation", "TradeColumns", "correlate_trades"]

HORIZONS_MS = (100, 250, 500, 1_000, 2_500, 5_000, 15_000, 30_000, 60_000, 300_000, 900_000)
LIVE_SPAN_NS = 86_400 * 1_000_000_000  # a day of bars of 100 ms is what a notebook's memory is asked for
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class TradeColumns:
    """The trades of one symbol in the order of their ids, as arrays of one length that nobody writes to.

    Attributes
    ----------
    event_ns : integer array
        Trade times, nanoseconds since the epoch; they may step back.
    price : array
    trade_id : integer array
        A step that is not 1 is a hole; any two trades the same step apart where ids are not known.
    """

    event_ns: NDArray[np.int64]
    price: Array
    trade_id: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.event_ns)


@dataclass(frozen=True, slots=True, eq=False)
class HorizonCorrelation:
    """Correlation of log returns at bars of several lengths, from the trades of two symbols.

    Attributes
    ----------
    horizons_ms : integer array of shape (n_horizons,)
        Lengths of bars.
    correlations : array
        NaN for fewer than 3 returns in common or a symbol that did not move.
    n : integer array
        Returns that both symbols have.
    share_filled : array
        Share of the bars known of both in which either had no trade.
    start_ns, end_ns : int
        First and last instant at which both symbols are known; both 0 where there is none.
    n_trades : tuple of int
        Trades of each between the two.
    """

    horizons_ms: NDArray[np.int64]
    correlations: Array
    n: NDArray[np.int64]
    share_filled: Array
    start_ns: int = 0
    end_ns: int = 0
    n_trades: tuple[int, int] = (0, 0)

    @property
    def band(self) -> Array:
        """Half-width of the 95 % band of no correlation, 1.96 / sqrt(n)."""
        return correlation_band(self.n)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a horizon (``horizon_ms``): correlation, n, band, share_filled."""
        import pandas as pd

        columns = {"correlation": self.correlations, "n": self.n, "band": self.band}
        index = pd.Index(self.horizons_ms, name="horizon_ms")
        return pd.DataFrame({**columns, "share_filled": self.share_filled}, index=index)


def correlate_trades(
    a: TradeColumns,
    b: TradeColumns,
    horizons_ms: Sequence[int] = HORIZONS_MS,
    *,
    span_ns: int | None = None,
) -> HorizonCorrelation:
    """Return the correlation of two symbols' log returns at bars of several lengths.

    Parameters
    ----------
    a, b : TradeColumns
        Prices above 0.
    horizons_ms : sequence of int
        Lengths of bars in milliseconds, above 0; bars are those of `resample_ohlc`. Only whole bars count in
        which both symbols are known, and none that a hole in the ids touches.
    span_ns : int, optional
        Look back no farther than this from the newest instant; all there is where it is not given.

    Returns
    -------
    HorizonCorrelation
    """
    horizons = np.array(horizons_ms, dtype=np.int64)
    if not (len(a) and len(b)):
        nothing = np.full(len(horizons), np.nan)
        return HorizonCorrelation(horizons, nothing, np.zeros(len(horizons), np.int64), nothing)
    end_ns = min(int(leg.event_ns.max()) for leg in (a, b))
    start_ns = max(int(leg.event_ns.min()) for leg in (a, b))
    if span_ns is not None:
        start_ns = max(start_ns, end_ns - span_ns)
    holes_a, holes_b = _holes(a), _holes(b)
    rows = []
    for length_ns in (horizons * _NS_PER_MS).tolist():
        # The bar of the last trade may still be open, so it is left out.
        bars = start_ns // length_ns, end_ns // length_ns
        rows.append(_correlate(_closes(a, holes_a, length_ns, *bars), _closes(b, holes_b, length_ns, *bars)))
    correlations, n, share_filled = zip(*rows, strict=True) if rows else ((), (), ())
    return HorizonCorrelation(
        horizons,
        np.array(correlations, dtype=np.float64),
        np.array(n, dtype=np.int64),
        np.array(share_filled, dtype=np.float64),
        *((start_ns, end_ns) if start_ns < end_ns else (0, 0)),
        n_trades=(_count(a, start_ns, end_ns), _count(b, start_ns, end_ns)),
    )


_Closes = tuple[Array, NDArray[np.bool_]]  # and whether a bar had no trade of its own


def _correlate(a: _Closes, b: _Closes) -> tuple[float, int, float]:
    (close_a, empty_a), (close_b, empty_b) = a, b
    value, n = joint_correlation(returns_of(close_a), returns_of(close_b))
    is_known = np.isfinite(close_a) & np.isfinite(close_b)
    return value, n, float((empty_a | empty_b)[is_known].mean()) if is_known.any() else np.nan


def _closes(
    trades: TradeColumns, holes: NDArray[np.int64], length_ns: int, first_bar: int, end_bar: int
) -> _Closes:
    """Return the closes of the bars [first_bar, end_bar), counted from the epoch; NaN where not known."""
    bars, price = trades.event_ns // length_ns, trades.price
    if (bars[1:] < bars[:-1]).any():
        by_bar = np.argsort(bars, kind="stable")  # stable: within a bar the ids keep their order
        bars, price = bars[by_bar], price[by_bar]
    n_before = np.searchsorted(bars, np.arange(first_bar, max(first_bar, end_bar) + 1))
    close = price[n_before[1:] - 1]  # the first bar lies behind the first trade, so there is always one
    for before, after in (holes // length_ns - first_bar).clip(-1).tolist():
        close[max(before, 0) : after + 1] = np.nan
    return close, n_before[1:] == n_before[:-1]


def _holes(trades: TradeColumns) -> NDArray[np.int64]:
    """Return the times of the trades before and after each hole in the ids, a row a hole."""
    at = np.flatnonzero(np.diff(trades.trade_id) != 1)
    return np.column_stack((trades.event_ns[at], trades.event_ns[at + 1]))


def _count(trades: TradeColumns, start_ns: int, end_ns: int) -> int:
    return int(np.count_nonzero((trades.event_ns >= start_ns) & (trades.event_ns <= end_ns)))
