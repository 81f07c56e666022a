"""The client without sockets: the pure core of `quantnb.live.client`, stepped in virtual time.

What decides is the package's own (`Health`, `Plausibility`, `Ledger`, `Agenda`, `Reconnect`, `Subscriptions`,
`Ban`, `Engine`); the order of calls is that of `Client`, `Socket`, `Connection` and `Recovery`.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from urllib.parse import urlencode

import msgspec

from quantnb.engine import Engine, Settings
from quantnb.errors import FeedError
from quantnb.events import Connected, Disconnected, Event, Gap, Instant, Malformed, Recovered, Reply, Trade
from quantnb.exchange.channel import Frame
from quantnb.exchange.rest import Answer
from quantnb.feed.agenda import Agenda, Request
from quantnb.feed.budget import Budget
from quantnb.feed.decode import decode
from quantnb.feed.health import Health
from quantnb.feed.history import KlinesRequest
from quantnb.feed.ledger import Ledger
from quantnb.feed.pages import Page, decode_agg_trades, decode_klines
from quantnb.feed.plausible import Plausibility
from quantnb.feed.reconnect import Failure, Reconnect, Trial, ban_s, rule_of
from quantnb.feed.remedies import Ask, Renew, Resubscribe
from quantnb.feed.routes import MARKET, ROUTES, Endpoints, Route, streams
from quantnb.feed.subscribe import Subscriptions
from quantnb.feed.unused import Flagged, Ignored
from quantnb.live.ban import Ban
from quantnb.live.connection import LOST_AFTER_S, PING_AFTER_S
from quantnb.live.failure import http_failure
from quantnb.live.recovery import BLOCKED_S, TOO_OLD_CODE
from quantnb.live.rest import TIMEOUT_S
from quantnb.live.socket import READY_WITHIN_S
from quantnb.stats.timeframes import timeframe_ns
from tests.live.clocks import ManualClock
from tests.soak.exchange import Line, VirtualExchange

LOOK_EVERY_NS = 250_000_000
REST_LATENCY_S = 0.1
ENDPOINTS = Endpoints("sim", "", "", is_simulated=True)


class Wire:
    """The client's end of one connection."""

    def __init__(self, line: Line, wanted: Iterable[str], now: Instant, *, is_held: bool) -> None:
        self.line = line
        self.subscriptions = Subscriptions(wanted)
        self.trial = Trial()
        self.trial.open()
        self.opened_ns = self.heard_ns = now.monotonic_ns
        self.is_ending = self.is_ready = False
        self.held: list[Event] | None = [] if is_held else None

    def read(self, now: Instant) -> list[Event]:
        """Return what is handed out of what arrived, and speak and ping as it is time to."""
        events: list[Event] = []
        frames: list[Frame] = self.line.inbox
        self.line.inbox = []
        for frame in frames:
            self.heard_ns = now.monotonic_ns
            for event in decode(frame, now.wall_ns):
                self._take_note(event, now)
                events.append(event)
        message = self.subscriptions.next_message(now)
        if message is not None:
            self.line.hear(message)
        if now.monotonic_ns - self.heard_ns >= PING_AFTER_S * 1e9 and self.line.answers_ping():
            self.heard_ns = now.monotonic_ns
        if self.held is None:
            return events
        self.held += events
        return []

    def _take_note(self, event: Event, now: Instant) -> None:
        if isinstance(event, Reply):
            self.subscriptions.receive(event)
        elif isinstance(event, Ignored) and "serverShutdown" in event.reason:
            self.is_ending = True
        elif not isinstance(event, Malformed):
            self.trial.receive_data(now)
            self.is_ready = self.is_ready or self.subscriptions.is_settled

    def failure(self, now: Instant) -> Failure | None:
        """Return why it is over, once everything that came has been read."""
        if self.line.failure is not None and not self.line.inbox:
            return self.line.failure
        if now.monotonic_ns - self.heard_ns >= LOST_AFTER_S * 1e9:
            return Failure("unanswered")
        return None


