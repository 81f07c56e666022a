"""REST alone, for tests: answers every request as it is told, and remembers them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import Server, serve
from websockets.http11 import Request, Response

from quantnb.feed.routes import Endpoints
from tests.live.server import Refusal


class RestServer:
    """Answers every request as it is told, and remembers them."""

    def __init__(self) -> None:
        self.answer: Callable[[str, dict[str, str]], Refusal] = lambda path, query: Refusal(503)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.endpoints = Endpoints.at("ws://127.0.0.1:1")
        self._server: Server | None = None

    async def start(self) -> None:
        self._server = await serve(
            lambda _socket: asyncio.sleep(0), "127.0.0.1", 0, process_request=self._process
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.endpoints = Endpoints.at(f"ws://127.0.0.1:{port}")

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _process(self, _socket: Any, request: Request) -> Response:
        url = urlsplit(request.path)
        self.requests.append((url.path, dict(parse_qsl(url.query))))
        return self.answer(*self.requests[-1]).response
