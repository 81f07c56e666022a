"""The client of one exchange: two sockets, one order of trades, one stream of events."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable

from quantnb.events import Disconnected, Event, Trade
from quantnb.feed.order import TradeOrder
from quantnb.feed.routes import MARKET, ROUTES, Endpoints, streams
from quantnb.feed.unused import Ignored
from quantnb.live.clock import Clock, SystemClock
from quantnb.live.failure import leaves
from quantnb.live.socket import Socket

__all__ = ["Client"]


class Client:
    """Watches symbols until its task is cancelled.

    Parameters
    ----------
    endpoints : Endpoints
        The exchange.
    symbols : iterable of str
        What to watch; `set_symbols` changes it on the open sockets.
    on_event : callable
        Gets every event in order of arrival, from inside the event loop; it must not block. Trades of a
        symbol come in the order of their ids, a `Gap` before the trade that reveals it. What it raises
        ends the client.
    clock : Clock, optional
        This machine's clocks where not given.
    random : callable, optional
        Uniform in [0, 1), for the jitter of delays.

    Raises
    ------
    InvalidSettingError
        For more symbols than one connection carries.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        symbols: Iterable[str],
        *,
        on_event: Callable[[Event], None],
        clock: Clock | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        self.endpoints = endpoints
        self._on_event = on_event
        self._order = TradeOrder()
        self._symbols: frozenset[str] = frozenset()
        self._sockets = [
            Socket(endpoints, route, on_event=self._receive, clock=clock or SystemClock(), random=random)
            for route in ROUTES
        ]
        self.set_symbols(symbols)

    def set_symbols(self, symbols: Iterable[str]) -> None:
        """Watch these symbols from now on."""
        wanted = tuple(symbols)
        for socket in self._sockets:
            socket.desire(streams(socket.route, wanted))
        for symbol in self._symbols.difference(wanted):
            self._order.forget(symbol)
        self._symbols = frozenset(wanted)

    async def run(self) -> None:
        """Hold the connections until cancelled; afterwards no task and no socket is left.

        Raises
        ------
        FeedError
            Where trying again cannot help; the message says why.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for socket in self._sockets:
                    group.create_task(socket.run(), name=f"quantnb /{socket.route}")
        except ExceptionGroup as error:
            raise next(leaves(error)) from error

    def _receive(self, event: Event) -> None:
        if isinstance(event, Trade):
            for each in self._check(event):
                self._on_event(each)
            return
        if isinstance(event, Disconnected) and event.route == MARKET:
            self._order.connection_lost()
        self._on_event(event)

    def _check(self, trade: Trade) -> tuple[Event, ...]:
        if trade.symbol in self._symbols:
            return self._order.receive(trade)
        # It was on its way when its stream was given up. Its id must not start a ledger: were the symbol
        # watched again, the time between would look like a loss.
        return (Ignored("a trade of a symbol that is not watched", b"", trade.receive_ns),)
