"""The whole market: deterministic from its seed and start, whatever the rhythm in which it is advanced.

Each minute of each symbol is generated in one vectorised piece just before it begins, and shown slot by slot
(100 ms) as time advances. Trades become visible one slot late, as Binance's aggregation does; quotes at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quantnb.exchange.candles import INTERVALS, Candles, Rows, candle_of, fold, open_ms
from quantnb.exchange.climate import MINUTE_MS, SLOT_MS, Climate, Climates, climate_history
from quantnb.exchange.history import candle_history
from quantnb.exchange.instrument import Instrument, Minute, Trades
from quantnb.exchange.listings import Listing
from quantnb.exchange.tape import Tape

__all__ = ["HISTORY_MINUTES", "TRADE_DELAY_MS", "Mark", "Market", "Quote"]

TRADE_DELAY_MS = 100  # the slot in which fills are aggregated, before they are published
HISTORY_MINUTES = 16_000  # of coarse bars: a thousand of 15 minutes, and some
FUNDING_PERIOD_MS = 8 * 3_600_000


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask; prices in ticks, quantities in steps. ``is_changed``: in this very slot."""

    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int
    update_id: int
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """Mark and index price (ticks, with fractions) and funding; no funding: ``next_funding_ms`` is 0."""

    mark: float
    index: float
    funding_rate: float
    next_funding_ms: int


