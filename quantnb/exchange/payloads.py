"""The market's facts in Binance's words: payloads of streams, and the parts REST shares with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantnb.exchange.candles import Rows, close_ms
from quantnb.exchange.instrument import Trades
from quantnb.exchange.listings import COIN_M_SYMBOL, Listing
from quantnb.exchange.market import Mark, Market, Quote
from quantnb.feed.wire import COIN_M, USD_M, AggTrade, BookTicker, Kline, KlineBar, MarkPriceUpdate

__all__ = [
    "DAY_MS",
    "DayStatistics",
    "agg_trade_payloads",
    "book_ticker_payload",
    "coin_m_mark_payload",
    "day_statistics",
    "kline_payload",
    "mark_payload",
    "mini_ticker_payload",
    "ticker_payload",
]

DAY_MS = 86_400_000
PUSH_DELAY_MS = 200  # from the beginning of a slot to the frames with its trades: E - T is 100 to 200


def agg_trade_payloads(listing: Listing, trades: Trades) -> list[AggTrade]:
    """Return one ``aggTrade`` for each trade; ``E`` is when its slot was published."""
    return [
        AggTrade(
            push_ms=time_ms // 100 * 100 + PUSH_DELAY_MS,
            symbol=listing.symbol,
            trade_id=trade_id,
            price=listing.price_text(price),
            quantity=listing.quantity_text(quantity),
            event_ms=time_ms,
            is_buyer_maker=is_buyer_maker,
            quantity_without_rpi=listing.quantity_text(without_rpi),
            first_raw_id=first_raw_id,
            last_raw_id=first_raw_id + n_raw - 1,
            symbol_type=USD_M,
        )
        for trade_id, time_ms, price, quantity, without_rpi, first_raw_id, n_raw, is_buyer_maker in (
            trades.tolist()
        )
    ]


def book_ticker_payload(listing: Listing, quote: Quote, now_ms: int) -> BookTicker:
    """Return the ``bookTicker`` of this slot."""
    return BookTicker(
        update_id=quote.update_id,
        symbol=listing.symbol,
        bid_price=listing.price_text(quote.bid),
        bid_quantity=listing.quantity_text(quote.bid_quantity),
        ask_price=listing.price_text(quote.ask),
        ask_quantity=listing.quantity_text(quote.ask_quantity),
        event_ms=now_ms,
        push_ms=now_ms,
        pair_symbol=listing.symbol,
        symbol_type=USD_M,
    )


def mark_payload(listing: Listing, mark: Mark, now_ms: int) -> MarkPriceUpdate:
    """Return the ``markPriceUpdate`` of this moment."""
    tick = float(listing.tick)
    price = f"{mark.mark * tick:.8f}"
    return MarkPriceUpdate(
        push_ms=now_ms,
        symbol=listing.symbol,
        mark_price=price,
        index_price=f"{mark.index * tick:.8f}",
        funding_rate=f"{mark.funding_rate:.8f}",
        next_funding_ms=mark.next_funding_ms,
        average_mark_price=price,
        settle_price=price,
        symbol_type=USD_M,
    )


def coin_m_mark_payload(bitcoin: MarkPriceUpdate) -> MarkPriceUpdate:
    """Return the COIN-M row that shadows BTCUSDT's in the all-market array."""
    fields = {name: getattr(bitcoin, name) for name in bitcoin.__struct_fields__}
    return MarkPriceUpdate(**{**fields, "symbol": COIN_M_SYMBOL, "symbol_type": COIN_M})


def kline_payload(listing: Listing, row: Rows, interval: str, now_ms: int, *, is_closed: bool) -> Kline:
    """Return the ``kline`` of one row."""
    bar = KlineBar(
        open_ms=int(row["open_ms"]),
        close_ms=close_ms(int(row["open_ms"]), interval),
        symbol=listing.symbol,
        interval=interval,
        first_raw_id=int(row["first_raw_id"]),
        last_raw_id=int(row["last_raw_id"]),
        open=listing.price_text(int(row["open"])),
        close=listing.price_text(int(row["close"])),
        high=listing.price_text(int(row["high"])),
        low=listing.price_text(int(row["low"])),
        volume=listing.quantity_text(int(row["volume"])),
        n_trades=int(row["n_trades"]),
        is_closed=is_closed,
        quote_volume=listing.quote_text(int(row["quote_volume"])),
        taker_buy_volume=listing.quantity_text(int(row["taker_volume"])),
        taker_buy_quote_volume=listing.quote_text(int(row["taker_quote_volume"])),
    )
    return Kline(push_ms=now_ms, symbol=listing.symbol, bar=bar)


@dataclass(frozen=True, slots=True)
class DayStatistics:
    """The last 24 hours (to the minute) of one symbol, as wire texts; ids and counts are of raw trades."""

    change: str
    change_pct: str
    weighted_average: str
    last: str
    last_quantity: str
    open: str
    high: str
    low: str
    volume: str
    quote_volume: str
    open_ms: int
    close_ms: int
    first_raw_id: int
    last_raw_id: int
    n_trades: int


def day_statistics(market: Market, symbol: str) -> DayStatistics:
    """Return a symbol's rolling day."""
    listing = market.listings[symbol]
    rows = market.minutes_since(symbol, market.now_ms - DAY_MS)
    first, last = int(rows["open"][0]), int(rows["close"][-1])
    volume, quote_volume = int(rows["volume"].sum()), float(rows["quote_volume"].astype(np.float64).sum())
    newest = market.tape(symbol).newest(market.visible_ms, 1)
    traded = rows["first_raw_id"][rows["first_raw_id"] >= 0]
    return DayStatistics(
        change=listing.price_text(last - first),
        change_pct=f"{100 * (last / first - 1):.3f}",
        weighted_average=listing.price_text(quote_volume / volume if volume else last),
        last=listing.price_text(last),
        last_quantity=listing.quantity_text(int(newest["quantity"][0]) if len(newest) else 0),
        open=listing.price_text(first),
        high=listing.price_text(int(rows["high"].max())),
        low=listing.price_text(int(rows["low"].min())),
        volume=listing.quantity_text(volume),
        quote_volume=listing.quote_text(int(quote_volume)),
        open_ms=int(rows["open_ms"][0]),
        close_ms=market.now_ms,
        first_raw_id=int(traded[0]) if len(traded) else -1,
        last_raw_id=int(rows["last_raw_id"].max()),
        n_trades=int(rows["n_trades"].sum()),
    )


def mini_ticker_payload(symbol: str, day: DayStatistics) -> dict[str, str | int]:
    """Return a ``24hrMiniTicker``."""
    return {
        "e": "24hrMiniTicker",
        "E": day.close_ms,
        "s": symbol,
        "ps": symbol,
        "c": day.last,
        "o": day.open,
        "h": day.high,
        "l": day.low,
        "v": day.volume,
        "q": day.quote_volume,
        "st": USD_M,
    }


def ticker_payload(symbol: str, day: DayStatistics) -> dict[str, str | int]:
    """Return a ``24hrTicker``."""
    return {
        **mini_ticker_payload(symbol, day),
        "e": "24hrTicker",
        "p": day.change,
        "P": day.change_pct,
        "w": day.weighted_average,
        "Q": day.last_quantity,
        "O": day.open_ms,
        "C": day.close_ms,
        "F": day.first_raw_id,
        "L": day.last_raw_id,
        "n": day.n_trades,
    }
