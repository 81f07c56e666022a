"""Binance's messages as they stand on the wire: the client decodes with these, the local exchange encodes.

Attribute names are ours, wire names are Binance's (``field(name=...)``). Prices, quantities and rates are
decimal *strings* on the wire and stay strings here: ``float`` is called where a value is used. Fields that
older frames lack are `UNSET`, and are then left out when encoding. Keys may come in any order and unknown
ones are ignored, because Binance adds keys without notice.

Source: Binance USD-M Futures, WebSocket market streams.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

__all__ = [
    "Ack",
    "AggTrade",
    "BookTicker",
    "Combined",
    "ErrorBody",
    "ErrorReply",
    "Kline",
    "KlineBar",
    "MarkPriceUpdate",
    "Payload",
    "Request",
]

USD_M = 1  # value of ``st``: a USD-M symbol
COIN_M = 2  # value of ``st``: a COIN-M symbol, which also appears on the USD-M host since 2026-06-30

# The bounds (the years 2010 to 2100 in ms) reject seconds and microseconds in the decoder itself.
Milliseconds = Annotated[int, Meta(ge=1_262_304_000_000, le=4_102_444_800_000)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Symbol = Annotated[str, Meta(min_length=1, max_length=64)]


class AggTrade(Struct, tag_field="e", tag="aggTrade", gc=False):
    """``<symbol>@aggTrade`` on ``/market``: fills of one taker order at one price within 100 ms."""

    push_ms: Milliseconds = field(name="E")
    symbol: Symbol = field(name="s")
    trade_id: Count = field(name="a")
    price: str = field(name="p")
    quantity: str = field(name="q")
    event_ms: Milliseconds = field(name="T")
    is_buyer_maker: bool = field(name="m")  # true: the taker sold
    quantity_without_rpi: str | UnsetType = field(name="nq", default=UNSET)
    first_raw_id: int | UnsetType = field(name="f", default=UNSET)
    last_raw_id: int | UnsetType = field(name="l", default=UNSET)
    symbol_type: int | UnsetType = field(name="st", default=UNSET)


class BookTicker(Struct, tag_field="e", tag="bookTicker", gc=False):
    """``<symbol>@bookTicker`` on ``/public``: best bid and ask, in real time."""

    update_id: Count = field(name="u")
    symbol: Symbol = field(name="s")
    bid_price: str = field(name="b")
    bid_quantity: str = field(name="B")
    ask_price: str = field(name="a")
    ask_quantity: str = field(name="A")
    event_ms: Milliseconds = field(name="T")
    push_ms: Milliseconds = field(name="E")
    pair_symbol: str | UnsetType = field(name="ps", default=UNSET)
    symbol_type: int | UnsetType = field(name="st", default=UNSET)


class MarkPriceUpdate(Struct, tag_field="e", tag="markPriceUpdate", gc=False):
    """``<symbol>@markPrice@1s`` on ``/market``, and the rows of ``!markPrice@arr@1s``."""

    push_ms: Milliseconds = field(name="E")
    symbol: Symbol = field(name="s")
    mark_price: str = field(name="p")
    index_price: str = field(name="i")
    funding_rate: str = field(name="r")
    next_funding_ms: Count = field(name="T")  # 0 where there is no funding
    average_mark_price: str | UnsetType = field(name="ap", default=UNSET)
    settle_price: str | UnsetType = field(name="P", default=UNSET)
    symbol_type: int | UnsetType = field(name="st", default=UNSET)


class KlineBar(Struct, gc=False):
    """The ``k`` of a kline message."""

    open_ms: Milliseconds = field(name="t")
    close_ms: Milliseconds = field(name="T")
    symbol: Symbol = field(name="s")
    interval: str = field(name="i")
    first_raw_id: int = field(name="f")
    last_raw_id: int = field(name="L")
    open: str = field(name="o")
    close: str = field(name="c")
    high: str = field(name="h")
    low: str = field(name="l")
    volume: str = field(name="v")
    n_trades: int = field(name="n")
    is_closed: bool = field(name="x")
    quote_volume: str = field(name="q")
    taker_buy_volume: str = field(name="V")
    taker_buy_quote_volume: str = field(name="Q")
    ignore: str = field(name="B", default="0")


class Kline(Struct, tag_field="e", tag="kline", gc=False):
    """``<symbol>@kline_<interval>`` on ``/market``, about 2 s late when the bar closes."""

    push_ms: Milliseconds = field(name="E")
    symbol: Symbol = field(name="s")
    bar: KlineBar = field(name="k")


Payload = AggTrade | BookTicker | MarkPriceUpdate | Kline


class Combined(Struct, gc=False):
    """The envelope of a ``/stream`` socket; ``data`` is an array on the ``!...@arr`` streams."""

    stream: str
    data: Payload | list[Payload]


class Request(Struct):
    """A control message of the client."""

    method: str  # SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY, GET_PROPERTY
    params: list[str | bool] | UnsetType = UNSET
    id: int | str | UnsetType = UNSET


class Ack(Struct):
    """The answer to a control message that was understood. It does not prove that data will come."""

    result: Any  # None, a list of names, or the value of a property
    id: int | str


class ErrorBody(Struct):
    """What was wrong with a control message."""

    code: int
    msg: str


class ErrorReply(Struct):
    """An error answer; ``id`` is missing for an id of a wrong type and null for unreadable JSON."""

    error: ErrorBody
    id: int | str | UnsetType | None = UNSET
