"""The answers of ``/fapi/v1`` and what each costs, as functions of the market and the query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantnb.exchange.candles import close_ms
from quantnb.exchange.information import exchange_info
from quantnb.exchange.instrument import Trades
from quantnb.exchange.listings import Listing
from quantnb.exchange.market import FUNDING_PERIOD_MS, Market
from quantnb.exchange.payloads import day_statistics
from quantnb.exchange.processes import keyed_rng
from quantnb.exchange.query import Query, RestError

__all__ = ["ENDPOINTS", "Endpoint"]

DEPTH_WEIGHTS = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a path answers, and the request weight of a query."""

    answer: Callable[[Market, Query], object]
    weight: Callable[[Query], int]


def ping(market: Market, query: Query) -> object:
    """Return nothing, quickly."""
    return {}


def time(market: Market, query: Query) -> object:
    """Return the exchange's clock, which runs between the market's slots, too."""
    return {"serverTime": query.now_ms}


def klines(market: Market, query: Query) -> object:
    """Return bars as arrays of twelve; without a start, the newest, the last of them still forming."""
    listing, interval = query.listing(), query.interval()
    limit = query.limit(500, 1_500)
    start_ms, end_ms = query.integer("startTime"), query.integer("endTime")
    rows = market.klines(
        listing.symbol, interval, start_ms, market.now_ms if end_ms is None else end_ms, limit
    )
    return [
        [
            int(row["open_ms"]),
            listing.price_text(int(row["open"])),
            listing.price_text(int(row["high"])),
            listing.price_text(int(row["low"])),
            listing.price_text(int(row["close"])),
            listing.quantity_text(int(row["volume"])),
            close_ms(int(row["open_ms"]), interval),
            listing.quote_text(int(row["quote_volume"])),
            int(row["n_trades"]),
            listing.quantity_text(int(row["taker_volume"])),
            listing.quote_text(int(row["taker_quote_volume"])),
            "0",
        ]
        for row in rows
    ]


def agg_trades(market: Market, query: Query) -> object:
    """Return aggregated trades, with the ids of the stream."""
    listing = query.listing()
    return [
        {
            "a": trade_id,
            "p": listing.price_text(price),
            "q": listing.quantity_text(quantity),
            "nq": listing.quantity_text(without_rpi),
            "f": first_raw_id,
            "l": first_raw_id + n_raw - 1,
            "T": time_ms,
            "m": is_buyer_maker,
        }
        for trade_id, time_ms, price, quantity, without_rpi, first_raw_id, n_raw, is_buyer_maker in (
            _selected(market, listing, query).tolist()
        )
    ]


def _selected(market: Market, listing: Listing, query: Query) -> Trades:
    tape, visible_ms = market.tape(listing.symbol), market.visible_ms
    limit = query.limit(500, 1_000)
    from_id, start_ms, end_ms = query.integer("fromId"), query.integer("startTime"), query.integer("endTime")
    # What is no longer kept is refused, as Binance refuses what is older than two days: an answer that
    # began later than asked would look complete.
    is_too_old = from_id is not None and from_id < tape.first_id
    is_too_old |= from_id is None and start_ms is not None and start_ms < tape.start_ms
    if is_too_old:
        raise RestError(400, -4166, "Search window is restricted to recent 2 days only.")
    before_ms = visible_ms if end_ms is None else min(end_ms + 1, visible_ms)
    if from_id is not None:
        return tape.from_id(from_id, before_ms, limit)
    if start_ms is not None:
        return tape.between(start_ms, before_ms, limit)
    return tape.newest(before_ms, limit)


def trades(market: Market, query: Query) -> object:
    """Return the newest raw trades: each aggregated one as its fills, of equal size up to rounding."""
    listing, limit = query.listing(), query.limit(500, 1_000)
    rows: list[dict[str, Any]] = []
    for trade in market.tape(listing.symbol).newest(market.visible_ms, limit):
        n_raw, quantity, price = int(trade["n_raw"]), int(trade["quantity"]), int(trade["price"])
        for k in range(n_raw):
            steps = quantity * (k + 1) // n_raw - quantity * k // n_raw
            rows.append(
                {
                    "id": int(trade["first_raw_id"]) + k,
                    "price": listing.price_text(price),
                    "qty": listing.quantity_text(steps),
                    "quoteQty": listing.quote_text(price * steps),
                    "time": int(trade["time_ms"]),
                    "isBuyerMaker": bool(trade["is_buyer_maker"]),
                    "isRPITrade": False,
                }
            )
    return rows[-limit:]


def premium_index(market: Market, query: Query) -> object:
    """Return mark price, index price and funding."""
    rows = []
    for listing in query.chosen_listings():
        mark, tick = market.mark(listing.symbol), float(listing.tick)
        rows.append(
            {
                "symbol": listing.symbol,
                "markPrice": f"{mark.mark * tick:.8f}",
                "indexPrice": f"{mark.index * tick:.8f}",
                "estimatedSettlePrice": f"{mark.mark * tick:.8f}",
                "lastFundingRate": f"{mark.funding_rate:.8f}",
                "interestRate": "0.00010000" if mark.next_funding_ms else "0.00000000",
                "nextFundingTime": mark.next_funding_ms,
                "time": market.now_ms,
            }
        )
    return rows[0] if query.has("symbol") else rows


