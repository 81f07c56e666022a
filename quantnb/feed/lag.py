"""How late data are: receive time minus the exchange's push time, of the newest messages.

A sample is taken of the newest message of each kind at each look. Trades and quotes come by different
sockets, so the later of the two counts; mark prices stand in where neither came. Where nothing came for two
seconds, the newest sample is what is known, for thirty.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from quantnb.events import MarkPrice, Quote, Trade

__all__ = ["Lag"]

SPAN_NS = 2_000_000_000
KEPT_NS = 30_000_000_000


class Lag:
    """Keeps the newest message of each kind; an arrival costs one assignment."""

    def __init__(self) -> None:
        self.trade: Trade | None = None
        self.quote: Quote | None = None
        self.mark: MarkPrice | None = None
        self._trades, self._quotes, self._marks = _Samples(), _Samples(), _Samples()

    def look(self, now_ns: int) -> None:
        """Take samples of what arrived since the last look."""
        self._trades.look(self.trade, now_ns)
        self._quotes.look(self.quote, now_ns)
        self._marks.look(self.mark, now_ns)
        self.trade = self.quote = self.mark = None

    def ms(self, now_ns: int) -> float | None:
        """Return the lag in milliseconds, None where nothing came for long."""
        fresh = [each.median() for each in (self._trades, self._quotes) if each.is_fresh(now_ns)]
        if fresh:
            return max(fresh)
        if self._marks.is_fresh(now_ns):
            return self._marks.median()
        kept = [each.newest for each in (self._trades, self._quotes, self._marks) if each.newest is not None]
        at_ns, lag_ms = max(kept, default=(0, 0.0))
        return lag_ms if kept and now_ns - at_ns <= KEPT_NS else None


class _Samples:
    """One kind: when each sample was taken, and its lag."""

    def __init__(self) -> None:
        self.newest: tuple[int, float] | None = None
        self._recent: deque[tuple[int, float]] = deque()

    def look(self, event: Trade | Quote | MarkPrice | None, now_ns: int) -> None:
        if event is not None:
            self.newest = (now_ns, (event.receive_ns - event.push_ns) / 1e6)
            self._recent.append(self.newest)
        while self._recent and now_ns - self._recent[0][0] > SPAN_NS:
            self._recent.popleft()

    def is_fresh(self, now_ns: int) -> bool:
        return bool(self._recent) and now_ns - self._recent[-1][0] <= SPAN_NS

    def median(self) -> float:
        return median(lag_ms for _, lag_ms in self._recent)
