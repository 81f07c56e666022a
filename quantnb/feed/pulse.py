"""How often one kind of data arrives, and for how long it has not."""

from __future__ import annotations

from collections import deque

__all__ = ["Pulse"]

SPAN_NS = 10_000_000_000
PATIENCE_NS = 5_000_000_000
PATIENCE_INTERVALS = 10  # a quiet market: ten mean intervals without an arrival have a chance of 1 in 20,000


class Pulse:
    """Counts arrivals; `look` gives them a time, so that an arrival costs one addition."""

    def __init__(self) -> None:
        self.n = 0
        self.last_ns: int | None = None
        self.per_s = 0.0
        self._usual_per_s = 0.0  # when it last arrived
        self._looks: deque[tuple[int, int]] = deque()

    def look(self, now_ns: int) -> None:
        """Take note of what arrived since the last look."""
        n_before = self._looks[-1][1] if self._looks else 0
        self._looks.append((now_ns, self.n))
        while len(self._looks) > 2 and self._looks[1][0] <= now_ns - SPAN_NS:
            self._looks.popleft()
        oldest_ns, n_oldest = self._looks[0]
        self.per_s = (self.n - n_oldest) / max((now_ns - oldest_ns) / 1e9, 1.0)
        if self.n > n_before:
            self.last_ns = now_ns
            self._usual_per_s = self.per_s

    def silence_ns(self, now_ns: int, since_ns: int) -> int:
        """Return for how long nothing has arrived, not counting the time before ``since_ns``."""
        return now_ns - max(self.last_ns or since_ns, since_ns)

    def is_overdue(self, now_ns: int, since_ns: int) -> bool:
        """Return whether the silence is longer than five seconds and than the usual rate explains."""
        usual_interval_ns = 1e9 / self._usual_per_s if self._usual_per_s else 0.0
        return self.silence_ns(now_ns, since_ns) > max(PATIENCE_NS, PATIENCE_INTERVALS * usual_interval_ns)
