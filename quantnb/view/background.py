"""What is too long for the event loop, which holds the live feed: a thread at a time, and rests between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["RESTS_PER_RUN", "REST_S", "Background"]

REST_S = 5.0
RESTS_PER_RUN = 20.0  # so that it takes at most a twentieth of the time, however long a run is

Result = TypeVar("Result")


class Background(Generic[Result]):
    """The newest result of a computation that is done again as its data grow.

    A chart offers the work whenever it is drawn. What is offered during a run or a rest is passed over, and
    ``on_news`` brings the chart back when the time has come; so a chart that nobody looks at, and therefore
    nobody draws, computes nothing.

    Parameters
    ----------
    on_news
        Called in the event loop when there is a result, and when what was passed over may be offered again.
    clock
        Seconds, monotonic.
    """

    def __init__(self, on_news: Callable[[], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._on_news = on_news
        self._clock = clock
        self._free_from_s = float("-inf")
        self._offered: tuple[Hashable, Hashable] = (None, None)
        self._running: asyncio.Task[Result] | None = None
        self._ended: asyncio.Task[Result] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    def offer(self, subject: Hashable, version: Hashable, work: Callable[[], Result]) -> None:
        """Run ``work`` in a thread, unless there is nothing new, one runs already, or it is time to rest.

        Parameters
        ----------
        subject
            What it is about; a viewer who asks for another is not made to wait for the rest.
        version
            Of the data.
        work
            Reads nothing that the event loop writes to.
        """
        if self._running is not None or (subject, version) == self._offered:
            return
        loop = asyncio.get_running_loop()
        rest_s = self._free_from_s - self._clock()
        if rest_s > 0 and subject == self._offered[0]:
            self._alarm = self._alarm or loop.call_later(rest_s, self._wake)
            return
        self._offered = subject, version
        self._running = loop.create_task(self._run(work), name="quantnb background")
        self._running.add_done_callback(self._end)

    def result(self) -> Result | None:
        """Return what the newest run gave; it raises what that run raised. None before the first."""
        return self._ended.result() if self._ended is not None else None

    def close(self) -> None:
        """Forget what runs and what waits."""
        if self._running is not None:
            self._running.remove_done_callback(self._end)
            self._running.cancel()
        if self._alarm is not None:
            self._alarm.cancel()

    async def _run(self, work: Callable[[], Result]) -> Result:
        start_s = self._clock()
        try:
            return await asyncio.to_thread(work)
        finally:
            now_s = self._clock()
            self._free_from_s = now_s + max(REST_S, RESTS_PER_RUN * (now_s - start_s))

    def _end(self, task: asyncio.Task[Result]) -> None:
        self._running = None
        if task.cancelled():  # by another cell of the notebook: it is offered again
            self._offered = self._offered[0], None
            return
        task.exception()  # is raised where the result is asked for
        self._ended = task
        self._on_news()

    def _wake(self) -> None:
        self._alarm = None
        self._on_news()
