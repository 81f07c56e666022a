"""Which streams exist, on which route, and the frames that each has to send in a slot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from quantnb.exchange.candles import INTERVALS
from quantnb.exchange.climate import SLOT_MS
from quantnb.exchange.market import Market
from quantnb.exchange.payloads import (
    agg_trade_payloads,
    book_ticker_payload,
    coin_m_mark_payload,
    day_statistics,
    kline_payload,
    mark_payload,
    mini_ticker_payload,
    ticker_payload,
)
from quantnb.feed.wire import MarkPriceUpdate

__all__ = ["Publisher", "Stream"]

KLINE_PERIOD_MS = 250
KLINE_CLOSE_DELAY_MS = 2_000  # measured on Binance: x=true comes about 2 s after the bar's end

# What a stream is called after the symbol (or after "!"): its route and its period; 0 is every slot.
SYMBOL_STREAMS = {
    "aggTrade": ("market", 0),
    "bookTicker": ("public", 0),
    "markPrice": ("market", 3_000),
    "markPrice@1s": ("market", 1_000),
    "miniTicker": ("market", 2_000),
    "ticker": ("market", 2_000),
}
ALL_MARKET_STREAMS = {
    "bookTicker": ("public", 5_000),
    "markPrice@arr": ("market", 3_000),
    "markPrice@arr@1s": ("market", 1_000),
    "miniTicker@arr": ("market", 1_000),
    "ticker@arr": ("market", 1_000),
}


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that delivers; ``symbol`` is empty for those of the whole market."""

    name: str
    route: str
    kind: str
    symbol: str
    period_ms: int
    interval: str = ""


