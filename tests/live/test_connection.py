from __future__ import annotations

import asyncio
import time

import pytest

from quantnb.events import Disconnected, Reply, Trade
from quantnb.live import connection
from quantnb.live.connection import LOOK_EVERY_S, LOST_AFTER_S, PING_AFTER_S, Connection
from quantnb.live.failure import UnansweredError, leaves
from quantnb.live.tasks import finished
from tests.feed.frames import AGG_TRADE, combined
from tests.live.clocks import ManualClock
from tests.live.conftest import Start
from tests.live.server import Collected, FakeExchange, until

pytestmark = pytest.mark.usefixtures("transport")


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(connection, "PING_AFTER_S", 0.2)
    monkeypatch.setattr(connection, "LOST_AFTER_S", 0.6)


async def opened(exchange: FakeExchange, clock: ManualClock, events: Collected) -> Connection:
    made = Connection(
        exchange.endpoints.socket_url("market"),
        ["btcusdt@aggTrade"],
        on_event=events.append,
        on_ending=lambda: None,
        clock=clock,
        uses_proxy=False,
    )
    await made.open()
    await until(lambda: len(events.of(Reply)) == 1)
    return made


async def pass_by(clock: ManualClock, seconds: float) -> None:
    """Let time pass in the steps of the watch, and let what is on its way arrive."""
    for _ in range(round(seconds / LOOK_EVERY_S)):
        await clock.advance(LOOK_EVERY_S)
        await asyncio.sleep(0.005)


async def test_a_half_open_connection_is_found_within_ten_seconds(
    exchange: FakeExchange, events: Collected
) -> None:
    clock = ManualClock()
    made = await opened(exchange, clock, events)
    await pass_by(clock, LOOK_EVERY_S)
    exchange.sockets["market"][-1].transport.pause_reading()  # neither data, nor pongs, nor a FIN
    await pass_by(clock, 10.0)
    await finished(made.task)
    error = made.task.exception()
    assert error is not None
    assert isinstance(next(leaves(error)), UnansweredError)
    assert LOST_AFTER_S + 2 * LOOK_EVERY_S < 10.0
    await made.stop()


async def test_a_quiet_connection_that_answers_pings_is_kept(
    exchange: FakeExchange, events: Collected
) -> None:
    clock = ManualClock()
    made = await opened(exchange, clock, events)
    await pass_by(clock, 60.0)
    assert not made.task.done()
    await made.stop()


async def test_a_connection_that_delivers_is_not_pinged(exchange: FakeExchange, events: Collected) -> None:
    clock = ManualClock()
    made = await opened(exchange, clock, events)
    exchange.sockets["market"][-1].transport.pause_reading()  # a ping would not be answered
    for number in range(20):
        await exchange.send("market", combined(AGG_TRADE, a=number))
        await until(lambda n=number: len(events.of(Trade)) == n + 1)  # type: ignore[misc]
        await pass_by(clock, PING_AFTER_S - LOOK_EVERY_S)
    assert not made.task.done()
    exchange.sockets["market"][-1].transport.abort()
    await made.stop()


@pytest.mark.usefixtures("_impatient")
async def test_half_open_it_is_replaced(exchange: FakeExchange, events: Collected, start: Start) -> None:
    start()
    await until(lambda: len(events.of(Reply)) == 2)
    exchange.sockets["market"][-1].transport.pause_reading()
    await until(lambda: len(exchange.sockets["market"]) == 2)
    (lost,) = events.of(Disconnected)
    assert lost.route == "market"
    assert "silent" in lost.reason


@pytest.mark.usefixtures("_impatient")
async def test_a_blocked_kernel_is_not_a_dead_connection(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    start()
    await until(lambda: len(events.of(Reply)) == 2)
    for number in range(1, 4):
        await exchange.send("market", combined(AGG_TRADE, a=number))
        time.sleep(1.2)  # noqa: ASYNC251 - it is the fault under test
    await until(lambda: len(events.of(Trade)) == 3)
    assert not events.of(Disconnected)


async def test_what_was_sent_before_a_drop_is_read(exchange: FakeExchange, events: Collected) -> None:
    clock = ManualClock()
    made = await opened(exchange, clock, events)
    await exchange.send("market", *(combined(AGG_TRADE, a=number) for number in range(3_000)))
    await exchange.drop("market", 1012)
    await finished(made.task)
    assert len(events.of(Trade)) == 3_000
    await made.stop()


async def test_a_frame_that_is_too_big_is_said_to_be(
    exchange: FakeExchange, events: Collected, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_FRAME_BYTES", 1_000)
    start()
    await until(lambda: len(events.of(Reply)) == 2)
    await exchange.send("market", b"x" * 2_000)
    await until(lambda: events.of(Disconnected))
    assert "too big" in events.of(Disconnected)[0].reason
    await until(lambda: len(events.of(Reply)) == 3)


async def test_held_events_are_bounded(
    exchange: FakeExchange, events: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_EVENTS_HELD", 10)
    exchange.error = {"code": 2, "msg": "never settled"}
    made = Connection(
        exchange.endpoints.socket_url("market"),
        ["btcusdt@aggTrade"],
        on_event=events.append,
        on_ending=lambda: None,
        clock=ManualClock(),
        uses_proxy=False,
        is_held=True,
    )
    made.subscriptions.desire(["a", "b"])
    await made.open()
    await until(lambda: exchange.sockets["market"])
    await exchange.send("market", *(combined(AGG_TRADE, a=number) for number in range(12)))
    assert await made.prove(5.0)
    assert not events
    made.release()
    assert len(events) >= 10
    await made.stop()
