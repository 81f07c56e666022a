"""Frames in, events out. ``decode`` never raises: what is no event comes back as `Malformed` or `Ignored`.

A combined frame with payloads of known types, which is nearly all of them, is read in one pass by a typed
decoder, and the decimals of trades that came together become numbers together: that takes a sixth of the
time. Everything else (raw payloads, replies, and whatever is wrong) goes the slow way, where each row is
judged on its own and gets a reason.

Left out by rule, as `Ignored`: rows of COIN-M symbols (``st`` 2) and well-formed events that nothing here
uses (klines, depth, tickers, ...). Rejected, as `Malformed`: unreadable JSON, missing fields, wrong types,
prices and quantities that are not finite or not positive, times outside 2010-2100 (seconds or microseconds
instead of milliseconds), times more than a day ahead of this computer's clock, a trade that is later than
the message that tells of it, and arrays that are longer than all symbols there are. What contradicts other
messages is found later, by `quantnb.feed.plausible`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import MsgspecError

from quantnb.events import Event, Malformed, MarkPrice, Quote, Reply, Trade
from quantnb.feed.unused import Ignored
from quantnb.feed.wire import (
    COIN_M,
    Ack,
    AggTrade,
    BookTicker,
    Combined,
    ErrorBody,
    ErrorReply,
    Kline,
    MarkPriceUpdate,
    Payload,
)

__all__ = ["SAMPLE_BYTES", "decode", "decode_all"]

SAMPLE_BYTES = 512
MAX_ROWS = 10_000  # of an array; the exchange lists about a thousand symbols
MAX_NUMBER = 1e15  # so that price times quantity stays finite
MAX_AHEAD_NS = 86_400_000_000_000  # a day: a wrong time zone passes, a wrong unit does not
MAX_PUSH_AHEAD_NS = 1_000_000_000  # a message is built after its trade, both by the exchange's clock
_MS = 1_000_000

_EVENT_TYPES = frozenset({"aggTrade", "bookTicker", "markPriceUpdate", "kline"})
_UNREADABLE = (MsgspecError, ValueError, RecursionError)  # ValueError: bytes that are not UTF-8

_decode_combined = msgspec.json.Decoder(Combined).decode
_decode_any = msgspec.json.Decoder().decode


def decode(frame: str | bytes, receive_ns: int) -> tuple[Event, ...]:
    """Return the events of one frame, at least one, in the order of its rows.

    Parameters
    ----------
    frame : str or bytes
        As it came from the socket; a raw or a combined payload, an array of them, or a reply.
    receive_ns : int
        When it arrived, in ns since the epoch.
    """
    return tuple(decode_all((frame,), receive_ns))


def decode_all(frames: Sequence[str | bytes], receive_ns: int) -> list[Event]:
    """Return the events of frames that arrived together, in their order; the same as `decode` of each."""
    payloads = [_payload(frame) for frame in frames]
    trades = [payload for payload in payloads if type(payload) is AggTrade]
    numbers = iter(_numbers([text for trade in trades for text in (trade.price, trade.quantity)]))
    events: list[Event] = []
    for frame, payload in zip(frames, payloads, strict=True):
        if type(payload) is AggTrade:  # nearly all of them
            trade = _trade(payload, next(numbers), next(numbers), receive_ns)
            events.append(trade or _reject(payload, frame, receive_ns))
        elif payload is None:
            events += _decode_slowly(frame, receive_ns)
        elif type(payload) is list:
            events += _convert_all(payload, frame, receive_ns)
        else:
            events.append(_convert(payload, frame, receive_ns))  # type: ignore[arg-type]
    return events


def _payload(frame: str | bytes) -> Payload | list[Payload] | None:
    """Return what the envelope holds; None where that is not of a known type."""
    try:
        return _decode_combined(frame).data
    except _UNREADABLE:
        return None


def _numbers(texts: list[str]) -> list[float]:
    try:
        return msgspec.convert(texts, list[float], strict=False)
    except _UNREADABLE:
        return [_number(text) for text in texts]


def _number(text: str) -> float:
    """Return a decimal as a float, NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _convert_all(rows: list[Payload], frame: str | bytes, receive_ns: int) -> tuple[Event, ...]:
    if len(rows) > MAX_ROWS:
        return _too_long(len(rows), frame, receive_ns)
    return tuple(_convert(row, frame, receive_ns) for row in rows) or _empty(frame, receive_ns)


def _convert(payload: Payload, frame: str | bytes, receive_ns: int) -> Event:
    if type(payload) is AggTrade:
        price, quantity = _number(payload.price), _number(payload.quantity)
        return _trade(payload, price, quantity, receive_ns) or _reject(payload, frame, receive_ns)
    if type(payload) is BookTicker:
        return _quote(payload, receive_ns) or _reject(payload, frame, receive_ns)
    if type(payload) is MarkPriceUpdate:
        return _mark_price(payload, receive_ns) or _reject(payload, frame, receive_ns)
    return Ignored("klines are not used here", _sample(frame), receive_ns)


def _trade(wire: AggTrade, price: float, quantity: float, receive_ns: int) -> Trade | None:
    event_ns, push_ns = wire.event_ms * _MS, wire.push_ms * _MS
    # NaN fails every comparison, so one chain rejects it together with infinity, zero and nonsense.
    if (
        0.0 < price < MAX_NUMBER
        and 0.0 < quantity < MAX_NUMBER
        and event_ns <= push_ns + MAX_PUSH_AHEAD_NS
        and push_ns <= receive_ns + MAX_AHEAD_NS
        and wire.symbol_type != COIN_M
    ):
        return Trade(
            wire.symbol, wire.trade_id, price, quantity, wire.is_buyer_maker, event_ns, push_ns, receive_ns
        )
    return None


