"""A WebSocket held by picows, whose parser is compiled; it raises what ``websockets`` would."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import cast

from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSHandshakeError,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)
from websockets.datastructures import Headers
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidHandshake,
    InvalidStatus,
)
from websockets.frames import Close, CloseCode
from websockets.http11 import Response

from quantnb.live.transport import Inbox, Limits

__all__ = ["connect"]

_TEXT = WSMsgType.TEXT  # looked up for every frame
_NORMAL = (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY)


class _Connection(WSListener):
    """Hands messages on many at a time, and answers what picows leaves to its user."""

    inbox: Inbox
    _wire: WSTransport

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pongs: list[asyncio.Future[None]] = []
        self._ended: asyncio.Future[ConnectionClosed] = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._wire = transport
        self.inbox = Inbox(self._limits, transport.underlying_transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if (kind == _TEXT or kind == WSMsgType.BINARY) and frame.fin:  # nearly all of them
            self.inbox.put(frame.get_payload_as_bytes())
        elif kind == _TEXT or kind == WSMsgType.BINARY or kind == WSMsgType.CONTINUATION:
            self.inbox.put_part(frame.get_payload_as_bytes(), is_last=frame.fin)
        elif kind == WSMsgType.PONG:
            for pong in self._pongs:
                if not pong.done():
                    pong.set_result(None)
            self._pongs.clear()
        elif kind == WSMsgType.CLOSE:
            if not transport.is_close_frame_sent:
                transport.send_close(frame.get_close_code() or WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        error = _closed(transport)
        self._ended.set_result(error)
        self.inbox.end(error)
        for pong in self._pongs:
            if not pong.done():
                pong.set_exception(error)

    async def receive(self) -> list[bytes]:
        return await self.inbox.take()

    async def send_text(self, message: bytes) -> None:
        self._raise_if_closed()
        self._wire.send(WSMsgType.TEXT, message)

    async def ask(self) -> None:
        self._raise_if_closed()
        pong = asyncio.get_running_loop().create_future()
        self._pongs.append(pong)
        self._wire.send_ping()
        await pong

    async def close(self) -> None:
        self.inbox.open_wide()
        if not self._ended.done():
            self._wire.send_close(WSCloseCode.OK)
            await asyncio.wait({self._ended}, timeout=self._limits.close_within_s)
            self._wire.disconnect(False)
        with contextlib.suppress(WSError):  # of which the reader was told
            await self._wire.wait_disconnected()

    def abort(self) -> None:
        self._wire.disconnect(False)

    def _raise_if_closed(self) -> None:
        if self._ended.done():
            raise self._ended.result()


def _closed(transport: WSTransport) -> ConnectionClosed:
    """Return the exception that ``websockets`` raises for the end of a connection."""
    handshake = transport.close_handshake
    received, sent = (handshake.recv, handshake.sent) if handshake else (None, None)
    rcvd, told = (
        Close(cast(int, each.code) or CloseCode.NO_STATUS_RCVD, each.reason or "") if each else None
        for each in (received, sent)
    )
    is_ok = rcvd is not None and told is not None and rcvd.code in _NORMAL and told.code in _NORMAL
    kind = ConnectionClosedOK if is_ok else ConnectionClosedError
    return kind(rcvd, told, handshake.recv_then_sent if rcvd and told else None)


async def connect(url: str, limits: Limits) -> _Connection:
    """Connect."""
    try:
        async with asyncio.timeout(2 * limits.open_within_s):  # the way there, and the handshake
            _, made = await ws_connect(
                lambda: _Connection(limits),
                url,
                # Which also ends it: one that is cancelled meanwhile is closed no sooner than this.
                websocket_handshake_timeout=limits.open_within_s,
                max_frame_size=limits.max_bytes,
                max_redirects=0,
            )
    except WSHandshakeError as error:
        raise _refusal(error) from error
    except WSError as error:
        raise InvalidHandshake(str(error)) from error
    return made  # type: ignore[return-value]


def _refusal(error: WSHandshakeError) -> InvalidHandshake:
    answer = error.response
    if answer is None or answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return InvalidHandshake(str(error))
    headers, status = Headers(answer.headers.items()), HTTPStatus(answer.status)
    return InvalidStatus(Response(status, status.phrase, headers, error.raw_body or b""))
