"""The client against the package's own exchange, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from quantnb.events import Connected, Disconnected, Event, Gap, Malformed, MarkPrice, Quote, Reply, Trade
from quantnb.exchange import LocalExchange
from quantnb.feed.health import Health
from quantnb.feed.routes import Endpoints
from quantnb.live.client import Client
from quantnb.live.clock import SystemClock
from tests.live.server import Collected, until

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


def start(exchange: LocalExchange, on_event: Callable[[Event], None]) -> tuple[Client, asyncio.Task[None]]:
    client = Client(Endpoints.at(exchange.address), SYMBOLS, on_event=on_event, random=lambda: 0.0)
    return client, asyncio.create_task(client.run())


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
        _, task = start(exchange, health.receive)
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