class Market:
    """Every listing's trades, quotes, marks and candles up to ``now_ms``.

    Parameters
    ----------
    seed : int
        Not negative; the same seed and start give the same market.
    rate : float
        Mean trades per second of BTCUSDT, ETHUSDT and SOLUSDT together; the others scale with them.
    start_ms : int
        Milliseconds since the epoch at which it opens to the public.
    warm_minutes : int
        Full minutes of single trades that lie behind the start already.
    trades_kept : int
        Trades in memory per symbol.
    """

    def __init__(
        self,
        listings: Iterable[Listing],
        *,
        seed: int,
        rate: float,
        start_ms: int,
        warm_minutes: int = 15,
        trades_kept: int = 200_000,
    ) -> None:
        self.listings = {listing.symbol: listing for listing in listings}
        self._seed, self._rate = seed, rate
        self._groups = sorted({listing.group for listing in self.listings.values()})
        self._climates = Climates(seed, self._groups)
        self._next_minute = start_ms // MINUTE_MS - warm_minutes
        self.first_ms = self._next_minute * MINUTE_MS
        self._instruments = {
            symbol: Instrument(listing, seed, rate) for symbol, listing in self.listings.items()
        }
        self._tapes = {symbol: Tape(trades_kept) for symbol in self.listings}
        self._candles = {symbol: self._empty_candles(symbol) for symbol in self.listings}
        # Readers look back less than a minute, so this minute and the one before are enough.
        self._minutes: dict[str, deque[Minute]] = {symbol: deque(maxlen=3) for symbol in self.listings}
        self._closed_ms = self.first_ms
        self.now_ms = self.first_ms
        self.advance(start_ms)

    def advance(self, now_ms: int) -> None:
        """Let time pass up to the slot that contains ``now_ms``; never back."""
        self.now_ms = max(self.now_ms, now_ms // SLOT_MS * SLOT_MS)
        while self._next_minute * MINUTE_MS <= self.now_ms:
            climate = self._climates.generate(self._next_minute)
            for symbol, instrument in self._instruments.items():
                minute = instrument.generate(self._next_minute, climate)
                self._minutes[symbol].append(minute)
                self._tapes[symbol].append(minute.start_ms, minute.trades)
            self._next_minute += 1
            self._close_minutes()
        self._close_minutes()

    def burst(self, symbol: str, n_trades: int) -> None:
        """Let so many trades of a symbol happen that they all become visible with the next slot."""
        time_ms = self.visible_ms + SLOT_MS - 1
        minute, slot = self._minute(symbol, time_ms)
        instrument, tape = self._instruments[symbol], self._tapes[symbol]
        tape.insert(
            instrument.burst(n_trades, time_ms, int(minute.quotes.bid[slot]), int(minute.quotes.ask[slot]))
        )

    @property
    def visible_ms(self) -> int:
        """Trades before this time have been published."""
        return self.now_ms - TRADE_DELAY_MS

    def tape(self, symbol: str) -> Tape:
        """Return the trades of a symbol, some of which may not be visible yet."""
        return self._tapes[symbol]

    def published(self, symbol: str) -> Trades:
        """Return the trades that became visible with this slot."""
        return self._tapes[symbol].between(self.visible_ms - SLOT_MS, self.visible_ms)

    def truth(self, symbol: str) -> Trades:
        """Return every kept trade that has become visible: what a client without a loss holds."""
        tape = self._tapes[symbol]
        return tape.between(tape.start_ms, self.visible_ms)

    def quote(self, symbol: str) -> Quote:
        """Return best bid and ask of this slot."""
        minute, slot = self._minute(symbol, self.now_ms)
        quotes = minute.quotes
        return Quote(
            int(quotes.bid[slot]),
            int(quotes.bid_quantity[slot]),
            int(quotes.ask[slot]),
            int(quotes.ask_quantity[slot]),
            int(quotes.update_id[slot]),
            bool(quotes.is_changed[slot]),
        )

    def mark(self, symbol: str) -> Mark:
        """Return mark price and funding: the index, moved half way to the contract's own fair price."""
        minute, slot = self._minute(symbol, self.now_ms)
        index, fair = float(minute.index[slot]), float(minute.fair[slot])
        if not self.listings[symbol].is_trading:
            close = float(self._candles[symbol].close)
            return Mark(close, close, 0.0, 0)
        next_funding_ms = (self.now_ms // FUNDING_PERIOD_MS + 1) * FUNDING_PERIOD_MS
        premium = min(max(fair / index - 1, -5e-4), 5e-4)
        return Mark((index * fair) ** 0.5, index, 1e-4 + premium / 8, next_funding_ms)

    def forming(self, symbol: str) -> Rows:
        """Return the minute rows that are visible but not closed: the last one, as one row."""
        visible = self._tapes[symbol].between(self._closed_ms, self.visible_ms)
        return candle_of(visible, self._closed_ms, self._candles[symbol].close)

    def minutes_since(self, symbol: str, time_ms: int) -> Rows:
        """Return the one-minute rows that open at ``time_ms`` or later, the forming one last."""
        return self._candles[symbol].since(time_ms, self.forming(symbol))

    def klines(self, symbol: str, interval: str, start_ms: int | None, end_ms: int, limit: int) -> Rows:
        """Return bars that open from ``start_ms`` to ``end_ms``, at most ``limit``, ascending.

        Without a start they are the newest before ``end_ms``, with one they are the first after it.
        """
        if start_ms is None:
            last = min(end_ms, self._closed_ms)
            start_ms = last - limit * INTERVALS[interval] * MINUTE_MS
            newest = self._bars(symbol, interval, start_ms, end_ms)
            return newest[-limit:]
        return self._bars(symbol, interval, start_ms, end_ms)[:limit]

    def _bars(self, symbol: str, interval: str, start_ms: int, end_ms: int) -> Rows:
        first = int(open_ms(np.array([max(start_ms, 0)]), interval)[0])
        bars = fold(self.minutes_since(symbol, first), interval)
        return bars[(bars["open_ms"] >= start_ms) & (bars["open_ms"] <= end_ms)]

    def _minute(self, symbol: str, time_ms: int) -> tuple[Minute, int]:
        for minute in reversed(self._minutes[symbol]):
            if minute.start_ms <= time_ms:
                return minute, (time_ms - minute.start_ms) // SLOT_MS
        raise AssertionError(f"{symbol} has no minute at {time_ms}")

    def _close_minutes(self) -> None:
        """Turn minutes whose trades are all visible into rows."""
        while self._closed_ms + MINUTE_MS <= min(self.visible_ms, self._next_minute * MINUTE_MS):
            end_ms = self._closed_ms + MINUTE_MS
            for symbol, candles in self._candles.items():
                trades = self._tapes[symbol].between(self._closed_ms, end_ms)
                candles.append(candle_of(trades, self._closed_ms, candles.close))
            self._closed_ms = end_ms

    @cached_property
    def _climate_history(self) -> Climate:
        return climate_history(self._seed, self._groups, HISTORY_MINUTES)

    def _empty_candles(self, symbol: str) -> Candles:
        instrument = self._instruments[symbol]
        return Candles(
            lambda: candle_history(instrument, self._seed, self._rate, self._climate_history, self.first_ms),
            instrument.first_close,
        )
