"""What became of what arrived: ``received = stored + duplicate + late + rejected``, at every moment.

``received`` is counted as rows come off the wire, before any judgement; the others when they were judged, so
that a row that got lost in between would show. Only trades and unusable rows are counted: quotes and mark
prices may replace one another, replies are no data, and what is ignored by rule has a count of its own.
Known only afterwards: a trade that nobody asked for is ignored, a quote that is rejected is an unusable row.
"""

from __future__ import annotations

import re
from collections import Counter, deque

from quantnb.events import Gap, Malformed, Recovered, Trade
from quantnb.feed.unused import Duplicate, Flagged, Ignored, Implausible, Unasked

__all__ = ["Counts"]

SAMPLES_KEPT = 20
KINDS_KEPT = 100  # of reasons; the sender chooses some of their words
OTHERS = "other reasons"

_NUMBER = re.compile(r"\d[\d,.]*")


class Counts:
    """Counts events, and keeps samples of what was not used.

    Attributes
    ----------
    n_arrived : int
        Trades and unusable rows off the wire; to be increased by whoever sees one.
    n_stored : int
        Trades that came in their order.
    first_samples, samples : list and deque of Malformed
        The first and the newest rejected rows, as evidence.
    flagged_samples : deque of Flagged
        The newest trades that were stored with a doubt.
    reasons, ignored : Counter
        How often a row was rejected or left out by rule, by kind of reason.
    """

    def __init__(self) -> None:
        self.n_arrived = self.n_stored = 0
        self.first_samples: list[Malformed] = []
        self.samples: deque[Malformed] = deque(maxlen=SAMPLES_KEPT)
        self.flagged_samples: deque[Flagged] = deque(maxlen=SAMPLES_KEPT)
        self.reasons: Counter[str] = Counter()
        self.ignored: Counter[str] = Counter()
        self.n_rejected = 0
        self._n_unasked = self._n_implausible = 0
        self._n_ignored = self._n_duplicate = self._n_late = 0
        self._n_flagged = self._n_recovered = self._n_gaps = self._n_missing = 0
        self._first_ids: dict[str, int] = {}

    def store(self, trade: Trade) -> None:
        """Count a trade that came in its order."""
        self.n_stored += 1
        if trade.symbol not in self._first_ids:
            self._first_ids[trade.symbol] = trade.trade_id

    def recover(self, event: Recovered) -> None:
        """Count trades that came late or were fetched; those from before the first one are history."""
        first_id = self._first_ids.get(event.symbol, 0)
        self._n_recovered += sum(each.trade_id >= first_id for each in event.trades)
        if event.source == "stream":
            self._n_late += len(event.trades)

    def miss(self, gap: Gap) -> None:
        """Count a hole, and the trades that are missing in it."""
        self._n_gaps += 1
        self._n_missing += max(0, gap.last_missing_id - gap.first_missing_id + 1)

    def leave_out(self, event: Malformed) -> None:
        """Count what is not used, or is used with a doubt."""
        match event:
            case Flagged():
                self._n_flagged += 1
                self.flagged_samples.append(event)
            case Ignored():
                self._n_ignored += 1
                self._n_unasked += isinstance(event, Unasked) and isinstance(event.event, Trade)
                _count(self.ignored, event.reason)
            case Duplicate():
                self._n_duplicate += 1
            case _:
                self._n_implausible += isinstance(event, Implausible) and not isinstance(event.event, Trade)
                self._reject(event)

    def _reject(self, event: Malformed) -> None:
        self.n_rejected += 1
        _count(self.reasons, _NUMBER.sub("#", event.reason))
        self.samples.append(event)
        if len(self.first_samples) < SAMPLES_KEPT:
            self.first_samples.append(event)

    def to_dict(self) -> dict[str, int]:
        """Return the counts by their names on the screen."""
        return {
            "received": self.n_arrived - self._n_unasked + self._n_implausible,
            "stored": self.n_stored,
            "duplicate": self._n_duplicate,
            "late": self._n_late,
            "rejected": self.n_rejected,
            "ignored": self._n_ignored,
            "flagged": self._n_flagged,
            "recovered": self._n_recovered,
            "gaps": self._n_gaps,
            "missing": self._n_missing,
        }


def _count(counter: Counter[str], reason: str) -> None:
    kind = reason if reason in counter or len(counter) < KINDS_KEPT else OTHERS
    counter[kind] += 1
