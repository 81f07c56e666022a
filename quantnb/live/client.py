"""The client of one exchange: its sockets, one ledger of trades, one stream of events.

What arrives goes one way: counted (`Health.arrive`), held against the other messages (`Plausibility`), trades
against the ids before them (`Ledger`), and then to health and to whoever listens. What is missing comes by
REST (`Recovery`) and joins the same stream. Four times a second the watch asks what is wrong and acts on it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from functools import partial

from quantnb.events import Connected, Disconnected, Event, Gap, Instant, Trade
from quantnb.feed.budget import Budget
from quantnb.feed.health import Health
from quantnb.feed.ledger import Ledger
from quantnb.feed.plausible import Plausibility
from quantnb.feed.remedies import Ask, Remedy, Renew, Resubscribe
from quantnb.feed.routes import MARKET, ROUTES, Endpoints, Route, streams
from quantnb.feed.shards import Shards
from quantnb.live.ban import Ban
from quantnb.live.clock import Clock, SystemClock
from quantnb.live.failure import leaves
from quantnb.live.recovery import Recovery
from quantnb.live.socket import ROTATE_AFTER_S, Socket

__all__ = ["Client"]

WATCH_EVERY_S = 0.25
SLEPT_NS = 5_000_000_000  # by so much the wall's clock moved on and the monotonic one did not

_log = logging.getLogger("quantnb")


class Client:
    """Watches symbols until its task is cancelled.

    Parameters
    ----------
    endpoints : Endpoints
        The exchange.
    symbols : iterable of str
        What to watch; `set_symbols` changes it on the open sockets. Where one socket cannot carry all their
        streams there are several, and a symbol stays on its own.
    on_event : callable
        Gets every event in order of arrival, from inside the event loop; it must not block. Trades of a
        symbol come in the order of their ids, a `Gap` before the trade that reveals it, and `Recovered` when
        what was missing has been found. What it raises ends the client.
    clock : Clock, optional
        This machine's clocks where not given.
    random : callable, optional
        Uniform in [0, 1), for the jitter of delays.
    health : Health, optional
        Is told of every event, and says what to do about a silent stream; one of its own where not given.
    ledger : Ledger, optional
        Of an earlier client of this exchange, to find out what was missed since.
    ban : Ban, optional
        Asked before every handshake and request; kept in the user's cache directory where not given and the
        exchange is Binance's own.
    budget : Budget, optional
        Of request weight; one of its own where nobody else asks this exchange.
    rotate_after_s : float, optional
        Greatest age of a connection.

    Attributes
    ----------
    ledger : Ledger
        Which trades are held, and which are missing.
    recovery : Recovery
        Fetches those, and history.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        symbols: Iterable[str],
        *,
        on_event: Callable[[Event], None],
        clock: Clock | None = None,
        random: Callable[[], float] = random.random,
        health: Health | None = None,
        ledger: Ledger | None = None,
        ban: Ban | None = None,
        budget: Budget | None = None,
        rotate_after_s: float = ROTATE_AFTER_S,
    ) -> None:
        self.endpoints = endpoints
        self.ledger = Ledger() if ledger is None else ledger
        self._clock = clock or SystemClock()
        self._on_event = on_event
        self._random = random
        self._rotate_after_s = rotate_after_s
        self._health = Health() if health is None else health
        self._plausibility = Plausibility()
        self._ban = Ban.of(endpoints, self._clock) if ban is None else ban
        self.recovery = Recovery(
            endpoints,
            self.ledger,
            emit=self._emit,
            clock=self._clock,
            ban=self._ban,
            on_quiet=lambda symbol: self._health.proved_quiet(symbol, self._clock.now()),
            budget=budget,
        )
        self._symbols: tuple[str, ...] = ()
        self._shards = {route: Shards(route) for route in ROUTES}
        self._sockets: dict[tuple[Route, int], Socket] = {}
        self._tasks: dict[tuple[Route, int], asyncio.Task[None]] = {}
        self._closed: set[tuple[Route, int]] = set()
        self._group: asyncio.TaskGroup | None = None
        self.set_symbols(symbols)

    def set_symbols(self, symbols: Iterable[str]) -> None:
        """Watch these symbols from now on."""
        before, self._symbols = self._symbols, tuple(dict.fromkeys(symbols))
        self._plausibility.watch(self._symbols)
        self._health.watch({route: streams(route, self._symbols) for route in ROUTES})
        for route, shards in self._shards.items():
            for index, mine in enumerate(shards.assign(self._symbols)):
                if mine or index == 0:
                    self._socket(route, index).desire(streams(route, mine))
                else:
                    self._close(route, index)
        for symbol in set(before).difference(self._symbols):
            self.ledger.forget(symbol)

    def plan(self, timeframe: str, window: int) -> None:
        """Fetch the history that so many bars of this timeframe need."""
        self.recovery.plan(self._symbols, timeframe, window)

    async def run(self) -> None:
        """Hold the connections until cancelled; afterwards no task and no socket is left.

        Raises
        ------
        FeedError
            Where trying again cannot help; the message says why.
        """
        self._health.begin_again()
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for route, index in self._sockets:
                    self._start(route, index)
                repair = group.create_task(self.recovery.run(), name="quantnb recovery")
                group.create_task(self._watch(repair), name="quantnb watch")
        except ExceptionGroup as error:
            raise next(leaves(error)) from error
        finally:
            self._group = None
            self._tasks.clear()

    # Sockets ------------------------------------------------------------------------------------------

    def _socket(self, route: Route, index: int) -> Socket:
        """Return a shard's socket; a new one is started at once where the client runs."""
        if (route, index) not in self._sockets:
            self._closed.add((route, index))
            self._sockets[route, index] = Socket(
                self.endpoints,
                route,
                on_event=partial(self._receive, route, index),
                clock=self._clock,
                random=self._random,
                ban=self._ban,
                rotate_after_s=self._rotate_after_s,
            )
            if self._group is not None:
                self._start(route, index)
        return self._sockets[route, index]

    def _start(self, route: Route, index: int) -> None:
        if self._group is not None:
            work = self._sockets[route, index].run()
            self._tasks[route, index] = self._group.create_task(work, name=f"quantnb /{route} {index}")

    def _close(self, route: Route, index: int) -> None:
        """End a shard's socket, which carries nothing any more."""
        if self._sockets.pop((route, index), None) is None:
            return
        if (route, index) in self._tasks:
            self._tasks.pop((route, index)).cancel()
        if (route, index) in self._closed:
            self._closed.discard((route, index))
            self._say_open(Connected(route, self._clock.now()))

    def _say_open(self, event: Connected) -> None:
        """Report a route as open, once all its sockets are."""
        if not any(route == event.route for route, _ in self._closed):
            self._emit(event)

    # Events -------------------------------------------------------------------------------------------

    def _receive(self, route: Route, index: int, event: Event) -> None:
        """Take an event of one socket."""
        if type(event) is Connected:
            self._closed.discard((route, index))
            self._say_open(event)
        elif type(event) is Disconnected:
            self._closed.add((route, index))
            if route == MARKET:
                self.ledger.connection_lost(self._shards[route].symbols(index))
            self._emit(event)
        else:
            self._judge(event)

    def _judge(self, event: Event) -> None:
        self._health.arrive(event)
        if type(event) is Trade and self._plausibility.passes(event):  # nearly all of them
            self._receive_trade(event)
            return
        for each in self._plausibility.check(event, self._clock.now()):
            if type(each) is Trade:
                self._receive_trade(each)
            else:
                self._emit(each)

    def _receive_trade(self, trade: Trade) -> None:
        try:
            for judged in self.ledger.receive(trade):
                self._emit(judged)
        except Exception:  # of whoever listens; once it is back, the trade is fetched
            self.ledger.lose(trade)
            raise

    def _emit(self, event: Event) -> None:
        self._health.receive(event)
        self._on_event(event)
        if type(event) is Gap:
            self.recovery.wake()

    # Watch --------------------------------------------------------------------------------------------

    async def _watch(self, repair: asyncio.Task[None]) -> None:
        before = self._clock.now()
        while True:
            await self._clock.sleep(WATCH_EVERY_S)
            for task in (repair, *self._tasks.values()):
                if task.cancelled():  # of which a group of tasks takes no note
                    raise RuntimeError(f"something else cancelled the task {task.get_name()!r}")
            now = self._clock.now()
            self._compare_clocks(before, now)
            before = now
            for remedy in self._health.remedies(now):
                self._apply(remedy)

    def _compare_clocks(self, before: Instant, now: Instant) -> None:
        """Find out whether this computer slept: then only the wall's clock went on."""
        passed_ns = now.monotonic_ns - before.monotonic_ns
        slept_ns = now.wall_ns - before.wall_ns - passed_ns
        if slept_ns > SLEPT_NS:
            self._health.note(f"This computer slept for {_duration(slept_ns)}; the connections were renewed.")
            self.ledger.connection_lost()
            for socket in self._sockets.values():
                socket.wake()
        elif slept_ns < -SLEPT_NS:
            self._health.note(f"This computer's clock was set back by {_duration(-slept_ns)}.")

    def _apply(self, remedy: Remedy) -> None:
        _log.info("%s", remedy)
        match remedy:
            case Ask():
                self.recovery.ask(remedy.symbol)
            case Resubscribe():
                for socket in self._on(remedy.route):
                    socket.resubscribe(remedy.streams)
            case Renew():
                for socket in self._on(remedy.route):
                    socket.renew(remedy.reason, is_unrouted=remedy.is_other_path)

    def _on(self, route: str) -> list[Socket]:
        return [socket for socket in self._sockets.values() if socket.route == route]


def _duration(ns: int) -> str:
    seconds = round(ns / 1e9)
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
