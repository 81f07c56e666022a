"""What the faults do to one connection, pure: the server asks at its few places, with the time."""

from __future__ import annotations

import heapq
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from quantnb.exchange.garbage import garbage
from quantnb.exchange.protocol import Close
from quantnb.exchange.sabotage import Faults, Running

__all__ = ["Channel", "Frame", "Reset"]

Frame = str | bytes  # bytes: of a text frame, and maybe no valid UTF-8

OVERTAKEN_WITHIN_S = 1.0  # a held frame is let go after this long, whatever its stream does
TRADE_ID = re.compile(r'"a":(\d+)')  # in other payloads "a" is a text
PUSH_TIME = re.compile(r'"E":(\d+)')


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection ends with a TCP reset."""


@dataclass(slots=True)
class Overtaken:
    """A frame that waits until ``n_ahead`` later ones of its stream have gone."""

    frame: Frame
    n_ahead: float
    until_s: float


@dataclass(slots=True)
class Channel:
    """One connection as the faults see it; times are seconds since the exchange started."""

    faults: Faults
    route: str
    opened_s: float
    opened_ms: int  # by the exchange's clock
    number: int = field(init=False)
    _late: list[tuple[float, int, Frame]] = field(init=False, default_factory=list)  # a heap by time
    _order: itertools.count[int] = field(init=False, default_factory=itertools.count)
    _overtaken: dict[str, list[Overtaken]] = field(init=False, default_factory=dict)
    _has_warned: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.number = self.faults.number(self.route)

    def frames(self, stream: str, frame: str, now_s: float) -> list[Frame]:
        """Return what is sent now instead of this frame; ``stream`` is empty for an answer."""
        if self.is_mute(now_s):
            return []
        frames: list[Frame] = [frame]
        if stream:
            if self._is_silent(stream) or self._is_skipped(stream, frame):
                return []
            frames = self._repeated(stream, self._spoiled(stream, self._misdated(frame)))
            frames = self._reordered(stream, frames, now_s)
        return self._delayed(stream, frames, now_s)

    def ripe(self, now_s: float) -> list[Frame]:
        """Return held frames whose time has come, all of them once nothing holds frames any more."""
        if self.is_mute(now_s):
            return []
        frames: list[Frame] = []
        is_over = not self.faults.active("delay")
        while self._late and (is_over or self._late[0][0] <= now_s):
            frames.append(heapq.heappop(self._late)[2])
        is_over = not self.faults.active("reorder")
        for held in self._overtaken.values():
            frames += [each.frame for each in held if is_over or each.until_s <= now_s]
            held[:] = [each for each in held if not is_over and each.until_s > now_s]
        return frames + self._warning(now_s)

    def answer(self, text: str | bytes) -> list[bytes] | None:
        """Return the refusal of a subscription; None lets the exchange answer."""
        if b"SUBSCRIBE" not in (text if isinstance(text, bytes) else text.encode()):
            return None
        try:
            request = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return None
        if not isinstance(request, dict) or request.get("method") != "SUBSCRIBE":
            return None
        for each in self._active("refuse-subscribe"):
            each.hits()
            error = {"code": round(each.fault.number("code")), "msg": "Invalid request: refused on demand"}
            return [msgspec.json.encode({"error": error, "id": request.get("id")})]
        return None

    def route_of(self, route_of: Callable[[str], str | None]) -> Callable[[str], str | None]:
        """Return how subscriptions of this connection find their route: nowhere, while acknowledged only."""
        return lambda name: None if self._active("ack-only") else route_of(name)

    def is_mute(self, now_s: float) -> bool:
        """Return whether nothing goes in or out."""
        for each in self._active("half-open"):
            is_open_one = self.number <= each.connections.get(self.route, 0)
            age_s = each.fault.number("after") if each.fault.has("after") else 0.0
            if now_s - self.opened_s >= age_s and (each.fault.text("connections") == "all" or is_open_one):
                return True
        return False

    def welcome(self) -> Close | None:
        """Return how the connection ends as soon as it is open."""
        for each in self._active("accept-close"):
            each.hits()
            return Close(int(each.fault.text("code")), "closed on demand")
        return None

    def ending(self, now_s: float) -> Close | Reset | None:
        """Return how the connection ends at its age."""
        age_s = now_s - self.opened_s
        if any(age_s >= each.fault.number("seconds") for each in self._active("max-age")):
            return Close(1001, "Connection is too old")
        if any(age_s >= each.fault.number("after") for each in self._active("rst")):
            return Reset()
        for each in self._active("drop"):
            if age_s >= each.fault.number("after"):
                return Close(int(each.fault.text("code")), "closed on demand")
        return None

    @property
    def write_buffer_bytes(self) -> int | None:
        """How far behind the reader may be, where a fault says so."""
        allowed = [each.fault.number("bytes") for each in self._active("slow-reader")]
        return int(min(allowed)) if allowed else None

    def close(self) -> None:
        """Let the faults forget this connection."""
        self.faults.forget(self._about(""))

    def _active(self, name: str) -> list[Running]:
        return [each for each in self.faults.active(name) if each.concerns(self.route)]

    def _of_stream(self, name: str, stream: str) -> list[Running]:
        return [each for each in self.faults.active(name) if each.matches("stream", stream)]

    def _about(self, stream: str) -> str:
        return f"{self.route} {self.number} {stream}"

    def _is_silent(self, stream: str) -> bool:
        return bool(self._active("silent-socket") or self._of_stream("silent-stream", stream))

    def _is_skipped(self, stream: str, frame: str) -> bool:
        for each in self._of_stream("skip", stream):
            trade_id = TRADE_ID.search(frame) if stream.endswith("@aggTrade") else None
            if trade_id and each.hits_all(f"{stream} {trade_id[1]}"):
                return True
        return False

    def _misdated(self, frame: str) -> str:
        offset_ms = self.faults.push_offset_ms
        if not offset_ms:
            return frame
        return PUSH_TIME.sub(lambda found: f'"E":{int(found[1]) + offset_ms}', frame)

    def _spoiled(self, stream: str, frame: str) -> list[Frame]:
        frames: list[Frame] = [frame]
        about = self._about(stream)
        for each in self._of_stream("garbage", stream):
            if each.hits(about):
                spoiled = garbage(each.fault, frame, each.chance(about))
                frames = [spoiled, *frames] if each.fault.text("how") == "extra" else [spoiled]
        for each in self._of_stream("error-frame", stream):
            if each.hits(about):
                error = {"code": round(each.fault.number("code")), "msg": "Nobody asked for this error"}
                frames = [msgspec.json.encode({"error": error, "id": None}).decode(), *frames]
        return frames

    def _repeated(self, stream: str, frames: list[Frame]) -> list[Frame]:
        for each in self._of_stream("duplicate", stream):
            if each.hits(self._about(stream)):
                frames = frames + frames
        return frames

    def _reordered(self, stream: str, frames: list[Frame], now_s: float) -> list[Frame]:
        held = self._overtaken.setdefault(stream, []) if self.faults.active("reorder") else []
        for each in self._of_stream("reorder", stream):
            if each.hits(self._about(stream)):
                until_s = now_s + OVERTAKEN_WITHIN_S
                held += [Overtaken(frame, each.fault.number("by"), until_s) for frame in frames]
                return []
        for waiting in held:
            waiting.n_ahead -= 1
        released = [each.frame for each in held if each.n_ahead <= 0]
        held[:] = [each for each in held if each.n_ahead > 0]
        return frames + released

    def _delayed(self, stream: str, frames: list[Frame], now_s: float) -> list[Frame]:
        for each in self._of_stream("delay", stream):
            about = self._about(stream)
            if each.hits(about):
                jitter_s = each.fault.number("jitter") * each.chance(about).random()
                due_s = now_s + each.fault.number("seconds") + jitter_s
                for frame in frames:
                    heapq.heappush(self._late, (due_s, next(self._order), frame))
                return []
        return frames

    def _warning(self, now_s: float) -> list[Frame]:
        for each in self._active("max-age"):
            left_s = each.fault.number("seconds") - (now_s - self.opened_s)
            if each.fault.has("warning") and left_s <= each.fault.number("warning") and not self._has_warned:
                self._has_warned = True
                push_ms = self.opened_ms + round((now_s - self.opened_s) * 1000)
                return [f'{{"e":"serverShutdown","E":{push_ms}}}']
        return []
