"""What a bar is made of: its columns, one that is not known, and those that the exchange's klines give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantnb.events import History, Kline
from quantnb.stats.timeframes import timeframe_ns

__all__ = ["BARS_KEPT", "BAR_COLUMNS", "BAR_DTYPES", "TRADED_COLUMNS", "KlineBars", "blank"]

BARS_KEPT = 20_000
TRADED_COLUMNS = ("open", "high", "low", "close", "volume", "quote_volume", "n_trades", "vwap", "filled")
BAR_COLUMNS = (*TRADED_COLUMNS, "history")
BAR_DTYPES: Mapping[str, Any] = {"time_ns": np.int64, **dict.fromkeys(BAR_COLUMNS, np.float64)}
_UNKNOWN_BAR = (*[math.nan] * 8, 0.0, 0.0)


def blank(bars: dict[str, NDArray[Any]], touched: NDArray[np.bool_]) -> None:
    """Make the bars that are touched unknown."""
    if touched.any():
        for name, unknown in zip(BAR_COLUMNS, _UNKNOWN_BAR, strict=True):
            bars[name][touched] = unknown


class KlineBars:
    """The klines that the exchange gave of one symbol, as bars of each timeframe."""

    def __init__(self) -> None:
        self._klines: dict[int, dict[int, Kline]] = {}  # by timeframe, then by open

    def receive(self, history: History) -> None:
        """Keep the newest of what is known now."""
        known = self._klines.setdefault(timeframe_ns(history.timeframe), {})
        known.update((kline.open_ns, kline) for kline in history.klines)
        for open_ns in sorted(known)[:-BARS_KEPT]:
            del known[open_ns]

    def before(self, end_ns: int, timeframe_ns: int) -> dict[str, NDArray[Any]]:
        """Return the bars of a timeframe before ``end_ns``; one that is not among them is not known."""
        known = self._klines.get(timeframe_ns, {})
        first_ns = min((open_ns for open_ns in known if open_ns < end_ns), default=end_ns)
        first_ns = max(first_ns, end_ns - BARS_KEPT * timeframe_ns)
        times = np.arange(first_ns, end_ns, timeframe_ns)
        rows = [_bar_of(known[time]) if time in known else _UNKNOWN_BAR for time in times.tolist()]
        values = np.array(rows, np.float64).reshape(len(rows), len(BAR_COLUMNS))
        return {"time_ns": times} | dict(zip(BAR_COLUMNS, values.T, strict=True))


def _bar_of(kline: Kline) -> tuple[float, ...]:
    """Return a kline's values in the order of `BAR_COLUMNS`.

    It counts raw fills, which are not our trades: unless there was none, their number is not known.
    """
    is_empty = kline.n_fills == 0
    vwap = math.nan if is_empty or not kline.volume else kline.quote_volume / kline.volume
    return (
        kline.open,
        kline.high,
        kline.low,
        kline.close,
        kline.volume,
        kline.quote_volume,
        0.0 if is_empty else math.nan,
        min(max(vwap, kline.low), kline.high),
        float(is_empty),
        1.0,
    )
