"""The local exchange: a market, its REST and its streams behind one port, in the event loop that starts it.

A single task lets the market advance every 100 ms and hands each frame, encoded once, to whoever subscribed.
`Link.send` is the one place that every outgoing frame passes through. A reader that does not keep up is cut
off once its buffer is full, as Binance does, so memory stays bounded.

Faults on demand are asked at few places: before a handshake, before a REST answer, at each outgoing frame,
and once in each slot. Without a fault in force nobody is asked.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import ssl
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import websockets
from websockets.asyncio.server import Server, ServerConnection, serve

from quantnb.errors import FeedError, InvalidSettingError
from quantnb.exchange.channel import Channel
from quantnb.exchange.climate import SLOT_MS
from quantnb.exchange.door import Door
from quantnb.exchange.faults import Fault
from quantnb.exchange.kinds import CUT
from quantnb.exchange.link import Link
from quantnb.exchange.listings import DEFAULT_UNIVERSE, find_listings
from quantnb.exchange.market import Market
from quantnb.exchange.protocol import Close, Conversation, Limits, StreamPath
from quantnb.exchange.publisher import Publisher
from quantnb.exchange.sabotage import Faults
from quantnb.exchange.saboteur import Saboteur

__all__ = ["LocalExchange"]

DEFAULT_RATE = 25.0
LONGEST_CATCH_UP_MS = 120_000  # a loop blocked for longer finds a hole in the streams, and REST to fill it
CLOSE_TIMEOUT_S = 1.0
REQUESTS_BUFFERED = 256  # a flood must not hide the client's close frame behind it
CERTIFICATE = Path(__file__).with_name("untrusted.pem")

logger = logging.getLogger("quantnb.exchange")
# A client that vanishes in its handshake is an error to websockets, and nothing to us.
handshake_logger = logging.getLogger("quantnb.exchange.handshake")
handshake_logger.setLevel(logging.CRITICAL)


class LocalExchange:
    """An exchange on this machine that speaks Binance USD-M Futures' protocol.

    Parameters
    ----------
    symbols : iterable of str
        Which contracts of its universe are listed.
    seed : int
        Of the market; not negative.
    rate : float
        Mean trades per second of BTCUSDT, ETHUSDT and SOLUSDT together.
    host, port
        Where to listen; port 0 takes a free one.
    limits : Limits
        What clients may do; Binance's by default.
    clock_ns : callable
        Nanoseconds since the epoch.
    faults : iterable of Fault or str
        What goes wrong from the start on, such as ``"drop:1012,every=5"``; `fault_table` lists them.
    fault_seed : int
        Of the faults' chance.
    script : iterable of (float, str)
        Faults by the seconds after the start at which they begin: a scenario that can be repeated.

    Raises
    ------
    InvalidSettingError
        For a symbol that is not listed, a negative seed, a rate that is not positive, a fault that does not
        exist.
    """

    def __init__(
        self,
        symbols: Iterable[str] = DEFAULT_UNIVERSE,
        *,
        seed: int = 7,
        rate: float = DEFAULT_RATE,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        faults: Iterable[Fault | str] = (),
        fault_seed: int = 0,
        script: Iterable[tuple[float, Fault | str]] = (),
    ) -> None:
        _check(seed, rate)
        self.listings = find_listings(symbols)
        self.seed, self.rate, self.host, self.port = seed, rate, host, port
        self._limits = limits or Limits()
        self._clock_ns = clock_ns
        self._links: set[Link] = set()
        self._faults = Faults(seed=fault_seed)
        self._door = Door(self._faults, self._now_ms)
        self._saboteur = Saboteur(self._faults, self._links, self._now_s)
        self._opened_ns: int | None = None
        self._scheme = "ws"
        self._server: Server | None = None
        self._clockwork: asyncio.Task[None] | None = None
        self.market: Market  # the truth, from start() on
        self._publisher: Publisher
        for fault in faults:
            self.inject(fault)
        for at_s, fault in script:
            self.inject(fault, at_s=at_s)

    @property
    def address(self) -> str:
        """Where clients connect, for WebSocket; REST is on the same host and port."""
        return f"{self._scheme}://{self.host}:{self.port}"

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults in force, and then those that wait for their time."""
        return self._faults.all

    @property
    def n_connections(self) -> int:
        """How many clients are connected by WebSocket."""
        return len(self._links)

    async def start(self) -> None:
        """Open the market and listen.

        Raises
        ------
        FeedError
            If the port cannot be had.
        InvalidSettingError
            For a fault that nothing could come of here, such as one of a stream that does not exist.
        """
        if self._server is not None:
            return
        if self._opened_ns is None:  # stopped and started again, it is the same market at a later time
            self._faults.begin(0.0)  # a wrong clock is wrong from the beginning
            self.market = Market(self.listings, seed=self.seed, rate=self.rate, start_ms=self._now_ms())
            self._publisher = Publisher(self.market)
            self._door.open(self.market, self._limits)
            self._saboteur.open(self.market, self._publisher.names)
            self._opened_ns = self._clock_ns()
        self._server = await self._listen()
        self._door.is_open = True
        self.port = self._server.sockets[0].getsockname()[1]
        self._clockwork = asyncio.create_task(self._run(), name="quantnb exchange")

    async def stop(self) -> None:
        """Close every connection and the port; started again, the market has gone on meanwhile."""
        server, self._server = self._server, None
        clockwork, self._clockwork = self._clockwork, None
        if server is None or clockwork is None:
            return
        clockwork.cancel()
        self._door.is_open = False
        for link in self._links:
            link.hang_up()
        server.close()
        await asyncio.wait((clockwork,))
        await server.wait_closed()

    def inject(self, fault: Fault | str, *, at_s: float = 0.0) -> None:
        """Let a fault begin, now or so many seconds from now (from the start, where it has not started).

        Raises
        ------
        InvalidSettingError
            For a fault that does not exist, or that this exchange cannot have.
        """
        self._saboteur.inject(fault, at_s)

    def heal(self, name: str | None = None) -> None:
        """End the faults of this name, or all of them; those that wait for their time, too."""
        self._saboteur.heal(name)

    def drop(self, code: int | None = None) -> None:
        """Close every connection with this code; without one they are cut."""
        self._saboteur.drop(Close(code or CUT, "closed on demand"))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _listen(self) -> Server:
        context: ssl.SSLContext | None = None
        if self._faults.has_untrusted_certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
        self._scheme = "wss" if context else "ws"
        try:
            return await serve(
                self._converse,
                self.host,
                self.port,
                process_request=self._door.answer,
                compression=None,
                ping_interval=None,  # pings follow the exchange's own rules
                close_timeout=CLOSE_TIMEOUT_S,
                max_queue=REQUESTS_BUFFERED,
                logger=handshake_logger,
                ssl=context,
            )
        except OverflowError:
            raise InvalidSettingError(f"A port is a number from 0 to 65535, not {self.port}.") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = f"Port {self.port} on {self.host} is in use: choose another, or 0 for any free one."
            else:
                reason = f"The local exchange cannot listen on {self.host}:{self.port}: {error.strerror}."
            raise FeedError(reason) from error

    def _now_ms(self) -> int:
        return self._clock_ns() // 1_000_000 + self._faults.clock_offset_ms

    def _now_s(self) -> float:
        """Return the seconds since the start, by a clock that no fault sets."""
        return 0.0 if self._opened_ns is None else (self._clock_ns() - self._opened_ns) / 1e9

    async def _converse(self, socket: ServerConnection) -> None:
        """Hold one client's connection until it ends."""
        path = StreamPath.parse(socket.request.path) if socket.request else None
        if path is None:
            return  # such a request has been answered with 404 before the handshake
        channel = Channel(self._faults, path.route, self._now_s(), self._now_ms())
        route_of = channel.route_of(self._publisher.route_of)
        conversation = Conversation(path, self._limits, route_of, channel.opened_ms)
        link = Link(socket, conversation, self._limits, channel)
        self._links.add(link)
        try:
            if farewell := channel.welcome():
                link.end(farewell)
            link.suffer(self._now_s())
            answers, close = conversation.open()
            while close is None:
                self._send(link, answers)
                text = await socket.recv()
                refused = channel.answer(text)
                answers, close = (refused, None) if refused else conversation.receive(text, self._now_ms())
            self._send(link, answers)
            await socket.close(close.code, close.reason)
        except websockets.ConnectionClosed:
            pass
        except Exception:
            logger.exception("A client's connection ended by a fault of the local exchange")
            raise
        finally:
            self._links.discard(link)
            channel.close()

    def _send(self, link: Link, answers: list[bytes]) -> None:
        for answer in answers:
            link.send(answer.decode(), now_s=self._now_s())

    async def _run(self) -> None:
        """Advance the market slot by slot, for ever."""
        try:
            while True:
                if self._faults.has_plans:
                    self._saboteur.apply()
                now_ms = self._now_ms()
                first_ms = max(self.market.now_ms + SLOT_MS, now_ms - LONGEST_CATCH_UP_MS)
                for slot_ms in range(first_ms // SLOT_MS * SLOT_MS, now_ms + 1, SLOT_MS):
                    self.market.advance(slot_ms)
                    self._publish()
                    await asyncio.sleep(0)  # after a blocked loop there are many: let clients read between
                wait_ms = self.market.now_ms + SLOT_MS - self._now_ms()
                await asyncio.sleep(min(max(wait_ms, 1), SLOT_MS) / 1000)  # long: a clock that was set back
        except Exception:
            logger.exception("The local exchange has stopped: its streams are silent from here on")

    def _publish(self) -> None:
        """Send this slot's frames to their subscribers, and what the time asks for."""
        listeners: dict[str, list[Link]] = {}
        for link in self._links:
            for name in link.conversation.delivered:
                listeners.setdefault(name, []).append(link)
        now_s = self._now_s()
        for name, payload in self._publisher.frames(listeners):
            raw = payload.decode()
            combined = f'{{"stream":"{name}","data":{raw}}}'
            for link in listeners[name]:
                link.send(combined if link.conversation.is_combined else raw, name, now_s)
        for link in tuple(self._links):
            if due := link.conversation.due(self.market.now_ms):
                link.obey(due)


def _check(seed: int, rate: float) -> None:
    if seed < 0:
        raise InvalidSettingError(f"The seed must be 0 or greater, not {seed}.")
    if not 0 < rate <= 10_000:
        raise InvalidSettingError(f"The rate must be above 0 and at most 10000 trades/s, not {rate}.")
