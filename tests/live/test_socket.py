from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from quantnb.errors import FeedError
from quantnb.events import Connected, Disconnected, MarkPrice, Reply, Trade
from quantnb.feed.unused import Ignored
from quantnb.live import socket as module
from quantnb.live.ban import Ban
from quantnb.live.clock import SystemClock
from quantnb.live.socket import Socket
from quantnb.live.tasks import give_up
from tests.feed.frames import AGG_TRADE, MARK_PRICE, combined
from tests.live.clocks import ManualClock
from tests.live.server import Collected, FakeExchange, Refusal, until

SHUTDOWN = b'{"e":"serverShutdown","E":1770123456789}'
SHUTDOWN_ENVELOPED = b'{"event":{"e":"serverShutdown","E":1770123456789}}'

pytestmark = pytest.mark.usefixtures("transport")

Open = Callable[..., Socket]


def frame(trade_id: int) -> bytes:
    return combined(AGG_TRADE, a=trade_id)


def ids(events: Collected) -> list[int]:
    return [trade.trade_id for trade in events.of(Trade)]


@pytest.fixture
async def open_socket(exchange: FakeExchange, events: Collected) -> AsyncIterator[Open]:
    """Hold a socket of /market that retries at once, until the test ends; nothing of it is left then."""
    tasks: list[asyncio.Task[None]] = []
    before = asyncio.all_tasks()

    def open_socket(**options: Any) -> Socket:
        clock = options.setdefault("clock", SystemClock())
        options.setdefault("ban", Ban(clock))
        options.setdefault("random", lambda: 0.0)
        socket = Socket(exchange.endpoints, "market", on_event=events.append, **options)
        socket.desire(["btcusdt@aggTrade"])
        tasks.append(asyncio.create_task(socket.run()))
        return socket

    yield open_socket
    for task in tasks:
        await give_up(task)
    await exchange.stop()
    await until(lambda: asyncio.all_tasks() <= before | {asyncio.current_task()})


async def subscribed(events: Collected, n: int = 1) -> None:
    await until(lambda: len(events.of(Reply)) >= n)


async def replaced(exchange: FakeExchange, n: int = 2, route: str = "market") -> None:
    """Wait until there is an n-th connection, and until it has subscribed."""
    await until(lambda: len(exchange.sockets[route]) == n and len(exchange.messages[route]) >= n)


# Make before break ----------------------------------------------------------------------------------------


async def test_a_renewal_is_noticed_by_nobody(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    socket = open_socket()
    await subscribed(events)
    await exchange.send("market", frame(1), frame(2))
    await until(lambda: ids(events) == [1, 2])
    socket.renew("it is asked for")
    await replaced(exchange)
    old, new = exchange.sockets["market"]
    await old.send(frame(3), text=True)
    await until(lambda: ids(events) == [1, 2, 3])  # the old one delivers as long as the new one is silent
    assert old.state.name == "OPEN"
    await new.send(frame(3), text=True)
    await new.send(frame(4), text=True)
    await until(lambda: ids(events) == [1, 2, 3, 3, 4])
    await until(lambda: old.state.name == "CLOSED")
    assert old.close_code == 1000
    assert new.state.name == "OPEN"
    assert len(events.of(Connected)) == 1
    assert not events.of(Disconnected)


async def test_what_the_old_one_has_still_to_say_comes_first(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    socket = open_socket()
    await subscribed(events)
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])
    socket.renew("it is asked for")
    await replaced(exchange)
    old, new = exchange.sockets["market"]
    old.transport.pause_reading()  # it does not hear the farewell yet
    await new.send(frame(4), text=True)
    await asyncio.sleep(0.05)
    assert ids(events) == [1]
    await old.send(frame(2), text=True)
    await old.send(frame(3), text=True)
    old.transport.resume_reading()
    await until(lambda: ids(events) == [1, 2, 3, 4])


@pytest.mark.parametrize("farewell", [SHUTDOWN, SHUTDOWN_ENVELOPED], ids=["bare", "enveloped"])
async def test_an_exchange_that_is_about_to_shut_down_is_left_before_it_does(
    exchange: FakeExchange,
    events: Collected,
    open_socket: Open,
    farewell: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "HASTY_S", 0.0)
    open_socket()
    await subscribed(events)
    await exchange.send("market", frame(1), farewell)
    await replaced(exchange)
    await exchange.send("market", frame(2))
    await until(lambda: ids(events) == [1, 2])
    await until(lambda: exchange.n_open("market") == 1)
    assert not events.of(Disconnected)
    assert [type(event) for event in events if "serverShutdown" in getattr(event, "reason", "")] == [Ignored]


