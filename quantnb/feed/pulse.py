"""How often one kind of data arrives, and for how long it has not."""

from __future__ import annotations

from collections import deque

__all__ = ["PATIENCE_INTERVALS", "PATIENCE_NS", "Pulse"]

SPAN_NS = 10_000_000_000
STEP_NS = 1_000_000_000
PATIENCE_NS = 4_500_000_000  # with four looks a second, silence is found before it is five seconds old
PATIENCE_INTERVALS = 10  # a quiet market: ten mean intervals without an arrival have a chance of 1 in 20,000


class Pulse:
    """Counts arrivals; `look` gives them a time, so that an arrival costs one addition.

    Attributes
    ----------
    n : int
        To be increased by whoever sees an arrival.
    last_ns : int or None
        The look that found the newest one, monotonic.
    per_s : float
        Arrivals per second over the last ten.
    usual_ns : int
        The usual mean interval; 0 until it is known.
    """

    __slots__ = ("_marks", "_n_seen", "_restarted_ns", "last_ns", "n", "per_s", "usual_ns")

    def __init__(self) -> None:
        self.n = 0
        self.last_ns: int | None = None
        self.per_s = 0.0
        self.usual_ns = 0
        self._n_seen = 0
        self._restarted_ns = 0
        self._marks: deque[tuple[int, int]] = deque()  # one a second: when, and how many there were

    def restart(self, now_ns: int) -> None:
        """Measure anew, and take no silence before now for usual."""
        self._restarted_ns = now_ns
        self._marks.clear()

    def look(self, now_ns: int) -> bool:
        """Take note of what arrived since the last look; true where something did."""
        has_arrived = self.n > self._n_seen
        marks = self._marks
        if has_arrived and marks and self.last_ns is not None:
            self._end_silence(now_ns)
        if not marks or now_ns - marks[-1][0] >= STEP_NS:
            marks.append((now_ns, self.n if marks else self._n_seen))
            while len(marks) > 2 and marks[1][0] <= now_ns - SPAN_NS:
                marks.popleft()
        oldest_ns, n_oldest = marks[0]
        self.per_s = (self.n - n_oldest) / max((now_ns - oldest_ns) / 1e9, 1.0)
        if not has_arrived:
            return False
        self._n_seen, self.last_ns = self.n, now_ns
        if now_ns - oldest_ns >= SPAN_NS and self.per_s:
            self.usual_ns = round(1e9 / self.per_s)
        return True

    def _end_silence(self, now_ns: int) -> None:
        silence_ns = self.silence_ns(now_ns, self._restarted_ns)
        # One arrival after a fault must not make the fault usual; many may be a market that has become slow.
        if silence_ns > max(PATIENCE_NS, self.explained_ns()):
            self.usual_ns = 2 * self.usual_ns or silence_ns // (2 * PATIENCE_INTERVALS)
            self.restart(now_ns)

    def silence_ns(self, now_ns: int, since_ns: int) -> int:
        """Return for how long nothing has arrived, not counting the time before ``since_ns``."""
        return now_ns - max(self.last_ns or since_ns, since_ns)

    def explained_ns(self) -> int:
        """Return the longest silence that the usual rate explains."""
        return PATIENCE_INTERVALS * self.usual_ns
