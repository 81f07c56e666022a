"""What every request passes first: a handshake goes on or is refused, and REST is answered."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from quantnb.exchange.climate import SLOT_MS
from quantnb.exchange.market import Market
from quantnb.exchange.protocol import Limits, StreamPath
from quantnb.exchange.refusals import Refusals
from quantnb.exchange.rest import PREFIX, Answer, Rest
from quantnb.exchange.sabotage import Faults

__all__ = ["Door"]


class Door:
    """Answers requests for one exchange, which opens it with its market."""

    def __init__(self, faults: Faults, now_ms: Callable[[], int]) -> None:
        self.is_open = False
        self._faults = faults
        self._refusals = Refusals(faults)
        self._now_ms = now_ms
        self._market: Market
        self._rest: Rest

    def open(self, market: Market, limits: Limits) -> None:
        """Answer requests about this market from now on."""
        self._market, self._rest = market, Rest(market, limits)

    async def answer(self, socket: ServerConnection, request: Request) -> Response | None:
        """Answer plain HTTP; None lets a WebSocket handshake go on."""
        path = StreamPath.parse(request.path) if "Upgrade" in request.headers else None
        if path is not None:
            await self._wait(self._refusals.handshake_delay_s(path.route))
            refusal = self._refusals.handshake(path.route, self._now_ms())
            return _response(refusal) if refusal else None
        if not request.path.startswith(PREFIX):
            return _response(Answer(404, b'{"code":-5000,"msg":"Nothing is served on this path."}'))
        await self._wait(self._refusals.rest_delay_s(request.path))
        if self._refusals.is_cut(request.path):
            socket.transport.abort()
        return _response(self._refusals.rest(request.path, self._now_ms(), self._market, self._rest))

    async def _wait(self, seconds: float) -> None:
        """Wait as long as a fault says, but not once they are healed or the exchange stops."""
        for _ in range(math.ceil(seconds * 1000 / SLOT_MS)):
            if not self.is_open or self._faults.is_idle:
                return
            await asyncio.sleep(SLOT_MS / 1000)


def _response(answer: Answer) -> Response:
    headers = Headers(
        {
            "Content-Type": "application/json;charset=UTF-8",
            "Content-Length": str(len(answer.body)),
            "Connection": "close",
            **answer.headers,
        }
    )
    return Response(answer.status, HTTPStatus(answer.status).phrase, headers, answer.body)
