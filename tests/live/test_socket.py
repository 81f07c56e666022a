from __future__ import annotations

import time

import pytest

from quantnb.events import Disconnected, Reply, Trade
from quantnb.live import socket
from tests.feed.frames import AGG_TRADE, combined
from tests.live.conftest import Start
from tests.live.server import Collected, FakeExchange, until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "PING_EVERY_S", 0.05)
    monkeypatch.setattr(socket, "PONG_WITHIN_S", 0.2)


async def test_a_half_open_connection_is_found_and_replaced(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    start()
    await until(lambda: len(events.of(Reply)) == 2)
    exchange.sockets["market"][-1].transport.pause_reading()  # neither data, nor pongs, nor a FIN
    await until(lambda: len(exchange.sockets["market"]) == 2)
    (lost,) = events.of(Disconnected)
    assert lost.route == "market"
    assert "silent" in lost.reason


async def test_data_without_pongs_are_a_sign_of_life(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    start()
    await until(lambda: len(events.of(Reply)) == 2)
    market, public = (exchange.sockets[route][-1] for route in ("market", "public"))
    market.transport.pause_reading()
    public.transport.pause_reading()
    n_sent = 0

    async def is_public_lost() -> bool:
        nonlocal n_sent
        n_sent += 1
        await exchange.send("market", combined(AGG_TRADE, a=n_sent))
        return bool(events.of(Disconnected))

    while not await is_public_lost():
        n_received = len(events.of(Trade))
        await until(lambda n=n_received: len(events.of(Trade)) > n)  # type: ignore[misc]
    assert [event.route for event in events.of(Disconnected)] == ["public"]


async def test_a_blocked_kernel_is_not_a_dead_connection(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    start()
    await until(lambda: len(events.of(Reply)) == 2)
    for number in range(1, 4):
        await exchange.send("market", combined(AGG_TRADE, a=number))
        time.sleep(0.6)  # noqa: ASYNC251 - it is the fault under test
    await until(lambda: len(events.of(Trade)) == 3)
    assert not events.of(Disconnected)


async def test_a_frame_that_is_too_big_is_said_to_be(
    exchange: FakeExchange, events: Collected, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "MAX_FRAME_BYTES", 1_000)
    start()
    await until(lambda: len(events.of(Reply)) == 2)
    await exchange.send("market", b"x" * 2_000)
    await until(lambda: events.of(Disconnected))
    assert "too big" in events.of(Disconnected)[0].reason
    await until(lambda: len(events.of(Reply)) == 3)
