"""REST's answers with trades and bars, decoded and checked as `quantnb.feed.decode` checks the streams'.

A row that cannot be used is left out and the page says why: the ids or bars it should have held stay missing,
and are asked for again. An answer that is no list of rows at all is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar

import msgspec
from msgspec import MsgspecError, Struct, field

from quantnb.errors import FeedError
from quantnb.events import Kline, Trade
from quantnb.feed.decode import MAX_AHEAD_NS, MAX_NUMBER
from quantnb.feed.wire import Count, Milliseconds

__all__ = ["Page", "decode_agg_trades", "decode_klines"]

_MS = 1_000_000
_UNREADABLE = (MsgspecError, ValueError, RecursionError)  # ValueError: bytes that are not UTF-8

Row = TypeVar("Row")
Wire = TypeVar("Wire")


class Page(tuple[Row, ...]):
    """The rows of one answer that can be used, ascending.

    Attributes
    ----------
    refused : str
        Why others could not be used, in a sentence; empty where all could.
    """

    refused: str

    def __new__(cls, rows: Iterable[Row] = (), refused: str = "") -> Self:
        """Return a page of these rows."""
        page = super().__new__(cls, rows)
        page.refused = refused
        return page


class _AggTrade(Struct, gc=False):
    trade_id: Count = field(name="a")
    price: str = field(name="p")
    quantity: str = field(name="q")
    event_ms: Milliseconds = field(name="T")
    is_buyer_maker: bool = field(name="m")


class _Kline(Struct, array_like=True, gc=False):
    open_ms: Milliseconds
    open: str
    high: str
    low: str
    close: str
    volume: str
    close_ms: Milliseconds
    quote_volume: str
    n_fills: Count


def decode_agg_trades(body: bytes, symbol: str, receive_ns: int) -> Page[Trade]:
    """Return the trades of an ``aggTrades`` answer in the order of their ids.

    They carry no push time, so that of the trade itself takes its place.

    Raises
    ------
    FeedError
        Where the answer is no list.
    """

    def convert(row: _AggTrade) -> Trade:
        price, quantity, event_ns = float(row.price), float(row.quantity), row.event_ms * _MS
        # NaN fails every comparison, so it is rejected together with infinity, zero and nonsense.
        if not (0.0 < price < MAX_NUMBER and 0.0 < quantity < MAX_NUMBER):
            raise ValueError("a price or quantity is not a finite, positive number")
        if event_ns > receive_ns + MAX_AHEAD_NS:
            raise ValueError("its time is more than a day ahead of this computer's clock")
        is_maker = row.is_buyer_maker
        return Trade(symbol, row.trade_id, price, quantity, is_maker, event_ns, event_ns, receive_ns)

    page = _decode(body, _AggTrade, convert, f"trades of {symbol}")
    return Page(sorted(page, key=lambda trade: trade.trade_id), page.refused)


def decode_klines(body: bytes, interval_ms: int, closed_by_ms: int) -> Page[Kline]:
    """Return the bars of a ``klines`` answer that were closed by a time, in the order of their opens.

    The newest row is usually still forming and nothing in it says so.

    Raises
    ------
    FeedError
        Where the answer is no list.
    """

    def convert(row: _Kline) -> tuple[int, Kline]:
        texts = (row.open, row.high, row.low, row.close, row.volume, row.quote_volume)
        open_, high, low, close, volume, quote_volume = map(float, texts)
        if row.open_ms % interval_ms or row.close_ms != row.open_ms + interval_ms - 1:
            raise ValueError("its times are not those of a bar of this length")
        if not (0.0 < low <= open_ <= high < MAX_NUMBER and low <= close <= high):
            raise ValueError("its prices are not finite, positive and between high and low")
        if not (0.0 <= volume < MAX_NUMBER and 0.0 <= quote_volume < MAX_NUMBER * MAX_NUMBER):
            raise ValueError("a volume is negative or not finite")
        bar = Kline(row.open_ms * _MS, open_, high, low, close, volume, quote_volume, row.n_fills)
        return row.close_ms, bar

    page = _decode(body, _Kline, convert, "bars")
    closed = {bar.open_ns: bar for close_ms, bar in page if close_ms <= closed_by_ms}
    return Page((closed[open_ns] for open_ns in sorted(closed)), page.refused)


def _decode(body: bytes, wire: type[Wire], convert: Callable[[Wire], Row], what: str) -> Page[Row]:
    try:
        rows: list[Any] = msgspec.json.decode(body, type=list[wire])  # type: ignore[valid-type]
    except _UNREADABLE:
        rows = _rows_one_by_one(body, what)
    usable: list[Row] = []
    refused = ""
    for row in rows:
        try:
            usable.append(convert(row if type(row) is wire else msgspec.convert(row, wire)))
        except _UNREADABLE as error:
            refused = refused or f"A row of the exchange's {what} cannot be used: {error}."
    return Page(usable, refused)


def _rows_one_by_one(body: bytes, what: str) -> list[Any]:
    try:
        rows = msgspec.json.decode(body)
    except _UNREADABLE as error:
        raise FeedError(f"The exchange's answer with {what} cannot be read: {error}") from None
    if not isinstance(rows, list):
        raise FeedError(f"The exchange's answer with {what} is not a list.")
    return rows
