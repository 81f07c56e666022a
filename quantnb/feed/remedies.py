"""What to do about a silent stream, and with how much patience, so that nothing is hammered.

::

    a trade stream is silent     ask REST whether there was anything     again after 5 10 20 40 60 60 ... s
    still silent, or another     subscribe again                         at once
    still silent after 5 s       a new socket                            again after 10 20 40 60 60 ... s
    and where the first two new sockets bring none of that kind          every second one by the other path

Where a new socket did not help three times and others of its kind flow, it is not the socket: from then on
the stream is only subscribed to again.

Patience is that of one stream (and one route, for its sockets); a minute without need sets it back.
"""

from __future__ import annotations

from collections import defaultdict, deque

from msgspec import Struct

from quantnb.feed.streams import Stream, Streams
from quantnb.feed.verdict import listed

__all__ = ["Ask", "Remedies", "Remedy", "Renew", "Resubscribe"]

FIRST_NS = 5_000_000_000
LAST_NS = 60_000_000_000
FORGET_NS = 60_000_000_000
SOCKETS_TRIED = 3
ASKS, ASKS_NS = 20, 20_000_000_000  # a request costs a hundredth of what the exchange allows in a minute


class Resubscribe(Struct, frozen=True):
    """Give up these streams on their open socket, and ask for them again."""

    route: str
    streams: tuple[str, ...]


class Renew(Struct, frozen=True):
    """Open a new socket in place of this one; by the path without a route where the other is silent."""

    route: str
    reason: str
    is_other_path: bool = False


class Ask(Struct, frozen=True):
    """Ask REST whether there was a trade that the stream did not bring."""

    symbol: str


Remedy = Resubscribe | Renew | Ask


class _Patience:
    """When something may be done again: after 5, 10, 20, 40, then every 60 s."""

    def __init__(self) -> None:
        self.n = 0  # how often it was done
        self.due_ns: int | None = None

    def is_due(self, now_ns: int) -> bool:
        if self.due_ns is not None and now_ns - self.due_ns > FORGET_NS:
            self.n, self.due_ns = 0, None
        return self.due_ns is None or now_ns >= self.due_ns

    def use(self, now_ns: int) -> None:
        self.due_ns = now_ns + min(FIRST_NS << min(self.n, 10), LAST_NS)
        self.n += 1


class Remedies:
    """Chooses what to do next about the streams that are silent."""

    def __init__(self) -> None:
        self._of_stream: defaultdict[str, _Patience] = defaultdict(_Patience)
        self._of_route: defaultdict[str, _Patience] = defaultdict(_Patience)
        self._of_symbol: defaultdict[str, _Patience] = defaultdict(_Patience)
        self._asked_ns: deque[int] = deque(maxlen=ASKS)

    def choose(self, streams: Streams, now_ns: int) -> tuple[Remedy, ...]:
        """Return what is due now; it counts as done."""
        due: list[Remedy] = []
        for route, all_of_it in streams.of_route.items():
            if streams.opened_ns.get(route) is None:
                continue
            due += self._mend(route, all_of_it, now_ns)
            due += self._ask(all_of_it, now_ns)
        return tuple(due)

    def _mend(self, route: str, streams: tuple[Stream, ...], now_ns: int) -> list[Remedy]:
        lacking = [each for each in streams if each.state in ("silent", "stale")]
        due = [each for each in lacking if self._of_stream[each.name].is_due(now_ns)]
        again = [each for each in due if self._of_stream[each.name].n > 0]
        delivered = {each.kind for each in streams if each.is_flowing}
        # A stream that no new socket brings, while others of its kind flow, is not worth their interruption.
        again = [
            each
            for each in again
            if each.kind not in delivered or self._of_stream[each.name].n <= SOCKETS_TRIED
        ]
        if again and self._of_route[route].is_due(now_ns):
            for each in lacking:
                self._of_stream[each.name].use(now_ns)
            return [self._renew(route, again, delivered, now_ns)]
        due = [each for each in due if each not in again]
        for each in due:
            self._of_stream[each.name].use(now_ns)
        return [Resubscribe(route, tuple(each.name for each in due))] if due else []

    def _renew(self, route: str, streams: list[Stream], delivered: set[str], now_ns: int) -> Renew:
        patience = self._of_route[route]
        is_other_path = patience.n >= 2 and patience.n % 2 == 0 and streams[0].kind not in delivered
        patience.use(now_ns)
        silence_s = min(each.overdue_ns for each in streams) / 1e9
        names = listed([each.name for each in streams])
        return Renew(route, f"No data of {names} for {silence_s:.0f} s.", is_other_path)

    def _ask(self, streams: tuple[Stream, ...], now_ns: int) -> list[Remedy]:
        if not any(each.is_flowing for each in streams):
            return []  # then it is the socket
        asks: list[Remedy] = []
        for each in sorted(filter(_is_suspicious, streams), key=self._asked_last):
            if len(self._asked_ns) == ASKS and now_ns - self._asked_ns[0] < ASKS_NS:
                break
            if self._of_symbol[each.symbol].is_due(now_ns):
                self._of_symbol[each.symbol].use(now_ns)
                self._asked_ns.append(now_ns)
                each.expect_proof(now_ns)
                asks.append(Ask(each.symbol))
        return asks

    def _asked_last(self, stream: Stream) -> int:
        return self._of_symbol[stream.symbol].due_ns or 0


def _is_suspicious(stream: Stream) -> bool:
    return stream.is_suspicious
