"""What a frame can be instead of what it should be: one function for each kind of garbage."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from quantnb.exchange.faults import Fault
from quantnb.exchange.kinds import GARBAGE
from quantnb.exchange.listings import COIN_M_SYMBOL
from quantnb.feed.wire import COIN_M

__all__ = ["garbage"]

Row = dict[str, Any]
Spoiler = Callable[[Row, Random, float | None], None]  # changes the row in place; the size may be left out

PRICES = ("p", "b", "a", "c")  # where payloads keep a price, as a text
TIMES = ("E", "T")
NEEDED = ("e", "E", "s", "a", "p", "q", "T", "m", "u", "b", "B", "A", "i", "r", "k")
BIG_BYTES = 2 * 2**20
FUTURE_S = 2 * 86_400.0  # further than any time zone
OFF_MARK = 0.25


def garbage(fault: Fault, frame: str, chance: Random) -> str | bytes:
    """Return what is sent in the place of a frame, raw or combined; bytes are those of a text frame."""
    kind = fault.text("kind")
    if kind == "any":
        kind = chance.choice(GARBAGE[1:])
    if kind in TEXTS:
        return TEXTS[kind](frame, chance)
    message = msgspec.json.decode(frame)
    data = message["data"] if "stream" in message else message
    row = data[0] if isinstance(data, list) else data
    size = fault.number("size") if fault.has("size") else None
    ROWS[kind](row, chance, size)
    return msgspec.json.encode(message).decode()


def _truncated(frame: str, chance: Random) -> str:
    return frame[: chance.randrange(1, len(frame))]


def _not_utf8(frame: str, chance: Random) -> bytes:
    at = frame.index('"s":"') + 5 if '"s":"' in frame else chance.randrange(len(frame))
    return frame[:at].encode() + b"\xff\xfe" + frame[at:].encode()


def _not_object(frame: str, chance: Random) -> str:
    return chance.choice(["42", "null", "true", '"aggTrade"', "[]", "[1,2,3]", "{}"])


TEXTS: dict[str, Callable[[str, Random], str | bytes]] = {
    "truncated": _truncated,
    "not-utf8": _not_utf8,
    "empty": lambda frame, chance: "",
    "not-object": _not_object,
}


def _wrong_type(row: Row, chance: Random, size: float | None) -> None:
    name = chance.choice([name for name in NEEDED if name in row])
    others: list[Any] = ["many" if not isinstance(row[name], str) else 1.5, None, [], {"price": 1}]
    row[name] = chance.choice(others)


def _missing_field(row: Row, chance: Random, size: float | None) -> None:
    del row[chance.choice([name for name in NEEDED if name in row])]


def _unknown_event(row: Row, chance: Random, size: float | None) -> None:
    row["e"] = "somethingNew"


def _unknown_symbol(row: Row, chance: Random, size: float | None) -> None:
    row["s"] = "NOSUCHUSDT"


def _reprice(row: Row, change: Callable[[float], str]) -> None:
    bar = row.get("k", row)
    for name in ("o", "h", "l", "c") if "k" in row else PRICES:
        if isinstance(bar.get(name), str):
            bar[name] = change(float(bar[name]))


def _negative_price(row: Row, chance: Random, size: float | None) -> None:
    _reprice(row, lambda price: f"-{price:.10g}")


def _priced(text: str) -> Spoiler:
    return lambda row, chance, size: _reprice(row, lambda price: text)


def _off_mark(row: Row, chance: Random, size: float | None) -> None:
    factor = 1 + chance.choice((-1, 1)) * (OFF_MARK if size is None else size)
    _reprice(row, lambda price: f"{price * factor:.10g}")


def _redate(row: Row, change: Callable[[int], int]) -> None:
    for name in TIMES:
        # In a markPriceUpdate T is when funding is due.
        if isinstance(row.get(name), int) and not (name == "T" and "r" in row):
            row[name] = change(row[name])


def _microseconds(row: Row, chance: Random, size: float | None) -> None:
    _redate(row, lambda time_ms: time_ms * 1000)


def _future(row: Row, chance: Random, size: float | None) -> None:
    ahead_ms = round((FUTURE_S if size is None else size) * 1000)
    _redate(row, lambda time_ms: time_ms + ahead_ms)


def _coin_m(row: Row, chance: Random, size: float | None) -> None:
    row["s"], row["st"] = COIN_M_SYMBOL, COIN_M


def _big(row: Row, chance: Random, size: float | None) -> None:
    row["padding"] = "x" * int(BIG_BYTES if size is None else size)


ROWS: dict[str, Spoiler] = {
    "wrong-type": _wrong_type,
    "missing-field": _missing_field,
    "unknown-event": _unknown_event,
    "unknown-symbol": _unknown_symbol,
    "nan-price": _priced("NaN"),
    "negative-price": _negative_price,
    "zero-price": _priced("0"),
    "infinite-price": _priced("Infinity"),
    "microseconds": _microseconds,
    "future": _future,
    "coin-m": _coin_m,
    "off-mark": _off_mark,
    "big": _big,
}