async def test_an_exchange_that_says_so_at_once_is_not_hammered(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    open_socket()
    await subscribed(events)
    await exchange.send("market", SHUTDOWN, frame(1))
    await until(lambda: ids(events) == [1])
    await asyncio.sleep(0.3)
    assert exchange.n_handshakes == 1  # it was said within a second of the opening


async def test_a_renewal_that_is_refused_is_tried_again_while_the_old_one_delivers(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    socket = open_socket()
    await subscribed(events)
    exchange.refusal = Refusal(503)
    socket.renew("it is asked for")
    await until(lambda: exchange.n_handshakes >= 4)
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])
    exchange.refusal = None
    await replaced(exchange)
    await exchange.send("market", frame(2))
    await until(lambda: exchange.n_open("market") == 1)
    await until(lambda: ids(events) == [1, 2])
    assert not events.of(Disconnected)


async def test_a_renewal_that_cannot_be_had_does_not_end_what_delivers(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    socket = open_socket()
    await subscribed(events)
    exchange.refusal = Refusal(451)
    socket.renew("it is asked for")
    await until(lambda: exchange.n_handshakes == 2)
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])
    assert not events.of(Disconnected)


async def test_a_new_connection_that_stays_silent_does_not_replace_one_that_delivers(
    exchange: FakeExchange, events: Collected, open_socket: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READY_WITHIN_S", 0.3)
    socket = open_socket()
    await subscribed(events)
    old = exchange.sockets["market"][0]
    socket.renew("it is asked for")
    await replaced(exchange)
    await old.send(frame(1), text=True)
    await until(lambda: exchange.sockets["market"][1].state.name == "CLOSED")
    await old.send(frame(2), text=True)
    await until(lambda: ids(events) == [1, 2])
    assert not events.of(Disconnected)


async def test_where_both_are_silent_the_new_one_takes_over(
    exchange: FakeExchange, events: Collected, open_socket: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READY_WITHIN_S", 0.1)
    socket = open_socket()
    await subscribed(events)
    socket.renew("it is asked for")
    await replaced(exchange)
    await until(lambda: exchange.sockets["market"][0].state.name == "CLOSED")
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])


async def test_an_old_one_that_dies_before_the_new_one_delivers_is_a_lost_connection(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    socket = open_socket()
    await subscribed(events)
    socket.renew("it is asked for")
    await replaced(exchange)
    exchange.sockets["market"][0].transport.abort()
    await until(lambda: len(events.of(Connected)) == 2)
    assert len(events.of(Disconnected)) == 1
    await until(lambda: exchange.n_open("market") == 1)
    await replaced(exchange, 3)
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])


async def test_a_dead_old_one_does_not_hold_the_new_one_up(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    socket = open_socket()
    await subscribed(events)
    exchange.sockets["market"][0].transport.pause_reading()  # it will not answer the farewell
    socket.renew("it is asked for")
    await replaced(exchange)
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])
    assert not events.of(Disconnected)


@pytest.mark.parametrize("n_messages", [1, 2], ids=["while it opens", "while it subscribes"])
async def test_stopped_in_the_middle_of_a_renewal_it_leaves_no_connection(
    exchange: FakeExchange, events: Collected, open_socket: Open, n_messages: int
) -> None:
    socket = open_socket()
    await subscribed(events)
    socket.renew("it is asked for")
    await until(lambda: len(exchange.messages["market"]) >= n_messages)
    # The fixture stops it, and looks for what is left.


