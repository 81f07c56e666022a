"""How the feed is, judged by data: a fold over events, asked a few times a second.

Theory of operation: `receive` only counts. `status` is called several times a second and gives what was
counted a time, on the monotonic clock. Where two calls lie far apart the kernel itself was busy; that silence
was our own and is not held against the feed.

The state is that of the worse route, the first that holds of: blocked, reconnecting, connecting (not open,
or open and no data yet), stale (open, and silent for longer than its rate explains), delayed, live. A local
exchange that is live is ``simulated``.
"""

from __future__ import annotations

from collections import Counter, deque
from statistics import median

from quantnb.events import (
    Connected,
    Disconnected,
    Event,
    Gap,
    Instant,
    Malformed,
    MarkPrice,
    Quote,
    Reply,
    Trade,
)
from quantnb.feed.pulse import Pulse
from quantnb.feed.routes import MARKET, PUBLIC, Endpoints
from quantnb.feed.unused import Duplicate, Ignored, Late
from quantnb.snapshot import State, Status

__all__ = ["Health"]

BUSY_NS = 2_000_000_000  # two looks further apart than this: the kernel was busy
BUSY_SHOWN_NS = 10_000_000_000
QUIET_NS = 30_000_000_000
DELAYED_MS = 1_000.0
LAGS_KEPT = 64
SAMPLES_KEPT = 20
COUNTS = ("received", "stored", "duplicate", "late", "malformed", "gaps", "missing")

_SEVERITY: tuple[State, ...] = ("blocked", "reconnecting", "connecting", "stale", "delayed", "live")


