"""A plain client for tests: the `websockets` library and httpx, and what they wait for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from quantnb.exchange import LocalExchange


async def until(socket: ClientConnection, wanted: Callable[[Any], bool]) -> Any:
    """Return the first message that is wanted."""
    while True:
        message = json.loads(await socket.recv())
        if wanted(message):
            return message


async def drain(socket: ClientConnection, messages: list[Any]) -> None:
    """Collect messages until the exchange closes the connection."""
    while True:
        messages.append(json.loads(await socket.recv()))


async def connections(exchange: LocalExchange, n: int) -> None:
    """Wait until the exchange has so many."""
    while exchange.n_connections != n:
        await asyncio.sleep(0.01)


def listen(exchange: LocalExchange, path: str) -> connect:
    """Connect as a client whose own queue never stops the socket from being read."""
    return connect(f"{exchange.address}{path}", max_queue=None)


async def get(exchange: LocalExchange, target: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=exchange.address.replace("ws", "http", 1)) as client:
        return await client.get(target)


async def subscribe(socket: ClientConnection, *names: str) -> Any:
    """Subscribe, and return the answer."""
    await socket.send(json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}))
    return await until(socket, lambda message: "id" in message)


async def is_silent(socket: ClientConnection, seconds: float = 0.5) -> bool:
    """Return whether no frame comes for so long, after those that are on their way."""
    while True:
        try:
            async with asyncio.timeout(0.2):
                await socket.recv()
        except TimeoutError:
            break
    try:
        async with asyncio.timeout(seconds):
            await socket.recv()
    except TimeoutError:
        return True
    return False
