"""One connected client: its conversation, its socket, and what the faults do to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import websockets
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.protocol import State

from quantnb.exchange.channel import Channel, Frame, Reset
from quantnb.exchange.kinds import CUT
from quantnb.exchange.protocol import Close, Conversation, Limits, Ping

__all__ = ["Link"]

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER, for no time


class Link:
    """One connected client."""

    def __init__(
        self, socket: ServerConnection, conversation: Conversation, limits: Limits, channel: Channel
    ) -> None:
        self.conversation = conversation
        self.channel = channel
        self._socket = socket
        self._allowed_bytes = self._write_buffer_bytes = limits.write_buffer_bytes
        self._is_mute = self._is_ending = False
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, frame: str, stream: str = "", now_s: float = 0.0) -> None:
        """Send one text frame, now or never: this does not wait for the reader.

        Every outgoing frame passes here, and with it the name of its stream: empty for an answer.
        """
        if self.channel.faults.is_idle:
            self._put(frame)
        else:
            for each in self.channel.frames(stream, frame, now_s):
                self._put(each)

    def end(self, ending: Close | Reset) -> None:
        """End the connection, in whichever way; once it is ending, nothing more happens."""
        if self._is_ending:
            return
        self._is_ending = True
        if isinstance(ending, Reset):
            raw = self._socket.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        if isinstance(ending, Reset) or ending.code == CUT:
            self._socket.transport.abort()
        else:
            self._start(ending)

    def obey(self, due: Ping | Close) -> None:
        """Send a ping or a close frame, without waiting for its effect."""
        if self._is_mute:
            return
        if isinstance(due, Close):
            self.end(due)
        else:
            self._start(due)

    def suffer(self, now_s: float) -> None:
        """Let the faults do to this connection what is due; `send` has them look at each frame."""
        for frame in self.channel.ripe(now_s):
            self._put(frame)
        if self.channel.is_mute(now_s):
            if not self._is_mute:
                self._is_mute = True
                self._socket.transport.pause_reading()
        elif self._is_mute:
            self.end(Reset())  # what it was sent meanwhile is lost: it cannot go on as if nothing had been
        elif ending := self.channel.ending(now_s):
            self.end(ending)
        self._allow(self.channel.write_buffer_bytes or self._allowed_bytes)

    def hang_up(self) -> None:
        """Let go of a connection that would not hear that it is closed."""
        if self._is_mute:
            self._socket.transport.abort()

    def _put(self, frame: Frame) -> None:
        if self._socket.transport.is_closing():
            return  # cut off amid the frames of a slot
        if isinstance(frame, str):
            broadcast((self._socket,), frame)
        elif self._socket.protocol.state is State.OPEN:
            self._socket.protocol.send_text(frame)
            self._socket.send_data()
        if self._socket.transport.get_write_buffer_size() > self._write_buffer_bytes:
            self._socket.transport.abort()

    def _allow(self, n_bytes: int) -> None:
        """Let the reader be so far behind; below the usual, the kernel's own buffer is small as well."""
        if n_bytes != self._write_buffer_bytes:
            self._write_buffer_bytes = n_bytes
            if n_bytes < self._allowed_bytes:
                raw = self._socket.transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, n_bytes)

    def _start(self, due: Ping | Close) -> None:
        task = asyncio.create_task(self._ping(due) if isinstance(due, Ping) else self._close(due))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ping(self, ping: Ping) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            await (await self._socket.ping(ping.payload))
            self.conversation.receive_pong()

    async def _close(self, close: Close) -> None:
        await self._socket.close(close.code, close.reason)
