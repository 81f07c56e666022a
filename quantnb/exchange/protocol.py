"""One client's conversation, sans I/O: its subscriptions, control messages, limits and life signs.

``receive`` takes a text and the time and gives the answers to send and, maybe, the close that follows them;
``due`` is asked at each slot whether a ping or a close is due. Codes and words are Binance's as measured.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

__all__ = ["Close", "Conversation", "Limits", "Ping", "StreamPath"]

METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
ROUTES = ("public", "market", "private")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the exchange tolerates; the defaults are Binance's."""

    streams_per_connection: int = 1_024
    messages_per_s: float = 10.0
    message_burst: int = 15
    ping_interval_s: float = 180.0
    pong_timeout_s: float = 600.0
    max_age_s: float = 86_400.0
    write_buffer_bytes: int = 4 * 2**20  # a reader further behind than this is cut off
    weight_per_minute: int = 2_400


@dataclass(frozen=True, slots=True)
class Close:
    """The connection ends with this close frame."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping frame; the pong must carry the same payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class StreamPath:
    """The path of a WebSocket request, taken apart."""

    route: str
    is_combined: bool
    names: tuple[str, ...] = ()

    @classmethod
    def parse(cls, target: str) -> StreamPath | None:
        """Return the parts of a request target, or None for a path that has no streams behind it.

        An unrouted path is that of the public route.
        """
        url = urlsplit(target)
        parts = [part for part in url.path.split("/") if part]
        route = parts.pop(0) if parts and parts[0] in ROUTES else "public"
        if not parts or (parts[0] == "stream" and len(parts) > 1):
            return None
        if parts[0] == "ws":
            return cls(route, False, tuple(unquote(name) for name in parts[1:]))
        if parts[0] == "stream":
            text = parse_qs(url.query).get("streams", [""])[0]
            return cls(route, True, tuple(name for name in text.split("/") if name))
        return None


class RefusedError(Exception):
    """A control message with an error in it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Conversation:
    """State of one connection; times are milliseconds.

    ``route_of`` tells on which route a stream of a name delivers. Any name can be subscribed to and is
    acknowledged; ``delivered`` holds those that will be heard of.
    """

    path: StreamPath
    limits: Limits
    route_of: Callable[[str], str | None]
    opened_ms: int
    is_combined: bool = field(init=False)
    names: dict[str, None] = field(init=False, default_factory=dict)
    delivered: set[str] = field(init=False, default_factory=set)
    _allowance: float = field(init=False)
    _received_ms: int = field(init=False)
    _pinged_ms: int = field(init=False)
    _unanswered_ms: int | None = field(init=False, default=None)  # since when a ping waits for its pong

    def __post_init__(self) -> None:
        self.is_combined = self.path.is_combined
        self._allowance = float(self.limits.message_burst)
        self._received_ms = self._pinged_ms = self.opened_ms

    def open(self) -> tuple[list[bytes], Close | None]:
        """Subscribe to the names of the URL."""
        return self._subscribe(self.path.names, None) if self.path.names else ([], None)

    def receive(self, text: str | bytes, now_ms: int) -> tuple[list[bytes], Close | None]:
        """Return the answers to one control message, and the close that follows them if one does."""
        if not self._is_within_rate(now_ms):
            return [], Close(1008, "Too many requests")
        try:
            request = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            byte = re.search(r"\(byte (\d+)\)", str(error))
            column = int(byte[1]) + 1 if byte else len(text)
            return [_error(3, f"Invalid JSON: expected value at line 1 column {column}", {"id": None})], None
        answer_id = _answer_id(request)
        try:
            method, params = _checked(request, len(text))
            if method == "SUBSCRIBE":
                return self._subscribe(_names(params), answer_id)
            return [_encode({"result": self._result(method, params), **answer_id})], None
        except RefusedError as error:
            return [_error(error.code, str(error), answer_id)], None

    def receive_pong(self) -> None:
        """Note that a ping of ours was answered."""
        self._unanswered_ms = None

    def due(self, now_ms: int) -> Ping | Close | None:
        """Return what the passing of time asks for."""
        if now_ms - self.opened_ms >= self.limits.max_age_s * 1000:
            return Close(1001, "Connection is too old")
        waited_ms = 0 if self._unanswered_ms is None else now_ms - self._unanswered_ms
        if waited_ms >= self.limits.pong_timeout_s * 1000:
            return Close(1008, "Pong timeout")
        if now_ms - self._pinged_ms >= self.limits.ping_interval_s * 1000:
            self._pinged_ms = now_ms
            if self._unanswered_ms is None:
                self._unanswered_ms = now_ms
            return Ping(str(now_ms).encode())
        return None

    def _is_within_rate(self, now_ms: int) -> bool:
        """Take one from a bucket that refills at the allowed rate."""
        refill = (now_ms - self._received_ms) / 1000 * self.limits.messages_per_s
        self._allowance = min(self._allowance + refill, float(self.limits.message_burst))
        self._received_ms = now_ms
        self._allowance -= 1
        return self._allowance >= 0

    def _subscribe(
        self, names: Iterable[str], answer_id: dict[str, object] | None
    ) -> tuple[list[bytes], Close | None]:
        wanted = dict.fromkeys(names)
        self.names.update(wanted)
        if len(self.names) > self.limits.streams_per_connection:
            return [_error(4, "Too many subscriptions", answer_id or {})], Close(1008, "Invalid request")
        for name in wanted:
            # Asked again each time: a subscription that was acknowledged and silent can come to life.
            (self.delivered.add if self.route_of(name) == self.path.route else self.delivered.discard)(name)
        return ([] if answer_id is None else [_encode({"result": None, **answer_id})]), None

    def _result(self, method: str, params: list[Any]) -> object:
        if method == "LIST_SUBSCRIPTIONS":
            _expect_count(params, 0)
            return list(self.names)
        if method == "UNSUBSCRIBE":
            for name in _names(params):
                self.names.pop(name, None)
                self.delivered.discard(name)
            return None
        is_get = method == "GET_PROPERTY"
        _expect_count(params, 1 if is_get else 2)
        if not params or not isinstance(params[0], str):
            raise RefusedError(2, "Invalid request: property name must be a string")
        if params[0] != "combined":
            raise RefusedError(0, "Unknown property")
        if is_get:
            return self.is_combined
        if len(params) < 2 or not isinstance(params[1], bool):
            raise RefusedError(1, "Invalid value type: expected Boolean")
        self.is_combined = params[1]
        return None


