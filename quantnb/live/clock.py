"""Time, as something that is handed in."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from quantnb.events import Instant

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Reads both clocks and waits."""

    def now(self) -> Instant:
        """Return the wall's and the monotonic clock's reading."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The clocks of the machine."""

    def now(self) -> Instant:
        """Return the wall's and the monotonic clock's reading."""
        return Instant(time.time_ns(), time.monotonic_ns())

    async def sleep(self, seconds: float) -> None:
        """Wait in the running event loop."""
        await asyncio.sleep(seconds)
