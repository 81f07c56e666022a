"""The client against the package's own exchange, over real sockets."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from quantnb.errors import FeedError
from quantnb.events import (
    Connected,
    Disconnected,
    Event,
    Gap,
    Malformed,
    MarkPrice,
    Quote,
    Recovered,
    Reply,
    Trade,
)
from quantnb.exchange import Limits, LocalExchange
from quantnb.feed.health import Health
from quantnb.feed.ledger import DISCONNECTED
from quantnb.feed.routes import ROUTES, Endpoints
from quantnb.live.client import Client
from quantnb.live.clock import SystemClock
from tests.live.server import Collected, until

OPEN_FILES = Path("/proc/self/fd")
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


def start(
    exchange: LocalExchange, on_event: Callable[[Event], None], **options: Any
) -> tuple[Client, asyncio.Task[None]]:
    options.setdefault("random", lambda: 0.0)
    client = Client(Endpoints.at(exchange.address), SYMBOLS, on_event=on_event, **options)
    return client, asyncio.create_task(client.run())


def ids_of(events: Collected, symbol: str) -> list[int]:
    """Return all ids held of a symbol, however they came."""
    recovered = [trade for event in events.of(Recovered) for trade in event.trades]
    return [trade.trade_id for trade in events.of(Trade) + recovered if trade.symbol == symbol]


def missing(events: Collected) -> dict[str, int]:
    """Return how many ids are not held between the first and the newest, by symbol; none is held twice."""
    lacking = {}
    for symbol in SYMBOLS:
        held = ids_of(events, symbol)
        assert len(held) == len(set(held))
        first_id, last_id = min(held), max(held)
        lacking[symbol] = last_id - first_id + 1 - len(held)
    return lacking


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def test_trades_quotes_and_mark_prices_of_every_symbol_arrive_without_a_hole() -> None:
    events = Collected()

    def is_complete(kind: type[Trade | Quote | MarkPrice]) -> bool:
        return {each.symbol for each in events.of(kind)} == set(SYMBOLS)

    async with LocalExchange(seed=7, rate=300.0) as exchange:
        _, task = start(exchange, events.append)
        for kind in (Trade, Quote, MarkPrice):
            await until(partial(is_complete, kind))
        await until(lambda: len(events.of(Trade)) > 200)
        await stop(task)
    for symbol in SYMBOLS:
        ids = [trade.trade_id for trade in events.of(Trade) if trade.symbol == symbol]
        assert ids == list(range(ids[0], ids[-1] + 1))
    assert not events.of(Gap)
    assert not events.of(Malformed)
    assert {reply.error_code for reply in events.of(Reply)} == {None}


async def test_health_becomes_simulated() -> None:
    health, clock = Health(), SystemClock()
    async with LocalExchange(seed=7, rate=300.0) as exchange:
        health.use(Endpoints.at(exchange.address), "")
        _, task = start(exchange, lambda _event: None, health=health)
        await until(lambda: health.status(clock.now()).state == "simulated")
        await stop(task)


async def test_symbols_change_on_the_open_sockets() -> None:
    events = Collected()
    async with LocalExchange(seed=7, rate=300.0) as exchange:
        client, task = start(exchange, events.append)
        await until(lambda: len(events.of(Reply)) == 2)
        client.set_symbols(["BTCUSDT", "ETHUSDT"])
        await until(lambda: len(events.of(Reply)) == 4)
        events.clear()
        client.set_symbols(["BTCUSDT", "ETHUSDT", "BNBUSDT"])
        await until(lambda: {each.symbol for each in events.of(Quote)} == {"BTCUSDT", "ETHUSDT", "BNBUSDT"})
        await stop(task)
    assert not events.of(Connected)
    assert not events.of(Disconnected)


async def test_an_exchange_that_restarts_is_found_again() -> None:
    events = Collected()
    exchange = LocalExchange(seed=7, rate=300.0)
    await exchange.start()
    _, task = start(exchange, events.append)
    await until(lambda: events.of(Trade))
    await exchange.stop()
    await until(lambda: len(events.of(Disconnected)) >= 2)
    events.clear()
    async with LocalExchange(seed=7, rate=300.0, port=exchange.port):
        await until(lambda: events.of(Connected) and events.of(MarkPrice))
        await stop(task)


async def test_thirty_days_of_rotation_lose_nothing_and_nobody_notices(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "quantnb")
    events, health, clock = Collected(), Health(), SystemClock()
    states = set()

    def n_rotations(route: str) -> int:
        return sum(f"/{route} gets a new connection" in record.getMessage() for record in caplog.records)

    def are_thirty_days_over() -> bool:
        states.add(health.status(clock.now()).state)
        return min(n_rotations(route) for route in ROUTES) >= 30

    limits = Limits(max_age_s=1.5)  # a day
    async with LocalExchange(seed=7, rate=300.0, limits=limits) as exchange:
        health.use(Endpoints.at(exchange.address), "")
        _, task = start(exchange, events.append, health=health, rotate_after_s=0.2)
        await until(lambda: health.status(clock.now()).state == "simulated")
        async with asyncio.timeout(60):
            while not are_thirty_days_over():
                await asyncio.sleep(0.02)
        await until(lambda: exchange.n_connections == len(ROUTES))
        await stop(task)
        assert missing(events) == dict.fromkeys(SYMBOLS, 0)
    assert states == {"simulated"}
    assert not events.of(Disconnected)
    assert not events.of(Gap)
    assert len(events.of(Connected)) == len(ROUTES)
    for symbol in SYMBOLS:
        in_order = [trade.trade_id for trade in events.of(Trade) if trade.symbol == symbol]
        assert in_order == sorted(in_order)


async def test_a_hundred_starts_leave_no_task_and_no_file_behind() -> None:
    def n_files() -> int:
        return len(list(OPEN_FILES.iterdir())) if OPEN_FILES.exists() else 0

    async def start_and_stop(exchange: LocalExchange) -> None:
        events = Collected()
        _, task = start(exchange, events.append)
        await until(lambda: len(events.of(Reply)) == len(ROUTES))
        await stop(task)
        await until(lambda: exchange.n_connections == 0)

    async with LocalExchange(seed=7, rate=300.0) as exchange:
        await start_and_stop(exchange)
        n_tasks, n_open = len(asyncio.all_tasks()), n_files()
        for _ in range(100):
            await start_and_stop(exchange)
        await until(lambda: len(asyncio.all_tasks()) <= n_tasks and n_files() <= n_open)


async def test_a_drop_of_both_sockets_loses_nothing() -> None:
    events = Collected()
    async with LocalExchange(seed=7, rate=300.0) as exchange:
        client, task = start(exchange, events.append, random=lambda: 0.99)
        await until(lambda: len(events.of(Trade)) > 100)
        exchange.drop()
        await until(lambda: len(events.of(Connected)) == 2 * len(ROUTES))
        await until(lambda: {gap.symbol for gap in events.of(Gap)} and not client.ledger.holes())
        await stop(task)
        assert missing(events) == dict.fromkeys(SYMBOLS, 0)
    assert {gap.cause for gap in events.of(Gap)} == {DISCONNECTED}


async def test_a_certificate_that_nobody_trusts_is_the_end_and_is_not_tried_again() -> None:
    events = Collected()
    async with LocalExchange(seed=7, faults=["untrusted-tls"]) as exchange:
        _, task = start(exchange, events.append)
        with pytest.raises(FeedError, match="certificate is not trusted"):
            await task
    assert 1 <= len(events.of(Disconnected)) <= len(ROUTES)
    assert events.of(Disconnected)[0].retry_in_s is None


@pytest.mark.parametrize("close", ["1000", "1001", "1006", "1011"])
async def test_after_an_outage_of_seconds_data_come_within_two_seconds(close: str) -> None:
    events = Collected()
    async with LocalExchange(seed=7, rate=300.0) as exchange:
        client, task = start(exchange, events.append, random=random.Random(7).random)
        await until(lambda: {trade.symbol for trade in events.of(Trade)} == set(SYMBOLS))
        exchange.inject("handshake-503")
        exchange.inject(f"drop:{close}")
        await until(lambda: len(events.of(Disconnected)) >= 8)
        exchange.heal()
        healed_ns = SystemClock().now().wall_ns
        await until(lambda: events.of(Trade)[-1].receive_ns > healed_ns)
        assert events.of(Trade)[-1].receive_ns - healed_ns < 2 * 10**9
        await until(lambda: events.of(Gap) and not client.ledger.holes())
        await stop(task)
    assert missing(events) == dict.fromkeys(SYMBOLS, 0)
