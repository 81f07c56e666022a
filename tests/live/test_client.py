from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from quantnb.errors import FeedError, InvalidSettingError
from quantnb.events import Connected, Disconnected, Gap, Malformed, MarkPrice, Quote, Reply, Trade
from quantnb.feed.order import DISCONNECTED
from quantnb.feed.routes import LIVE
from quantnb.feed.unused import Duplicate, Ignored
from quantnb.live.client import Client
from tests.feed.frames import AGG_TRADE, BOOK_TICKER, MARK_PRICE, combined
from tests.live.conftest import Start
from tests.live.server import Collected, FakeExchange, Refusal, until

OPEN_FILES = Path("/proc/self/fd")


def frame(trade_id: int, symbol: str = "BTCUSDT") -> bytes:
    return combined(AGG_TRADE, a=trade_id, s=symbol)


def ids(events: Collected) -> list[int]:
    return [trade.trade_id for trade in events.of(Trade)]


async def subscribed(exchange: FakeExchange, events: Collected, n_replies: int = 2) -> None:
    await until(lambda: len(events.of(Reply)) >= n_replies)


async def test_each_route_is_asked_for_its_own_streams(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    start()
    await subscribed(exchange, events)
    assert exchange.names("market") == [
        "btcusdt@aggTrade",
        "btcusdt@markPrice@1s",
        "ethusdt@aggTrade",
        "ethusdt@markPrice@1s",
    ]
    assert exchange.names("public") == ["btcusdt@bookTicker", "ethusdt@bookTicker"]
    assert {event.route for event in events.of(Connected)} == {"market", "public"}


async def test_frames_become_events_in_their_order(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    start()
    await subscribed(exchange, events)
    await exchange.send("market", frame(1), frame(2), combined(MARK_PRICE))
    await exchange.send("public", combined(BOOK_TICKER))
    await until(lambda: events.of(MarkPrice) and events.of(Quote))
    assert ids(events) == [1, 2]


async def test_a_hole_in_the_ids_is_said_before_the_trade_after_it(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    start()
    await subscribed(exchange, events)
    await exchange.send("market", frame(1), frame(4), frame(4))
    await until(lambda: events.of(Duplicate))
    kinds = [type(event) for event in events if isinstance(event, Trade | Gap | Duplicate)]
    assert kinds == [Trade, Gap, Trade, Duplicate]


async def test_malformed_frames_do_not_disconnect(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    start()
    await subscribed(exchange, events)
    bad = [b"", b"{", b"\xff\xfe", frame(2).replace(b"83000.10", b"NaN"), b"[" * 50_000, b"x" * 2**21]
    await exchange.send("market", frame(1), *bad, frame(2))
    await until(lambda: ids(events) == [1, 2])
    assert len(events.of(Malformed)) == len(bad)
    assert not events.of(Disconnected)
    assert exchange.n_handshakes == 2


@pytest.mark.parametrize("code", [1000, 1001, 1011, None])
async def test_after_a_drop_data_go_on_and_the_loss_is_said(
    exchange: FakeExchange, events: Collected, start: Start, code: int | None
) -> None:
    start()
    await subscribed(exchange, events)
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])
    await exchange.drop("market", code)
    await until(lambda: len(exchange.names("market")) == 8)
    await exchange.send("market", frame(5))
    await until(lambda: ids(events) == [1, 5])
    (lost,) = events.of(Disconnected)
    assert (lost.route, lost.retry_in_s) == ("market", 0.0)
    (gap,) = events.of(Gap)
    assert (gap.first_missing_id, gap.last_missing_id, gap.cause) == (2, 4, DISCONNECTED)
    assert len(exchange.sockets["public"]) == 1


async def test_an_exchange_that_comes_back_is_found(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    start()
    await subscribed(exchange, events)
    await exchange.stop()
    await until(lambda: len(events.of(Disconnected)) > 2)
    await exchange.start()
    await subscribed(exchange, events, n_replies=4)
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])


async def test_symbols_change_on_the_open_sockets(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    client, _ = start()
    await subscribed(exchange, events)
    client.set_symbols(["ETHUSDT", "SOLUSDT"])
    await subscribed(exchange, events, n_replies=6)
    assert exchange.names("market", "UNSUBSCRIBE") == ["btcusdt@aggTrade", "btcusdt@markPrice@1s"]
    assert exchange.names("market")[4:] == ["solusdt@aggTrade", "solusdt@markPrice@1s"]
    assert exchange.names("public", "UNSUBSCRIBE") == ["btcusdt@bookTicker"]
    assert exchange.names("public")[2:] == ["solusdt@bookTicker"]
    assert exchange.n_handshakes == 2


async def test_a_symbol_that_was_given_up_leaves_no_gap_when_it_is_watched_again(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    client, _ = start()
    await subscribed(exchange, events)
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])
    client.set_symbols(["ETHUSDT", "SOLUSDT"])
    await exchange.send("market", frame(2))  # it was on its way
    await until(lambda: events.of(Ignored))
    client.set_symbols(["BTCUSDT", "ETHUSDT"])
    await exchange.send("market", frame(1_000))
    await until(lambda: ids(events) == [1, 1_000])
    assert not events.of(Gap)


async def test_a_refused_request_is_reported_and_not_repeated(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    exchange.error = {"code": 2, "msg": "Invalid request"}
    start()
    await subscribed(exchange, events)
    await exchange.send("market", frame(1))
    await until(lambda: events.of(Trade))
    assert {(reply.error_code, reply.error_text) for reply in events.of(Reply)} == {(2, "Invalid request")}
    assert [len(messages) for messages in exchange.messages.values()] == [1, 1]


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (Refusal(451), "not available from this location (HTTP 451)"),
        (Refusal(302, Location="ws://127.0.0.1:9/market/stream"), "HTTP 302"),
        (Refusal(404), "HTTP 404"),
    ],
    ids=["451", "302", "404"],
)
async def test_a_refusal_that_trying_again_cannot_mend_ends_the_client(
    exchange: FakeExchange, events: Collected, start: Start, refusal: Refusal, words: str
) -> None:
    exchange.refusal = refusal
    _, task = start()
    with pytest.raises(FeedError) as raised:
        await task
    assert words in str(raised.value)
    assert events.of(Disconnected)[0].retry_in_s is None
    assert exchange.n_handshakes <= 2


