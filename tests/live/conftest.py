from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from quantnb.live.client import Client
from quantnb.live.transport import TRANSPORTS
from tests.live.clocks import ManualClock
from tests.live.rest_server import RestServer
from tests.live.server import Collected, FakeExchange, until

SYMBOLS = ("BTCUSDT", "ETHUSDT")
Start = Callable[..., tuple[Client, "asyncio.Task[None]"]]


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Hold sockets by this library."""
    monkeypatch.setenv("QUANTNB_TRANSPORT", request.param)
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
async def exchange() -> AsyncIterator[FakeExchange]:
    async with FakeExchange() as exchange:
        yield exchange


@pytest.fixture
async def server() -> AsyncIterator[RestServer]:
    server = RestServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def events() -> Collected:
    return Collected()


@pytest.fixture
async def start(exchange: FakeExchange, events: Collected) -> AsyncIterator[Start]:
    """Start clients that retry at once; they are stopped at the end, and nothing of them is left."""
    tasks: list[asyncio.Task[None]] = []
    before = asyncio.all_tasks()

    def start(symbols: tuple[str, ...] = SYMBOLS, **options: Any) -> tuple[Client, asyncio.Task[None]]:
        client = Client(exchange.endpoints, symbols, on_event=events.append, random=lambda: 0.0, **options)
        tasks.append(asyncio.create_task(client.run()))
        return client, tasks[-1]

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await exchange.stop()
    await until(lambda: asyncio.all_tasks() <= before | {asyncio.current_task()})
