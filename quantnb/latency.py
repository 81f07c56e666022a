"""How long data are on their way: percentiles over the newest minute.

::

    exchange ──▶ received ──▶ computed ──▶ in the browser ──▶ painted
     push_ns     receive_ns   a snapshot    static/latency.js measures
                              holds it      what happens there

A trade is stamped by the exchange as it builds the message, and by us as its frame is read from the socket.
The difference is between two clocks, so a clock that is wrong shows in it whole. From there on the clock is
our own. A trade is computed once a snapshot that holds it is complete; most of that time it waits for the
next snapshot, of which there are four a second.

As a trade arrives nothing is done: at each snapshot the tapes are read back to the one before, and of each
50 ms one trade counts. Time is an argument.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from quantnb.events import Trade

__all__ = ["SPAN_NS", "STEP_NS", "Latency", "Percentiles", "Window"]

SPAN_NS = 60_000_000_000
STEP_NS = 50_000_000
_MOST = 4_096  # in a window, however often it is fed


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of ``n`` durations, in ms; each is one that was measured, the nearest rank's. None where there is none.

    With fewer than a hundred, p99 is the longest.
    """

    n: int
    p50: float | None
    p95: float | None
    p99: float | None


class Window:
    """The durations of the newest minute."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, float]] = deque(maxlen=_MOST)

    def add(self, now_ns: int, duration_ms: float) -> None:
        """Take a duration that ended now."""
        self._forget(now_ns)
        self._samples.append((now_ns, duration_ms))

    def percentiles(self, now_ns: int) -> Percentiles:
        """Return what was typical, and what was seldom, in the minute before now."""
        self._forget(now_ns)
        ordered = sorted(duration_ms for _, duration_ms in self._samples)
        return Percentiles(len(ordered), *(_nearest_rank(ordered, share) for share in (0.50, 0.95, 0.99)))

    def _forget(self, now_ns: int) -> None:
        if self._samples and self._samples[-1][0] > now_ns:  # the clock was set back
            self._samples.clear()
        while self._samples and now_ns - self._samples[0][0] > SPAN_NS:
            self._samples.popleft()


class Latency:
    """What trades took to arrive, and to be in a snapshot.

    Attributes
    ----------
    computed_ns : int
        When the newest snapshot was complete; 0 before the first.
    """

    def __init__(self) -> None:
        self.computed_ns = 0
        self._arriving, self._computing = Window(), Window()

    def look(self, tapes: Iterable[Iterable[Trade]], computed_ns: int) -> None:
        """Take note that a snapshot is complete; ``tapes`` are each symbol's trades in it, newest first."""
        before_ns, self.computed_ns = self.computed_ns, computed_ns

        def is_new(trade: Trade) -> bool:
            return before_ns < trade.receive_ns <= computed_ns

        one_a_step = {
            trade.receive_ns // STEP_NS: trade for tape in tapes for trade in takewhile(is_new, tape)
        }
        for trade in one_a_step.values():
            self._arriving.add(computed_ns, (trade.receive_ns - trade.push_ns) / 1e6)
            self._computing.add(computed_ns, (computed_ns - trade.receive_ns) / 1e6)

    def received(self) -> Percentiles:
        """Return the times from the exchange's push to our receipt."""
        return self._arriving.percentiles(self.computed_ns)

    def computed(self) -> Percentiles:
        """Return the times from our receipt until a snapshot held the trade."""
        return self._computing.percentiles(self.computed_ns)


def _nearest_rank(ordered: list[float], share: float) -> float | None:
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None
