"""How each stream is, judged by its own data; an open socket and an acknowledgement prove nothing.

State of one stream, the first that holds::

    waiting   its route was never open; or nothing came yet, in the first 5 s of an open socket
    stale     its socket is not open, or brings nothing at all
    live      something came in the last 4.5 s
    quiet     nothing came, and there was nothing: its usual rate explains it, or REST has no newer trade,
              or it is a book that does not change (others of the socket flow, and it does not trade)
    silent    nothing came, and something should have

Mark prices come every second, so 4.5 s without one is silence, and a ``/market`` that brings none and no
trade either is stale. A trade stream is asked about 1.5 s before it is called silent (`is_suspicious`), so
that a market where nothing happens is never shown as a fault.

Time in which the kernel itself was busy, or the computer slept, is held against nobody: a stream is then
``waiting`` again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

from quantnb.events import Instant
from quantnb.feed.pulse import PATIENCE_NS, Pulse
from quantnb.snapshot import StreamState

__all__ = ["MARKS", "QUOTES", "TRADES", "Stream", "Streams"]

FIRST_DATA_NS = 5_000_000_000
ASK_NS = 3_000_000_000
ANSWER_NS = PATIENCE_NS - ASK_NS
LATE_ANSWER_NS = 5_000_000_000
SAME_MOMENT_NS = 1_000_000_000  # a trade and the change of the book it made come by different sockets
BUSY_NS = 2_000_000_000  # two looks further apart than this: we were away

_FOREVER_NS = 2**63
TRADES: Final = "aggTrade"
QUOTES: Final = "bookTicker"
MARKS: Final = "markPrice@1s"


class Stream(Pulse):
    """One stream: what was counted of it, and its state at the last look.

    Attributes
    ----------
    is_waiting : bool
        Nothing came since the socket opened, or since the kernel was busy.
    overdue_ns : int
        For how long nothing came that could have.
    quiet_until_ns : int
        Until then REST's word counts that there was nothing: until it is asked again, and could answer.
    """

    __slots__ = (
        "_proved_ns",
        "is_waiting",
        "kind",
        "name",
        "overdue_ns",
        "quiet_until_ns",
        "route",
        "since_ns",
        "state",
        "symbol",
    )

    def __init__(self, name: str, route: str) -> None:
        super().__init__()
        self.name, self.route = name, route
        symbol, _, self.kind = name.partition("@")
        self.symbol = "".join(letter.upper() if letter.isascii() else letter for letter in symbol)
        self.state: StreamState = "waiting"
        self.since_ns: int | None = None
        self.is_waiting = True
        self.overdue_ns = 0
        self.quiet_until_ns = 0
        self._proved_ns = 0

    def begin(self, now_ns: int) -> None:
        """Hold nothing against it that was before now, and nothing for it."""
        self.since_ns, self.is_waiting = now_ns, True
        self._proved_ns = self.quiet_until_ns = 0
        self.restart(now_ns)

    def look(self, now_ns: int) -> bool:
        """Take note of what arrived since the last look; true where something did."""
        if self.since_ns is None:
            self.since_ns = now_ns
        has_arrived = super().look(now_ns)
        if has_arrived:
            self.is_waiting = False
        self.overdue_ns = self.silence_ns(now_ns, self.since_ns)
        return has_arrived

    def prove_quiet(self, now_ns: int) -> None:
        """Take REST's word that there was nothing newer."""
        self._proved_ns, self.quiet_until_ns = now_ns, _FOREVER_NS

    def expect_proof(self, now_ns: int) -> None:
        """Take note that REST is asked again; more is known where nothing came since it last answered."""
        was_quiet = (self.last_ns or 0) < self._proved_ns
        self.quiet_until_ns = min(self.quiet_until_ns, now_ns + (LATE_ANSWER_NS if was_quiet else ANSWER_NS))

    def age_s(self, now_ns: int) -> float | None:
        """Return the age of its newest message."""
        return None if self.last_ns is None else (now_ns - self.last_ns) / 1e9

    def is_old(self, now_ns: int) -> bool:
        """Return whether its newest message is older than patience and its usual rate allow."""
        allowed_ns = PATIENCE_NS if self.kind == MARKS else max(PATIENCE_NS, self.explained_ns())
        return self.last_ns is not None and now_ns - self.last_ns > allowed_ns

    @property
    def is_flowing(self) -> bool:
        """Whether something came just now."""
        return not self.is_waiting and self.overdue_ns <= PATIENCE_NS

    @property
    def is_explained(self) -> bool:
        """Whether its usual rate explains the silence."""
        return self.overdue_ns <= self.explained_ns()

    @property
    def is_suspicious(self) -> bool:
        """Whether REST should be asked if there was nothing indeed."""
        return self.kind == TRADES and self.overdue_ns > max(ASK_NS, self.explained_ns())