def _checked(request: object, n_characters: int) -> tuple[str, list[Any]]:
    end = f"at line 1 column {n_characters}"
    if not isinstance(request, dict):
        raise RefusedError(2, f"Invalid request: expected an object {end}")
    if not _answer_id(request):
        raise RefusedError(2, "Invalid request: request ID must be an unsigned integer")
    method = request.get("method")
    if method is None:
        raise RefusedError(2, f"Invalid request: missing field `method` {end}")
    if method not in METHODS:
        expected = ", ".join(METHODS)
        raise RefusedError(2, f"Invalid request: unknown variant {method}, expected one of {expected} {end}")
    params = request.get("params")
    if not isinstance(params, list | None):
        raise RefusedError(2, f"Invalid request: `params` must be an array {end}")
    return method, params or []


def _names(params: list[Any]) -> list[str]:
    if not params or not all(isinstance(name, str) for name in params):
        raise RefusedError(2, "Invalid request: `params` must be an array of stream names")
    return params


def _expect_count(params: list[Any], most: int) -> None:
    if len(params) > most:
        raise RefusedError(2, "Invalid request: too many parameters")


def _answer_id(request: object) -> dict[str, object]:
    """Return the ``id`` member of the answer; none when the request's cannot be used.

    Binance documents unsigned integers and its own SDK sends strings: both are echoed.
    """
    given = request.get("id") if isinstance(request, dict) else None
    is_unsigned = isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**64
    return {"id": given} if is_unsigned or isinstance(given, str) else {}


def _error(code: int, message: str, answer_id: dict[str, object]) -> bytes:
    return _encode({"error": {"code": code, "msg": message}, **answer_id})


def _encode(value: object) -> bytes:
    return msgspec.json.encode(value)
