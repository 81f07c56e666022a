"""A small exchange for tests: acknowledges whatever it is asked, sends what it is told, fails on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from quantnb.events import Event
from quantnb.feed.routes import Endpoints

WAIT_S = 10.0


async def until(is_reached: Callable[[], object]) -> None:
    """Wait for a state."""
    async with asyncio.timeout(WAIT_S):
        while not is_reached():
            await asyncio.sleep(0.005)


class Collected(list[Event]):
    """The events of a client."""

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self if isinstance(event, kind)]


class Refusal:
    """What is answered to a request or a handshake, in place of a connection."""

    def __init__(self, status: int, body: bytes = b"", **headers: str) -> None:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        self.response = Response(status, HTTPStatus(status).phrase, Headers(fields), body)


class FakeExchange:
    """One port for all routes; ``sockets`` and ``messages`` by route, newest last.

    The path without a route is that of ``"stream"``.
    """

    def __init__(self) -> None:
        self.sockets: dict[str, list[ServerConnection]] = {"market": [], "public": [], "stream": []}
        self.messages: dict[str, list[dict[str, Any]]] = {"market": [], "public": [], "stream": []}
        self.asked: dict[ServerConnection, list[str]] = {}  # the names that each client subscribed to
        self.is_closing = False  # every connection as soon as it is open
        self.refusal: Refusal | None = None
        self.error: dict[str, Any] | None = None  # the answer to requests, in place of an acknowledgement
        self.n_handshakes = 0
        self.n_requests = 0  # of REST
        self._server: Server | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await serve(
            self._serve, "127.0.0.1", self.port, process_request=self._answer, close_timeout=0.1
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints.at(f"ws://127.0.0.1:{self.port}")

    def names(self, route: str, method: str = "SUBSCRIBE") -> list[str]:
        """Return all stream names of one kind of message, in order."""
        return [
            name
            for message in self.messages[route]
            if message["method"] == method
            for name in message["params"]
        ]

    async def send(self, route: str, *frames: bytes) -> None:
        for frame in frames:
            await self.sockets[route][-1].send(frame, text=True)

    def n_open(self, route: str) -> int:
        """Return how many clients are connected on a route."""
        return sum(socket.state.name == "OPEN" for socket in self.sockets[route])

    async def drop(self, route: str, code: int | None = 1001) -> None:
        """Close a socket with a code, or cut it without a word where the code is None."""
        socket = self.sockets[route][-1]
        if code is None:
            socket.transport.abort()
        else:
            await socket.close(code)

    def _answer(self, _socket: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" not in request.headers:
            self.n_requests += 1
            return (self.refusal or Refusal(404)).response
        self.n_handshakes += 1
        return self.refusal.response if self.refusal else None

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        route = socket.request.path.split("/")[1]
        self.sockets[route].append(socket)
        if self.is_closing:
            await socket.close(1000)
        try:
            async for text in socket:
                message = json.loads(text)
                self.messages[route].append(message)
                self.asked.setdefault(socket, []).extend(message["params"])
                reply = {"error": self.error} if self.error else {"result": None}
                await socket.send(json.dumps(reply | {"id": message["id"]}))
        except ConnectionClosed:
            pass