async def test_the_path_without_a_route_is_tried_once_and_kept_where_it_delivers(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    socket = open_socket()
    await subscribed(events)
    socket.renew("no data", is_unrouted=True)
    await replaced(exchange, 1, "stream")
    await exchange.send("stream", frame(1))
    await until(lambda: ids(events) == [1])
    await exchange.drop("stream")
    await replaced(exchange)  # and then back


async def test_the_path_without_a_route_is_left_where_it_is_silent_too(
    exchange: FakeExchange, events: Collected, open_socket: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READY_WITHIN_S", 0.1)
    socket = open_socket()
    await subscribed(events)
    socket.renew("no data", is_unrouted=True)
    await replaced(exchange, 1, "stream")
    await until(lambda: exchange.sockets["stream"][0].state.name == "CLOSED")
    await asyncio.sleep(0.2)
    assert len(exchange.sockets["stream"]) == 1
    assert exchange.n_open("market") == 1


async def test_what_is_desired_meanwhile_is_asked_for_on_both(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    socket = open_socket()
    await subscribed(events)
    socket.renew("it is asked for")
    await replaced(exchange)
    socket.desire(["btcusdt@aggTrade", "ethusdt@aggTrade"])
    await until(lambda: exchange.names("market").count("ethusdt@aggTrade") == 2)


async def test_streams_are_given_up_and_asked_for_again_half_a_second_apart(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    socket = open_socket()
    await subscribed(events)
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])
    asked_s = asyncio.get_running_loop().time()
    socket.resubscribe(["btcusdt@aggTrade", "somebody@else"])
    await subscribed(events, 3)
    assert [message["method"] for message in exchange.messages["market"]] == [
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "SUBSCRIBE",
    ]
    assert exchange.names("market", "UNSUBSCRIBE") == ["btcusdt@aggTrade"]
    assert asyncio.get_running_loop().time() - asked_s > 0.5
    assert exchange.n_handshakes == 1


async def test_an_error_of_the_receiver_during_a_renewal_is_raised(exchange: FakeExchange) -> None:
    def receive(event: object) -> None:
        if isinstance(event, MarkPrice):
            raise LookupError("ours")

    clock = SystemClock()
    socket = Socket(
        exchange.endpoints, "market", on_event=receive, clock=clock, random=lambda: 0.0, ban=Ban(clock)
    )
    socket.desire(["btcusdt@markPrice@1s"])
    task = asyncio.create_task(socket.run())
    await until(lambda: exchange.messages["market"])
    socket.renew("it is asked for")
    await replaced(exchange)
    await exchange.send("market", combined(MARK_PRICE))
    with pytest.raises(LookupError, match="ours"):
        await task
    await until(lambda: exchange.n_open("market") == 0)


# Age ------------------------------------------------------------------------------------------------------


async def test_a_connection_is_replaced_when_it_comes_of_age(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    clock = ManualClock()
    chance = 0.5
    open_socket(clock=clock, ban=Ban(clock), random=lambda: chance)
    await subscribed(events)
    due_s = module.ROTATE_AFTER_S * (1 - module.ROTATION_JITTER * chance)
    assert 23 * 3_600 + 40 * 60 < due_s < 23 * 3_600 + 50 * 60
    for day in range(1, 4):
        await exchange.send("market", frame(day))
        await until(lambda n=day: ids(events)[-1:] == [n])  # type: ignore[misc]
        clock.go_on(due_s - 1.0)
        await clock.advance(0)
        await asyncio.sleep(0.02)
        assert len(exchange.sockets["market"]) == day
        await clock.advance(1.5)
        await replaced(exchange, day + 1)
    assert not events.of(Disconnected)


# Bans -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [418, 429, 503])
async def test_a_request_to_wait_holds_for_all_and_is_kept(
    exchange: FakeExchange, events: Collected, open_socket: Open, tmp_path: Path, status: int
) -> None:
    clock = ManualClock()
    path = tmp_path / "ban.json"
    exchange.refusal = Refusal(status, Retry_After="720")
    open_socket(clock=clock, ban=Ban(clock, path))
    await until(lambda: events.of(Disconnected))
    assert Ban(ManualClock(), path).remaining_s() == 720.0
    (refused,) = events.of(Disconnected)
    assert refused.retry_in_s == 720.0
    exchange.refusal = None
    await clock.advance(719.9)
    await asyncio.sleep(0.05)
    assert exchange.n_handshakes == 1
    await clock.advance(0.2)
    await until(lambda: events.of(Connected))


async def test_a_ban_of_another_kernel_is_waited_for_before_the_first_handshake(
    exchange: FakeExchange, events: Collected, open_socket: Open, tmp_path: Path
) -> None:
    clock = ManualClock()
    path = tmp_path / "ban.json"
    Ban(clock, path).set(720.0, "This address is banned (HTTP 418).")
    open_socket(clock=clock, ban=Ban(clock, path))
    await until(lambda: events.of(Disconnected))
    await clock.is_slept_on()
    await clock.advance(719.9)
    await asyncio.sleep(0.05)
    assert exchange.n_handshakes == 0
    (told,) = events.of(Disconnected)
    assert (told.reason, told.retry_in_s) == ("This address is banned (HTTP 418).", 720.0)
    await clock.advance(0.2)
    await until(lambda: events.of(Connected))


async def test_a_ban_that_rest_was_told_of_holds_for_a_renewal(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    clock = ManualClock()
    ban = Ban(clock)
    socket = open_socket(clock=clock, ban=ban)
    await subscribed(events)
    ban.set(60.0, "Too many requests (HTTP 429).")
    socket.renew("it is asked for")
    await asyncio.sleep(0.05)
    assert exchange.n_handshakes == 1
    for _ in range(70):
        await exchange.send("market", frame(1))
        await asyncio.sleep(0.001)
        await clock.advance(1.0)
    await replaced(exchange)


# Patience -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_an_exchange_that_accepts_and_drops_is_tried_at_most_thirty_times_in_an_hour(
    exchange: FakeExchange, events: Collected, open_socket: Open, seed: int
) -> None:
    clock = ManualClock()
    exchange.is_closing = True
    open_socket(clock=clock, ban=Ban(clock), random=random.Random(seed).random)
    end_ns = clock.monotonic_ns + 3_600 * 10**9
    while clock.monotonic_ns < end_ns:
        n_lost = len(events.of(Disconnected))
        if n_lost == exchange.n_handshakes and n_lost:
            await clock.is_slept_on()
            await clock.advance((events.of(Disconnected)[-1].retry_in_s or 0.0) + 0.01)
            await until(lambda n=n_lost: exchange.n_handshakes == n + 1)  # type: ignore[misc]
        await asyncio.sleep(0.001)
    assert 10 < exchange.n_handshakes <= 30


async def test_three_times_403_is_the_end(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    clock = ManualClock()
    exchange.refusal = Refusal(403, b"<html>")
    socket = Socket(
        exchange.endpoints,
        "market",
        on_event=events.append,
        clock=clock,
        random=lambda: 0.0,
        ban=Ban(clock),
    )
    task = asyncio.create_task(socket.run())
    for n in (1, 2):
        await until(lambda n=n: len(events.of(Disconnected)) == n)  # type: ignore[misc]
        await clock.is_slept_on()
        await clock.advance(59.9)
        await asyncio.sleep(0.02)
        assert exchange.n_handshakes == n
        await clock.advance(0.2)
    with pytest.raises(FeedError, match="firewall refuses this address"):
        await task
    assert [event.retry_in_s for event in events.of(Disconnected)] == [60.0, 60.0, None]


async def test_a_policy_close_slows_down(
    exchange: FakeExchange, events: Collected, open_socket: Open
) -> None:
    clock = ManualClock()
    open_socket(clock=clock, ban=Ban(clock))
    for n, wait_s in enumerate([5.0, 10.0, 20.0], start=1):
        await until(lambda n=n: len(exchange.sockets["market"]) == n)  # type: ignore[misc]
        await exchange.drop("market", 1008)
        await until(lambda n=n: len(events.of(Disconnected)) == n)  # type: ignore[misc]
        assert events.of(Disconnected)[-1].retry_in_s == wait_s
        await clock.is_slept_on()
        await clock.advance(wait_s + 0.1)


async def test_woken_it_tries_at_once(exchange: FakeExchange, events: Collected, open_socket: Open) -> None:
    clock = ManualClock()
    await exchange.stop()
    socket = open_socket(clock=clock, ban=Ban(clock), random=lambda: 0.99)
    await until(lambda: events.of(Disconnected))
    await exchange.start()
    socket.wake()
    await until(lambda: events.of(Connected))


@pytest.mark.parametrize("is_refused", [True, False], ids=["HTTP 429", "close code 1008"])
async def test_woken_it_still_waits_for_as_long_as_it_was_told(
    exchange: FakeExchange, events: Collected, open_socket: Open, is_refused: bool
) -> None:
    clock = ManualClock()
    exchange.refusal = Refusal(429, Retry_After="35") if is_refused else None
    socket = open_socket(clock=clock, ban=Ban(clock))
    if not is_refused:
        await subscribed(events)
        await exchange.drop("market", 1008)
    await until(lambda: events.of(Disconnected))
    exchange.refusal = None
    socket.wake()
    await asyncio.sleep(0.05)
    assert exchange.n_handshakes == 1
    await clock.advance(36.0)
    await until(lambda: exchange.n_handshakes == 2)
