"""One connection, from its handshake to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import NoReturn

from websockets.exceptions import ConnectionClosed

from quantnb.events import Event, Instant, Malformed, Reply, Trade
from quantnb.feed.decode import decode_all
from quantnb.feed.reconnect import Trial
from quantnb.feed.subscribe import Subscriptions
from quantnb.feed.unused import Ignored
from quantnb.live.clock import Clock
from quantnb.live.failure import UnansweredError, failure_of, leaves
from quantnb.live.tasks import first, give_up
from quantnb.live.transport import Limits, Transport, open_transport

__all__ = ["Connection"]

OPEN_WITHIN_S = 8.0
CLOSE_WITHIN_S = 1.0
LOOK_EVERY_S = 0.5
PING_AFTER_S = 4.0  # of silence
LOST_AFTER_S = 8.5  # of silence; with the time between looks, within ten seconds of the last sign of life
MAX_FRAME_BYTES = 8 * 2**20  # the largest real ones are some hundred kilobytes
MAX_FRAMES_WAITING = 1_024  # then reading pauses, and what comes waits in the kernel's buffers
MAX_EVENTS_HELD = 50_000


class Connection:
    """Opens, subscribes and reads, until it is closed or lost.

    Parameters
    ----------
    url : str
        Where it opens.
    streams : iterable of str
        What it subscribes to; ``subscriptions.desire`` and `tell` change it.
    on_event : callable
        Gets every event.
    on_ending : callable
        Called without arguments where the exchange has said that it will close this connection soon.
    clock : Clock
        Gives the time and waits.
    uses_proxy : bool
        Whether the proxy that the environment names is asked.
    is_held : bool
        Keep the events until `release`: another connection still delivers, and what it says comes first.

    Attributes
    ----------
    trial : Trial
        What it has proved so far.
    opened : Instant or None
        When its handshake succeeded.
    is_ending : bool
        The exchange has said that it will close it soon.
    """

    def __init__(
        self,
        url: str,
        streams: Iterable[str],
        *,
        on_event: Callable[[Event], None],
        on_ending: Callable[[], None],
        clock: Clock,
        uses_proxy: bool,
        is_held: bool = False,
    ) -> None:
        self.subscriptions = Subscriptions(streams)
        self.trial = Trial()
        self.opened: Instant | None = None
        self.is_ending = False
        self._url = url
        self._uses_proxy = uses_proxy
        self._on_event = on_event
        self._on_ending = on_ending
        self._clock = clock
        self._held: list[Event] | None = [] if is_held else None
        self._is_news = asyncio.Event()  # there is something to tell the exchange
        self._is_ready = asyncio.Event()
        self._n_heard = 0  # frames and pongs
        self._data_ns: int | None = None
        self._socket: Transport | None = None
        self._task: asyncio.Task[NoReturn] | None = None

    @property
    def task(self) -> asyncio.Task[NoReturn]:
        """The task that serves it once it is open; it ends with the exception that ended the connection."""
        if self._task is None:
            raise RuntimeError("A connection is served once it is open.")
        return self._task

    def has_data_since(self, instant: Instant) -> bool:
        """Return whether data have come since then."""
        return self._data_ns is not None and self._data_ns > instant.monotonic_ns

    async def open(self) -> Instant:
        """Connect and begin to subscribe and to read; return when the handshake succeeded."""
        limits = Limits(OPEN_WITHIN_S, CLOSE_WITHIN_S, MAX_FRAME_BYTES, MAX_FRAMES_WAITING)
        self._socket = await open_transport(self._url, limits, uses_proxy=self._uses_proxy)
        self.trial.open()
        self.opened = self._clock.now()
        self._task = asyncio.create_task(self._serve(self._socket), name=f"quantnb {self._url}")
        return self.opened

    def tell(self) -> None:
        """Have the exchange told what has changed in the subscriptions."""
        self._is_news.set()

    async def prove(self, within_s: float) -> bool:
        """Return whether data come on all that was asked for; raise what ended it before."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await first(self.task, self._is_ready.wait())
        return self._is_ready.is_set()

    def release(self) -> None:
        """Hand out what was held, and everything from now on."""
        held, self._held = self._held, None
        for event in held or ():
            self._on_event(event)

    async def finish(self) -> None:
        """Say goodbye, after reading what the exchange had sent before it heard that.

        Raises whatever was not the network's fault.
        """
        if self._socket is not None:
            await self._socket.close()
            await asyncio.wait({self.task})
            _raise_own(self.task)

    async def stop(self) -> None:
        """Close it at once; what it has not handed out is lost."""
        if self._task is not None:
            await give_up(self._task)
        if self._socket is not None:
            await self._socket.close()

    async def _serve(self, socket: Transport) -> NoReturn:
        """Serve until it ends, which is always an exception."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._subscribe(socket))
            group.create_task(self._watch(socket, group))
            await self._read(socket)

    async def _read(self, socket: Transport) -> NoReturn:
        while True:
            # As bytes: text that is not UTF-8 is the decoder's to report, and no reason to disconnect.
            frames = await socket.receive()
            self._n_heard += len(frames)
            now = self._clock.now()  # of all that were read from the socket together
            for event in decode_all(frames, now.wall_ns):
                self._receive(event, now)

    def _receive(self, event: Event, now: Instant) -> None:
        if type(event) is Trade and self._data_ns == now.monotonic_ns and self._held is None:
            self._on_event(event)  # nearly all of them: not the first of those read together, see `_read`
            return
        if isinstance(event, Reply):
            self.subscriptions.receive(event)
        elif isinstance(event, Ignored) and "serverShutdown" in event.reason:
            self.is_ending = True
            self._on_ending()
        elif not isinstance(event, Malformed):
            self._receive_data(now)
        if self._held is None:
            self._on_event(event)
            return
        self._held.append(event)
        if len(self._held) >= MAX_EVENTS_HELD:
            self._is_ready.set()

    def _receive_data(self, now: Instant) -> None:
        self.trial.receive_data(now)
        self._data_ns = now.monotonic_ns
        if self.subscriptions.is_settled:
            self._is_ready.set()

    async def _subscribe(self, socket: Transport) -> None:
        with contextlib.suppress(ConnectionClosed):  # which `_read` finds too, once it has read the rest
            while True:
                self._is_news.clear()
                now = self._clock.now()
                message = self.subscriptions.next_message(now)
                if message is not None:
                    await socket.send_text(message)
                at_ns = self.subscriptions.next_at_ns()
                wait_s = None if at_ns is None else max(0.0, (at_ns - now.monotonic_ns) / 1e9)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._is_news.wait()

    async def _watch(self, socket: Transport, group: asyncio.TaskGroup) -> NoReturn:
        """Find out when the other side is gone without a word.

        Silence is counted in looks: while the loop itself was blocked, an answer may lie unread, and that
        time is not held against the exchange.
        """
        silence_s, n_heard = 0.0, self._n_heard
        ping: asyncio.Task[None] | None = None
        looked_ns = self._clock.now().monotonic_ns
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            now_ns = self._clock.now().monotonic_ns
            silence_s += min((now_ns - looked_ns) / 1e9, 2 * LOOK_EVERY_S)
            looked_ns = now_ns
            if self._n_heard != n_heard:
                silence_s, n_heard = 0.0, self._n_heard
            if silence_s >= LOST_AFTER_S:
                socket.abort()
                raise UnansweredError
            if silence_s >= PING_AFTER_S and (ping is None or ping.done()):
                ping = group.create_task(self._ping(socket))

    async def _ping(self, socket: Transport) -> None:
        with contextlib.suppress(ConnectionClosed):
            await socket.ask()
            self._n_heard += 1


def _raise_own(task: asyncio.Task[NoReturn]) -> None:
    """Raise what ended a task, where it was not the network's fault."""
    error = task.exception()
    for each in leaves(error) if error is not None else ():
        if failure_of(each) is None:
            raise each
