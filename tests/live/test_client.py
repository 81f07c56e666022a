from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from quantnb.errors import FeedError
from quantnb.events import (
    Connected,
    Disconnected,
    Gap,
    Instant,
    Malformed,
    MarkPrice,
    Quote,
    Recovered,
    Reply,
    Trade,
)
from quantnb.feed import shards
from quantnb.feed.health import Health
from quantnb.feed.ledger import DISCONNECTED, SKIPPED, Ledger
from quantnb.feed.remedies import Ask, Remedy, Renew, Resubscribe
from quantnb.feed.routes import streams
from quantnb.feed.unused import Duplicate, Ignored
from quantnb.live.client import Client
from quantnb.live.clock import SystemClock
from tests.feed.frames import AGG_TRADE, BOOK_TICKER, MARK_PRICE, combined
from tests.live.clocks import ManualClock
from tests.live.conftest import Start
from tests.live.server import Collected, FakeExchange, Refusal, until

pytestmark = pytest.mark.usefixtures("transport")

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
    assert [len(exchange.messages[route]) for route in ("market", "public")] == [1, 1]


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
    await until(lambda: not exchange.n_open("market") + exchange.n_open("public"))
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


# More than one socket of a route --------------------------------------------------------------------------


def many(n: int) -> list[str]:
    return [f"S{k:04}USDT" for k in range(n)]


async def test_more_streams_than_a_socket_carries_get_a_second_one(
    exchange: FakeExchange, events: Collected, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "MAX_STREAMS", 6)
    start(tuple(many(7)))
    await subscribed(exchange, events, 5)  # 14 streams on /market in three sockets, 7 on /public in two
    assert [len(exchange.sockets[route]) for route in ("market", "public")] == [3, 2]
    per_socket = sorted(len(message["params"]) for message in exchange.messages["market"])
    assert per_socket == [2, 6, 6]
    assert sorted(exchange.names("market")) == sorted(streams("market", many(7)))


async def test_a_second_socket_comes_and_goes_with_its_symbols(
    exchange: FakeExchange, events: Collected, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "MAX_STREAMS", 6)
    client, _ = start(tuple(many(3)))
    await subscribed(exchange, events)
    client.set_symbols(many(4))
    await subscribed(exchange, events, 4)
    assert exchange.n_open("market") == 2
    assert exchange.names("market", "UNSUBSCRIBE") == []
    client.set_symbols(many(3))
    await until(lambda: exchange.n_open("market") == 1)
    assert exchange.names("market", "UNSUBSCRIBE") == []
    assert not events.of(Disconnected)


async def test_a_route_is_open_again_when_all_its_sockets_are(
    exchange: FakeExchange, events: Collected, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "MAX_STREAMS", 6)
    start(tuple(many(4)))
    await subscribed(exchange, events, 3)
    opened = [event for event in events.of(Connected) if event.route == "market"]
    assert len(opened) == 1
    exchange.refusal = Refusal(503)
    for socket in exchange.sockets["market"]:
        socket.transport.abort()
    await until(lambda: len(events.of(Disconnected)) > 4)
    events.clear()
    exchange.refusal = None
    await until(lambda: exchange.n_open("market") == 2)
    await subscribed(exchange, events, 2)
    routes = [(type(event), event.route) for event in events if isinstance(event, Connected | Disconnected)]
    assert routes[-1] == (Connected, "market")
    assert routes.count((Connected, "market")) == 1


async def test_only_the_symbols_of_a_lost_socket_are_said_to_have_lost_it(
    exchange: FakeExchange, events: Collected, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "MAX_STREAMS", 2)
    start()
    await subscribed(exchange, events, 3)
    btc, eth = sorted(exchange.sockets["market"], key=lambda each: "eth" in str(exchange.asked[each]))
    for socket, symbol in ((btc, "BTCUSDT"), (eth, "ETHUSDT")):
        await socket.send(frame(1, symbol), text=True)
    await until(lambda: len(ids(events)) == 2)
    btc.transport.abort()
    await until(lambda: len(exchange.sockets["market"]) == 3)
    await exchange.sockets["market"][-1].send(frame(5, "BTCUSDT"), text=True)
    await eth.send(frame(5, "ETHUSDT"), text=True)
    await until(lambda: len(events.of(Gap)) == 2)
    causes = {gap.symbol: gap.cause for gap in events.of(Gap)}
    assert causes == {"BTCUSDT": DISCONNECTED, "ETHUSDT": SKIPPED}


# The watch ------------------------------------------------------------------------------------------------


class Prescribing(Health):
    """Says once what the test tells it to."""

    def __init__(self, *prescribed: Remedy) -> None:
        super().__init__()
        self.prescribed = prescribed
        self.said: list[str] = []

    def remedies(self, now: Instant) -> tuple[Remedy, ...]:
        due, self.prescribed = self.prescribed, ()
        return due

    def note(self, text: str) -> None:
        self.said.append(text)