def funding_rate(market: Market, query: Query) -> object:
    """Return past fundings, at the base rate; mark prices as Binance gives them for old rows: empty."""
    limit = query.limit(100, 1_000)
    end_ms = min(query.integer("endTime") or market.now_ms, market.now_ms)
    last = end_ms // FUNDING_PERIOD_MS
    first = max(-(-(query.integer("startTime") or 0) // FUNDING_PERIOD_MS), last - limit + 1)
    return [
        {
            "symbol": listing.symbol,
            "fundingRate": "0.00010000",
            "fundingTime": count * FUNDING_PERIOD_MS,
            "markPrice": "",
            "rateType": "FUNDING_RATE",
        }
        for count in range(first, last + 1)
        for listing in query.chosen_listings()
        if listing.is_trading
    ][-limit:]


def open_interest(market: Market, query: Query) -> object:
    """Return an open interest in proportion to the symbol's share of trading."""
    listing = query.listing()
    steps = 4e9 * listing.share / listing.price / float(listing.step)
    return {
        "symbol": listing.symbol,
        "openInterest": listing.quantity_text(int(steps)),
        "time": market.now_ms,
    }


def day_ticker(market: Market, query: Query) -> object:
    """Return the rolling day; without a symbol, of every one that trades."""
    rows = []
    for listing in query.chosen_listings():
        if not listing.is_trading and not query.has("symbol"):
            continue
        day = day_statistics(market, listing.symbol)
        rows.append(
            {
                "symbol": listing.symbol,
                "priceChange": day.change,
                "priceChangePercent": day.change_pct,
                "weightedAvgPrice": day.weighted_average,
                "lastPrice": day.last,
                "lastQty": day.last_quantity,
                "openPrice": day.open,
                "highPrice": day.high,
                "lowPrice": day.low,
                "volume": day.volume,
                "quoteVolume": day.quote_volume,
                "openTime": day.open_ms,
                "closeTime": day.close_ms,
                "firstId": day.first_raw_id,
                "lastId": day.last_raw_id,
                "count": day.n_trades,
            }
        )
    return rows[0] if query.has("symbol") else rows


def book_ticker(market: Market, query: Query) -> object:
    """Return best bid and ask."""
    rows = []
    for listing in query.chosen_listings():
        quote = market.quote(listing.symbol)
        rows.append(
            {
                "symbol": listing.symbol,
                "bidPrice": listing.price_text(quote.bid),
                "bidQty": listing.quantity_text(quote.bid_quantity),
                "askPrice": listing.price_text(quote.ask),
                "askQty": listing.quantity_text(quote.ask_quantity),
                "time": market.now_ms,
                "lastUpdateId": quote.update_id,
            }
        )
    return rows[0] if query.has("symbol") else rows


def depth(market: Market, query: Query) -> object:
    """Return an order book: the best prices are the market's, what lies behind them is made up."""
    listing, limit = query.listing(), query.depth_limit(500, DEPTH_WEIGHTS)
    quote = market.quote(listing.symbol)
    rng = keyed_rng(quote.update_id, listing.symbol, limit)
    steps_behind = rng.integers(1, 4, (2, limit)).cumsum(axis=1)
    quantity = rng.lognormal(np.log(max(quote.bid_quantity, quote.ask_quantity)), 1.0, (2, limit))
    bids, asks = quote.bid + 1 - steps_behind[0], quote.ask - 1 + steps_behind[1]
    bids, asks = bids - bids[0] + quote.bid, asks - asks[0] + quote.ask
    sizes = np.maximum(quantity, 1).astype(np.int64)
    sizes[:, 0] = quote.bid_quantity, quote.ask_quantity
    return {
        "lastUpdateId": quote.update_id,
        "E": market.now_ms,
        "T": market.now_ms,
        "bids": _levels(listing, bids[bids > 0], sizes[0]),
        "asks": _levels(listing, asks, sizes[1]),
    }


def _levels(listing: Listing, prices: Any, sizes: Any) -> list[list[str]]:
    return [
        [listing.price_text(price), listing.quantity_text(size)]
        for price, size in zip(prices.tolist(), sizes.tolist(), strict=False)
    ]


def funding_info(market: Market, query: Query) -> object:
    """Return the symbols whose funding is not due every eight hours: here there is none."""
    return []


def _constant(weight: int) -> Callable[[Query], int]:
    return lambda query: weight


def _by_symbol(one: int, every: int) -> Callable[[Query], int]:
    return lambda query: one if query.has("symbol") else every


def _kline_weight(query: Query) -> int:
    """Return the measured weight; no limit costs 5 although it means 500."""
    limit = query.integer("limit")
    if limit is None:
        return 5
    return next((weight for most, weight in ((100, 1), (500, 2), (1_000, 5)) if limit <= most), 10)


def _depth_weight(query: Query) -> int:
    limit = query.integer("limit")
    return 1 if limit is None else DEPTH_WEIGHTS.get(limit, 1)


ENDPOINTS = {
    "/fapi/v1/ping": Endpoint(ping, _constant(1)),
    "/fapi/v1/time": Endpoint(time, _constant(1)),
    "/fapi/v1/exchangeInfo": Endpoint(lambda market, query: exchange_info(market), _constant(1)),
    "/fapi/v1/klines": Endpoint(klines, _kline_weight),
    "/fapi/v1/aggTrades": Endpoint(agg_trades, _constant(20)),
    "/fapi/v1/trades": Endpoint(trades, _constant(5)),
    "/fapi/v1/premiumIndex": Endpoint(premium_index, _by_symbol(1, 10)),
    "/fapi/v1/fundingRate": Endpoint(funding_rate, _constant(0)),
    "/fapi/v1/fundingInfo": Endpoint(funding_info, _constant(0)),
    "/fapi/v1/openInterest": Endpoint(open_interest, _constant(1)),
    "/fapi/v1/ticker/24hr": Endpoint(day_ticker, _by_symbol(1, 40)),
    "/fapi/v1/ticker/bookTicker": Endpoint(book_ticker, _by_symbol(2, 5)),
    "/fapi/v1/depth": Endpoint(depth, _depth_weight),
}
