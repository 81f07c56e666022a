"""Frames as Binance sends them."""

from __future__ import annotations

import json
from typing import Any

from quantnb.events import Instant, Trade

RECEIVE_NS = 1_791_382_992_600_000_000

AGG_TRADE: dict[str, Any] = {
    "e": "aggTrade",
    "E": 1791382992488,
    "s": "BTCUSDT",
    "a": 9001,
    "p": "83000.10",
    "q": "0.020",
    "nq": "0.015",
    "f": 50001,
    "l": 50003,
    "T": 1791382992338,
    "m": False,
    "st": 1,
}
BOOK_TICKER: dict[str, Any] = {
    "e": "bookTicker",
    "u": 700,
    "s": "ETHUSDT",
    "ps": "ETHUSDT",
    "b": "4000.10",
    "B": "12.5",
    "a": "4000.11",
    "A": "3.1",
    "T": 1791382992457,
    "E": 1791382992458,
    "st": 1,
}
MARK_PRICE: dict[str, Any] = {
    "e": "markPriceUpdate",
    "E": 1791382992000,
    "s": "BTCUSDT",
    "p": "83084.30000000",
    "ap": "83084.30000000",
    "i": "83123.65",
    "P": "83195.15",
    "r": "0.00000078",
    "T": 1791388800000,
    "st": 1,
}
KLINE: dict[str, Any] = {
    "e": "kline",
    "E": 1791382992723,
    "s": "BTCUSDT",
    "k": {
        "t": 1791382980000,
        "T": 1791383039999,
        "s": "BTCUSDT",
        "i": "1m",
        "f": 1,
        "L": 9,
        "o": "1.0",
        "c": "1.1",
        "h": "1.2",
        "l": "0.9",
        "v": "10",
        "n": 9,
        "x": False,
        "q": "10.5",
        "V": "6",
        "Q": "6.3",
        "B": "0",
    },
}


def raw(fields: Any, **changes: Any) -> bytes:
    """Return a payload without an envelope; a field changed to ``...`` is left out."""
    if isinstance(fields, dict):
        fields = {name: value for name, value in (fields | changes).items() if value is not ...}
    return json.dumps(fields).encode()


def combined(fields: Any, **changes: Any) -> bytes:
    """Return a payload in the envelope of a ``/stream`` socket."""
    return b'{"stream":"btcusdt@aggTrade","data":' + raw(fields, **changes) + b"}"


def trade(trade_id: int, *, symbol: str = "BTCUSDT", event_ms: int = 1791382992338) -> Trade:
    """Return a trade that was pushed 150 ms after it happened and received 10 ms later."""
    event_ns = event_ms * 1_000_000
    return Trade(
        symbol, trade_id, 83000.1, 0.02, False, event_ns, event_ns + 150_000_000, event_ns + 160_000_000
    )


def at(seconds: float) -> Instant:
    """Return an instant some seconds after the tests' beginning, on both clocks."""
    ns = round(seconds * 1e9)
    return Instant(RECEIVE_NS + ns, 1_000_000_000 + ns)