class Health:
    """Folds the events of a client into a `Status`.

    Attributes
    ----------
    samples : list of Malformed
        The first malformed frames or rows, as evidence.
    ignored : Counter
        How many messages were left out by rule, by reason.
    """

    def __init__(self) -> None:
        self.samples: list[Malformed] = []
        self.ignored: Counter[str] = Counter()
        self._endpoints = Endpoints("", "", "")
        self._why_this_feed = ""
        self._blocked = ""
        self._refusal = ""
        self._counts = dict.fromkeys(COUNTS, 0)
        self._trades, self._quotes, self._marks = Pulse(), Pulse(), Pulse()
        self._last_trade_wall_ns: int | None = None
        self._lags_ms: deque[float] = deque(maxlen=LAGS_KEPT)
        self._routes: dict[str, Connected | Disconnected] = {}
        self._symbols = _Quiet()
        self._looked_ns: int | None = None
        self._busy_s = 0.0
        self._resumed_ns: int | None = None  # when the kernel was last found to have been busy

    def use(self, endpoints: Endpoints, reason: str) -> None:
        """Set which exchange this is about, and why it was chosen."""
        self._endpoints, self._why_this_feed = endpoints, reason

    def block(self, reason: str) -> None:
        """Show that the feed ended and will not come back by itself."""
        self._blocked = reason

    def receive(self, event: Event) -> None:
        """Fold in one event."""
        match event:
            case Trade():
                self._trades.n += 1
                self._counts["stored"] += 1
                self._symbols.trades.add(event.symbol)
                self._last_trade_wall_ns = event.receive_ns
                self._lags_ms.append((event.receive_ns - event.push_ns) / 1e6)
            case Quote():
                self._quotes.n += 1
            case MarkPrice():
                self._marks.n += 1
                self._symbols.marks.add(event.symbol)
            case Gap():
                self._counts["gaps"] += 1
                self._counts["missing"] += event.last_missing_id - event.first_missing_id + 1
            case Connected() | Disconnected():
                self._routes[event.route] = event
                self._refusal = ""
            case Reply():
                if event.error_code is not None:
                    self._refusal = f"The exchange refused a request: {event.error_text}"
            case Malformed():
                self._receive_unused(event)

    def _receive_unused(self, event: Malformed) -> None:
        match event:
            case Ignored():
                self.ignored[event.reason] += 1
            case Duplicate():
                self._counts["duplicate"] += 1
            case Late():
                self._counts["late"] += 1
            case _:
                self._counts["malformed"] += 1
                if len(self.samples) < SAMPLES_KEPT:
                    self.samples.append(event)

    def status(self, now: Instant, is_running: bool = True) -> Status:
        """Return how the feed is; ask at least once a second while it runs."""
        self._look(now.monotonic_ns)
        lag_ms = median(self._lags_ms) if self._lags_ms else None
        state, reason, retry_in_s = self._judge(now.monotonic_ns, lag_ms, is_running)
        if state == "live" and self._endpoints.is_simulated:
            state = "simulated"
        age_s = None if self._last_trade_wall_ns is None else (now.wall_ns - self._last_trade_wall_ns) / 1e9
        counts = self._counts
        received = sum(counts[name] for name in ("stored", "duplicate", "late", "malformed"))
        return Status(
            state=state,
            feed=self._endpoints.name,
            reason=" ".join(filter(None, [reason, *self._notes(now.monotonic_ns), self._why_this_feed])),
            is_simulated=self._endpoints.is_simulated,
            trades_per_s=self._trades.per_s if is_running else 0.0,
            last_trade_age_s=None if age_s is None else max(age_s, 0.0),
            lag_ms=lag_ms,
            retry_in_s=retry_in_s,
            counts={**counts, "received": received},
        )

    def _look(self, now_ns: int) -> None:
        if self._looked_ns is not None and now_ns - self._looked_ns > BUSY_NS:
            self._busy_s = (now_ns - self._looked_ns) / 1e9
            self._resumed_ns = now_ns
        self._looked_ns = now_ns
        for pulse in (self._trades, self._quotes, self._marks):
            pulse.look(now_ns)
        self._symbols.look(now_ns)
        if self._trades.last_ns is not None and now_ns - self._trades.last_ns > QUIET_NS:
            self._lags_ms.clear()

    def _judge(self, now_ns: int, lag_ms: float | None, is_running: bool) -> tuple[State, str, float | None]:
        if self._blocked:
            return "blocked", self._blocked, None
        if not is_running:
            return "stopped", "", None
        worst = min((self._judge_route(route, now_ns) for route in (MARKET, PUBLIC)), key=_severity)
        if worst[0] == "live" and lag_ms is not None and lag_ms > DELAYED_MS:
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
        return self._judge_data(route, now_ns, event.at.monotonic_ns)

    def _judge_data(self, route: str, now_ns: int, opened_ns: int) -> tuple[State, str, float | None]:
        since_ns = max(opened_ns, self._resumed_ns or 0)
        expected = [(self._quotes, "quotes")]
        if route == MARKET:
            expected = [(self._marks, "mark prices"), (self._trades, "trades")]
        for pulse, name in expected:
            if pulse.is_overdue(now_ns, since_ns):
                silence_s = pulse.silence_ns(now_ns, since_ns) / 1e9
                return "stale", f"Connected, but no {name} for {silence_s:.0f} s.", None
        for pulse, name in expected:
            if pulse.last_ns is None or pulse.last_ns < opened_ns:
                return "connecting", f"Connected; waiting for {name}.", None
        return "live", "", None

    def _notes(self, now_ns: int) -> list[str]:
        """Return what else there is to know, beside the state."""
        notes = [self._refusal]
        if self._resumed_ns is not None and now_ns - self._resumed_ns < BUSY_SHOWN_NS:
            notes.append(f"The kernel was busy for {self._busy_s:.0f} s.")
        quiet = self._symbols.quiet(now_ns, self._resumed_ns or 0)
        if quiet:
            notes.append(f"No trades of {', '.join(quiet)} for more than {QUIET_NS // 10**9} s.")
        return notes


class _Quiet:
    """Which symbols are subscribed, as their mark prices show, and do not trade."""

    def __init__(self) -> None:
        self.trades: set[str] = set()  # since the last look
        self.marks: set[str] = set()
        self._trade_ns: dict[str, int] = {}
        self._mark_ns: dict[str, int] = {}

    def look(self, now_ns: int) -> None:
        self._trade_ns.update(dict.fromkeys(self.trades, now_ns))
        self._mark_ns.update(dict.fromkeys(self.marks, now_ns))
        for symbol in self.marks:
            self._trade_ns.setdefault(symbol, now_ns)
        self.trades.clear()
        self.marks.clear()

    def quiet(self, now_ns: int, since_ns: int) -> list[str]:
        return sorted(
            symbol
            for symbol, mark_ns in self._mark_ns.items()
            if now_ns - mark_ns < BUSY_NS and now_ns - max(self._trade_ns[symbol], since_ns) > QUIET_NS
        )


def _severity(judged: tuple[State, str, float | None]) -> int:
    return _SEVERITY.index(judged[0])
