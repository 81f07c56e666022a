"""A WebSocket held by ``websockets``, whose queue is passed by: it costs as much as parsing a frame does."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, cast

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as websockets_connect
from websockets.frames import DATA_OPCODES, Frame, Opcode

from quantnb.live.transport import Inbox, Limits

__all__ = ["connect"]

_TEXT = Opcode.TEXT  # looked up for every frame


class _Connection(ClientConnection):
    """Hands messages on many at a time."""

    inbox: Inbox

    def __init__(self, limits: Limits, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = limits

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.inbox = Inbox(self._limits, cast(asyncio.Transport, transport))
        super().connection_made(transport)

    def process_event(self, event: Any) -> None:
        # `websockets` calls this for each frame; the handshake, pings and the farewell stay its own.
        if type(event) is Frame and event.opcode is _TEXT and event.fin:  # nearly all of them
            self.inbox.put(bytes(event.data))
        elif type(event) is not Frame or event.opcode not in DATA_OPCODES:
            super().process_event(event)
        elif event.fin and event.opcode is Opcode.BINARY:
            self.inbox.put(bytes(event.data))
        else:
            self.inbox.put_part(bytes(event.data), is_last=event.fin)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.inbox.end(self.protocol.close_exc)

    async def receive(self) -> list[bytes]:
        return await self.inbox.take()

    async def send_text(self, message: bytes) -> None:
        await self.send(message, text=True)

    async def ask(self) -> None:
        await (await self.ping())

    async def close(self, *args: Any, **options: Any) -> None:
        self.inbox.open_wide()
        await super().close(*args, **options)

    def abort(self) -> None:
        self.transport.abort()


class _Connect(websockets_connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def connect(url: str, limits: Limits, *, uses_proxy: bool) -> _Connection:
    """Connect, by the proxy that the environment names where one is used."""
    made = await _Connect(
        url,
        proxy=True if uses_proxy else None,
        compression=None,
        open_timeout=limits.open_within_s,
        close_timeout=limits.close_within_s,
        ping_interval=None,
        max_size=limits.max_bytes,
        create_connection=cast(type[ClientConnection], partial(_Connection, limits)),
    )
    return cast(_Connection, made)
