"""Frames as Binance sends them."""

from __future__ import annotations

import json
import random
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


ODD_VALUES: list[Any] = [
    *[None, True, False, 0, -1, 1, 0.5, 1e300, 10**30, 2**63, -(2**63), 1791382992488000, 1791382992],
    *["", "0", "-1", "NaN", "Infinity", "1e308", "1e-320", "abc", "9" * 400, "\ud800", "\x00", "币安人生"],
    *[[], {}, [1], {"e": "aggTrade"}, [[[]]]],
]


def corpus() -> list[bytes]:
    """Return valid frames of each kind, as many of each as there are in real life: mostly trades."""
    frames = [combined(AGG_TRADE, a=9001 + k, E=1791382992488 + k) for k in range(8)]
    frames += [combined(fields) for fields in (BOOK_TICKER, MARK_PRICE, KLINE, [MARK_PRICE] * 2)]
    frames += [raw(AGG_TRADE), b'{"error":{"code":2,"msg":"wrong"},"id":3}', b'{"result":null,"id":1}']
    return frames


def mutated(chance: random.Random) -> bytes:
    """Return a frame of the corpus with one to four things wrong, of the kinds that software gets wrong."""
    frame = chance.choice(_CORPUS)
    for _ in range(chance.choice([1, 1, 1, 1, 2, 4])):
        frame = chance.choice(_MUTATIONS)(frame, chance) or b"{"
    return frame


def _flip(frame: bytes, chance: random.Random) -> bytes:
    position = chance.randrange(len(frame))
    return frame[:position] + bytes([frame[position] ^ (1 << chance.randrange(8))]) + frame[position + 1 :]


def _truncate(frame: bytes, chance: random.Random) -> bytes:
    return frame[: chance.randrange(len(frame))]


def _cut(frame: bytes, chance: random.Random) -> bytes:
    position = chance.randrange(len(frame))
    return frame[:position] + frame[position + chance.randint(1, 9) :]


def _insert(frame: bytes, chance: random.Random) -> bytes:
    position = chance.randrange(len(frame))
    return frame[:position] + chance.randbytes(chance.randint(1, 3)) + frame[position:]


def _break_text(frame: bytes, chance: random.Random) -> bytes:
    return frame.replace(b"USDT", chance.choice([b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\x00", b"\\ud800"]), 1)


def _nest(frame: bytes, chance: random.Random) -> bytes:
    depth = chance.choice([1, 3, 50, 2_000])
    opening, closing = chance.choice([(b"[", b"]"), (b'{"data":', b"}"), (b'{"stream":"x","data":', b"}")])
    return opening * depth + frame + closing * depth


def _repeat_keys(frame: bytes, chance: random.Random) -> bytes:
    members = frame.strip(b"{}")
    return b"{" + members + b"," + members + b"}" * chance.randint(1, 2)


def _put_odd_value(frame: bytes, chance: random.Random) -> bytes:
    """Put another type or an impossible number into a field, or leave it out, if the frame can be read."""
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError):
        return frame
    inner = message.get("data", message) if isinstance(message, dict) else message
    fields = inner[0] if isinstance(inner, list) and inner else inner
    if isinstance(fields, dict) and fields:
        key = chance.choice(list(fields))
        if chance.random() < 0.2:
            del fields[key]
        else:
            fields[key] = chance.choice(ODD_VALUES)
    return json.dumps(message).encode()


_CORPUS = corpus()
_MUTATIONS = [
    _flip,
    _truncate,
    _cut,
    _insert,
    _break_text,
    _nest,
    _repeat_keys,
    _put_odd_value,
    _put_odd_value,
]


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
