"""One open WebSocket, whichever library holds it.

There are two: ``websockets``, and picows, whose parser is compiled, where ``quantnb[fast]`` has installed it;
``QUANTNB_TRANSPORT`` may name one of them. Both are held to the same tests, and both raise the exceptions of
``websockets``. A proxy is always left to ``websockets``.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from dataclasses import dataclass
from typing import Protocol
from urllib.request import getproxies

from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close, CloseCode

from quantnb.errors import InvalidSettingError, choices

__all__ = ["TRANSPORTS", "Inbox", "Limits", "Transport", "open_transport", "transport_name"]

TRANSPORTS = ("picows", "websockets")
MAX_PARTS = 16_384  # of one message


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may take: times in seconds, the size of a message, and messages that wait."""

    open_within_s: float
    close_within_s: float
    max_bytes: int
    max_waiting: int


class Transport(Protocol):
    """One open WebSocket."""

    async def receive(self) -> list[bytes]:
        """Return the messages that have come, at least one; raise what ended it once all were returned."""
        ...

    async def send_text(self, message: bytes) -> None:
        """Send a message; raises `websockets.exceptions.ConnectionClosed` where it is closed."""
        ...

    async def ask(self) -> None:
        """Send a ping and wait for its pong; raises as `send_text` does."""
        ...

    async def close(self) -> None:
        """Say goodbye and wait until it is closed; what comes meanwhile can still be received."""
        ...

    def abort(self) -> None:
        """Cut it without a word."""
        ...


class Inbox:
    """Messages that have come and were not taken yet; beyond a number of them reading pauses.

    Parameters
    ----------
    limits : Limits
        Of the connection.
    wire : asyncio.Transport
        Whose reading is paused, so that what comes waits in the kernel's buffers.
    """

    def __init__(self, limits: Limits, wire: asyncio.Transport) -> None:
        self._limits = limits
        self._wire = wire
        self._messages: list[bytes] = []
        self._parts: list[bytes] = []
        self._max_waiting = limits.max_waiting
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None

    def put(self, message: bytes) -> None:
        """Add a message."""
        self._messages.append(message)
        n_waiting = len(self._messages)
        if n_waiting == 1:
            self._wake()
        elif n_waiting == self._max_waiting:
            self._wire.pause_reading()

    def put_part(self, part: bytes, *, is_last: bool) -> None:
        """Add a part of a message that comes in several."""
        self._parts.append(part)
        if len(self._parts) > MAX_PARTS or sum(map(len, self._parts)) > self._limits.max_bytes:
            self.end(ConnectionClosedError(None, Close(CloseCode.MESSAGE_TOO_BIG, "in too many parts")))
            self._wire.abort()
        elif is_last:
            self.put(b"".join(self._parts))
            self._parts.clear()

    def end(self, error: Exception) -> None:
        """Let the reader have what is there, and then this; the first end is the one that counts."""
        self._error = self._error or error
        self._wake()

    def open_wide(self) -> None:
        """Pause no more: the connection is being closed, and what was sent before is wanted."""
        self._max_waiting = 0
        self._wire.resume_reading()

    async def take(self) -> list[bytes]:
        """Return all messages, at least one."""
        while not self._messages:
            if self._error is not None:
                raise self._error
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        messages, self._messages = self._messages, []
        if len(messages) >= self._limits.max_waiting:
            self._wire.resume_reading()
        return messages

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def transport_name() -> str:
    """Return which library holds sockets here: the one that the environment names, or the faster one.

    Raises
    ------
    InvalidSettingError
        For a name that is none of `TRANSPORTS`, or one that is not installed.
    """
    name = os.environ.get("QUANTNB_TRANSPORT", "")
    is_installed = importlib.util.find_spec("picows") is not None
    if name not in ("", *TRANSPORTS):
        raise InvalidSettingError(f"QUANTNB_TRANSPORT is {choices(TRANSPORTS)}, not {name!r}.")
    if name == "picows" and not is_installed:
        raise InvalidSettingError('QUANTNB_TRANSPORT asks for picows: pip install "quantnb[fast]".')
    return name or ("picows" if is_installed else "websockets")


async def open_transport(url: str, limits: Limits, *, uses_proxy: bool) -> Transport:
    """Connect; raises `OSError`, `TimeoutError` and exceptions of ``websockets``.

    No redirect is followed: an exchange does not send its clients elsewhere. No compression is offered, and
    nothing is sent to keep the connection alive: its owner asks, see `quantnb.live.connection`.
    """
    uses_proxy = uses_proxy and bool(getproxies().keys() - {"no"})
    # Only the one in use is imported: the other one may not be there.
    if transport_name() == "picows" and not uses_proxy:
        from quantnb.live import over_picows

        return await over_picows.connect(url, limits)
    from quantnb.live import over_websockets

    return await over_websockets.connect(url, limits, uses_proxy=uses_proxy)