async def test_a_request_to_wait_is_honoured(exchange: FakeExchange, events: Collected, start: Start) -> None:
    exchange.refusal = Refusal(429, Retry_After="35")
    start()
    await until(lambda: len(events.of(Disconnected)) == 2)
    assert {event.retry_in_s for event in events.of(Disconnected)} == {35.0}
    assert exchange.n_handshakes == 2


async def test_an_exchange_that_is_down_is_asked_again(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    exchange.refusal = Refusal(503)
    start()
    await until(lambda: len(events.of(Disconnected)) >= 6)
    exchange.refusal = None
    await subscribed(exchange, events)


async def test_stopped_it_leaves_neither_tasks_nor_sockets(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    before = asyncio.all_tasks()
    _, task = start()
    await subscribed(exchange, events)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    mine = {each for each in asyncio.all_tasks() - before if not _is_servers(each)}
    assert not mine
    await until(lambda: all(sockets[-1].state.name == "CLOSED" for sockets in exchange.sockets.values()))
    assert {socket.close_code for sockets in exchange.sockets.values() for socket in sockets} == {1000}


def _is_servers(task: asyncio.Task[object]) -> bool:
    return "conn_handler" in repr(task.get_coro())


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="open files are counted in /proc")
async def test_many_starts_keep_no_file_open(exchange: FakeExchange, events: Collected, start: Start) -> None:
    async def start_and_stop() -> None:
        n_replies = len(events.of(Reply))
        _, task = start()
        await subscribed(exchange, events, n_replies + 2)
        task.cancel()
        await asyncio.wait([task])

    def n_open() -> int:
        return len(list(OPEN_FILES.iterdir()))

    await start_and_stop()
    await until(lambda: exchange.sockets["public"][-1].state.name == "CLOSED")
    n_before = n_open()
    for _ in range(10):
        await start_and_stop()
    await until(lambda: n_open() <= n_before)


async def test_an_error_of_the_receiver_ends_the_client_and_is_raised(exchange: FakeExchange) -> None:
    def fail(_event: object) -> None:
        raise LookupError("from the receiver")

    with pytest.raises(LookupError, match="from the receiver"):
        await Client(exchange.endpoints, ["BTCUSDT"], on_event=fail).run()


def test_more_symbols_than_a_socket_carries_are_refused(events: Collected) -> None:
    client = Client(LIVE, [], on_event=events.append)
    with pytest.raises(InvalidSettingError, match="more than the 1024"):
        client.set_symbols(f"S{k}USDT" for k in range(600))