class Publisher:
    """Encodes each slot of the market once, whoever and however many listen."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._streams: dict[str, Stream] = {}
        self._klines: dict[str, tuple[int, int]] = {}  # open time and last raw id of what was sent
        self._frames: dict[str, Callable[[Stream], Iterable[object]]] = {
            "aggTrade": self._agg_trades,
            "bookTicker": self._book_ticker,
            "markPrice": self._mark_price,
            "miniTicker": self._mini_ticker,
            "ticker": self._ticker,
            "kline": self._kline,
            "!bookTicker": self._all_book_tickers,
            "!markPrice": self._all_mark_prices,
            "!miniTicker": self._all_mini_tickers,
            "!ticker": self._all_tickers,
        }
        for stream in self._listed():
            self._streams[stream.name] = stream

    @property
    def names(self) -> Collection[str]:
        """Every stream that delivers on some route."""
        return self._streams.keys()

    def route_of(self, name: str) -> str | None:
        """Return the route on which a stream of exactly this name delivers; None: nowhere."""
        stream = self._streams.get(name)
        return stream.route if stream else None

    def frames(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the name and the payload of every frame that these streams send in this slot."""
        now_ms = self._market.now_ms
        for abandoned in self._klines.keys() - set(names):
            del self._klines[abandoned]
        for name in names:
            stream = self._streams.get(name)
            if stream and (not stream.period_ms or now_ms % stream.period_ms < SLOT_MS):
                for payload in self._frames[stream.kind](stream):
                    yield name, msgspec.json.encode(payload)

    def _listed(self) -> Iterator[Stream]:
        for symbol in self._market.listings:
            lowercase = symbol.lower()
            for suffix, (route, period_ms) in SYMBOL_STREAMS.items():
                kind = suffix.partition("@")[0]
                yield Stream(f"{lowercase}@{suffix}", route, kind, symbol, period_ms)
            for interval in INTERVALS:
                name = f"{lowercase}@kline_{interval}"
                yield Stream(name, "market", "kline", symbol, KLINE_PERIOD_MS, interval)
        for suffix, (route, period_ms) in ALL_MARKET_STREAMS.items():
            kind = "!" + suffix.partition("@")[0]
            yield Stream(f"!{suffix}", route, kind, "", period_ms)

    def _agg_trades(self, stream: Stream) -> Iterable[object]:
        return agg_trade_payloads(self._market.listings[stream.symbol], self._market.published(stream.symbol))

    def _book_ticker(self, stream: Stream) -> Iterable[object]:
        listing, quote = self._market.listings[stream.symbol], self._market.quote(stream.symbol)
        if listing.is_trading and quote.is_changed:
            yield book_ticker_payload(listing, quote, self._market.now_ms)

    def _mark_price(self, stream: Stream) -> Iterable[object]:
        listing, mark = self._market.listings[stream.symbol], self._market.mark(stream.symbol)
        yield mark_payload(listing, mark, self._market.now_ms)

    def _mini_ticker(self, stream: Stream) -> Iterable[object]:
        if self._market.listings[stream.symbol].is_trading:
            yield mini_ticker_payload(stream.symbol, day_statistics(self._market, stream.symbol))

    def _ticker(self, stream: Stream) -> Iterable[object]:
        if self._market.listings[stream.symbol].is_trading:
            yield ticker_payload(stream.symbol, day_statistics(self._market, stream.symbol))

    def _kline(self, stream: Stream) -> Iterable[object]:
        """Yield the forming bar when it has changed, and once more when it has closed.

        The next bar waits for that, so the bars of one stream never overlap.
        """
        market = self._market
        listing = market.listings[stream.symbol]
        rows = market.klines(stream.symbol, stream.interval, None, market.now_ms, 2)
        forming = rows[-1]
        open_ms, last_raw_id = self._klines.get(stream.name, (int(forming["open_ms"]), -1))
        if open_ms != forming["open_ms"] and open_ms == rows[0]["open_ms"]:
            if market.visible_ms < forming["open_ms"] + KLINE_CLOSE_DELAY_MS:
                return
            self._klines[stream.name] = (int(forming["open_ms"]), -1)
            yield kline_payload(listing, rows[0], stream.interval, market.now_ms, is_closed=True)
        elif forming["last_raw_id"] != last_raw_id:
            self._klines[stream.name] = (int(forming["open_ms"]), int(forming["last_raw_id"]))
            yield kline_payload(listing, forming, stream.interval, market.now_ms, is_closed=False)

    def _all_book_tickers(self, stream: Stream) -> Iterable[object]:
        for listing in self._market.listings.values():
            if listing.is_trading:
                quote = self._market.quote(listing.symbol)
                yield book_ticker_payload(listing, quote, self._market.now_ms)

    def _all_mark_prices(self, stream: Stream) -> Iterable[object]:
        """Yield two arrays, as Binance does: crypto with a COIN-M row among it, and traditional finance."""
        crypto: list[MarkPriceUpdate] = []
        traditional: list[MarkPriceUpdate] = []
        for symbol, listing in self._market.listings.items():
            row = mark_payload(listing, self._market.mark(symbol), self._market.now_ms)
            (crypto if listing.contract_type == "PERPETUAL" else traditional).append(row)
            if symbol == "BTCUSDT":
                crypto.append(coin_m_mark_payload(row))
        return [rows for rows in (crypto, traditional) if rows]

    def _traded_symbols(self, within_ms: int) -> list[str]:
        """Return the symbols with a trade within the last so many milliseconds: arrays hold only those."""
        end_ms = self._market.visible_ms
        return [
            symbol
            for symbol in self._market.listings
            if len(self._market.tape(symbol).between(end_ms - within_ms, end_ms, 1))
        ]

    def _all_mini_tickers(self, stream: Stream) -> Iterable[object]:
        symbols = self._traded_symbols(stream.period_ms)
        rows = [mini_ticker_payload(symbol, day_statistics(self._market, symbol)) for symbol in symbols]
        return [rows] if rows else []

    def _all_tickers(self, stream: Stream) -> Iterable[object]:
        symbols = self._traded_symbols(stream.period_ms)
        rows = [ticker_payload(symbol, day_statistics(self._market, symbol)) for symbol in symbols]
        return [rows] if rows else []
