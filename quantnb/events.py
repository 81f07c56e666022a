"""The facts that travel through the house, from the decoder to the engine; all frozen.

Times are integer nanoseconds since the Unix epoch, UTC. ``event_ns`` is when a thing happened at the
exchange (Binance's ``T``), ``push_ns`` when the exchange built the message (``E``), ``receive_ns`` when it
arrived here. Bars and statistics read ``event_ns`` only; the other two serve latency and health.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

__all__ = [
    "Connected",
    "Disconnected",
    "Event",
    "Gap",
    "History",
    "Instant",
    "Kline",
    "Malformed",
    "MarkPrice",
    "Quote",
    "Recovered",
    "Reply",
    "Trade",
]


class Instant(Struct, frozen=True, gc=False):
    """One reading of both clocks: the wall's for display, the monotonic one for time-outs."""

    wall_ns: int
    monotonic_ns: int


class Trade(Struct, frozen=True, gc=False):
    """One print: Binance's ``aggTrade``, the fills of one taker order at one price within 100 ms.

    ``trade_id`` (Binance's ``a``) is consecutive per symbol, so a missing one proves a loss.
    """

    symbol: str
    trade_id: int
    price: float
    quantity: float
    is_buyer_maker: bool
    event_ns: int
    push_ns: int
    receive_ns: int


class Quote(Struct, frozen=True, gc=False):
    """Best bid and ask of one symbol; ``update_id`` increases but is not consecutive."""

    symbol: str
    update_id: int
    bid_price: float
    bid_quantity: float
    ask_price: float
    ask_quantity: float
    event_ns: int
    push_ns: int
    receive_ns: int


class MarkPrice(Struct, frozen=True, gc=False):
    """Mark price and funding of one symbol; at one a second it is the heartbeat of its route."""

    symbol: str
    mark_price: float
    index_price: float
    funding_rate: float
    next_funding_ns: int
    push_ns: int
    receive_ns: int


class Gap(Struct, frozen=True, gc=False):
    """A hole in one symbol's trade ids; it stands in the stream before the trade that reveals it.

    ``start_ns`` and ``end_ns`` are the event times of the trades on either side.
    """

    symbol: str
    first_missing_id: int
    last_missing_id: int
    start_ns: int
    end_ns: int
    cause: str


class Recovered(Struct, frozen=True, gc=False):
    """Trades that were missing, in the order of their ids: they came late, or were fetched afterwards.

    Their ids lie below the newest one known, or follow it where the stream itself was silent.
    """

    symbol: str
    trades: tuple[Trade, ...]
    source: Literal["stream", "rest"]


class Kline(Struct, frozen=True, gc=False):
    """One closed bar as the exchange itself reports it; ``n_fills`` counts raw trades, not `Trade` events."""

    open_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    n_fills: int


class History(Struct, frozen=True, gc=False):
    """Closed bars from before the first trade of one symbol: ascending, without a hole among them."""

    symbol: str
    timeframe: str
    klines: tuple[Kline, ...]


class Connected(Struct, frozen=True, gc=False):
    """A socket is open. It proves nothing about data: health is judged by what arrives."""

    route: str
    at: Instant


class Disconnected(Struct, frozen=True, gc=False):
    """A socket closed, or an attempt to open one failed.

    ``retry_in_s`` is None when trying again cannot help (``reason`` then says what can).
    """

    route: str
    reason: str
    retry_in_s: float | None
    at: Instant


class Reply(Struct, frozen=True, gc=False):
    """The exchange's answer to a control message: an acknowledgement, or an error with its words."""

    request_id: int | str | None
    error_code: int | None
    error_text: str
    receive_ns: int


class Malformed(Struct, frozen=True, gc=False):
    """A frame, or one row of it, that cannot be used: why, and its first bytes."""

    reason: str
    sample: bytes
    receive_ns: int


Event = Trade | Quote | MarkPrice | Gap | Recovered | History | Connected | Disconnected | Reply | Malformed
