"""What a connection shall deliver, and the control messages that get it there, at the exchange's pace.

State of one stream on one connection::

    desired ──asked──▶ in flight ──acknowledged──▶ held ──┐
       ▲                   └──error──▶ refused ───────────┤  (not asked for again by itself)
       └─────────────────────── repeated ─────────────────┘

An acknowledgement proves nothing (unknown names are acknowledged too): health is judged by data.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from quantnb.events import Instant, Reply
from quantnb.feed.wire import Request

__all__ = ["MAX_NAMES", "MAX_STREAMS", "PACE_NS", "Subscriptions"]

MAX_STREAMS = 1_024  # per connection; one more and the exchange closes it with 1008
MAX_NAMES = 200  # per message; longer ones have failed silently
PACE_NS = 500_000_000  # between messages; more than ten a second close the connection with 1008


class Subscriptions:
    """Bookkeeping of one connection.

    What is desired beyond `MAX_STREAMS` is not asked for: that would cost all the others. `Shards` sees to it
    that there is nothing beyond.
    """

    def __init__(self, desired: Iterable[str] = ()) -> None:
        self.desired = frozenset(desired)
        self.held: set[str] = set()
        self.refused: set[str] = set()
        self._in_flight: dict[int, Request] = {}
        self._asked: set[str] = set()  # in flight or held
        self._again: set[str] = set()  # to be unsubscribed first
        self._last_id = 0
        self._sent_ns: int | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the exchange has answered for every stream that is desired."""
        return self.desired <= self.held | self.refused and not self._surplus()

    def desire(self, streams: Iterable[str]) -> None:
        """Set what shall be delivered from now on."""
        self.desired = frozenset(streams)

    def repeat(self, streams: Iterable[str]) -> None:
        """Ask for these streams again, those that are desired: give them up first, or forget the refusal."""
        names = set(streams)
        self._again.update(self._asked & names)
        self.refused -= names

    def receive(self, reply: Reply) -> None:
        """Take note of an answer; one without a known id belongs to no request and changes nothing."""
        request = self._in_flight.pop(reply.request_id, None) if isinstance(reply.request_id, int) else None
        if request is None or not isinstance(request.params, list):
            return
        names = {name for name in request.params if isinstance(name, str)}
        if reply.error_code is not None:
            self._asked -= names
            self.refused |= names  # the same words would get the same answer
        elif request.method == "SUBSCRIBE":
            self.held |= names & self._asked

    def next_at_ns(self) -> int | None:
        """Return the monotonic time of the next message, or None where there is nothing to say."""
        if not self._surplus() and not self._lacking():
            return None
        return 0 if self._sent_ns is None else self._sent_ns + PACE_NS

    def next_message(self, now: Instant) -> bytes | None:
        """Return the control message to send now, if any; it counts as sent."""
        at_ns = self.next_at_ns()
        if at_ns is None or now.monotonic_ns < at_ns:
            return None
        self._sent_ns = now.monotonic_ns
        surplus = self._surplus()  # first, because there is room for 1,024 only
        names = sorted(surplus or self._lacking())[:MAX_NAMES]
        if surplus:
            for streams in (self._asked, self.held, self._again):
                streams.difference_update(names)
        else:
            self._asked.update(names)
        self._last_id += 1
        request = Request("UNSUBSCRIBE" if surplus else "SUBSCRIBE", list(names), self._last_id)
        self._in_flight[self._last_id] = request
        return msgspec.json.encode(request)

    def _surplus(self) -> set[str]:
        return (self._asked - self.desired) | self._again

    def _lacking(self) -> list[str]:
        lacking = sorted(self.desired - self._asked - self.refused)
        return lacking[: MAX_STREAMS - len(self._asked)]