class Streams:
    """All streams that shall be delivered, and the routes that carry them."""

    def __init__(self) -> None:
        self.of_route: dict[str, tuple[Stream, ...]] = {}
        self.trades: dict[str, Stream] = {}  # by symbol, for the one look-up that an arrival costs
        self.quotes: dict[str, Stream] = {}
        self.marks: dict[str, Stream] = {}
        self.opened_ns: dict[str, int | None] = {}  # None: it was open, and is not
        self.resumed_ns: int | None = None  # when looks were last found far apart
        self.busy_s = 0.0  # for how long the kernel was busy then; 0 where the computer slept
        self._looked: Instant | None = None

    def __iter__(self) -> Iterator[Stream]:
        return chain.from_iterable(self.of_route.values())

    def watch(self, streams_by_route: Mapping[str, Iterable[str]]) -> None:
        """Set which streams shall be delivered; those that stay keep their state."""
        known = {(each.route, each.name): each for each in self}
        of_route = {
            route: tuple(known.get((route, name)) or Stream(name, route) for name in names)
            for route, names in streams_by_route.items()
        }
        # Quotes last: how they are depends on what trades.
        self.of_route = dict(sorted(of_route.items(), key=_carries_quotes))
        self.trades, self.quotes, self.marks = (
            {each.symbol: each for each in self if each.kind == kind} for kind in (TRADES, QUOTES, MARKS)
        )

    def open(self, route: str, now: Instant) -> None:
        """Take note of an open socket; where one was open already, its streams go on without a seam."""
        self.look(now)  # what came until now came from another socket
        if self.opened_ns.get(route) is None:
            self.opened_ns[route] = now.monotonic_ns
            for each in self.of_route.get(route, ()):
                each.begin(now.monotonic_ns)
        self._judge(now.monotonic_ns)

    def close(self, route: str, now: Instant) -> None:
        """Take note that a route has no socket."""
        self.look(now)
        self.close_all([route])

    def close_all(self, routes: Iterable[str]) -> None:
        """Take note that these routes have no socket, some time after the last look."""
        self.opened_ns.update(dict.fromkeys(routes))
        if self._looked is not None:
            self._judge(self._looked.monotonic_ns)

    def look(self, now: Instant) -> None:
        """Give what arrived since the last look a time, and judge each stream; several times a second."""
        before, self._looked = self._looked or now, now
        now_ns = now.monotonic_ns
        busy_ns = now_ns - before.monotonic_ns
        # A computer that sleeps may stop its monotonic clock: then only the wall's clock went on.
        was_away = max(busy_ns, now.wall_ns - before.wall_ns) > BUSY_NS
        if was_away:
            self.resumed_ns = now_ns
            self.busy_s = busy_ns / 1e9 if busy_ns > BUSY_NS else 0.0
        for each in self:
            if was_away:
                each.begin(now_ns)
            each.look(now_ns)
        self._judge(now_ns)

    def _judge(self, now_ns: int) -> None:
        for route, streams in self.of_route.items():
            if self.opened_ns.get(route) is None:
                state: StreamState = "stale" if route in self.opened_ns else "waiting"
                for each in streams:
                    each.state = state
                continue
            # A book may rest for a while; mark prices may not, so a /market that flows shows it at once.
            flows = any(each.is_flowing or (each.kind == QUOTES and each.is_explained) for each in streams)
            for each in streams:
                each.state = self._state(each, now_ns, flows)
            if not flows and any(each.state == "silent" for each in streams):
                for each in streams:
                    each.state = "waiting" if each.state == "waiting" else "stale"

    def _state(self, stream: Stream, now_ns: int, flows: bool) -> StreamState:
        if stream.is_flowing:
            return "live"
        if stream.is_waiting and stream.overdue_ns < FIRST_DATA_NS:
            return "waiting"
        match stream.kind:
            case "aggTrade":
                is_awaited = stream.overdue_ns <= max(ASK_NS, stream.explained_ns()) + ANSWER_NS
                is_quiet = is_awaited or now_ns <= stream.quiet_until_ns
            case "bookTicker":
                is_quiet = stream.is_explained or (flows and self._is_resting(stream))
            case _:
                is_quiet = False
        return "quiet" if is_quiet else "silent"

    def _is_resting(self, quotes: Stream) -> bool:
        """Return whether a book may be unchanged: trades would have changed it."""
        trades = self.trades.get(quotes.symbol)
        if trades is None or trades.state == "silent":
            return False
        if trades.last_ns is None:
            return True
        if quotes.is_waiting:
            return trades.last_ns <= (quotes.since_ns or 0)
        return trades.last_ns <= (quotes.last_ns or 0) + SAME_MOMENT_NS


def _carries_quotes(route: tuple[str, tuple[Stream, ...]]) -> bool:
    return any(each.kind == QUOTES for each in route[1])
