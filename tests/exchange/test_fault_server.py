"""Each fault of a connection on a real socket: that it does what it says, and that it can be healed."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from quantnb.errors import InvalidSettingError
from quantnb.exchange import Fault, LocalExchange
from quantnb.exchange.kinds import CLOSE_CODES, CUT

from .client import connections, drain, get, is_silent, listen, subscribe, until

TRADES = "/market/ws/btcusdt@aggTrade"


@pytest.fixture
def exchange(pair_exchange: LocalExchange) -> LocalExchange:
    return pair_exchange


async def is_whole(exchange: LocalExchange) -> bool:
    """Return whether a new client gets consecutive trades, quotes, pongs and REST."""
    async with (
        listen(exchange, TRADES) as market,
        listen(exchange, "/public/ws/btcusdt@bookTicker") as public,
    ):
        ids = [json.loads(await market.recv())["a"] for _ in range(20)]
        await public.recv()
        await (await market.ping())
    reply = await get(exchange, f"/fapi/v1/aggTrades?symbol=BTCUSDT&fromId={ids[0]}&limit=20")
    return [row["a"] for row in reply.json()] == ids == list(range(ids[0], ids[0] + 20))


async def has_pong(socket: ClientConnection) -> bool:
    pong = await socket.ping()
    done, _ = await asyncio.wait([asyncio.ensure_future(pong)], timeout=0.5)
    return bool(done)


@pytest.mark.parametrize("code", CLOSE_CODES)
async def test_every_connection_is_dropped_with_the_code_once(exchange: LocalExchange, code: str) -> None:
    async with listen(exchange, TRADES) as market, listen(exchange, "/public/ws") as public:
        await connections(exchange, 2)
        exchange.inject(f"drop:{code}")
        for socket in (market, public):
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await drain(socket, [])
            assert (closed.value.rcvd.code if closed.value.rcvd else CUT) == int(code)
    assert exchange.faults == ()
    assert await is_whole(exchange)


@pytest.mark.parametrize("code", [None, 1012])
async def test_connections_are_dropped_from_python(exchange: LocalExchange, code: int | None) -> None:
    async with listen(exchange, TRADES) as socket:
        await socket.recv()
        exchange.drop(code)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await drain(socket, [])
    assert (closed.value.rcvd and closed.value.rcvd.code) == code


async def test_connections_of_one_route_are_dropped_again_and_again(exchange: LocalExchange) -> None:
    async with listen(exchange, "/public/ws/btcusdt@bookTicker") as public:
        exchange.inject("drop:1001,every=0.2,route=market")
        for _ in range(3):
            async with listen(exchange, TRADES) as socket:
                with pytest.raises(websockets.ConnectionClosedOK, match="1001"):
                    await drain(socket, [])
        await public.recv()
    exchange.heal("drop")
    assert await is_whole(exchange)


async def test_a_connection_is_reset(exchange: LocalExchange) -> None:
    async with listen(exchange, TRADES) as socket:
        await socket.recv()
        exchange.inject("rst")
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await drain(socket, [])
    assert isinstance(closed.value.__cause__, ConnectionResetError)
    assert await is_whole(exchange)


async def test_a_half_open_connection_is_mute_and_deaf_and_reset_when_it_heals(
    exchange: LocalExchange,
) -> None:
    async with listen(exchange, TRADES) as socket:
        await socket.recv()
        exchange.inject("half-open")
        assert await is_silent(socket)
        await socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        assert not await has_pong(socket)
        assert await is_silent(socket)
        exchange.heal("half-open")
        with pytest.raises(websockets.ConnectionClosedError):
            await socket.recv()
    assert await is_whole(exchange)


async def test_half_open_heals_by_itself(exchange: LocalExchange) -> None:
    async with listen(exchange, TRADES) as socket:
        await connections(exchange, 1)
        exchange.inject("half-open:0.3")
        begin_s = time.monotonic()
        with pytest.raises(websockets.ConnectionClosedError):
            await drain(socket, [])
        assert time.monotonic() - begin_s > 0.25
    assert await is_whole(exchange)


async def test_new_connections_are_whole_while_old_ones_are_half_open(exchange: LocalExchange) -> None:
    async with connect(f"{exchange.address}{TRADES}", close_timeout=0.1) as socket:
        await connections(exchange, 1)
        exchange.inject("half-open:connections=open")
        assert await is_silent(socket)
        assert await is_whole(exchange)


async def test_an_exchange_with_half_open_connections_stops_at_once() -> None:
    exchange = LocalExchange(["BTCUSDT"], faults=["half-open"])
    await exchange.start()
    async with listen(exchange, TRADES) as socket:
        assert await is_silent(socket)
        begin_s = time.monotonic()
        await exchange.stop()
        assert time.monotonic() - begin_s < 0.9
        with pytest.raises(websockets.ConnectionClosedError):
            await socket.recv()


async def test_one_stream_is_silent_among_others(exchange: LocalExchange) -> None:
    streams = "btcusdt@aggTrade/ethusdt@aggTrade/btcusdt@markPrice@1s"
    async with listen(exchange, f"/market/stream?streams={streams}") as socket:
        exchange.inject("silent-stream:btcusdt@aggTrade")
        begin_ms = exchange.market.now_ms
        await until(socket, lambda message: message["data"]["E"] > begin_ms)
        seen: Counter[str] = Counter()
        while min(seen["ethusdt@aggTrade"], seen["btcusdt@markPrice@1s"]) < 2:
            seen[json.loads(await socket.recv())["stream"]] += 1
        assert set(seen) == {"ethusdt@aggTrade", "btcusdt@markPrice@1s"}
        exchange.heal()
        await until(socket, lambda message: message["stream"] == "btcusdt@aggTrade")


async def test_a_silent_socket_answers_pings_and_requests(exchange: LocalExchange) -> None:
    async with (
        listen(exchange, TRADES) as socket,
        listen(exchange, "/public/ws/btcusdt@bookTicker") as public,
    ):
        exchange.inject("silent-socket:market")
        assert await is_silent(socket)
        assert await has_pong(socket)
        assert await subscribe(socket, "ethusdt@aggTrade") == {"result": None, "id": 1}
        assert await is_silent(socket)
        await public.recv()
        exchange.heal()
        await until(socket, lambda message: message["s"] == "BTCUSDT")


async def test_subscriptions_that_are_only_acknowledged_stay_silent_until_made_again(
    exchange: LocalExchange,
) -> None:
    async with listen(exchange, TRADES) as before, listen(exchange, "/market/ws") as socket:
        await before.recv()
        exchange.inject("ack-only")
        assert await subscribe(socket, "ethusdt@aggTrade") == {"result": None, "id": 1}
        assert await is_silent(socket)
        await until(before, lambda message: message["s"] == "BTCUSDT")
        exchange.heal()
        assert await is_silent(socket)
        await subscribe(socket, "ethusdt@aggTrade")
        await until(socket, lambda message: message.get("s") == "ETHUSDT")


async def test_subscriptions_are_refused(exchange: LocalExchange) -> None:
    async with listen(exchange, "/market/ws") as socket:
        exchange.inject("refuse-subscribe:4,times=1")
        refused = await subscribe(socket, "btcusdt@aggTrade")
        assert (refused["error"]["code"], refused["id"]) == (4, 1)
        assert await subscribe(socket, "btcusdt@aggTrade") == {"result": None, "id": 1}
        await until(socket, lambda message: "a" in message)


@pytest.mark.parametrize("code", ["1000", "1006", "1013"])
async def test_connections_are_accepted_and_closed(exchange: LocalExchange, code: str) -> None:
    exchange.inject(f"accept-close:{code},times=3")
    for _ in range(3):
        async with listen(exchange, TRADES) as socket:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await socket.recv()
        assert (closed.value.rcvd.code if closed.value.rcvd else CUT) == int(code)
    assert await is_whole(exchange)


async def test_a_day_passes_in_a_second_and_is_announced(exchange: LocalExchange) -> None:
    exchange.inject("max-age:1,warning=0.5")
    messages: list[Any] = []
    async with listen(exchange, TRADES) as socket:
        with pytest.raises(websockets.ConnectionClosedOK, match=r"1001.*too old"):
            await drain(socket, messages)
    (place,) = [k for k, message in enumerate(messages) if message["e"] == "serverShutdown"]
    assert 0 < place < len(messages) - 1
    assert abs(messages[place]["E"] - messages[place - 1]["E"]) < 1_000
    exchange.heal()
    assert await is_whole(exchange)


async def test_a_slow_reader_is_cut_off_sooner(exchange: LocalExchange) -> None:
    exchange.inject("slow-reader:10000")
    async with connect(f"{exchange.address}{TRADES}", max_queue=1, close_timeout=0.1):
        await connections(exchange, 1)
        exchange.inject("burst:20000")
        await connections(exchange, 0)
    exchange.heal()
    async with listen(exchange, TRADES) as socket:
        await connections(exchange, 1)
        exchange.inject("burst:5000")
        seen = [json.loads(await socket.recv())["a"] for _ in range(5_000)]
    assert seen == list(range(seen[0], seen[0] + 5_000))


async def test_a_burst_is_real_trades_within_100_ms(exchange: LocalExchange) -> None:
    async with listen(exchange, TRADES) as socket:
        trades = [json.loads(await socket.recv())]
        exchange.inject("burst:1100")
        while len(trades) < 1_200:
            trades.append(json.loads(await socket.recv()))
    ids = [trade["a"] for trade in trades]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert all(after["f"] > before["l"] for before, after in pairwise(trades))
    times_ms = [trade["T"] for trade in trades]
    assert times_ms == sorted(times_ms)
    burst_ms = trades[600]["T"]
    assert sum(abs(time_ms - burst_ms) < 100 for time_ms in times_ms) >= 1_100
    reply = await get(exchange, f"/fapi/v1/aggTrades?symbol=BTCUSDT&fromId={ids[0]}&limit=1000")
    assert [(row["a"], row["p"], row["T"]) for row in reply.json()] == [
        (trade["a"], trade["p"], trade["T"]) for trade in trades[:1_000]
    ]


async def test_skipped_trades_are_on_rest(exchange: LocalExchange) -> None:
    exchange.inject("skip:0.2")
    async with listen(exchange, TRADES) as socket:
        ids = [json.loads(await socket.recv())["a"] for _ in range(200)]
    reply = await get(exchange, f"/fapi/v1/aggTrades?symbol=BTCUSDT&fromId={ids[0]}&limit=1000")
    missing = {row["a"] for row in reply.json() if row["a"] <= ids[-1]} - set(ids)
    assert ids == sorted(set(ids))
    assert 10 < len(missing) < 120


async def test_frames_are_late_twice_and_out_of_order_and_none_is_lost(exchange: LocalExchange) -> None:
    for text in ("delay:0.2,jitter=0.3", "duplicate:0.2", "reorder:0.2"):
        exchange.inject(text)
    async with listen(exchange, TRADES) as socket:
        ids = [json.loads(await socket.recv())["a"] for _ in range(300)]
        exchange.heal()
        healed_ms, time_ms = exchange.market.now_ms, 0
        while time_ms < healed_ms:  # what was held comes before it
            trade = json.loads(await socket.recv())
            time_ms = trade["T"]
            ids.append(trade["a"])
    assert ids != sorted(ids)
    assert len(set(ids)) < len(ids)
    seen = set(ids)
    assert set(range(min(seen), max(seen) + 1)) == seen


async def test_text_that_is_none_is_sent_as_text(exchange: LocalExchange) -> None:
    exchange.inject("garbage:not-utf8,p=1,how=extra")
    async with listen(exchange, TRADES) as socket:
        spoiled, frame = await socket.recv(decode=False), await socket.recv(decode=False)
        with pytest.raises(UnicodeDecodeError):
            spoiled.decode()
        assert json.loads(frame)["e"] == "aggTrade"
        exchange.heal()
        frames = [await socket.recv(decode=False) for _ in range(50)]
        assert json.loads(frames[-1])["e"] == "aggTrade"


async def test_the_exchange_s_clock_is_wrong_from_the_start_or_later() -> None:
    async with (
        LocalExchange(["BTCUSDT"], rate=200.0, faults=["clock:3600"]) as exchange,
        listen(exchange, TRADES) as socket,
    ):
        trade = json.loads(await socket.recv())
        assert 3_590 < trade["T"] / 1000 - time.time() <= 3_600
        assert 3_595 < await clock_s(exchange) - time.time() <= 3_600
        exchange.heal("clock")
        assert abs(await clock_s(exchange) - time.time()) < 5
        exchange.inject("clock:-3600")
        assert -3_605 < await clock_s(exchange) - time.time() < -3_599


async def clock_s(exchange: LocalExchange) -> float:
    return float((await get(exchange, "/fapi/v1/time")).json()["serverTime"]) / 1000


async def test_a_clock_that_is_set_back_waits_for_time_to_catch_up(exchange: LocalExchange) -> None:
    async with listen(exchange, TRADES) as socket:
        ids = [json.loads(await socket.recv())["a"]]
        exchange.inject("clock:1")
        ids += [json.loads(await socket.recv())["a"] for _ in range(100)]
        exchange.heal()
        ids += [json.loads(await socket.recv())["a"] for _ in range(200)]
    assert ids == list(range(ids[0], ids[0] + 301))


async def test_only_the_time_of_messages_is_wrong(exchange: LocalExchange) -> None:
    exchange.inject("push-clock:-20")
    async with listen(exchange, TRADES) as socket:
        trade = json.loads(await socket.recv())
    assert -20_000 < trade["E"] - trade["T"] <= -19_800
    assert 19 < time.time() - await clock_s(exchange) < 25


async def test_a_certificate_that_nobody_trusts_is_refused_and_works_for_who_does_not_look() -> None:
    async with LocalExchange(["BTCUSDT"], rate=200.0, faults=["untrusted-tls"]) as exchange:
        assert exchange.address.startswith("wss://127.0.0.1:")
        with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
            await listen(exchange, TRADES)
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await get(exchange, "/fapi/v1/ping")
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
        async with connect(f"{exchange.address}{TRADES}", ssl=blind) as socket:
            await socket.recv()
            exchange.inject("rst")
            with pytest.raises(websockets.ConnectionClosedError):
                await drain(socket, [])
    async with LocalExchange(["BTCUSDT"]) as exchange:
        with pytest.raises(InvalidSettingError, match="chosen when the exchange starts"):
            exchange.inject("untrusted-tls")


async def note_times(socket: ClientConnection, begin_s: float, arrived_s: list[float]) -> None:
    while await socket.recv():
        arrived_s.append(time.monotonic() - begin_s)


async def test_a_script_is_played_by_the_exchange_itself() -> None:
    script = [(0.3, "silent-socket:for=0.6"), (1.2, "drop:1012")]
    async with LocalExchange(["BTCUSDT"], rate=300.0, script=script) as exchange:
        begin_s = time.monotonic()
        arrived_s = [0.0]
        async with listen(exchange, "/public/ws/btcusdt@bookTicker") as socket:
            with pytest.raises(websockets.ConnectionClosedError, match="1012"):
                await note_times(socket, begin_s, arrived_s)
        assert exchange.faults == ()
    assert max(after - before for before, after in pairwise(arrived_s)) > 0.5
    assert 1.0 < arrived_s[-1] < 5.0


async def test_a_fault_that_meets_nothing_here_is_an_error() -> None:
    exchange = LocalExchange(["BTCUSDT"], faults=["silent-stream:ethusdt@aggTrade"])
    for _ in range(2):
        with pytest.raises(InvalidSettingError, match="meets no stream of this exchange; one is called btc"):
            await exchange.start()
    async with LocalExchange(["BTCUSDT"]) as exchange:
        with pytest.raises(InvalidSettingError, match="needs a symbol that trades"):
            exchange.inject("burst:symbol=ETHUSDT")
        with pytest.raises(InvalidSettingError, match="did you mean half-open"):
            exchange.inject("half-opn")
    with pytest.raises(InvalidSettingError, match="did you mean drop"):
        LocalExchange(["BTCUSDT"], faults=["dropp"])


async def test_nothing_is_left_of_connections_that_suffered() -> None:
    tasks, files = asyncio.all_tasks(), n_files()
    faults = ["delay:5", "half-open:after=0.4,route=market", "reorder:1", "rest-delay:30"]
    exchange = LocalExchange(["BTCUSDT"], rate=200.0, faults=faults)
    await exchange.start()
    async with (
        listen(exchange, TRADES) as market,
        listen(exchange, "/public/ws/btcusdt@bookTicker") as public,
    ):
        request = asyncio.create_task(get(exchange, "/fapi/v1/ping"))
        assert await is_silent(market)
        exchange.inject(Fault.parse("drop:1011,route=public"))
        with pytest.raises(websockets.ConnectionClosedError, match="1011"):
            await public.recv()
        await exchange.stop()
        assert (await request).status_code == 200
    assert exchange.n_connections == 0
    assert asyncio.all_tasks() == tasks
    assert n_files() == files


def n_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
