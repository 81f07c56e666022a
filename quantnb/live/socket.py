"""One route's connection, held open for as long as its task lives, and replaced before it ends.

Make before break: a connection that is due for renewal (it grows old, the exchange is about to shut down, it
is silent, the computer slept) goes on delivering while the next one opens, subscribes and shows its first
data. What the next one says is held back until the old one has said its last; the ids that both brought are
the ledger's to sort out. So the order of trades is kept and there is no hole. ::

    old   ──T1──T2──T3──T4──T5──┤ closed
    new        │ opens ──T3──T4──T5──T6──▶      handed out: T1 T2 T3 T4 T5 (T3 T4 T5: duplicates) T6
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn

from quantnb.errors import FeedError
from quantnb.events import Connected, Disconnected, Event
from quantnb.feed.reconnect import Failure, Reconnect, ban_s
from quantnb.feed.routes import Endpoints, Route
from quantnb.live.ban import Ban
from quantnb.live.clock import Clock
from quantnb.live.connection import Connection
from quantnb.live.failure import failure_of, leaves
from quantnb.live.tasks import finished, first, give_up

__all__ = ["ROTATE_AFTER_S", "Socket"]

ROTATE_AFTER_S = 85_800.0  # 23 h 50 min; the exchange closes after 24 h
ROTATION_JITTER = 0.007  # earlier by up to so much (10 min), so that not all sockets do it together
READY_WITHIN_S = 10.0
# An exchange that announces the end of a connection as soon as it is open does so with the next one, too.
HASTY_S, HASTY_WAIT_S = 1.0, 30.0
BLOCKED_RETRY_S = 60.0  # a renewal that trying again cannot mend, while the old connection still delivers

_log = logging.getLogger("quantnb")


@dataclass(frozen=True, slots=True)
class _Renewal:
    reason: str
    is_unrouted: bool = False  # tried once


class Socket:
    """Connects, renews and reconnects.

    Parameters
    ----------
    endpoints : Endpoints
        The exchange.
    route : {"market", "public"}
        Which of its routes.
    on_event : callable
        Gets every event, with `Connected` and `Disconnected` among them; a renewal is neither.
    clock : Clock
        Gives the time and waits.
    random : callable
        Uniform in [0, 1), for the jitter of delays.
    ban : Ban
        Asked before every handshake, and set by a refusal.
    rotate_after_s : float
        Greatest age of a connection.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        route: Route,
        *,
        on_event: Callable[[Event], None],
        clock: Clock,
        random: Callable[[], float],
        ban: Ban,
        rotate_after_s: float = ROTATE_AFTER_S,
    ) -> None:
        self.route = route
        self._endpoints = endpoints
        self._on_event = on_event
        self._clock = clock
        self._random = random
        self._ban = ban
        self._rotate_after_s = rotate_after_s
        self._reconnect = Reconnect(random, endpoints.title)
        self._streams: frozenset[str] = frozenset()
        self._serving: Connection | None = None
        self._rising: Connection | None = None
        self._renewal: _Renewal | None = None
        self._is_renewal_asked = asyncio.Event()
        self._is_woken = asyncio.Event()

    def desire(self, streams: Iterable[str]) -> None:
        """Set what shall be delivered; an open connection is told at once, at the exchange's pace."""
        self._streams = frozenset(streams)
        for connection in filter(None, (self._serving, self._rising)):
            connection.subscriptions.desire(self._streams)
            connection.tell()

    def resubscribe(self, streams: Iterable[str]) -> None:
        """Give up these streams on the open connection and ask for them again."""
        if self._serving is not None:
            self._serving.subscriptions.repeat(streams)
            self._serving.tell()

    def renew(self, reason: str, *, is_unrouted: bool = False) -> None:
        """Replace the open connection by a new one; by the path without a route that is tried once."""
        if self._serving is not None and self._serving.opened and self._rising is None:
            self._renewal = _Renewal(reason, is_unrouted)
            self._is_renewal_asked.set()

    def wake(self) -> None:
        """Renew the connection, or try again now: this computer slept, and the network is another one."""
        self.renew("this computer slept")
        if not self._reconnect.is_told_to_wait:
            self._reconnect.forget()
            self._is_woken.set()

    async def run(self) -> None:
        """Hold the route until cancelled.

        Raises
        ------
        FeedError
            Where trying again cannot help; the message says why.
        """
        while True:
            await self._sit_out_ban()
            self._serving = self._connection()
            try:
                await self._hold()
            except Exception as error:  # whatever is not the network's fault is raised again
                wait_s, reason = self._judge(error, self._current())
            finally:
                serving, self._serving = self._serving, None
                await serving.stop()
            self._on_event(Disconnected(self.route, reason, wait_s, self._clock.now()))
            if wait_s is None:
                raise FeedError(reason)
            self._is_woken.clear()
            await first(None, self._clock.sleep(wait_s), self._is_woken.wait())

    async def _sit_out_ban(self) -> None:
        while (wait_s := self._ban.remaining_s()) > 0:
            self._on_event(Disconnected(self.route, self._ban.reason, wait_s, self._clock.now()))
            await self._clock.sleep(wait_s)

    def _connection(self, *, is_held: bool = False, is_unrouted: bool = False) -> Connection:
        return Connection(
            self._endpoints.socket_url(self.route, is_unrouted=is_unrouted),
            self._streams,
            on_event=self._on_event,
            on_ending=self._is_renewal_asked.set,
            clock=self._clock,
            uses_proxy=not self._endpoints.is_simulated,  # this machine is not behind a proxy
            is_held=is_held,
        )

    def _judge(self, error: Exception, connection: Connection) -> tuple[float | None, str]:
        """Return the wait after a failure, and a sentence; raise what is not the network's fault."""
        failures: list[Failure] = []
        for each in leaves(error):
            failure = failure_of(each)
            if failure is None:
                raise each
            failures.append(failure)
        wait_s, reason = self._reconnect.fail(failures[0], self._clock.now(), connection.trial)
        pause_s = ban_s(failures[0])
        if pause_s is not None:
            self._ban.set(pause_s, reason)
        return wait_s, reason

    async def _hold(self) -> NoReturn:
        """Open a connection and keep it young, until one ends unasked, which is always an exception."""
        at = await self._current().open()
        self._on_event(Connected(self.route, at))
        while True:
            renewal = await self._until_due()
            _log.info("/%s gets a new connection: %s", self.route, renewal.reason)
            retry_s = await self._replace(renewal)
            while retry_s is not None and not renewal.is_unrouted:
                await first(self._current().task, self._clock.sleep(retry_s))
                retry_s = await self._replace(renewal)

    def _current(self) -> Connection:
        if self._serving is None:
            raise RuntimeError("A socket has a connection while it is held.")
        return self._serving

    async def _until_due(self) -> _Renewal:
        """Wait until the connection has to be replaced."""
        connection = self._current()
        opened_ns = connection.opened.monotonic_ns if connection.opened else 0
        most_s = self._rotate_after_s * (1.0 - ROTATION_JITTER * self._random())
        self._renewal = None
        while self._renewal is None:
            self._is_renewal_asked.clear()
            age_s = (self._clock.now().monotonic_ns - opened_ns) / 1e9
            if connection.is_ending:
                most_s = min(most_s, HASTY_WAIT_S if age_s < HASTY_S else 0.0)
            left_s = most_s - age_s
            if left_s <= 0:
                return _Renewal("the old one comes to its end")
            await first(connection.task, self._clock.sleep(left_s), self._is_renewal_asked.wait())
        return self._renewal

    async def _replace(self, renewal: _Renewal) -> float | None:
        """Put a new connection in the place of the one that delivers.

        Returns None when that is done, and else the wait until it may be tried again. The old one's end is
        raised: then there is nothing to replace.
        """
        old, new = self._current(), self._connection(is_held=True, is_unrouted=renewal.is_unrouted)
        self._rising = new
        rise = asyncio.create_task(self._rise(new))
        try:
            await first(old.task, finished(rise))
            if not (await rise or self._is_better(new, old, renewal)):
                raise TimeoutError
            self._serving = new
            await old.finish()
            new.release()
        except Exception as error:
            if self._serving is new or old.task.done():
                raise
            wait_s, _ = self._judge(error, new)
            return BLOCKED_RETRY_S if wait_s is None else wait_s
        finally:
            self._rising = None
            await give_up(rise)
            await (old if self._serving is new else new).stop()
        return None

    @staticmethod
    def _is_better(new: Connection, old: Connection, renewal: _Renewal) -> bool:
        """Return whether a connection that is not proved yet should take over, once its time is up."""
        if new.opened is None or renewal.is_unrouted:
            return False
        return new.has_data_since(new.opened) or not old.has_data_since(new.opened)

    async def _rise(self, connection: Connection) -> bool:
        """Open a connection; return whether it delivers."""
        while (wait_s := self._ban.remaining_s()) > 0:
            await self._clock.sleep(wait_s)
        await connection.open()
        return await connection.prove(READY_WITHIN_S)