class VirtualSocket:
    """One route, held open: connects, waits, renews."""

    def __init__(self, client: VirtualClient, route: Route, wanted: Iterable[str], random: Random) -> None:
        self.route = route
        self.wire: Wire | None = None
        self._client = client
        self._wanted = tuple(wanted)
        self._reconnect = Reconnect(random.random, ENDPOINTS.title)
        self._due_ns = 0
        self._rising: Wire | None = None
        self._rising_since_ns = self._renew_at_ns = 0

    def renew(self, now: Instant) -> None:
        """Open a connection beside this one, to take its place."""
        if self.wire is None or self._rising is not None or now.monotonic_ns < self._renew_at_ns:
            return
        self._renew_at_ns = now.monotonic_ns + 1_000_000_000
        answer = self._client.exchange.handshake(self.route)
        if isinstance(answer, Line):
            self._rising = Wire(answer, self._wanted, now, is_held=True)
            self._rising_since_ns = now.monotonic_ns

    def step(self, now: Instant) -> None:
        if self.wire is None:
            self._try(now)
            return
        for event in self.wire.read(now):
            self._client.receive(self.route, event)
        if self.wire.is_ending:
            self.renew(now)
        if self._rising is not None:
            self._replace(self.wire, self._rising, now)
        failure = self.wire.failure(now)
        if failure is not None:
            self._end(failure, now)

    def _try(self, now: Instant) -> None:
        if now.monotonic_ns < self._due_ns or self._client.ban.remaining_s() > 0.0:
            return
        answer = self._client.exchange.handshake(self.route)
        if isinstance(answer, Line):
            self.wire = Wire(answer, self._wanted, now, is_held=False)
            self._client.emit(Connected(self.route, now))
            return
        self._client.n_failed += 1
        is_refusal = isinstance(answer, Answer)
        self._fail(http_failure(answer.status, answer.headers) if is_refusal else answer, Trial(), now)

    def _replace(self, old: Wire, new: Wire, now: Instant) -> None:
        """Let the new connection take over once it delivers; what it held back comes after the old's last."""
        new.read(now)
        is_late = now.monotonic_ns - self._rising_since_ns > READY_WITHIN_S * 1e9
        if new.failure(now) is not None or (is_late and not new.is_ready):
            new.line.close()
            self._rising = None
        elif new.is_ready:
            for event in old.read(now):
                self._client.receive(self.route, event)
            old.line.close()
            held, new.held = new.held, None
            self.wire, self._rising = new, None
            for event in held or ():
                self._client.receive(self.route, event)

    def _end(self, failure: Failure, now: Instant) -> None:
        wire, rising = self.wire, self._rising
        self.wire = self._rising = None
        if rising is not None:
            rising.line.close()
        if wire is not None:
            wire.line.close()
            self._client.n_lost += self.route == MARKET
            self._fail(failure, wire.trial, now)

    def _fail(self, failure: Failure, trial: Trial, now: Instant) -> None:
        wait_s, reason = self._reconnect.fail(failure, now, trial)
        pause_s = ban_s(failure)
        if pause_s is not None:
            self._client.ban.set(pause_s, reason)
        if wait_s is None:
            raise FeedError(f"/{self.route} is given up: {reason}")
        self._due_ns = now.monotonic_ns + round(wait_s * 1e9)
        if self.route == MARKET:
            self._client.ledger.connection_lost()
        self._client.emit(Disconnected(self.route, reason, wait_s, now))


class VirtualRecovery:
    """Asks for what the agenda says, one request at a time."""

    def __init__(self, client: VirtualClient, random: Random) -> None:
        self.budget = Budget()
        self.n_requests = 0
        self._client = client
        self._asked: tuple[Request, str, float] | None = None  # with its path and how late the answer is
        self._due_ns = 0
        self.agenda = Agenda(
            client.ledger,
            self.budget,
            random=random.random,
            on_quiet=lambda symbol: client.health.proved_quiet(symbol, client.clock.now()),
        )

    def wake(self) -> None:
        if self._asked is None:
            self._due_ns = 0

    def step(self, now: Instant) -> None:
        for event in self.agenda.refresh(now):
            self._client.emit(event)
        if now.monotonic_ns < self._due_ns:
            return
        if self._asked is not None:
            (request, target, delay_s), self._asked = self._asked, None
            self._take(request, target, delay_s, now)
        banned_s = self._client.ban.remaining_s()
        step = banned_s if banned_s > 0.0 else self.agenda.next(now)
        if isinstance(step, float):
            self._due_ns = now.monotonic_ns + round(step * 1e9)
        else:
            self._send(step, now)

    def _send(self, request: Request, now: Instant) -> None:
        self.n_requests += 1
        target = _target(request)
        delay_s = REST_LATENCY_S + self._client.exchange.refusals.rest_delay_s(target)
        self._asked = request, target, delay_s
        self._due_ns = now.monotonic_ns + round(min(delay_s, TIMEOUT_S) * 1e9)

    def _take(self, request: Request, target: str, delay_s: float, now: Instant) -> None:
        exchange = self._client.exchange
        if delay_s >= TIMEOUT_S:
            self._fail(request, Failure("timeout"), None, now)
            return
        if exchange.refusals.is_cut(target):
            self._fail(request, Failure("network"), None, now)
            return
        answer = exchange.refusals.rest(target, exchange.now_ms, exchange.market, exchange.rest)
        used = answer.headers.get("X-MBX-USED-WEIGHT-1M")
        if used is not None:
            self.budget.learn(int(used), now)
        if answer.status != 200:
            code = _code(answer.body) if answer.status == 400 else None
            self._fail(request, http_failure(answer.status, answer.headers), code, now)
            return
        try:
            page = _page(request, answer.body, now)
        except FeedError as error:
            self.agenda.fail(str(error), now)
            return
        for event in self.agenda.receive(request, page, page.refused, now):
            self._client.emit(event)

    def _fail(self, request: Request, failure: Failure, code: int | None, now: Instant) -> None:
        rule, banned_s = rule_of(failure, ENDPOINTS.title), ban_s(failure)
        if code is not None:
            self.agenda.refuse(request, rule.sentence, is_too_old=code == TOO_OLD_CODE)
            return
        if banned_s is not None:
            self._client.ban.set(banned_s, rule.sentence)
        least_s = rule.least_s if rule.tries is None else BLOCKED_S
        if rule.tries is None and failure.retry_after_s is not None:
            least_s = failure.retry_after_s
        self.agenda.fail(rule.sentence, now, least_s=max(least_s, banned_s or 0.0))


