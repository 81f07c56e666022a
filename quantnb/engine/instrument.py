"""Trades and bars of one symbol; bars are always aggregated whole, from the trades kept."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantnb.events import Gap, Trade
from quantnb.snapshot import Bar
from quantnb.stats.bars import aggregate_bars
from quantnb.store import Columns

__all__ = ["BAR_COLUMNS", "Instrument", "TapeEntry"]

TRADES_KEPT = 500_000  # 41 bytes each
BARS_KEPT = 20_000
TAPE_ROWS = 200
GAPS_KEPT = 1_000

BAR_COLUMNS = ("open", "high", "low", "close", "volume", "quote_volume", "n_trades", "vwap", "filled")
_TRADE_DTYPES = {
    "trade_id": np.int64,
    "event_ns": np.int64,
    "receive_ns": np.int64,
    "price": np.float64,
    "quantity": np.float64,
    "is_buyer_maker": np.bool_,
}
_BAR_DTYPES = {"time_ns": np.int64, **dict.fromkeys(BAR_COLUMNS, np.float64)}

TapeEntry = tuple[int, Trade, float, float, float]  # sequence, trade, last close, spread, z-score


class Instrument:
    """One symbol: its trades in id order, its closed bars, what is missing, and its newest tape rows.

    A bar is open until `close_bars` is told that no more trades can belong to it. A trade that comes later
    all the same, or a gap that reaches back, marks the bars from there on for a new aggregation.
    """

    def __init__(self, symbol: str, timeframe_ns: int) -> None:
        self.symbol = symbol
        self.trades = Columns(_TRADE_DTYPES, TRADES_KEPT)
        self.bars = Columns(_BAR_DTYPES, BARS_KEPT)
        self.tape: deque[TapeEntry] = deque(maxlen=TAPE_ROWS)
        self.n_trades = 0
        self.quote_volume = 0.0
        self.last_price = float("nan")
        self._gaps: deque[Gap] = deque(maxlen=GAPS_KEPT)
        self._use_timeframe(timeframe_ns)

    def _use_timeframe(self, timeframe_ns: int) -> None:
        self._timeframe_ns = timeframe_ns
        self._last_close = float("nan")
        self._closed_until_ns: int | None = None
        self._revise_from_ns: int | None = None
        self._next_trade = self.trades.first  # absolute index of the oldest trade that no closed bar holds

    def change_timeframe(self, timeframe_ns: int) -> None:
        """Start the bars over; the next `close_bars` makes them from the trades kept."""
        self.bars.clear()
        self._use_timeframe(timeframe_ns)

    def receive(self, trade: Trade, sequence: int, spread: float, zscore: float) -> None:
        """Store one trade, in id order, with what was known of the pair when it came."""
        self.trades.append(
            (
                trade.trade_id,
                trade.event_ns,
                trade.receive_ns,
                trade.price,
                trade.quantity,
                trade.is_buyer_maker,
            )
        )
        self.n_trades += 1
        self.quote_volume += trade.price * trade.quantity
        self.last_price = trade.price
        self.tape.append((sequence, trade, self._last_close, spread, zscore))
        if self._closed_until_ns is None:
            self._closed_until_ns = trade.event_ns - trade.event_ns % self._timeframe_ns
        elif trade.event_ns < self._closed_until_ns:
            self._revise_from(trade.event_ns)

    def receive_gap(self, gap: Gap) -> None:
        """Remember a hole: the bars it touches are not known."""
        self._gaps.append(gap)
        if self._closed_until_ns is not None and gap.start_ns < self._closed_until_ns:
            self._revise_from(gap.start_ns)

    def _revise_from(self, event_ns: int) -> None:
        self._revise_from_ns = min(event_ns, self._revise_from_ns or event_ns)

    def close_bars(self, until_ns: int) -> None:
        """Close every bar that ends at or before ``until_ns``, and revise those that were marked."""
        if self._closed_until_ns is None:
            if not len(self.trades):
                return
            first_ns = int(self.trades["event_ns"].min())
            self._closed_until_ns = first_ns - first_ns % self._timeframe_ns
        if self._revise_from_ns is not None:
            self._revise(self._revise_from_ns, self._closed_until_ns)
            self._revise_from_ns = None
        end_ns = until_ns - until_ns % self._timeframe_ns
        if end_ns <= self._closed_until_ns:
            return
        start = max(self._next_trade - self.trades.first, 0)
        columns = self._aggregate(start, self._closed_until_ns, end_ns)
        self.bars.extend(columns)
        not_yet = np.flatnonzero(self.trades["event_ns"][start:] >= end_ns)
        n_taken = int(not_yet[0]) if len(not_yet) else len(self.trades) - start
        self._next_trade = self.trades.first + start + n_taken
        self._closed_until_ns = end_ns
        self._last_close = float(columns["close"][-1])

    def _aggregate(self, start: int, start_ns: int, end_ns: int) -> dict[str, NDArray[Any]]:
        """Aggregate the trades from position ``start`` on that fall into [start_ns, end_ns)."""
        event_ns = self.trades["event_ns"][start:]
        inside = (event_ns >= start_ns) & (event_ns < end_ns)
        bars = aggregate_bars(
            event_ns[inside],
            self.trades["price"][start:][inside],
            self.trades["quantity"][start:][inside],
            timeframe_ns=self._timeframe_ns,
            start_ns=start_ns,
            end_ns=end_ns,
            previous_close=self._price_before(start_ns),
        )
        columns: dict[str, NDArray[Any]] = {
            name: np.asarray(getattr(bars, name), np.float64) for name in BAR_COLUMNS
        }
        columns["time_ns"] = np.arange(start_ns, end_ns, self._timeframe_ns)
        self._blank_gaps(columns)
        return columns

    def _price_before(self, event_ns: int) -> float:
        """Return the price of the last trade before ``event_ns``, in id order; NaN where none is kept."""
        # Looking backwards in blocks: the answer is nearly always among the newest trades.
        times = self.trades["event_ns"]
        for end in range(len(times), 0, -4096):
            before = np.flatnonzero(times[max(end - 4096, 0) : end] < event_ns)
            if len(before):
                return float(self.trades["price"][max(end - 4096, 0) + before[-1]])
        return float("nan")

    def _blank_gaps(self, columns: dict[str, NDArray[Any]]) -> None:
        opens = columns["time_ns"]
        for gap in self._gaps:
            touched = (opens <= gap.end_ns) & (opens + self._timeframe_ns > gap.start_ns)
            if touched.any():
                for name in BAR_COLUMNS:
                    columns[name][touched] = 0.0 if name == "filled" else np.nan

    def _revise(self, revise_from_ns: int, closed_until_ns: int) -> None:
        if not len(self.bars):
            return
        first_open_ns = int(self.bars["time_ns"][0])
        # A bar is made only from all of its trades: what begins before the oldest trade kept stays as it is.
        oldest_ns = int(self.trades["event_ns"][0]) if self.trades.first else first_open_ns
        position = max(0, (revise_from_ns - first_open_ns) // self._timeframe_ns)
        whole = -((first_open_ns - oldest_ns) // self._timeframe_ns)
        position = max(position, whole)
        if position >= len(self.bars):
            return
        start_ns = first_open_ns + position * self._timeframe_ns
        self.bars.rewrite(position, self._aggregate(0, start_ns, closed_until_ns))

    def forming(self) -> Bar | None:
        """Return the oldest bar that is not closed, as far as it is known; None without a trade in it."""
        if self._closed_until_ns is None:
            return None
        start = max(self._next_trade - self.trades.first, 0)
        event_ns = self.trades["event_ns"][start:]
        inside = (event_ns >= self._closed_until_ns) & (event_ns < self._closed_until_ns + self._timeframe_ns)
        price, quantity = self.trades["price"][start:][inside], self.trades["quantity"][start:][inside]
        if not len(price):
            return None
        volume, quote_volume = float(quantity.sum()), float((price * quantity).sum())
        return Bar(
            open_ns=self._closed_until_ns,
            open=float(price[0]),
            high=float(price.max()),
            low=float(price.min()),
            close=float(price[-1]),
            volume=volume,
            quote_volume=quote_volume,
            n_trades=len(price),
            vwap=quote_volume / volume,
        )

    def price_change_pct(self, now_ns: int, span_s: float) -> float:
        """Return the change of the last price against the one ``span_s`` ago; NaN without that history."""
        then_ns = now_ns - int(span_s * 1e9)
        then = self._price_before(then_ns + 1)
        return 100.0 * (self.last_price / then - 1.0)
