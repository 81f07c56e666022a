"""What a session listens to: one exchange at a time, the symbols it lists, and how it is doing.

Whatever ends the feed without being asked to (a view or the engine that raised, a task that somebody
cancelled) starts it again, with the same exchange and the same ledger, so that what was missed meanwhile is a
hole that gets repaired. What trying again cannot mend is shown, and the feed rests.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from quantnb.errors import FeedError, InvalidSettingError, QuantnbError
from quantnb.feed.health import Health
from quantnb.feed.ledger import Ledger
from quantnb.feed.symbols import not_listed
from quantnb.live.ban import Ban
from quantnb.live.choose import choose
from quantnb.live.client import Client
from quantnb.live.clock import SystemClock
from quantnb.live.failure import leaves
from quantnb.live.rest import Rest
from quantnb.venues import Venues

if TYPE_CHECKING:
    from quantnb.engine import Settings
    from quantnb.events import Event
    from quantnb.feed.routes import Endpoints
    from quantnb.feed.symbols import SymbolInfo
    from quantnb.live.choose import Choice
    from quantnb.live.universe import Access
    from quantnb.snapshot import Status

__all__ = ["Source"]

SYMBOLS_RETRY_S = 5.0
RESTART_AFTER_S = 0.5  # doubled with each restart that follows within a minute
RESTARTS = 10  # in a row, then the fault is there to stay
STEADY_S = 60.0

_log = logging.getLogger("quantnb")


class Source:
    """Chooses an exchange and holds the client to it.

    Parameters
    ----------
    settings : Settings
        What to watch; `use` changes it while the feed runs.
    on_event : callable
        Gets every event, from inside the event loop.
    on_listed : callable
        Called without arguments whenever `listed` has changed.
    on_exchange : callable
        Called without arguments when what is heard from now on comes from another exchange than before.

    Attributes
    ----------
    listed : dict of str to SymbolInfo
        The perpetuals that the exchange trades now; empty until it has said so.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        on_event: Callable[[Event], None],
        on_listed: Callable[[], None],
        on_exchange: Callable[[], None],
    ) -> None:
        self.listed: dict[str, SymbolInfo] = {}
        self._settings = settings
        self._on_event = on_event
        self._on_listed = on_listed
        self._on_exchange = on_exchange
        self._clock = SystemClock()
        self._health = Health()
        self._ledger = Ledger()
        self._endpoints: Endpoints | None = None  # of the newest client
        self._client: Client | None = None
        self._venues = Venues(self._clock)
        self._choice: Choice | None = None  # while it runs

    def now_ns(self) -> int:
        """Return the time of day here, ns since the epoch."""
        return self._clock.now().wall_ns

    def status(self, *, is_running: bool) -> Status:
        """Return how the exchange is doing."""
        return replace(
            self._health.status(self._clock.now(), is_running=is_running),
            holes=self._ledger.rows(),
            coverage=self._ledger.coverage(),
            history=self._client.recovery.progress() if self._client else "",
        )

    def note(self, text: str) -> None:
        """Show for a while that something happened."""
        self._health.note(text)

    def use(self, settings: Settings) -> None:
        """Watch what these settings ask for from now on, on the sockets that are open."""
        old, self._settings = self._settings, settings
        if self._client is None:
            for symbol in set(old.symbols) - set(settings.symbols):
                self._ledger.forget(symbol)
            return
        if settings.symbols != old.symbols:
            self._client.set_symbols(settings.symbols)
        self._client.plan(settings.timeframe, settings.window)

    def clear(self) -> None:
        """Forget which trades there were: what comes next is the first, and has no history."""
        for symbol in self._settings.symbols:
            self._ledger.forget(symbol)
        if self._client is not None:
            self._client.recovery.plan((), self._settings.timeframe, self._settings.window)

    def check_listed(self, symbols: Iterable[str]) -> None:
        """Raise for a symbol that the exchange does not trade, once it has said which ones it does."""
        for symbol in symbols:
            if self.listed and symbol not in self.listed:
                raise InvalidSettingError(not_listed(symbol, sorted(self.listed)))

    def forget(self) -> None:
        """Forget what the exchange listed: the next one is another."""
        self.listed = {}
        self._on_listed()

    async def run(self, feed: str) -> None:
        """Hold the feed until cancelled; whatever else ends it is shown in the status, never swallowed."""
        self._health.block("")
        self._health.begin_again()
        try:
            self._choice = await self._choose(feed)
            async with self._venues.open(self._choice) as endpoints:
                await self._supervise(endpoints, self._choice.reason)
        except QuantnbError as error:
            self._health.block(str(error))
        except Exception as error:
            _log.exception("the feed cannot be held")
            self._health.block(f"The feed ended with an error: {type(error).__name__}: {error}")
        finally:
            self._client = self._choice = None

    @contextlib.asynccontextmanager
    async def reach(self, feed: str) -> AsyncIterator[Access]:
        """Give access to REST of the exchange in use, or of the one that `run` would use.

        The feed may stop, or start, meanwhile.
        """
        async with self._venues.reach(self._choice or await self._choose(feed)) as access:
            yield access

    async def _choose(self, feed: str) -> Choice:
        """Return the exchange; one of Binance's that was in use stays, whether it can be reached or not."""
        if feed == "auto" and self._endpoints is not None and not self._endpoints.is_simulated:
            feed = self._endpoints.name
        return await choose(feed)

    async def _supervise(self, endpoints: Endpoints, reason: str) -> None:
        """Listen for ever, and begin again after a fault of our own."""
        self._meet(endpoints)
        self._health.use(endpoints, reason)
        n_restarts = 0
        while True:
            began_ns = self._clock.now().monotonic_ns
            try:
                await self._listen(endpoints)
            except QuantnbError:
                raise
            except Exception as error:
                _log.exception("the feed ended and is started again")
                what = f"{type(error).__name__}: {error}"
            is_steady = self._clock.now().monotonic_ns - began_ns > STEADY_S * 1e9
            n_restarts = 1 if is_steady else n_restarts + 1
            if n_restarts > RESTARTS:
                raise FeedError(f"The feed ended {RESTARTS} times in a row, the last time with {what}")
            self._health.note(f"The feed ended with {what}; it was started again.")
            self._ledger.connection_lost()
            await asyncio.sleep(min(RESTART_AFTER_S * 2 ** (n_restarts - 1), 30.0))

    def _meet(self, endpoints: Endpoints) -> None:
        """Start over where the exchange is not the one before: their trades do not belong together."""
        if self._endpoints is not None and self._endpoints.name != endpoints.name:
            self._ledger, self._health = Ledger(), Health()
            self._on_exchange()
        self._endpoints = endpoints

    async def _listen(self, endpoints: Endpoints) -> None:
        settings = self._settings
        ban, budget = self._venues.limits(endpoints)
        self._client = Client(
            endpoints,
            settings.symbols,
            on_event=self._on_event,
            clock=self._clock,
            health=self._health,
            ledger=self._ledger,
            ban=ban,
            budget=budget,
        )
        self._client.plan(settings.timeframe, settings.window)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._load_symbols(endpoints, ban), name="quantnb symbols")
                group.create_task(self._client.run(), name="quantnb client")
        except ExceptionGroup as error:
            raise next(leaves(error)) from error

    async def _load_symbols(self, endpoints: Endpoints, ban: Ban) -> None:
        """Ask which symbols there are until the exchange says it; the streams do not wait for it."""
        async with Rest(endpoints, ban=ban) as rest:
            while True:
                try:
                    listed = await rest.exchange_info()
                    break
                except FeedError:  # the client meets the same fault, and shows it
                    await asyncio.sleep(SYMBOLS_RETRY_S)
            self._list(listed, {})
            self.check_listed(self._settings.symbols)
            with contextlib.suppress(FeedError):  # then eight hours are assumed
                self._list(listed, await rest.funding_intervals_s())

    def _list(self, listed: Iterable[SymbolInfo], funding_intervals_s: Mapping[str, float]) -> None:
        self.listed = {
            info.symbol: msgspec.structs.replace(
                info, funding_interval_s=funding_intervals_s.get(info.symbol, info.funding_interval_s)
            )
            for info in listed
            if info.is_trading_perpetual
        }
        self._on_listed()
