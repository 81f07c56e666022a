"""Whose turn it is to send: one queue for the whole kernel, at most ``RATE_PER_S`` messages a second.

Jupyter Server drops widget messages silently above 1,000 a second. What waits here is not a message but
the right to write one, so it is written when its turn comes and then holds the newest data; asking twice is
asking once, and first come is first served, so that many tabs slow all widgets alike.

Every message costs the kernel, the server and the browser some ten times what is in it, and a browser that
hears of one bar in eight messages draws it in eight frames. So the letters to one page that are written in
the same turn of the loop travel in one message, which any of the page's widgets carries::

    {"letters": [[sender, content, number of buffers], …]} + all buffers

``static/protocol.js`` hands each to its widget, and the answers come back in one message too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

__all__ = ["BURST", "RATE_PER_S", "Letter", "Outbox"]

RATE_PER_S = 50.0
BURST = 25

Send = Callable[[Mapping[str, Any], Sequence[bytes | memoryview]], None]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to one browser that is not sent yet.

    Attributes
    ----------
    sender
        The widget's number, by which answers find it.
    content, buffers
        What the widget says.
    send
        The widget's own way to the browser.
    on_failure
        Called with what was raised if the letter cannot be sent.
    """

    sender: int
    content: Mapping[str, Any]
    buffers: Sequence[bytes | memoryview]
    send: Send
    on_failure: Callable[[Exception], None]

    def send_alone(self) -> None:
        """Send it as a message of its own."""
        try:
            self.send(self.content, self.buffers)
        except Exception as error:  # this widget's alone: the feed and the other widgets go on
            self.on_failure(error)


@dataclass(frozen=True, slots=True)
class _Turn:
    page: str
    write: Callable[[], Letter | None]


class Outbox:
    """A queue of writers and a token bucket.

    Parameters
    ----------
    clock
        Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: dict[Hashable, _Turn] = {}
        self._tokens = float(BURST)
        self._filled_s = clock()
        self._timer: asyncio.TimerHandle | None = None
        self._due_in: asyncio.AbstractEventLoop | None = None

    def put(self, key: Hashable, write: Callable[[], Letter | None], *, page: str = "") -> None:
        """Queue ``write`` under ``key`` unless it waits already; it gives a letter, or None for nothing new.

        Letters of the same page, unless that is empty, may share a message.
        """
        self._waiting.setdefault(key, _Turn(page, write))
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop, no later
            self.flush()
            return
        if self._due_in is not loop:
            self._due_in = loop
            loop.call_soon(self._flush_due)

    def _flush_due(self) -> None:
        self._due_in = None
        self.flush()

    def flush(self) -> None:
        """Send what may be sent now; the rest follows by itself."""
        now_s = self._clock()
        self._tokens = min(float(BURST), self._tokens + (now_s - self._filled_s) * RATE_PER_S)
        self._filled_s = now_s
        while self._waiting and self._tokens >= 1:
            self._tokens -= _post(self._write_next())
        if self._waiting:
            self._continue_later()

    def _write_next(self) -> list[Letter]:
        """Write what waits for the page that has waited longest."""
        first, turn = next(iter(self._waiting.items()))
        keys = [key for key, other in self._waiting.items() if turn.page and other.page == turn.page]
        turns = [self._waiting.pop(key) for key in keys or [first]]
        return [letter for turn in turns if (letter := turn.write()) is not None]

    def _continue_later(self) -> None:
        if self._timer is not None and not self._timer.cancelled() and self._timer.when() > self._clock():
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop, no timer: the next put or beat goes on
            return
        self._timer = loop.call_later(2 / RATE_PER_S, self.flush)


def _post(letters: Sequence[Letter]) -> bool:
    """Send letters to one page in one message; return whether there were any."""
    if len(letters) > 1:
        with suppress(Exception):  # one of them cannot be sent: each then finds out by itself
            contents = [[each.sender, each.content, len(each.buffers)] for each in letters]
            letters[0].send({"letters": contents}, [part for each in letters for part in each.buffers])
            return True
    for letter in letters:
        letter.send_alone()
    return bool(letters)