class VirtualClient:
    """A client, what judges its feed, and the engine that it feeds."""

    def __init__(self, exchange: VirtualExchange, settings: Settings, clock: ManualClock, seed: int) -> None:
        random = Random(f"{seed} client")
        self.exchange, self.clock = exchange, clock
        self.ledger, self.health = Ledger(), Health()
        self.engine = Engine(settings)
        self.ban = Ban(clock)
        self.flagged: dict[tuple[str, int], float] = {}  # and their prices
        self.n_lost = self.n_failed = self.n_handed_on = 0
        self._newest: dict[str, int] = {}
        self._plausibility = Plausibility()
        self._looked_ns = 0
        self.recovery = VirtualRecovery(self, random)
        symbols = settings.symbols
        self._plausibility.watch(symbols)
        self.health.use(ENDPOINTS, "")
        self.health.watch({route: streams(route, symbols) for route in ROUTES})
        self._sockets = [VirtualSocket(self, route, streams(route, symbols), random) for route in ROUTES]
        self.recovery.agenda.plan(
            symbols, settings.timeframe, timeframe_ns(settings.timeframe), settings.window
        )

    def step(self, now: Instant) -> bool:
        """Do what is due; true where the feed was looked at, too."""
        for socket in self._sockets:
            socket.step(now)
        self.recovery.step(now)
        if now.monotonic_ns - self._looked_ns < LOOK_EVERY_NS:
            return False
        self._looked_ns = now.monotonic_ns
        self._remedy(now)
        return True

    def receive(self, route: str, event: Event) -> None:
        """Take an event off the wire: counted, judged, held against the ids."""
        self.health.arrive(event)
        for each in self._plausibility.check(event, self.clock.now()):
            if isinstance(each, Trade):
                for judged in self.ledger.receive(each):
                    self.emit(judged)
            else:
                self.emit(each)

    def emit(self, event: Event) -> None:
        self.health.receive(event)
        match event:
            case Trade():
                self._check_order(event)
                self.n_handed_on += 1
            case Recovered():
                self.n_handed_on += len(event.trades)
            case Flagged():
                self.flagged[event.trade.symbol, event.trade.trade_id] = event.trade.price
            case Gap():
                self.recovery.wake()
        self.engine.receive(event)

    def _check_order(self, trade: Trade) -> None:
        newest = self._newest.get(trade.symbol, -1)
        if trade.trade_id <= newest:
            raise AssertionError(f"{trade.symbol}: trade {trade.trade_id} was handed on after {newest}")
        self._newest[trade.symbol] = trade.trade_id

    def _remedy(self, now: Instant) -> None:
        for remedy in self.health.remedies(now):
            match remedy:
                case Ask():
                    self.recovery.agenda.ask(remedy.symbol)
                    self.recovery.wake()
                case Resubscribe():
                    for socket in self._on(remedy.route):
                        if socket.wire is not None:
                            socket.wire.subscriptions.repeat(remedy.streams)
                case Renew():
                    for socket in self._on(remedy.route):
                        socket.renew(now)

    def _on(self, route: str) -> list[VirtualSocket]:
        return [socket for socket in self._sockets if socket.route == route]


def _target(request: Request) -> str:
    if isinstance(request, KlinesRequest):
        query = {
            "symbol": request.symbol,
            "interval": request.timeframe,
            "limit": request.limit,
            "endTime": request.end_ms,
        }
        return f"/fapi/v1/klines?{urlencode(query)}"
    query = {"symbol": request.symbol, "limit": request.limit}
    if request.from_id is not None:
        query["fromId"] = request.from_id
    return f"/fapi/v1/aggTrades?{urlencode(query)}"


def _code(body: bytes) -> int | None:
    """Return the exchange's own number of a refusal, where the answer was not spoiled."""
    try:
        return int(msgspec.json.decode(body)["code"])
    except (msgspec.DecodeError, TypeError, KeyError):
        return None


def _page(request: Request, body: bytes, now: Instant) -> Page:
    if isinstance(request, KlinesRequest):
        return decode_klines(body, timeframe_ns(request.timeframe) // 1_000_000, request.end_ms)
    return decode_agg_trades(body, request.symbol, now.wall_ns)
