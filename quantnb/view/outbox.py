"""Whose turn it is to send: one queue for the whole kernel, at most ``RATE_PER_S`` messages a second.

Jupyter Server drops widget messages silently above 1,000 a second. What waits here is not a message but
the right to send one, so it is computed when its turn comes and then holds the newest data; asking twice is
asking once, and first come is first served, so that many tabs slow all widgets alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable

__all__ = ["BURST", "RATE_PER_S", "Outbox"]

RATE_PER_S = 50.0
BURST = 25


class Outbox:
    """A queue of senders and a token bucket.

    Parameters
    ----------
    clock
        Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: dict[Hashable, Callable[[], bool]] = {}
        self._tokens = float(BURST)
        self._filled_s = clock()
        self._timer: asyncio.TimerHandle | None = None

    def put(self, key: Hashable, send: Callable[[], bool]) -> None:
        """Queue ``send`` under ``key`` unless it waits already; it returns whether it sent anything."""
        self._waiting.setdefault(key, send)
        self.flush()

    def flush(self) -> None:
        """Send what may be sent now; the rest follows by itself."""
        now_s = self._clock()
        self._tokens = min(float(BURST), self._tokens + (now_s - self._filled_s) * RATE_PER_S)
        self._filled_s = now_s
        while self._waiting and self._tokens >= 1:
            send = self._waiting.pop(next(iter(self._waiting)))
            self._tokens -= send()
        if self._waiting:
            self._continue_later()

    def _continue_later(self) -> None:
        if self._timer is not None and not self._timer.cancelled() and self._timer.when() > self._clock():
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop, no timer: the next put or beat goes on
            return
        self._timer = loop.call_later(2 / RATE_PER_S, self.flush)
