"""The local exchange: a market, its REST and its streams behind one port, in the event loop that starts it.

A single task lets the market advance every 100 ms and hands each frame, encoded once, to whoever subscribed.
`Link.send` is the one place that every outgoing frame passes through. A reader that does not keep up is cut
off once its buffer is full, as Binance does, so memory stays bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import TracebackType
from typing import Self

import websockets
from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from quantnb.errors import FeedError, InvalidSettingError
from quantnb.exchange.climate import SLOT_MS
from quantnb.exchange.listings import DEFAULT_UNIVERSE, find_listings
from quantnb.exchange.market import Market
from quantnb.exchange.protocol import Close, Conversation, Limits, Ping, StreamPath
from quantnb.exchange.publisher import Publisher
from quantnb.exchange.rest import PREFIX, Answer, Rest

__all__ = ["LocalExchange"]

DEFAULT_RATE = 25.0
LONGEST_CATCH_UP_MS = 120_000  # a loop blocked for longer finds a hole in the streams, and REST to fill it
CLOSE_TIMEOUT_S = 1.0
REQUESTS_BUFFERED = 256  # a flood must not hide the client's close frame behind it

logger = logging.getLogger("quantnb.exchange")
# A client that vanishes in its handshake is an error to websockets, and nothing to us.
handshake_logger = logging.getLogger("quantnb.exchange.handshake")
handshake_logger.setLevel(logging.CRITICAL)


class Link:
    """One connected client: its conversation and its socket."""

    def __init__(self, socket: ServerConnection, conversation: Conversation, limits: Limits) -> None:
        self.conversation = conversation
        self._socket = socket
        self._limits = limits
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, frame: str) -> None:
        """Send one text frame, now or never: this does not wait for the reader."""
        broadcast((self._socket,), frame)
        if self._socket.transport.get_write_buffer_size() > self._limits.write_buffer_bytes:
            self.abort()

    def abort(self) -> None:
        """Cut the connection without a closing handshake."""
        self._socket.transport.abort()

    def obey(self, due: Ping | Close) -> None:
        """Send a ping or a close frame, without waiting for its effect."""
        work = self._ping(due) if isinstance(due, Ping) else self._close(due)
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ping(self, ping: Ping) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            await (await self._socket.ping(ping.payload))
            self.conversation.receive_pong()

    async def _close(self, close: Close) -> None:
        await self._socket.close(close.code, close.reason)


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

    Raises
    ------
    InvalidSettingError
        For a symbol that is not listed, a negative seed, a rate that is not positive.
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
    ) -> None:
        if seed < 0:
            raise InvalidSettingError(f"The seed must be 0 or greater, not {seed}.")
        if not 0 < rate <= 10_000:
            raise InvalidSettingError(f"The rate must be above 0 and at most 10000 trades/s, not {rate}.")
        self.listings = find_listings(symbols)
        self.seed, self.rate, self.host, self.port = seed, rate, host, port
        self._limits = limits or Limits()
        self._clock_ns = clock_ns
        self._links: set[Link] = set()
        self._server: Server | None = None
        self._clockwork: asyncio.Task[None] | None = None
        self.market: Market  # the truth, from start() on
        self._publisher: Publisher
        self._rest: Rest

    @property
    def address(self) -> str:
        """Where clients connect, for WebSocket; REST is on the same host and port."""
        return f"ws://{self.host}:{self.port}"

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
        """
        if self._server is not None:
            return
        if not hasattr(self, "market"):  # stopped and started again, it is the same market at a later time
            self.market = Market(self.listings, seed=self.seed, rate=self.rate, start_ms=self._now_ms())
            self._publisher = Publisher(self.market)
            self._rest = Rest(self.market, self._limits)
        self._server = await self._listen()
        self.port = self._server.sockets[0].getsockname()[1]
        self._clockwork = asyncio.create_task(self._run(), name="quantnb exchange")

    async def stop(self) -> None:
        """Close every connection and the port; started again, the market has gone on meanwhile."""
        server, self._server = self._server, None
        clockwork, self._clockwork = self._clockwork, None
        if server is None or clockwork is None:
            return
        clockwork.cancel()
        server.close()
        await asyncio.wait((clockwork,))
        await server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _listen(self) -> Server:
        try:
            return await serve(
                self._converse,
                self.host,
                self.port,
                process_request=self._answer_request,
                compression=None,
                ping_interval=None,  # pings follow the exchange's own rules
                close_timeout=CLOSE_TIMEOUT_S,
                max_queue=REQUESTS_BUFFERED,
                logger=handshake_logger,
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
        return self._clock_ns() // 1_000_000

    def _answer_request(self, socket: ServerConnection, request: Request) -> Response | None:
        """Answer plain HTTP; None lets a WebSocket handshake go on."""
        if "Upgrade" in request.headers and StreamPath.parse(request.path):
            return None
        if request.path.startswith(PREFIX):
            return _response(self._rest.answer(request.path, self._now_ms()))
        return _response(Answer(404, b'{"code":-5000,"msg":"Nothing is served on this path."}'))

    async def _converse(self, socket: ServerConnection) -> None:
        """Hold one client's connection until it ends."""
        path = StreamPath.parse(socket.request.path) if socket.request else None
        if path is None:
            return  # such a request has been answered with 404 before the handshake
        conversation = Conversation(path, self._limits, self._publisher.route_of, self._now_ms())
        link = Link(socket, conversation, self._limits)
        self._links.add(link)
        try:
            answers, close = conversation.open()
            while close is None:
                self._send(link, answers)
                answers, close = conversation.receive(await socket.recv(), self._now_ms())
            self._send(link, answers)
            await socket.close(close.code, close.reason)
        except websockets.ConnectionClosed:
            pass
        except Exception:
            logger.exception("A client's connection ended by a fault of the local exchange")
            raise
        finally:
            self._links.discard(link)

    @staticmethod
    def _send(link: Link, answers: list[bytes]) -> None:
        for answer in answers:
            link.send(answer.decode())

    async def _run(self) -> None:
        """Advance the market slot by slot, for ever."""
        try:
            while True:
                now_ms = self._now_ms()
                first_ms = max(self.market.now_ms + SLOT_MS, now_ms - LONGEST_CATCH_UP_MS)
                for slot_ms in range(first_ms // SLOT_MS * SLOT_MS, now_ms + 1, SLOT_MS):
                    self.market.advance(slot_ms)
                    self._publish()
                    await asyncio.sleep(0)  # after a blocked loop there are many: let clients read between
                next_ms = self.market.now_ms + SLOT_MS
                await asyncio.sleep(max(next_ms - self._now_ms(), 1) / 1000)
        except Exception:
            logger.exception("The local exchange has stopped: its streams are silent from here on")

    def _publish(self) -> None:
        """Send this slot's frames to their subscribers, and what the time asks for."""
        listeners: dict[str, list[Link]] = {}
        for link in self._links:
            for name in link.conversation.delivered:
                listeners.setdefault(name, []).append(link)
        for name, payload in self._publisher.frames(listeners):
            raw = payload.decode()
            combined = f'{{"stream":"{name}","data":{raw}}}'
            for link in listeners[name]:
                link.send(combined if link.conversation.is_combined else raw)
        for link in tuple(self._links):
            if due := link.conversation.due(self.market.now_ms):
                link.obey(due)


def _response(answer: Answer) -> Response:
    headers = Headers(
        {
            "Content-Type": "application/json;charset=UTF-8",
            "Content-Length": str(len(answer.body)),
            "Connection": "close",
            **answer.headers,
        }
    )
    return Response(answer.status, HTTPStatus(answer.status).phrase, headers, answer.body)
