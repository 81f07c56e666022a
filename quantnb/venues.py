"""The exchanges that a session may talk to: the local one, and what all of ours that ask one exchange share.

The stream, the repair and a scan come and go one without the other; the exchange counts them as one. So the
local exchange runs while any of them uses it, and request weight and bans are kept here.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from quantnb.feed.budget import Budget
from quantnb.feed.routes import Endpoints
from quantnb.live.ban import Ban
from quantnb.live.rest import Rest
from quantnb.live.shared import Shared
from quantnb.live.universe import Access

if TYPE_CHECKING:
    from quantnb.exchange import LocalExchange
    from quantnb.live.choose import Choice
    from quantnb.live.clock import Clock

__all__ = ["Venues"]


class Venues:
    """Opens exchanges.

    Parameters
    ----------
    clock : Clock
        Gives the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._local: Shared[LocalExchange] | None = None
        self._limits: dict[str, tuple[Ban, Budget]] = {}

    @asynccontextmanager
    async def open(self, choice: Choice) -> AsyncIterator[Endpoints]:
        """Give where the exchange listens; the local one runs meanwhile."""
        if choice.endpoints is not None:
            yield choice.endpoints
            return
        async with self._local_exchange() as exchange:
            yield msgspec.structs.replace(Endpoints.at(exchange.address), name="sim")

    @asynccontextmanager
    async def reach(self, choice: Choice) -> AsyncIterator[Access]:
        """Give access to the exchange's REST side."""
        async with self.open(choice) as endpoints:
            ban, budget = self.limits(endpoints)
            async with Rest(endpoints, clock=self._clock, ban=ban) as rest:
                yield Access(endpoints, rest, budget, ban, self._clock)

    def limits(self, endpoints: Endpoints) -> tuple[Ban, Budget]:
        """Return what tells when an exchange may be asked, one for all who ask it."""
        if endpoints.name not in self._limits:
            self._limits[endpoints.name] = Ban.of(endpoints, self._clock), Budget()
        return self._limits[endpoints.name]

    def _local_exchange(self) -> Shared[LocalExchange]:
        """Make the local exchange, once a session: stopped and started again it is the same market."""
        if self._local is None:
            from quantnb.exchange import LocalExchange

            self._local = Shared(LocalExchange(seed=random.SystemRandom().randrange(2**32)))
        return self._local
