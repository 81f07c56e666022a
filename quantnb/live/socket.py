"""One route's connection, held open for as long as its task lives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import NoReturn

from websockets.asyncio.client import ClientConnection, connect

from quantnb.errors import FeedError
from quantnb.events import Connected, Disconnected, Event, Malformed, Reply
from quantnb.feed.decode import decode
from quantnb.feed.reconnect import Reconnect
from quantnb.feed.routes import Endpoints, Route
from quantnb.feed.subscribe import Subscriptions
from quantnb.live.clock import Clock
from quantnb.live.failure import UnansweredError, failure_of, leaves

__all__ = ["Socket"]

OPEN_WITHIN_S = 10.0
CLOSE_WITHIN_S = 1.0
PING_EVERY_S = 5.0
PONG_WITHIN_S = 5.0
MAX_FRAME_BYTES = 8 * 2**20  # the largest real ones are some hundred kilobytes
MAX_FRAMES_WAITING = 1_024  # then reading pauses, and what comes waits in the kernel's buffers


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow no redirect: an exchange does not send its clients elsewhere."""
        return exc


class Socket:
    """Connects, subscribes, reads and reconnects.

    Parameters
    ----------
    endpoints : Endpoints
        The exchange.
    route : {"market", "public"}
        Which of its sockets.
    on_event : callable
        Gets every event, with `Connected` and `Disconnected` among them.
    clock : Clock
        Gives the time and waits.
    random : callable
        Uniform in [0, 1), for the jitter of delays.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        route: Route,
        *,
        on_event: Callable[[Event], None],
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self.route = route
        self.subscriptions = Subscriptions()
        self._endpoints = endpoints
        self._on_event = on_event
        self._clock = clock
        self._reconnect = Reconnect(random, endpoints.title)
        self._is_desire_new = asyncio.Event()
        self._n_frames = 0

    def desire(self, streams: Iterable[str]) -> None:
        """Set what shall be delivered; an open socket is told at once, at the exchange's pace."""
        self.subscriptions.desire(streams)
        self._is_desire_new.set()

    async def run(self) -> None:
        """Hold the connection until cancelled.

        Raises
        ------
        FeedError
            Where trying again cannot help; the message says why.
        """
        while True:
            try:
                await self._hold()
            except Exception as error:  # whatever is not the network's fault is raised again
                wait_s, reason = self._receive_failure(error)
            if wait_s is None:
                raise FeedError(reason)
            await self._clock.sleep(wait_s)

    def _receive_failure(self, error: Exception) -> tuple[float | None, str]:
        failures = []
        for each in leaves(error):
            failure = failure_of(each)
            if failure is None:
                raise each
            failures.append(failure)
        now = self._clock.now()
        wait_s, reason = self._reconnect.fail(failures[0], now)
        self._on_event(Disconnected(self.route, reason, wait_s, now))
        return wait_s, reason

    async def _hold(self) -> NoReturn:
        """Open one connection and serve it until it ends, which is always an exception."""
        connection = await _Connect(
            self._endpoints.socket_url(self.route),
            proxy=None if self._endpoints.is_simulated else True,  # this machine is not behind a proxy
            compression=None,
            open_timeout=OPEN_WITHIN_S,
            close_timeout=CLOSE_WITHIN_S,
            ping_interval=None,  # its keepalive gives up after a blocked loop, see `_ping`
            max_size=MAX_FRAME_BYTES,
            max_queue=MAX_FRAMES_WAITING,
        )
        try:
            self.subscriptions.start_over()
            self._on_event(Connected(self.route, self._clock.now()))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._subscribe(connection))
                group.create_task(self._ping(connection))
                await self._read(connection)
        finally:
            await connection.close()

    async def _read(self, connection: ClientConnection) -> NoReturn:
        while True:
            # As bytes: text that is not UTF-8 is the decoder's to report, and no reason to disconnect.
            frame = await connection.recv(decode=False)
            self._n_frames += 1
            now = self._clock.now()
            for event in decode(frame, now.wall_ns):
                if isinstance(event, Reply):
                    self.subscriptions.receive(event)
                elif not isinstance(event, Malformed):
                    self._reconnect.receive_data(now)
                self._on_event(event)

    async def _subscribe(self, connection: ClientConnection) -> NoReturn:
        while True:
            self._is_desire_new.clear()
            now = self._clock.now()
            message = self.subscriptions.next_message(now)
            if message is not None:
                await connection.send(message, text=True)
            at_ns = self.subscriptions.next_at_ns()
            wait_s = None if at_ns is None else max(0.0, (at_ns - now.monotonic_ns) / 1e9)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._is_desire_new.wait()

    async def _ping(self, connection: ClientConnection) -> NoReturn:
        """Find out when the other side is gone without a word."""
        while True:
            await self._clock.sleep(PING_EVERY_S)
            n_frames, asked_ns = self._n_frames, self._clock.now().monotonic_ns
            pong = asyncio.ensure_future(await connection.ping())
            await asyncio.wait([pong], timeout=PONG_WITHIN_S)
            waited_s = (self._clock.now().monotonic_ns - asked_ns) / 1e9
            # Where the loop itself was blocked, the answer may lie unread: ask again before giving up.
            was_blocked = waited_s > 2 * PONG_WITHIN_S
            if not pong.done() and self._n_frames == n_frames and not was_blocked:
                connection.transport.abort()
                raise UnansweredError
