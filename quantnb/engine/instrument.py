"""Trades and bars of one symbol; bars are always aggregated whole, from the trades kept."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quantnb.engine.bar_columns import BAR_DTYPES, BARS_KEPT, TRADED_COLUMNS, KlineBars, blank
from quantnb.events import Gap, History, MarkPrice, Quote, Trade
from quantnb.feed.symbols import FUNDING_INTERVAL_S
from quantnb.snapshot import Bar
from quantnb.stats.bars import aggregate_bars
from quantnb.stats.timeframes import timeframe_ns
from quantnb.store import Columns

__all__ = ["TRADE_BYTES", "Instrument", "PriceChange", "TapeEntry"]

TRADES_KEPT = 1_000_000  # where nobody sets a budget
MOST_NEW_TRADES = 4_096
TAPE_ROWS = 200
# Volume is summed in whole units, so that a batch over the same trades gives the same sum to the last digit.
# A power of two, so that multiplying by it is exact; a product of a price and a quantity has no finer part.
_VOLUME_UNIT = 2.0**200

_TRADE_DTYPES = {
    "trade_id": np.int64,
    "event_ns": np.int64,
    "price": np.float64,
    "quantity": np.float64,
    "is_buyer_maker": np.bool_,
}
TRADE_BYTES = sum(np.dtype(dtype).itemsize for dtype in _TRADE_DTYPES.values())


class PriceChange(NamedTuple):
    """The change of a price in per cent, and the trades between which it is measured."""

    percent: float
    then_id: int
    now_id: int


TapeEntry = tuple[int, Trade, float, float, float]  # sequence, trade, last close, spread, z-score


class Instrument:
    """One symbol: its trades in id order, its closed bars, and its newest tape rows.

    Trades are put into their columns when somebody reads them, or when there are many: a row alone costs ten
    times as much as one of a thousand. Whatever a trade changes is found out then, too.

    A bar is open until `close_bars` is told that no more trades can belong to it, and it is made only from
    all of its trades: the one in which the first trade lies is not known, nor is any that a hole in the ids
    touches. What lies before the trades comes from the exchange's own klines, marked as ``history``. A trade
    that comes later all the same, or a gap that reaches back, marks the bars from there on for a new
    aggregation, so what is shown is always what a batch over the trades kept would give.
    """

    def __init__(self, symbol: str, timeframe_ns: int, trades_kept: int = TRADES_KEPT) -> None:
        self.symbol = symbol
        self.bars = Columns(BAR_DTYPES, BARS_KEPT)
        self.tape: deque[TapeEntry] = deque(maxlen=TAPE_ROWS)
        self._n_trades = 0
        self._volume = 0
        self.quote: Quote | None = None  # the newest
        self.mark: MarkPrice | None = None  # the newest
        self.funding_interval_s = FUNDING_INTERVAL_S
        self._trades = Columns(_TRADE_DTYPES, trades_kept)
        self._new: list[Trade] = []  # in id order, and not among the trades yet
        self._recovered: list[Trade] = []  # nor are these, from before and between
        self._numbered_from = 0  # absolute index of the first trade of the present numbering
        self._first_live_id: int | None = None
        self._klines = KlineBars()
        self.change_timeframe(timeframe_ns)

    def _start_bars(self) -> None:
        if len(self.bars):
            self.bars.clear()
        self._last_close = float("nan")
        self._closed_until_ns: int | None = None
        self._revise_from_ns: int | None = None
        self._next_trade = self._trades.first  # absolute index: no closed bar holds it or a later one

    @property
    def n_trades(self) -> int:
        """How many trades there were since the first live one."""
        self._settle()
        return self._n_trades

    @property
    def n_kept(self) -> int:
        """How many trades are kept, without reading them."""
        return len(self._trades) + len(self._new)

    @property
    def quote_volume(self) -> float:
        """The sum of price times quantity since the first live trade, rounded once, whatever the order."""
        self._settle()
        return self._volume / _VOLUME_UNIT

    @property
    def last_event_ns(self) -> int:
        """When the newest trade happened; 0 before there is one."""
        times = self.trades["event_ns"]
        return int(times[-1]) if len(times) else 0

    @property
    def counted_ids(self) -> tuple[int, int] | None:
        """The first and the newest id of the trades counted; None before there is one."""
        if not len(self.trades) or self._first_live_id is None:
            return None
        return self._first_live_id, int(self.trades["trade_id"][-1])

    @property
    def trades(self) -> Columns:
        """The trades kept, in id order, as they are known now."""
        self._settle()
        return self._trades

    def _settle(self) -> None:
        if self._new:
            self._put_in_new()
        if self._recovered:
            self._put_in_recovered()

    def keep(self, trades_kept: int) -> None:
        """Keep so many trades at most from now on."""
        self._trades.capacity = trades_kept

    def drop_until(self, event_ns: int) -> None:
        """Forget the oldest trades, up to the first that happened later; the newest one stays."""
        later = self.trades["event_ns"] > event_ns
        later[-1:] = True
        if len(later):
            self._trades.drop(int(later.argmax()))

    def change_timeframe(self, timeframe_ns: int) -> None:
        """Start the bars over; the next `close_bars` makes them from the trades kept."""
        self._timeframe_ns = timeframe_ns
        self._start_bars()

    # What comes in ------------------------------------------------------------------------------------

    def receive(self, trade: Trade, sequence: int, spread: float, zscore: float) -> None:
        """Store the newest trade, with what was known of the pair when it came."""
        self._new.append(trade)
        self.tape.append((sequence, trade, self._last_close, spread, zscore))
        if len(self._new) >= MOST_NEW_TRADES:
            self._put_in_new()

    def receive_gap(self, gap: Gap) -> None:
        """Take note of a hole before the trade that follows; the bars it touches are not known."""
        if gap.first_missing_id > gap.last_missing_id:  # the numbering starts over
            self._numbered_from = self.trades.first + len(self._trades)
            self._first_live_id = None
        if self._closed_until_ns is not None and gap.start_ns < self._closed_until_ns:
            self._revise_from(gap.start_ns)

    def recover(self, trades: Iterable[Trade]) -> None:
        """Store trades that were missing; the bars they belong to are made again."""
        self._recovered.extend(trades)

    def receive_history(self, history: History) -> None:
        """Take over closed bars from before the trades; where there are trades, these are believed."""
        self._klines.receive(history)
        if timeframe_ns(history.timeframe) == self._timeframe_ns and self._closed_until_ns is not None:
            first_ns = int(self.bars["time_ns"][0]) if len(self.bars) else self._closed_until_ns
            older = self._klines.before(first_ns, self._timeframe_ns)
            self.bars.insert(np.zeros(len(older["time_ns"]), np.intp), older)

    def _count(self, price: NDArray[np.float64], quantity: NDArray[np.float64]) -> None:
        self._n_trades += len(price)
        self._volume += sum(map(int, (price * quantity * _VOLUME_UNIT).tolist()))

    def _put_in_new(self) -> None:
        columns = _columns(self._new)
        if self._first_live_id is None:
            self._first_live_id = self._new[0].trade_id
        self._new.clear()
        self._trades.extend(columns)
        self._count(columns["price"], columns["quantity"])
        oldest_ns = int(columns["event_ns"].min())
        if self._closed_until_ns is not None and oldest_ns < self._closed_until_ns:
            self._revise_from(oldest_ns)

    def _put_in_recovered(self) -> None:
        by_id = {trade.trade_id: trade for trade in self._recovered}
        self._recovered.clear()
        numbered_from = max(self._numbered_from - self._trades.first, 0)
        known = self._trades["trade_id"][numbered_from:]
        ids = np.array(sorted(by_id))
        places = np.searchsorted(known, ids)
        # One that was stored before something raised is fetched again.
        is_new = np.searchsorted(known, ids, side="right") == places
        if self._trades.first > 0:  # the oldest were dropped: before them nothing would join
            is_new &= numbered_from + places > 0
        if not is_new.any():
            return
        ids, positions = ids[is_new], numbered_from + places[is_new]
        recovered = [by_id[trade_id] for trade_id in ids.tolist()]
        first_was_ns = self._complete_from_ns() if len(self._trades) else None
        first_was = self._trades.first
        columns = _columns(recovered)
        self._trades.insert(positions, columns)
        self._next_trade = self._trades.first
        if self._first_live_id is not None:
            is_live = columns["trade_id"] > self._first_live_id
            self._count(columns["price"][is_live], columns["quantity"][is_live])
        if first_was_ns is None or self._complete_from_ns() < first_was_ns:
            self._start_bars()  # they begin earlier now
        elif self._closed_until_ns is not None:
            # A hole also blanks the bar of the trade before it. A store that was full has dropped its oldest.
            now_at = positions + np.arange(len(positions)) - (self._trades.first - first_was)
            touched = np.maximum(np.concatenate((now_at - 1, now_at)), 0)
            self._revise_from(int(self._trades["event_ns"][touched].min()))

    def _revise_from(self, event_ns: int) -> None:
        self._revise_from_ns = min(event_ns, self._revise_from_ns or event_ns)

    # Bars ---------------------------------------------------------------------------------------------

    def close_bars(self, until_ns: int) -> None:
        """Close every bar that ends at or before ``until_ns``, and revise those that were marked."""
        if not len(self.trades):  # which puts in what came
            return
        end_ns = until_ns - until_ns % self._timeframe_ns
        if self._closed_until_ns is None:
            begin_ns = self._complete_from_ns()
            if end_ns < begin_ns:
                return
            self.bars.extend(self._klines.before(begin_ns, self._timeframe_ns))
            self._closed_until_ns = begin_ns
        if self._revise_from_ns is not None:
            self._revise(self._revise_from_ns, self._closed_until_ns)
            self._revise_from_ns = None
        if end_ns <= self._closed_until_ns:
            return
        start = max(self._next_trade - self._trades.first, 0)
        columns = self._aggregate(start, self._closed_until_ns, end_ns)
        self.bars.extend(columns)
        not_yet = np.flatnonzero(self._trades["event_ns"][start:] >= end_ns)
        n_taken = int(not_yet[0]) if len(not_yet) else len(self._trades) - start
        self._next_trade = self._trades.first + start + n_taken
        self._closed_until_ns = end_ns
        self._last_close = float(columns["close"][-1])

    def _complete_from_ns(self) -> int:
        """Return the open of the first bar of which all trades are kept: the first after the oldest trade."""
        oldest_ns = int(self._trades["event_ns"][0])
        return (oldest_ns // self._timeframe_ns + 1) * self._timeframe_ns

    def _aggregate(self, start: int, start_ns: int, end_ns: int) -> dict[str, NDArray[Any]]:
        """Aggregate the trades from position ``start`` on that fall into [start_ns, end_ns).

        Bars of which the first trades are no longer kept are not known.
        """
        event_ns = self._trades["event_ns"][start:]
        inside = (event_ns >= start_ns) & (event_ns < end_ns)
        bars = aggregate_bars(
            event_ns[inside],
            self._trades["price"][start:][inside],
            self._trades["quantity"][start:][inside],
            timeframe_ns=self._timeframe_ns,
            start_ns=start_ns,
            end_ns=end_ns,
            previous_close=self._price_before(start_ns),
        )
        columns: dict[str, NDArray[Any]] = {
            name: np.asarray(getattr(bars, name), np.float64) for name in TRADED_COLUMNS
        }
        columns["history"] = np.zeros(len(columns["open"]))
        columns["time_ns"] = np.arange(start_ns, end_ns, self._timeframe_ns)
        self._blank_holes(columns, max(start - 1, 0))
        blank(columns, columns["time_ns"] < self._complete_from_ns())
        return columns

    def _price_before(self, event_ns: int) -> float:
        """Return the price of the last trade before ``event_ns``, in id order; NaN where none is kept."""
        position = self._trade_before(event_ns)
        return math.nan if position is None else float(self._trades["price"][position])

    def _trade_before(self, event_ns: int) -> int | None:
        """Return the position of the last trade before ``event_ns``, in id order; None where none is kept."""
        # Looking backwards in blocks: the answer is nearly always among the newest trades.
        times = self._trades["event_ns"]
        for end in range(len(times), 0, -4096):
            before = np.flatnonzero(times[max(end - 4096, 0) : end] < event_ns)
            if len(before):
                return max(end - 4096, 0) + int(before[-1])
        return None

    def _blank_holes(self, columns: dict[str, NDArray[Any]], start: int) -> None:
        """Blank the bars that a hole touches, from the trade before it to the trade after it."""
        ids, event_ns = self._trades["trade_id"][start:], self._trades["event_ns"][start:]
        opens = columns["time_ns"]
        for before in np.flatnonzero(np.diff(ids) != 1).tolist():
            touched = (opens <= event_ns[before + 1]) & (opens + self._timeframe_ns > event_ns[before])
            blank(columns, touched)

    def _revise(self, revise_from_ns: int, closed_until_ns: int) -> None:
        if not len(self.bars):
            return
        first_open_ns = int(self.bars["time_ns"][0])
        # What begins before the oldest trade kept stays as it is: it cannot be made from all of its trades.
        revise_from_ns = max(revise_from_ns, first_open_ns, self._complete_from_ns())
        position = (revise_from_ns - first_open_ns) // self._timeframe_ns
        if position >= len(self.bars):
            return
        start_ns = first_open_ns + position * self._timeframe_ns
        self.bars.rewrite(position, self._aggregate(0, start_ns, closed_until_ns))

    def forming(self) -> Bar | None:
        """Return the oldest bar that is not closed, as far as it is known; None without a trade in it."""
        if not len(self.trades):
            return None
        open_ns = self._closed_until_ns
        if open_ns is None:  # no bar was complete yet
            oldest_ns = int(self.trades["event_ns"][0])
            open_ns = oldest_ns - oldest_ns % self._timeframe_ns
        start = max(self._next_trade - self.trades.first, 0)
        event_ns = self.trades["event_ns"][start:]
        inside = (event_ns >= open_ns) & (event_ns < open_ns + self._timeframe_ns)
        price, quantity = self.trades["price"][start:][inside], self.trades["quantity"][start:][inside]
        if not len(price):
            return None
        volume, quote_volume = float(quantity.sum()), float((price * quantity).sum())
        return Bar(
            open_ns=open_ns,
            open=float(price[0]),
            high=float(price.max()),
            low=float(price.min()),
            close=float(price[-1]),
            volume=volume,
            quote_volume=quote_volume,
            n_trades=len(price),
            vwap=quote_volume / volume,
        )

    def price_change(self, now_ns: int, span_s: float) -> PriceChange | None:
        """Return the change of the last price against the one ``span_s`` ago; None without that history."""
        self._settle()
        then = self._trade_before(now_ns - int(span_s * 1e9) + 1)
        if then is None:
            return None
        ids, price = self._trades["trade_id"], self._trades["price"]
        percent = 100.0 * (float(price[-1]) / float(price[then]) - 1.0)
        return PriceChange(percent, int(ids[then]), int(ids[-1]))


def _columns(trades: Sequence[Trade]) -> dict[str, NDArray[Any]]:
    return {
        name: np.fromiter(map(attrgetter(name), trades), dtype, len(trades))
        for name, dtype in _TRADE_DTYPES.items()
    }
