"""A feed on a clock of its own: what it sends each quarter of a second, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from quantnb.events import Connected, Disconnected, Event, MarkPrice, Quote
from quantnb.feed.health import Health
from quantnb.feed.remedies import Remedy
from quantnb.feed.routes import LIVE, ROUTES, Endpoints, stream_name, streams
from quantnb.snapshot import Status, StreamState
from tests.feed.frames import at, trade


class Feed:
    """Sends a trade and a quote of each symbol every ``every`` quarters of a second, and marks each second.

    Whatever begins with a name in ``silent`` is not sent: a stream, a symbol in lower case, or "" for all.
    Remedies are collected with their times; ``is_asked`` answers each question to REST: nothing newer.
    """

    def __init__(self, *symbols: str, endpoints: Endpoints = LIVE) -> None:
        self.symbols = symbols or ("BTCUSDT", "ETHUSDT")
        self.health = Health()
        self.health.use(endpoints, "")
        self.health.watch({route: streams(route, self.symbols) for route in ROUTES})
        self.seconds = 0.0
        self.silent: set[str] = set()
        self.every: dict[str, int] = {}
        self.lag_s = 0.01
        self.is_asked = False
        self.remedies: list[tuple[float, Remedy]] = []
        self._trade_id = 0
        self._sent_s: dict[str, float] = {}
        self._open: set[str] = set()
        self._began_s: dict[str, float] = {}
        self._n_quarters = 0

    def connect(self, *routes: str) -> Status:
        for route in routes or ROUTES:
            if route not in self._open:
                self._open.add(route)
                self._began_s[route] = self.seconds
            self.health.receive(Connected(route, at(self.seconds)))
        return self.status()

    def disconnect(self, route: str = "market", retry_in_s: float | None = 8.0) -> Status:
        self._open.discard(route)
        return self.send(Disconnected(route, "The connection was lost.", retry_in_s, at(self.seconds)))

    def run(self, seconds: float) -> Status:
        for _ in range(round(4 * seconds)):
            self.seconds += 0.25
            self._n_quarters += 1
            self._send_all()
            status = self._look()
        return status

    def status(self) -> Status:
        return self.health.status(at(self.seconds))

    def states(self) -> dict[str, StreamState]:
        return {each.name: each.state for each in self.status().streams}

    def send(self, *events: Event) -> Status:
        """Send events that every judgement lets pass."""
        for event in events:
            self.health.arrive(event)
            self.health.receive(event)
        return self.status()

    def be_busy(self, seconds: float) -> None:
        """Let time pass in which nobody looks."""
        self.seconds += seconds
        self._began_s = dict.fromkeys(ROUTES, self.seconds)

    def age_s(self, name: str, *, since_opened: bool) -> float:
        """Return how long ago a stream sent something, or could have begun to, by the feed's own record."""
        sent_s = self._sent_s.get(name, -1e9)
        route = "public" if name.endswith("bookTicker") else "market"
        return self.seconds - (max(sent_s, self._began_s.get(route, -1e9)) if since_opened else sent_s)

    def of(self, *kinds: type[Remedy]) -> list[tuple[float, Remedy]]:
        return [(seconds, each) for seconds, each in self.remedies if isinstance(each, kinds)]

    def _look(self) -> Status:
        now = at(self.seconds)
        for each in self.health.remedies(now):
            self.remedies.append((self.seconds, each))
            if self.is_asked and hasattr(each, "symbol"):
                self.health.proved_quiet(each.symbol, now)
        return self.status()

    def _send_all(self) -> None:
        receive_ns = at(self.seconds).wall_ns
        push_ns = receive_ns - round(self.lag_s * 1e9)
        for symbol in self.symbols:
            if self._is_due(symbol, "aggTrade"):
                self._trade_id += 1
                each = trade(self._trade_id, symbol=symbol)
                self.send_quietly(msgspec.structs.replace(each, push_ns=push_ns, receive_ns=receive_ns))
            if self._is_due(symbol, "bookTicker"):
                self.send_quietly(Quote(symbol, 1, 1.0, 1.0, 1.0, 1.0, push_ns, push_ns, receive_ns))
            if self._n_quarters % 4 == 0 and self._is_due(symbol, "markPrice@1s"):
                self.send_quietly(MarkPrice(symbol, 1.0, 1.0, 0.0, 0, push_ns, receive_ns))

    def send_quietly(self, event: Event) -> None:
        self.health.arrive(event)
        self.health.receive(event)

    def _is_due(self, symbol: str, kind: str) -> bool:
        name = stream_name(symbol, kind)
        is_due = not name.startswith(tuple(self.silent)) and self._n_quarters % self.every.get(name, 1) == 0
        if is_due:
            self._sent_s[name] = self.seconds
        return is_due


def live(*symbols: str, seconds: float = 20, endpoints: Endpoints = LIVE) -> Feed:
    """Return a feed that has been live for a while."""
    feed = Feed(*symbols, endpoints=endpoints)
    feed.connect()
    feed.run(seconds)
    return feed


def names(count: int) -> Iterable[str]:
    """Return so many symbols."""
    return [f"S{k}USDT" for k in range(count)]
