"""What is well-formed and cannot be true: one message held against the others.

Four rules, in this order:

- A symbol that nobody asked for is ignored.
- A time that cannot be is rejected: one wrong one would close bars that are not over. The exchange's clock
  and this computer's may differ by any amount, so a message's push time is compared with what the other
  messages say: it is wrong where it is 30 s ahead of them (late it may be: a busy kernel reads old messages,
  and from those nothing is learnt for ten minutes). Where all messages of a second agree with each other and
  not with those before, they are right: then a clock was set. A trade that claims to be an hour older than
  its message is rejected too; REST's trades are old by nature and do not come here.
- A trade id a million ahead of the one before is rejected: it would declare that many trades lost. Where the
  next one follows it, it was right.
- A price 20 % from the mark price is flagged, and kept: it may be true, and then it matters most.

::

    push time ahead of ours   0.1 0.2 3600     0.1   3600 3600 ... 3600  3600   our clock was set back
    verdict                   ✓   ✓   rejected ✓     rejected for 1 s    ✓
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median_low

import msgspec

from quantnb.events import Event, Instant, MarkPrice, Quote, Trade
from quantnb.feed.unused import Flagged, Implausible, Unasked

__all__ = ["Plausibility"]

MAX_AHEAD_NS = 30_000_000_000
MAX_AGE_NS = 3_600_000_000_000  # of a trade, when the exchange tells of it
MAX_LEAP = 1_000_000  # ids; two thirds of a day of the busiest symbol
MAX_MARK_AGE_NS = 60_000_000_000
MAX_FROM_MARK = 0.20
N_AGREE = 15  # messages in a row that overrule what was usual
AGREE_NS = 1_000_000_000  # and for so long: in a second every symbol has its say
RELEARN_NS = 600_000_000_000  # of late messages only, until late is usual
TRACKING = 64  # a mark price moves the usual difference by this part of its own
SAMPLE_BYTES = 512


class _Symbol:
    """What is known of one symbol: the band of prices that are no surprise, and its newest id."""

    __slots__ = ("high", "low", "mark", "newest_id", "suspect_id")

    def __init__(self) -> None:
        self.low, self.high = 0.0, float("inf")  # before the first mark price
        self.mark: MarkPrice | None = None
        self.newest_id: int | None = None
        self.suspect_id = 0

    def is_leap(self, trade_id: int) -> bool:
        """Judge an id that is far ahead; one that follows another such is right."""
        is_first = self.newest_id is None or trade_id == self.suspect_id + 1
        self.suspect_id = trade_id
        return not is_first


class Plausibility:
    """Judges events one by one; keeps how the clocks usually differ and what is known of each symbol."""

    def __init__(self) -> None:
        self._symbols: dict[str, _Symbol] = {}
        self._takes_all = True
        self._is_settled = False
        self._usual_ns = 0  # push time minus receive time
        self._low_ns, self._high_ns = 1, 0  # nothing is usual yet
        self._unusual: list[int] = []  # the newest that are, in a row, and agree with each other
        self._unusual_since_ns = 0

    def watch(self, symbols: Iterable[str]) -> None:
        """Set which symbols were asked for; until then all are."""
        self._takes_all = False
        self._symbols = {name: self._symbols.get(name) or _Symbol() for name in symbols}

    def passes(self, trade: Trade) -> bool:
        """Return whether nothing is strange about a trade; where something is, `check` finds out what.

        Nearly all trades pass, and no clock need be read for them.
        """
        known = self._symbols.get(trade.symbol)
        if (
            known is not None
            and not self._unusual  # nor is this the message after an unusual one
            and self._low_ns <= trade.push_ns - trade.receive_ns <= self._high_ns
            and trade.event_ns >= trade.push_ns - MAX_AGE_NS
            and trade.trade_id <= (known.newest_id or 0) + MAX_LEAP
            and known.low <= trade.price <= known.high
        ):
            known.newest_id = trade.trade_id
            return True
        return False

    def check(self, event: Event, now: Instant) -> tuple[Event, ...]:
        """Return the event, after a `Flagged` where in doubt; or `Unasked` or `Implausible` in its place."""
        if type(event) is Trade:
            if self.passes(event):
                return (event,)
            known = self._symbols.get(event.symbol) or self._add(event.symbol)
            if known is None:
                return (_unasked(event),)
            ahead_ns = event.push_ns - event.receive_ns
            is_unusual = self._unusual or not self._low_ns <= ahead_ns <= self._high_ns
            if is_unusual and self._is_ahead(ahead_ns, now):
                return (self._ahead(event, ahead_ns),)
            if event.event_ns < event.push_ns - MAX_AGE_NS:
                age_s = (event.push_ns - event.event_ns) / 1e9
                return (_implausible(event, f"the trade is {age_s:,.0f} s older than its message"),)
            if event.trade_id > (known.newest_id or 0) + MAX_LEAP and known.is_leap(event.trade_id):
                return (_implausible(event, f"the id is more than {MAX_LEAP:,} ahead of the one before"),)
            known.newest_id = event.trade_id
            if known.low <= event.price <= known.high:
                return (event,)
            return _flag(event, known.mark)
        if type(event) is Quote or type(event) is MarkPrice:
            return self._check_state(event, now)
        return (event,)

    def _check_state(self, event: Quote | MarkPrice, now: Instant) -> tuple[Event, ...]:
        known = self._symbols.get(event.symbol) or self._add(event.symbol)
        if known is None:
            return (_unasked(event),)
        ahead_ns = event.push_ns - event.receive_ns
        is_unusual = self._unusual or not self._low_ns <= ahead_ns <= self._high_ns
        if is_unusual and self._is_ahead(ahead_ns, now):
            return (self._ahead(event, ahead_ns),)
        if type(event) is MarkPrice:
            # Upwards only: a message can be late, and none can be early.
            if ahead_ns > self._usual_ns:
                self._settle(self._usual_ns + (ahead_ns - self._usual_ns) // TRACKING)
            known.mark = event
            known.low = event.mark_price * (1.0 - MAX_FROM_MARK)
            known.high = event.mark_price * (1.0 + MAX_FROM_MARK)
        return (event,)

    def _add(self, symbol: str) -> _Symbol | None:
        return self._symbols.setdefault(symbol, _Symbol()) if self._takes_all else None

    def _is_ahead(self, ahead_ns: int, now: Instant) -> bool:
        """Judge a time that is unusual, or follows one; learn from it either way."""
        if not self._is_settled and abs(ahead_ns) <= MAX_AHEAD_NS:
            self._settle(0)  # this computer's clock is right
        if self._low_ns <= ahead_ns <= self._high_ns:
            self._unusual.clear()
            return False
        is_ahead = ahead_ns > self._usual_ns
        if not self._unusual or abs(ahead_ns - self._unusual[-1]) > MAX_AHEAD_NS:
            self._unusual.clear()
            self._unusual_since_ns = now.monotonic_ns
        self._unusual.append(ahead_ns)
        del self._unusual[:-N_AGREE]
        enough_ns = AGREE_NS if is_ahead or not self._is_settled else RELEARN_NS
        if len(self._unusual) < N_AGREE or now.monotonic_ns - self._unusual_since_ns < enough_ns:
            return is_ahead
        self._settle(median_low(self._unusual))
        self._unusual.clear()
        return False

    def _settle(self, usual_ns: int) -> None:
        self._is_settled = True
        self._usual_ns = usual_ns
        self._low_ns, self._high_ns = usual_ns - MAX_AHEAD_NS, usual_ns + MAX_AHEAD_NS

    def _ahead(self, event: Trade | Quote | MarkPrice, ahead_ns: int) -> Implausible:
        ahead_s = (ahead_ns - self._usual_ns) / 1e9
        return _implausible(event, f"time is {ahead_s:,.0f} s ahead of what the other messages say")


def _flag(trade: Trade, mark: MarkPrice | None) -> tuple[Event, ...]:
    if mark is None or trade.push_ns - mark.push_ns > MAX_MARK_AGE_NS:
        return (trade,)  # against an old mark price nothing can be said
    percent = 100.0 * (trade.price / mark.mark_price - 1.0)
    words = f"a trade of {trade.symbol} at {trade.price:.10g} is {percent:+.0f} % from the mark price"
    return (Flagged(words, _sample(trade), trade.receive_ns, trade), trade)


def _unasked(event: Trade | Quote | MarkPrice) -> Unasked:
    return Unasked("a symbol that is not watched", _sample(event), event.receive_ns, event)


def _implausible(event: Trade | Quote | MarkPrice, reason: str) -> Implausible:
    return Implausible(reason, _sample(event), event.receive_ns, event)


def _sample(event: Trade | Quote | MarkPrice) -> bytes:
    return msgspec.json.encode(event)[:SAMPLE_BYTES]
