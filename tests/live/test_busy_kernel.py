"""A cell that blocks the event loop, against an exchange in a process of its own."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from quantnb.events import Connected, Disconnected, Gap, Recovered, Trade
from quantnb.feed.health import Health
from quantnb.feed.routes import Endpoints
from quantnb.live.client import Client
from quantnb.live.clock import SystemClock
from tests.live.server import Collected, until

pytestmark = pytest.mark.usefixtures("transport")

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


@contextmanager
def exchange(*arguments: str) -> Iterator[Endpoints]:
    command = [sys.executable, "-m", "quantnb", "exchange", "--port", "0", "--seed", "7", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"ws://\S+", process.stdout.readline())
        assert found is not None
        yield Endpoints.at(found[0])
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def n_missing(events: Collected, symbol: str) -> int:
    recovered = [trade for event in events.of(Recovered) for trade in event.trades]
    ids = [trade.trade_id for trade in events.of(Trade) + recovered if trade.symbol == symbol]
    assert len(ids) == len(set(ids))
    return max(ids) - min(ids) + 1 - len(ids)


async def block(client: Client, events: Collected, seconds: float) -> None:
    """Block the loop once trades flow, and wait until the newest trades are held and no hole is left."""
    await until(lambda: {trade.symbol for trade in events.of(Trade)} == set(SYMBOLS))
    await until(lambda: len(events.of(Trade)) > 100)
    time.sleep(seconds)  # noqa: ASYNC251 - it is the fault under test
    n_before, resumed_ns = len(events.of(Trade)), time.time_ns()
    await until(lambda: len(events.of(Trade)) > n_before and events.of(Trade)[-1].event_ns > resumed_ns)
    await until(lambda: not client.ledger.holes())


async def test_after_a_blocked_loop_everything_is_read_that_came_meanwhile() -> None:
    events, health, clock = Collected(), Health(), SystemClock()
    with exchange("--rate", "500") as endpoints:
        client = Client(endpoints, SYMBOLS, on_event=events.append, health=health)
        task = asyncio.create_task(client.run())
        await block(client, events, 3.0)
        notes = health.status(clock.now()).notes
        task.cancel()
        await asyncio.wait([task])
    assert [n_missing(events, symbol) for symbol in SYMBOLS] == [0, 0, 0]
    assert not events.of(Disconnected)
    assert not events.of(Gap)
    assert "The kernel was busy for 3 s." in notes


async def test_cut_off_as_a_slow_reader_the_client_comes_back_and_fills_the_hole() -> None:
    events = Collected()
    with exchange("--rate", "2000", "--fault", "slow-reader:65536") as endpoints:
        client = Client(endpoints, SYMBOLS, on_event=events.append)
        task = asyncio.create_task(client.run())
        await block(client, events, 5.0)
        task.cancel()
        await asyncio.wait([task])
    assert events.of(Disconnected)
    assert len(events.of(Connected)) > 2
    assert events.of(Gap)
    assert [n_missing(events, symbol) for symbol in SYMBOLS] == [0, 0, 0]
