"""The local exchange without sockets: its market, streams, REST and faults, slot by slot in virtual time.

Everything that decides is the package's own (`Market`, `Publisher`, `Conversation`, `Channel`, `Saboteur`,
`Refusals`, `Rest`); only the transport is replaced, by a list of frames that are read one slot later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from quantnb.events import Instant
from quantnb.exchange.channel import Channel, Frame, Reset
from quantnb.exchange.climate import SLOT_MS
from quantnb.exchange.faults import Fault
from quantnb.exchange.kinds import CUT
from quantnb.exchange.listings import find_listings
from quantnb.exchange.market import Market
from quantnb.exchange.protocol import Close, Conversation, Limits, Ping, StreamPath
from quantnb.exchange.publisher import Publisher
from quantnb.exchange.refusals import Refusals
from quantnb.exchange.rest import Answer, Rest
from quantnb.exchange.sabotage import Faults, Running
from quantnb.exchange.saboteur import Saboteur
from quantnb.feed.reconnect import Failure

WARM_MINUTES = 3


class Line:
    """One connection as the exchange sees it; ``inbox`` is what the client has not read yet."""

    def __init__(self, exchange: VirtualExchange, path: StreamPath, now_s: float, now_ms: int) -> None:
        self.channel = Channel(exchange.faults, path.route, now_s, now_ms)
        route_of = self.channel.route_of(exchange.publisher.route_of)
        self.conversation = Conversation(path, exchange.limits, route_of, now_ms)
        self.inbox: list[Frame] = []
        self.failure: Failure | None = None  # why it ended
        self.is_mute = False
        self._exchange = exchange

    def send(self, frame: str, stream: str, now_s: float) -> None:
        if self.failure is None:
            self.inbox += self.channel.frames(stream, frame, now_s)

    def hear(self, text: bytes) -> None:
        """Take in what the client says; a mute exchange does not read it."""
        if self.is_mute or self.failure is not None:
            return
        refused = self.channel.answer(text)
        answers, close = (
            (refused, None) if refused else self.conversation.receive(text, self._exchange.now_ms)
        )
        for answer in answers:
            self.send(answer.decode(), "", self._exchange.now_s)
        if close is not None:
            self.end(close)

    def answers_ping(self) -> bool:
        return not self.is_mute and self.failure is None

    def end(self, ending: Close | Reset) -> None:
        """End it; what a reset connection was sent and has not read is lost."""
        if self.failure is not None:
            return
        if isinstance(ending, Reset):
            self.failure = Failure("network", detail="Connection reset by peer")
        else:
            self.failure = Failure("close", ending.code, ending.reason)
        if isinstance(ending, Reset) or ending.code == CUT:
            self.inbox.clear()

    def suffer(self, now_s: float) -> None:
        """Let the faults do to this connection what is due, as `quantnb.exchange.link.Link` does."""
        if self.failure is not None:
            return
        self.inbox += self.channel.ripe(now_s)
        if self.channel.is_mute(now_s):
            self.is_mute = True
        elif self.is_mute:
            self.end(Reset())
        elif ending := self.channel.ending(now_s):
            self.end(ending)

    def close(self) -> None:
        """Let the client hang up."""
        self.failure = self.failure or Failure("close", 1000)
        self._exchange.let_go(self)


class CountedFaults(Faults):
    """Remembers every fault that was asked for."""

    def __init__(self, *, seed: int) -> None:
        self.every: list[Running] = []
        super().__init__(seed=seed)

    def inject(self, fault: Fault, now_s: float) -> None:
        super().inject(fault, now_s)
        self.every.append(self._waiting[-1])


class VirtualExchange:
    """An exchange that is advanced; `market` keeps the truth."""

    def __init__(
        self, symbols: Iterable[str], *, seed: int, rate: float, start_ms: int, trades_kept: int
    ) -> None:
        self.start_ms = self.clock_ms = start_ms
        self.limits = Limits()
        self.faults = CountedFaults(seed=seed)
        self.market = Market(
            find_listings(symbols),
            seed=seed,
            rate=rate,
            start_ms=start_ms,
            warm_minutes=WARM_MINUTES,
            trades_kept=trades_kept,
        )
        self.publisher = Publisher(self.market)
        self.refusals = Refusals(self.faults)
        self.rest = Rest(self.market, self.limits)
        self._lines: list[Line] = []
        self._saboteur = Saboteur(self.faults, self._lines, lambda: self.now_s)
        self._saboteur.open(self.market, self.publisher.names)

    @property
    def now_s(self) -> float:
        """Seconds since the start, by a clock that no fault sets."""
        return (self.clock_ms - self.start_ms) / 1000

    @property
    def now_ms(self) -> int:
        return self.clock_ms + self.faults.clock_offset_ms

    def inject(self, fault: Fault | str, at_s: float = 0.0) -> None:
        self._saboteur.inject(fault, at_s)

    def heal(self) -> None:
        self._saboteur.heal(None)

    def hits(self) -> Counter[str]:
        """Return how often each fault happened; one that lasts, or strikes, counts once each time."""
        hits: Counter[str] = Counter()
        for each in self.faults.every:
            kind = f" {each.fault.text('kind')}" if each.fault.has("kind") else ""
            is_counted = each.fault.has("p") or each.fault.has("times")
            hits[each.fault.name + kind] += each.n_hits if is_counted else each.begins_s <= self.now_s
        return hits

    def advance(self, now: Instant) -> int:
        """Let time pass, strike, and send what the market has to say; return how many trades that was."""
        self.clock_ms = now.wall_ns // 1_000_000
        if self.faults.has_plans:
            self._saboteur.apply()
        n_trades = 0
        for slot_ms in range(self.market.now_ms + SLOT_MS, self.now_ms + 1, SLOT_MS):
            self.market.advance(slot_ms)
            n_trades += sum(len(self.market.published(symbol)) for symbol in self.market.listings)
            self._publish()
        return n_trades

    def handshake(self, route: str) -> Line | Failure | Answer:
        """Answer a handshake: with a connection, a refusal, or not in time."""
        if self.refusals.handshake_delay_s(route) >= 8.0:
            return Failure("timeout")
        refusal = self.refusals.handshake(route, self.now_ms)
        if refusal is not None:
            return refusal
        path = StreamPath(route, is_combined=True)
        line = Line(self, path, self.now_s, self.now_ms)
        self._lines.append(line)
        if farewell := line.channel.welcome():
            line.end(farewell)
        line.suffer(self.now_s)
        return line

    def let_go(self, line: Line) -> None:
        if line in self._lines:
            self._lines.remove(line)
            line.channel.close()

    def _publish(self) -> None:
        listeners: dict[str, list[Line]] = {}
        for line in self._lines:
            for name in line.conversation.delivered:
                listeners.setdefault(name, []).append(line)
        for name, payload in self.publisher.frames(listeners):
            combined = f'{{"stream":"{name}","data":{payload.decode()}}}'
            for line in listeners[name]:
                line.send(combined, name, self.now_s)
        for line in tuple(self._lines):
            due = line.conversation.due(self.market.now_ms)
            if isinstance(due, Close):
                line.end(due)
            elif isinstance(due, Ping) and not line.is_mute:
                line.conversation.receive_pong()
