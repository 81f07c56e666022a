"""Who watches: life signs of the browsers, and what follows when there are none.

Any message from any widget of ours in a browser is a life sign. Without one for ``UNWATCHED_S`` nobody is
sent anything more (each widget drops its own silent clients, see ``protocol``); without one for
``ABANDONED_S`` a kernel that Voilà started ends itself, because nobody else will end it: Voilà's closing
beacon is refused by its own server, and Jupyter never culls a kernel that talks. In JupyterLab a kernel
lives on.

Time is counted in beats of the event loop, so a cell that blocks the loop for a minute is not taken for
a minute without viewers: their signs wait in the socket meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import time
import weakref
from collections.abc import Callable
from functools import cache

from quantnb.view.outbox import Outbox

__all__ = ["ABANDONED_S", "BEAT_S", "UNWATCHED_S", "Lease", "kernel_lease"]

BEAT_S = 1.0
UNWATCHED_S = 15.0
ABANDONED_S = 50.0  # the server needs some seconds more; gone within a minute is the promise


class Lease:
    """The viewers of one kernel, taken together.

    Parameters
    ----------
    on_abandoned
        Called once when nobody has watched for ``ABANDONED_S``.
    ends_unseen
        Whether that counts before the first viewer too. False in a kernel that waits in Voilà's pool.
    clock
        Seconds, monotonic.
    """

    def __init__(
        self,
        on_abandoned: Callable[[], None] = lambda: None,
        *,
        ends_unseen: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.awake_s = 0.0  # time in which the event loop was free to hear anyone
        self.outbox = Outbox(clock)
        self._on_abandoned = on_abandoned
        self._ends_unseen = ends_unseen
        self._clock = clock
        self._beaten_s = clock()
        self._signed_s: float | None = None
        self._ended = False
        self._on_viewer: list[Callable[[], None]] = []
        self._on_beat: list[weakref.WeakMethod[Callable[[], None]]] = []
        self._enrolled: weakref.WeakValueDictionary[int, object] = weakref.WeakValueDictionary()
        self._n_enrolled = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arm()

    @property
    def is_watched(self) -> bool:
        """Whether a viewer gave a life sign within ``UNWATCHED_S``."""
        return self._signed_s is not None and self.awake_s - self._signed_s < UNWATCHED_S

    def sign(self) -> None:
        """Note a life sign from some browser."""
        self._signed_s = self.awake_s
        self._arm()
        waiting, self._on_viewer = self._on_viewer, []
        for callback in waiting:
            callback()

    def on_viewer(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once, at the next life sign: the feed starts with its first viewer."""
        self._on_viewer.append(callback)

    def on_beat(self, method: Callable[[], None]) -> None:
        """Call a bound method at every beat, for as long as its object lives."""
        self._on_beat.append(weakref.WeakMethod(method))

    def enroll(self, widget: object) -> int:
        """Return a number by which a browser's answers find this widget, for as long as it lives."""
        self._n_enrolled += 1
        self._enrolled[self._n_enrolled] = widget
        return self._n_enrolled

    def enrolled(self, number: int) -> object | None:
        """Return the widget of a number."""
        return self._enrolled.get(number)

    def beat(self) -> None:
        """Let one beat pass; the event loop does this every ``BEAT_S``."""
        now_s = self._clock()
        self.awake_s += min(now_s - self._beaten_s, 2 * BEAT_S)
        self._beaten_s = now_s
        for reference in tuple(self._on_beat):
            method = reference()
            if method is None:
                self._on_beat.remove(reference)
            else:
                method()
        self.outbox.flush()
        self._end_if_abandoned()

    def _end_if_abandoned(self) -> None:
        since_s = (
            self._signed_s if self._signed_s is not None else (0.0 if self._ends_unseen else self.awake_s)
        )
        if not self._ended and self.awake_s - since_s >= ABANDONED_S:
            self._ended = True
            self._on_abandoned()

    def _arm(self) -> None:
        """Start beating, when there is a loop to beat in; in a plain script there is none, and no browser."""
        if self._loop is None or self._loop.is_closed():
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:
                return
            self._loop.call_later(BEAT_S, self._run)

    def _run(self) -> None:
        if self._loop is not None:
            self._loop.call_later(BEAT_S, self._run)  # first, so that an error in a beat does not stop them
        self.beat()


@cache
def kernel_lease() -> Lease:
    """Return the lease of this kernel, which all its widgets share."""
    return Lease(_end_if_voila, ends_unseen=os.environ.get("VOILA_PREHEAT") != "True")


def _end_if_voila() -> None:
    from quantnb.view.kernel import end_kernel, started_by_voila

    if started_by_voila():
        end_kernel()