async def test_a_stream_is_subscribed_again_where_health_asks_for_it(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    health = Prescribing()
    start(health=health)
    await subscribed(exchange, events)
    health.prescribed = (Resubscribe("market", ("ethusdt@aggTrade",)),)
    await subscribed(exchange, events, 4)
    assert exchange.names("market", "UNSUBSCRIBE") == ["ethusdt@aggTrade"]
    assert exchange.names("market")[4:] == ["ethusdt@aggTrade"]
    assert exchange.n_handshakes == 2


@pytest.mark.parametrize(("is_other_path", "route"), [(False, "public"), (True, "stream")])
async def test_a_socket_is_renewed_where_health_asks_for_it(
    exchange: FakeExchange, events: Collected, start: Start, is_other_path: bool, route: str
) -> None:
    health = Prescribing()
    start(health=health)
    await subscribed(exchange, events)
    old = exchange.sockets["public"][0]
    health.prescribed = (Renew("public", "no data", is_other_path),)
    n_asked = 2 if route == "public" else 1  # the old one has asked there, too
    await until(lambda: exchange.n_handshakes == 3 and len(exchange.messages[route]) == n_asked)
    await exchange.send(route, combined(BOOK_TICKER))
    await until(lambda: old.state.name == "CLOSED" and events.of(Quote))
    assert not events.of(Disconnected)
    assert len(exchange.sockets["market"]) == 1


async def test_rest_is_asked_where_health_asks_for_it(
    exchange: FakeExchange, events: Collected, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = Prescribing()
    client, _ = start(health=health)
    asked: list[str] = []
    monkeypatch.setattr(client.recovery, "ask", asked.append)
    health.prescribed = (Ask("ETHUSDT"),)
    await until(lambda: asked)
    assert asked == ["ETHUSDT"]


async def test_after_a_sleep_all_sockets_are_renewed_at_once(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    clock, health = ManualClock(), Prescribing()
    start(clock=clock, health=health)
    await subscribed(exchange, events)
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])
    await clock.advance(1.0)
    clock.wall_ns += 3_600 * 10**9  # the monotonic clock stood still meanwhile
    await clock.advance(0.5)
    await until(lambda: all(len(exchange.messages[route]) == 2 for route in ("market", "public")))
    assert health.said == ["This computer slept for 1 h 0 min; the connections were renewed."]
    await exchange.send("market", frame(7))
    await until(lambda: ids(events) == [1, 7])
    assert events.of(Gap)[0].cause == DISCONNECTED


@pytest.mark.parametrize(
    ("step_s", "said"),
    [
        (-20, ["This computer's clock was set back by 20 s."]),
        (-4, []),
        (4, []),
        (6, ["This computer slept for 6 s; the connections were renewed."]),
        (90, ["This computer slept for 2 min; the connections were renewed."]),
        (90_000, ["This computer slept for 25 h 0 min; the connections were renewed."]),
    ],
)
async def test_a_clock_that_was_set_breaks_nothing(
    exchange: FakeExchange, events: Collected, start: Start, step_s: int, said: list[str]
) -> None:
    clock, health = ManualClock(), Prescribing()
    start(clock=clock, health=health)
    await subscribed(exchange, events)
    await clock.advance(1.0)
    clock.wall_ns += step_s * 10**9
    await clock.advance(1.0)
    n_sockets = 2 if any("renewed" in text for text in said) else 1
    await until(lambda: len(exchange.messages["market"]) == n_sockets)
    await exchange.send("market", *(frame(number) for number in range(20)))
    await until(lambda: ids(events)[-1:] == [19])
    assert health.said == said
    assert not events.of(Disconnected)


# The ledger -----------------------------------------------------------------------------------------------


async def test_health_counts_every_event_and_the_sum_is_right(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    health = Health()
    start(health=health)
    await subscribed(exchange, events)
    far = frame(3).replace(b"83000.10", b"-1")
    await exchange.send(
        "market", frame(1), frame(2), frame(2), b"{", far, frame(9, "OTHER"), frame(5), frame(4)
    )
    await until(lambda: events.of(Recovered))
    counts = health.status(SystemClock().now()).counts
    assert counts["received"] == 7  # the symbol that nobody asked for is beside them
    assert counts["received"] == sum(counts[name] for name in ("stored", "duplicate", "late", "rejected"))
    assert [counts[name] for name in ("stored", "duplicate", "late", "rejected", "gaps")] == [3, 1, 1, 2, 1]


async def test_a_ledger_that_is_handed_over_shows_what_was_missed(
    exchange: FakeExchange, events: Collected, start: Start
) -> None:
    ledger = Ledger()
    _, task = start(ledger=ledger)
    await subscribed(exchange, events)
    await exchange.send("market", frame(1))
    await until(lambda: ids(events) == [1])
    task.cancel()
    await asyncio.wait([task])
    start(ledger=ledger)
    await subscribed(exchange, events, 4)
    await exchange.send("market", frame(5))
    await until(lambda: ids(events) == [1, 5])
    (gap,) = events.of(Gap)
    assert (gap.first_missing_id, gap.last_missing_id) == (2, 4)
