"""A clock that stands still until it is told to go on."""

from __future__ import annotations

import asyncio
import heapq
import itertools

from quantnb.events import Instant

START_NS = 1_791_382_992_600_000_000


class ManualClock:
    """Both clocks; whoever sleeps is woken in the order of time as `advance` passes it."""

    def __init__(self) -> None:
        self.wall_ns = START_NS
        self.monotonic_ns = 1_000_000_000
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> Instant:
        return Instant(self.wall_ns, self.monotonic_ns)

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        at_ns = self.monotonic_ns + max(0, round(seconds * 1e9))
        heapq.heappush(self._sleepers, (at_ns, next(self._numbers), future))
        await future

    def go_on(self, seconds: float) -> None:
        """Let time pass for somebody who does not sleep."""
        self.wall_ns += round(seconds * 1e9)
        self.monotonic_ns += round(seconds * 1e9)

    async def is_slept_on(self) -> None:
        """Return once somebody sleeps: time that passes before would pass them by."""
        while all(future.done() for _, _, future in self._sleepers):
            await asyncio.sleep(0.001)

    async def advance(self, seconds: float) -> None:
        """Let time pass, and let everybody act at the moment of their waking."""
        end_ns = self.monotonic_ns + round(seconds * 1e9)
        while self._sleepers and self._sleepers[0][0] <= end_ns:
            at_ns, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                self.go_on(max(0, at_ns - self.monotonic_ns) / 1e9)
                future.set_result(None)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
        self.go_on(max(0, end_ns - self.monotonic_ns) / 1e9)
        await asyncio.sleep(0)
