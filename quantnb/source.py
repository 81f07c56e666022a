"""What a session listens to: one exchange at a time, the symbols it lists, and how it is doing."""

from __future__ import annotations

import asyncio
import difflib
import logging
import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from quantnb.errors import FeedError, InvalidSettingError, QuantnbError
from quantnb.feed.health import Health
from quantnb.feed.routes import Endpoints
from quantnb.live.choose import choose
from quantnb.live.client import Client
from quantnb.live.clock import SystemClock
from quantnb.live.failure import leaves
from quantnb.live.rest import Rest

if TYPE_CHECKING:
    from quantnb.events import Event
    from quantnb.exchange import LocalExchange
    from quantnb.live.rest import SymbolInfo
    from quantnb.snapshot import Status

__all__ = ["Source"]

SYMBOLS_RETRY_S = 5.0

_log = logging.getLogger("quantnb")


class Source:
    """Chooses an exchange and holds the client to it.

    Parameters
    ----------
    on_event : callable
        Gets every event, from inside the event loop.
    on_listed : callable
        Called without arguments whenever `listed` has changed.

    Attributes
    ----------
    listed : dict of str to SymbolInfo
        The perpetuals that the exchange trades now; empty until it has said so.
    """

    def __init__(self, on_event: Callable[[Event], None], on_listed: Callable[[], None]) -> None:
        self.listed: dict[str, SymbolInfo] = {}
        self._on_event = on_event
        self._on_listed = on_listed
        self._clock = SystemClock()
        self._health = Health()
        self._symbols: tuple[str, ...] = ()
        self._client: Client | None = None
        self._exchange: LocalExchange | None = None

    def now_ns(self) -> int:
        """Return the time of day here, ns since the epoch."""
        return self._clock.now().wall_ns

    def status(self, *, is_running: bool) -> Status:
        """Return how the exchange is doing."""
        return self._health.status(self._clock.now(), is_running=is_running)

    def set_symbols(self, symbols: tuple[str, ...]) -> None:
        """Watch these symbols from now on, on the sockets that are open."""
        self._symbols = symbols
        if self._client is not None:
            self._client.set_symbols(symbols)

    def check_listed(self, symbols: Iterable[str]) -> None:
        """Raise for a symbol that the exchange does not trade, once it has said which ones it does."""
        for symbol in symbols:
            if self.listed and symbol not in self.listed:
                raise InvalidSettingError(_not_listed(symbol, sorted(self.listed)))

    async def run(self, feed: str, symbols: tuple[str, ...]) -> None:
        """Hold the feed until cancelled; whatever else ends it is shown in the status, never swallowed."""
        self._health = Health()
        self._symbols = symbols
        try:
            await self._hold(feed)
        except QuantnbError as error:
            self._health.block(str(error))
        except Exception as error:
            _log.exception("the feed ended")
            self._health.block(f"The feed ended with an error: {type(error).__name__}: {error}")
        finally:
            self._client = None

    def forget(self) -> None:
        """Forget what the exchange listed: the next one is another."""
        self.listed = {}
        self._on_listed()

    async def _hold(self, feed: str) -> None:
        choice = await choose(feed)
        if choice.endpoints is not None:
            await self._listen(choice.endpoints, choice.reason)
            return
        async with self._local_exchange() as exchange:
            endpoints = msgspec.structs.replace(Endpoints.at(exchange.address), name="sim")
            await self._listen(endpoints, choice.reason)

    def _local_exchange(self) -> LocalExchange:
        """Make the local exchange, once a session: stopped and started again it is the same market."""
        if self._exchange is None:
            from quantnb.exchange import LocalExchange

            self._exchange = LocalExchange(seed=random.SystemRandom().randrange(2**32))
        return self._exchange

    async def _listen(self, endpoints: Endpoints, reason: str) -> None:
        self._health.use(endpoints, reason)
        self._client = Client(endpoints, self._symbols, on_event=self._receive, clock=self._clock)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._load_symbols(endpoints), name="quantnb symbols")
                group.create_task(self._client.run(), name="quantnb client")
        except ExceptionGroup as error:
            raise next(leaves(error)) from error

    async def _load_symbols(self, endpoints: Endpoints) -> None:
        """Ask which symbols there are until the exchange says it; the streams do not wait for it."""
        async with Rest(endpoints) as rest:
            while True:
                try:
                    listed = await rest.exchange_info()
                    break
                except FeedError:  # the client meets the same fault, and shows it
                    await asyncio.sleep(SYMBOLS_RETRY_S)
        self.listed = {info.symbol: info for info in listed if info.is_trading_perpetual}
        self._on_listed()
        self.check_listed(self._symbols)

    def _receive(self, event: Event) -> None:
        self._health.receive(event)
        self._on_event(event)


def _not_listed(symbol: str, listed: list[str]) -> str:
    near = difflib.get_close_matches(symbol.upper(), listed, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it lists {', '.join(listed[:5])} and more."
    return f"{symbol} is not traded on this exchange; {hint}"