def _quote(wire: BookTicker, receive_ns: int) -> Quote | None:
    try:
        bid, bid_quantity = float(wire.bid_price), float(wire.bid_quantity)
        ask, ask_quantity = float(wire.ask_price), float(wire.ask_quantity)
    except ValueError:
        return None
    event_ns, push_ns = wire.event_ms * _MS, wire.push_ms * _MS
    if (
        0.0 < bid < MAX_NUMBER
        and 0.0 < ask < MAX_NUMBER
        and 0.0 <= bid_quantity < MAX_NUMBER
        and 0.0 <= ask_quantity < MAX_NUMBER
        and event_ns <= push_ns + MAX_PUSH_AHEAD_NS
        and push_ns <= receive_ns + MAX_AHEAD_NS
        and wire.symbol_type != COIN_M
    ):
        return Quote(
            wire.symbol, wire.update_id, bid, bid_quantity, ask, ask_quantity, event_ns, push_ns, receive_ns
        )
    return None


def _mark_price(wire: MarkPriceUpdate, receive_ns: int) -> MarkPrice | None:
    try:
        mark, index, rate = float(wire.mark_price), float(wire.index_price), float(wire.funding_rate)
    except ValueError:
        return None
    push_ns = wire.push_ms * _MS
    if (
        0.0 < mark < MAX_NUMBER
        and 0.0 <= index < MAX_NUMBER
        and -MAX_NUMBER < rate < MAX_NUMBER
        and push_ns <= receive_ns + MAX_AHEAD_NS
        and wire.symbol_type != COIN_M
    ):
        return MarkPrice(wire.symbol, mark, index, rate, wire.next_funding_ms * _MS, push_ns, receive_ns)
    return None


def _reject(
    wire: AggTrade | BookTicker | MarkPriceUpdate, frame: str | bytes, receive_ns: int
) -> Malformed | Ignored:
    """Say why a well-typed row was not used; only rows that failed a check come here."""
    if wire.symbol_type == COIN_M:
        return Ignored("a COIN-M symbol on the USD-M host", _sample(frame), receive_ns)
    push_ns = wire.push_ms * _MS
    if push_ns > receive_ns + MAX_AHEAD_NS:
        ahead_s = (push_ns - receive_ns) / 1e9
        reason = f"time is {ahead_s:,.0f} s ahead of this computer's clock"
    elif not isinstance(wire, MarkPriceUpdate) and wire.event_ms * _MS > push_ns + MAX_PUSH_AHEAD_NS:
        reason = "event time is later than the message that tells of it"
    else:
        reason = f"a price or quantity of {type(wire).__name__} is not a finite, positive number"
    return Malformed(reason, _sample(frame), receive_ns)


def _decode_slowly(frame: str | bytes, receive_ns: int) -> tuple[Event, ...]:
    try:
        message = _decode_any(frame)
    except _UNREADABLE as error:
        return (Malformed(f"not JSON: {error}", _sample(frame), receive_ns),)
    if isinstance(message, dict) and not {"e", "stream"} & message.keys():
        if {"result", "error", "code"} & message.keys():
            return (_reply(message, frame, receive_ns),)
        message = message.get("event", message)  # {"event": {"e": "serverShutdown", ...}}
    if isinstance(message, dict) and "stream" in message and "data" in message:
        message = message["data"]
    rows = message if isinstance(message, list) else [message]
    if len(rows) > MAX_ROWS:
        return _too_long(len(rows), frame, receive_ns)
    return tuple(_row(row, frame, receive_ns) for row in rows) or _empty(frame, receive_ns)


def _row(row: Any, frame: str | bytes, receive_ns: int) -> Event:
    kind = row.get("e") if isinstance(row, dict) else None
    if not isinstance(kind, str):
        return Malformed("neither an event nor a reply", _sample(frame), receive_ns)
    if kind not in _EVENT_TYPES:
        return Ignored(f"events of type {kind[:40]!r} are not used here", _sample(frame), receive_ns)
    try:
        payload = msgspec.convert(row, AggTrade | BookTicker | MarkPriceUpdate | Kline)
    except _UNREADABLE as error:
        return Malformed(f"{kind}: {error}", _sample(frame), receive_ns)
    return _convert(payload, frame, receive_ns)


def _reply(message: dict[str, Any], frame: str | bytes, receive_ns: int) -> Event:
    try:
        if "error" in message:
            refusal = msgspec.convert(message, ErrorReply)
            request_id = refusal.id if isinstance(refusal.id, int | str) else None
            return Reply(request_id, refusal.error.code, refusal.error.msg, receive_ns)
        if "code" in message:  # as the documents print it, without an envelope
            body = msgspec.convert(message, ErrorBody)
            return Reply(None, body.code, body.msg, receive_ns)
        return Reply(msgspec.convert(message, Ack).id, None, "", receive_ns)
    except _UNREADABLE as error:
        return Malformed(f"reply: {error}", _sample(frame), receive_ns)


def _empty(frame: str | bytes, receive_ns: int) -> tuple[Event, ...]:
    return (Ignored("an empty array", _sample(frame), receive_ns),)


def _too_long(n_rows: int, frame: str | bytes, receive_ns: int) -> tuple[Event, ...]:
    return (Malformed(f"an array of {n_rows:,} rows", _sample(frame), receive_ns),)


def _sample(frame: str | bytes) -> bytes:
    if isinstance(frame, str):
        return frame[:SAMPLE_BYTES].encode(errors="replace")[:SAMPLE_BYTES]
    return frame[:SAMPLE_BYTES]
