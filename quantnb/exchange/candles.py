"""Klines of one symbol, from one-minute rows of whole ticks and steps, so that sums are exact.

Rows before the first generated minute are a coarse history, joined to it in price and in ids; every later row
is a fold over the trades of its minute, so REST klines, streamed klines and trades cannot disagree.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from quantnb.exchange.climate import MINUTE_MS
from quantnb.exchange.instrument import Trades
from quantnb.exchange.processes import Integers

__all__ = ["CANDLE", "INTERVALS", "Candles", "Rows", "candle_of", "close_ms", "fold", "open_ms"]

CANDLE = np.dtype(
    [
        (name, "i8")
        for name in (
            "open_ms",
            "open",
            "high",
            "low",
            "close",  # ticks
            "volume",
            "quote_volume",  # steps; ticks times steps
            "taker_volume",
            "taker_quote_volume",
            "n_trades",
            "first_raw_id",
            "last_raw_id",  # raw trades, as Binance counts in klines; -1 in an empty bar
        )
    ]
)
Rows = npt.NDArray[np.void]  # structured: CANDLE

SUMMED = ("volume", "quote_volume", "taker_volume", "taker_quote_volume", "n_trades")
INTERVALS = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "2h": 120,
    "4h": 240,
    "6h": 360,
    "8h": 480,
    "12h": 720,
    "1d": 1_440,
    "3d": 4_320,
    "1w": 10_080,
    "1M": 43_200,  # nominal: months are those of the calendar
}
MONDAY_MS = 4 * 86_400_000  # the epoch was a Thursday
CAPACITY = 17_440  # minutes; a little over twelve days


def open_ms(time_ms: Integers, interval: str) -> Integers:
    """Return the open times of the bars that these times fall into."""
    if interval == "1M":
        months = time_ms.astype("datetime64[ms]").astype("datetime64[M]")
        return months.astype("datetime64[ms]").astype(np.int64)
    length = INTERVALS[interval] * MINUTE_MS
    origin = MONDAY_MS if interval == "1w" else 0
    return origin + (time_ms - origin) // length * length


def close_ms(open_at_ms: int, interval: str) -> int:
    """Return the close time of a bar: one millisecond before the next opens."""
    if interval == "1M":
        month = np.datetime64(open_at_ms, "ms").astype("datetime64[M]")
        return int((month + 1).astype("datetime64[ms]").astype(np.int64)) - 1
    return open_at_ms + INTERVALS[interval] * MINUTE_MS - 1


def candle_of(trades: Trades, open_at_ms: int, previous_close: int) -> Rows:
    """Fold the trades of one minute into its row; without trades it is flat at the close before."""
    row = np.zeros(1, CANDLE)
    row["open_ms"] = open_at_ms
    if not len(trades):
        row["open"] = row["high"] = row["low"] = row["close"] = previous_close
        row["first_raw_id"] = row["last_raw_id"] = -1
        return row
    price, quantity = trades["price"], trades["quantity"]
    taker_quantity = np.where(trades["is_buyer_maker"], 0, quantity)
    row["open"], row["close"] = price[0], price[-1]
    row["high"], row["low"] = price.max(), price.min()
    row["volume"], row["quote_volume"] = quantity.sum(), price @ quantity
    row["taker_volume"], row["taker_quote_volume"] = taker_quantity.sum(), price @ taker_quantity
    row["n_trades"] = trades["n_raw"].sum()
    row["first_raw_id"] = trades["first_raw_id"][0]
    row["last_raw_id"] = trades["first_raw_id"][-1] + trades["n_raw"][-1] - 1
    return row


def fold(rows: Rows, interval: str) -> Rows:
    """Fold minute rows (ascending, without holes) into rows of a longer interval."""
    if interval == "1m" or not len(rows):
        return rows
    opens = open_ms(rows["open_ms"], interval)
    starts = np.flatnonzero(np.diff(opens, prepend=opens[0] - 1))
    ends = np.append(starts[1:], len(rows)) - 1
    folded = np.zeros(len(starts), CANDLE)
    folded["open_ms"] = opens[starts]
    folded["open"], folded["close"] = rows["open"][starts], rows["close"][ends]
    folded["high"] = np.maximum.reduceat(rows["high"], starts)
    folded["low"] = np.minimum.reduceat(rows["low"], starts)
    for name in SUMMED:
        folded[name] = np.add.reduceat(rows[name], starts)
    none = np.iinfo(np.int64).max
    first = np.where(rows["first_raw_id"] < 0, none, rows["first_raw_id"])
    folded["first_raw_id"] = np.minimum.reduceat(first, starts)
    folded["first_raw_id"][folded["first_raw_id"] == none] = -1
    folded["last_raw_id"] = np.maximum.reduceat(rows["last_raw_id"], starts)
    return folded


class Candles:
    """Closed minutes of one symbol, ascending and without holes; the oldest are dropped when full.

    Parameters
    ----------
    history : callable
        Makes the rows before the first appended one; called when somebody first asks for rows.
    close : int
        The close, in ticks, of the last of them.
    """

    def __init__(self, history: Callable[[], Rows], close: int) -> None:
        self._history: Callable[[], Rows] | None = history
        self._rows = np.empty(0, CANDLE)
        self._recent: deque[Rows] = deque(maxlen=CAPACITY)
        self.close = close

    @property
    def rows(self) -> Rows:
        """All closed minutes."""
        if self._history is not None:
            self._rows, self._history = self._history(), None
        if self._recent:
            self._rows = np.concatenate((self._rows, *self._recent))[-CAPACITY:]
            self._recent.clear()
        return self._rows

    def append(self, row: Rows) -> None:
        """Add the next closed minute."""
        self._recent.append(row)
        self.close = int(row["close"][0])

    def since(self, time_ms: int, forming: Rows) -> Rows:
        """Return the minutes from ``time_ms`` on, with the forming one at the end."""
        begin = int(np.searchsorted(self.rows["open_ms"], time_ms))
        return np.concatenate((self.rows[begin:], forming[forming["open_ms"] >= time_ms]))
