"""How the feed is, judged by data: a fold over events, asked a few times a second.

Theory of operation: `arrive` and `receive` only count. `status` and `remedies` are called several times a
second and give what was counted a time, on the monotonic clock. Where two of these looks lie far apart the
kernel itself was busy; that silence was our own and is not held against the feed.

The state is that of the worse route, the first that holds of: blocked, reconnecting, connecting (not open,
or open and a kind of data has not come yet), stale (open, and a stream is silent that should not be),
delayed, live. A local exchange that is live is ``simulated``. How each stream is, `quantnb.feed.streams`
says; what to do about it, `quantnb.feed.remedies`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence

from quantnb.events import (
    Connected,
    Disconnected,
    Event,
    Gap,
    Instant,
    Malformed,
    MarkPrice,
    Quote,
    Recovered,
    Reply,
    Trade,
)
from quantnb.feed.counts import Counts
from quantnb.feed.lag import Lag
from quantnb.feed.notes import Notes
from quantnb.feed.pulse import Pulse
from quantnb.feed.remedies import Remedies, Remedy
from quantnb.feed.routes import ROUTES, Endpoints
from quantnb.feed.streams import TRADES, Streams
from quantnb.feed.unused import Flagged, Ignored
from quantnb.feed.verdict import listed, verdict
from quantnb.snapshot import State, Status, StreamStatus

__all__ = ["Health"]

QUIET_NS = 30_000_000_000
NOTE_AGAIN_NS = 60_000_000_000  # what may happen a thousand times a second is said once a minute
DELAYED_MS = 1_000.0

_SEVERITY: tuple[State, ...] = ("blocked", "reconnecting", "connecting", "stale", "delayed", "live")


class Health:
    """Folds the events of a client into a `Status`."""

    def __init__(self) -> None:
        self._endpoints = Endpoints("", "", "")
        self._why_this_feed = ""
        self._blocked = ""
        self._refusal = ""
        self._counts = Counts()
        self._trades = Pulse()  # of all symbols together
        self._last_trade: Trade | None = None
        self._lag = Lag()
        self._notes = Notes()
        self._streams = Streams()
        self._remedies = Remedies()
        self._routes: dict[str, Connected | Disconnected] = {}
        self._is_acknowledged = False
        self._looked_ns = 0
        self._resumed_said_ns: int | None = None
        self._n_rejected_said = 0
        self._said_ns: dict[str, int] = {}

    @property
    def samples(self) -> Sequence[Malformed]:
        """The first twenty rejected frames or rows, as evidence."""
        return self._counts.first_samples

    @property
    def newest_samples(self) -> deque[Malformed]:
        """The newest twenty rejected frames or rows."""
        return self._counts.samples

    @property
    def flagged_samples(self) -> deque[Flagged]:
        """The newest twenty trades that were stored with a doubt."""
        return self._counts.flagged_samples

    @property
    def reasons(self) -> Counter[str]:
        """How many rows were rejected, by kind of reason (its numbers left out); at most a hundred kinds."""
        return self._counts.reasons

    @property
    def ignored(self) -> Counter[str]:
        """How many messages were left out by rule, by reason; at most a hundred."""
        return self._counts.ignored

    # What is known of the feed ----------------------------------------------------------------------------

    def use(self, endpoints: Endpoints, reason: str) -> None:
        """Set which exchange this is about, and why it was chosen."""
        self._endpoints, self._why_this_feed = endpoints, reason

    def block(self, reason: str) -> None:
        """Show that the feed ended and will not come back by itself."""
        self._blocked = reason

    def watch(self, streams_by_route: Mapping[str, Iterable[str]]) -> None:
        """Set which streams shall be delivered from now on, by the name of their route."""
        self._streams.watch(streams_by_route)

    def begin_again(self) -> None:
        """Take note that no socket is open any more, and that a client begins anew."""
        self._streams.close_all(self._routes)
        self._routes.clear()

    def note(self, text: str) -> None:
        """Show for a while that something happened; the last twenty notes are kept."""
        self._notes.add(text)

    def proved_quiet(self, symbol: str, now: Instant) -> None:
        """Take note that the exchange has no newer trade of a symbol than its stream brought."""
        stream = self._streams.trades.get(symbol)
        if stream is not None:
            stream.prove_quiet(now.monotonic_ns)

    # Events -----------------------------------------------------------------------------------------------

    def arrive(self, event: Event) -> None:
        """Count one event off the wire, before it is judged."""
        if type(event) is Trade:
            self._counts.n_arrived += 1
            self._lag.trade = event
            stream = self._streams.trades.get(event.symbol)
        elif type(event) is Quote:
            self._lag.quote = event
            stream = self._streams.quotes.get(event.symbol)
        elif type(event) is MarkPrice:
            self._lag.mark = event
            stream = self._streams.marks.get(event.symbol)
        else:
            if isinstance(event, Malformed) and not isinstance(event, Ignored):
                self._counts.n_arrived += 1
            return
        if stream is not None:
            stream.n += 1

    def receive(self, event: Event) -> None:
        """Fold in one event, after it was judged."""
        if type(event) is Trade:  # nearly all of them
            self._trades.n += 1
            self._last_trade = event
            self._counts.store(event)
            return
        match event:
            case Recovered():
                self._counts.recover(event)
            case Gap():
                self._counts.miss(event)
            case Connected() | Disconnected():
                self._change_route(event)
            case Reply():
                if event.error_code is None:
                    self._is_acknowledged = True
                else:
                    self._refusal = f"The exchange refused a request: {event.error_text}"
            case Malformed():
                self._counts.leave_out(event)
                if isinstance(event, Flagged) and self._is_news(event.trade.symbol):
                    self.note(f"{event.reason[:1].upper()}{event.reason[1:]}; it is kept.")

    def _change_route(self, event: Connected | Disconnected) -> None:
        self._routes[event.route] = event
        self._refusal = ""
        if isinstance(event, Connected):
            self._streams.open(event.route, event.at)
        else:
            self._streams.close(event.route, event.at)
            self._is_acknowledged = False

    # Questions --------------------------------------------------------------------------------------------

    def remedies(self, now: Instant) -> tuple[Remedy, ...]:
        """Return what to do now about streams that are silent; ask several times a second."""
        self._look(now)
        return () if self._blocked else self._remedies.choose(self._streams, now.monotonic_ns)

    def status(self, now: Instant, is_running: bool = True) -> Status:
        """Return how the feed is; ask several times a second while it runs.

        What the ledger and the recovery know (``holes``, ``coverage``, ``history``) is left empty.
        """
        now_ns = now.monotonic_ns
        self._look(now)
        lag_ms = self._lag.ms(now_ns)
        state, reason, retry_in_s = self._judge(now_ns, lag_ms, is_running)
        if state == "live" and self._endpoints.is_simulated:
            state = "simulated"
        return Status(
            state=state,
            feed=self._endpoints.name,
            reason=" ".join(filter(None, [reason, *self._remarks(now_ns, lag_ms), self._why_this_feed])),
            is_simulated=self._endpoints.is_simulated,
            trades_per_s=self._trades.per_s if is_running else 0.0,
            last_trade_age_s=self._last_trade_age_s(now),
            lag_ms=lag_ms,
            retry_in_s=retry_in_s,
            counts=self._counts.to_dict(),
            streams=self._stream_statuses(now_ns, is_running and not self._blocked),
            notes=self._notes.kept(),
        )

    def _last_trade_age_s(self, now: Instant) -> float | None:
        if self._last_trade is None or self._trades.last_ns is None:
            return None
        # The wall's clock may have been set back, the monotonic one may have slept: one of them is right.
        by_wall_ns = now.wall_ns - self._last_trade.receive_ns
        return max(by_wall_ns, now.monotonic_ns - self._trades.last_ns) / 1e9

    def _look(self, now: Instant) -> None:
        now_ns = self._looked_ns = now.monotonic_ns
        self._trades.look(now_ns)
        self._lag.look(now_ns)
        self._streams.look(now)
        if self._streams.resumed_ns != self._resumed_said_ns:
            self._resumed_said_ns = self._streams.resumed_ns
            if self._streams.busy_s:  # who slept is told by who woke it up
                self.note(f"The kernel was busy for {self._streams.busy_s:.0f} s.")
        n_rejected = self._counts.n_rejected - self._n_rejected_said
        if n_rejected and self._is_news("rejected"):
            self._n_rejected_said = self._counts.n_rejected
            rows = "1 row" if n_rejected == 1 else f"{n_rejected:,} rows"
            self.note(f"{rows} could not be used: {self.newest_samples[-1].reason}.")
        self._notes.look(now_ns)

    def _is_news(self, what: str) -> bool:
        said_ns = self._said_ns.get(what)
        if said_ns is not None and self._looked_ns - said_ns < NOTE_AGAIN_NS:
            return False
        self._said_ns[what] = self._looked_ns
        return True

    def _judge(self, now_ns: int, lag_ms: float | None, is_running: bool) -> tuple[State, str, float | None]:
        if self._blocked:
            return "blocked", self._blocked, None
        if not is_running:
            return "stopped", "", None
        routes = self._streams.of_route or ROUTES
        worst = min((self._judge_route(route, now_ns) for route in routes), key=_severity)
        if worst[0] in ("delayed", "live") and lag_ms is not None and lag_ms > DELAYED_MS:
            late = f"Data arrive {lag_ms / 1e3:.1f} s late, or this computer's clock is ahead."
            return "delayed", late, None
        return worst

    def _judge_route(self, route: str, now_ns: int) -> tuple[State, str, float | None]:
        event = self._routes.get(route)
        if event is None:
            return "connecting", "Connecting to the exchange.", None
        if isinstance(event, Disconnected):
            if event.retry_in_s is None:
                return "blocked", event.reason, None
            retry_in_s = event.retry_in_s - (now_ns - event.at.monotonic_ns) / 1e9
            return "reconnecting", event.reason, max(retry_in_s, 0.0)
        return *verdict(self._streams, route, self._is_acknowledged, now_ns), None

    def _remarks(self, now_ns: int, lag_ms: float | None) -> list[str]:
        """Return what else there is to know, beside the state."""
        remarks = [self._refusal, *self._notes.shown(now_ns)[:1]]  # all of them stand in `Status.notes`
        if lag_ms is not None and lag_ms < -DELAYED_MS:
            remarks.append(f"This computer's clock is {-lag_ms / 1e3:.1f} s behind the exchange's.")
        quiet = sorted(
            each.symbol
            for each in self._streams
            if each.kind == TRADES and each.state == "quiet" and each.overdue_ns > QUIET_NS
        )
        if quiet:
            remarks.append(f"No trades of {listed(quiet)} for more than {QUIET_NS // 10**9} s.")
        return remarks

    def _stream_statuses(self, now_ns: int, is_running: bool) -> tuple[StreamStatus, ...]:
        return tuple(
            StreamStatus(each.name, each.state if is_running else "stale", each.age_s(now_ns), each.per_s)
            for each in self._streams
        )


def _severity(judged: tuple[State, str, float | None]) -> int:
    return _SEVERITY.index(judged[0])
