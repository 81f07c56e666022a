"""Real sockets: a plain websockets client and httpx against the exchange."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect

from quantnb.errors import FeedError, InvalidSettingError
from quantnb.exchange import Limits, LocalExchange

from .client import connections, drain, get, listen, until


async def test_streamed_trades_and_rest_agree(exchange: LocalExchange) -> None:
    async with listen(exchange, "/market/ws/btcusdt@aggTrade") as socket:
        streamed = [json.loads(await socket.recv()) for _ in range(100)]
    first_id = streamed[0]["a"]
    assert [trade["a"] for trade in streamed] == list(range(first_id, first_id + 100))
    reply = await get(exchange, f"/fapi/v1/aggTrades?symbol=BTCUSDT&fromId={first_id}&limit=100")
    keys = reply.json()[0]
    assert [{key: trade[key] for key in keys} for trade in streamed] == reply.json()


async def test_rest_tells_the_used_weight_and_closes_the_connection(exchange: LocalExchange) -> None:
    reply = await get(exchange, "/fapi/v1/klines?symbol=btcusdt&interval=1m&limit=1500")
    assert reply.status_code == 200
    assert len(reply.json()) == 1_500
    assert reply.headers["x-mbx-used-weight-1m"] == "10"
    assert reply.headers["connection"] == "close"
    assert (await get(exchange, "/fapi/v1/klines?symbol=X&interval=1m")).json()["code"] == -1121
    assert (await get(exchange, "/elsewhere")).status_code == 404


async def test_a_raw_and_a_combined_socket_get_the_same_trade(exchange: LocalExchange) -> None:
    async with (
        listen(exchange, "/market/ws/btcusdt@aggTrade") as raw,
        listen(exchange, "/market/stream?streams=btcusdt@aggTrade") as combined,
    ):
        trade = json.loads(await raw.recv())
        frame = json.loads(await combined.recv())
        while frame["data"]["a"] > trade["a"]:
            trade = json.loads(await raw.recv())
        while frame["data"]["a"] < trade["a"]:
            frame = json.loads(await combined.recv())
    assert frame == {"stream": "btcusdt@aggTrade", "data": trade}


async def test_the_unrouted_path_acknowledges_and_delivers_public_streams_only(
    exchange: LocalExchange,
) -> None:
    async with listen(exchange, "/stream") as socket:
        names = ["btcusdt@aggTrade", "btcusdt@bookTicker", "ethusdt@bookTicker"]
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}))
        assert json.loads(await socket.recv()) == {"result": None, "id": 1}
        frames = [json.loads(await socket.recv()) for _ in range(16)]
    assert {frame["stream"] for frame in frames} == {"btcusdt@bookTicker", "ethusdt@bookTicker"}


async def test_a_chinese_symbol_is_streamed_under_its_name(exchange: LocalExchange) -> None:
    name = "币安人生usdt@bookTicker"
    async with listen(exchange, "/public/stream") as socket:
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [name], "id": 1}, ensure_ascii=False))
        frame = await until(socket, lambda message: "stream" in message)
    assert (frame["stream"], frame["data"]["s"]) == (name, "币安人生USDT")


async def test_unsubscribing_silences_a_stream(exchange: LocalExchange) -> None:
    async with listen(exchange, "/public/ws/btcusdt@bookTicker/ethusdt@bookTicker") as socket:
        await until(socket, lambda message: message.get("s") == "BTCUSDT")
        await socket.send('{"method":"UNSUBSCRIBE","params":["btcusdt@bookTicker"],"id":1}')
        await until(socket, lambda message: message.get("id") == 1)
        after = [json.loads(await socket.recv())["s"] for _ in range(10)]
    assert set(after) == {"ETHUSDT"}


async def test_a_flood_of_requests_is_closed_with_1008(exchange: LocalExchange) -> None:
    async with listen(exchange, "/market/ws") as socket:
        for k in range(40):
            await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": k}))
        answers: list[Any] = []
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await drain(socket, answers)
    assert 15 <= len(answers) < 40
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "Too many requests")


async def test_one_stream_too_many_is_answered_and_closed() -> None:
    limits = Limits(streams_per_connection=2)
    async with (
        LocalExchange(["BTCUSDT"], limits=limits) as exchange,
        listen(exchange, "/market/ws") as socket,
    ):
        await socket.send('{"method":"SUBSCRIBE","params":["a","b","c"],"id":9}')
        assert json.loads(await socket.recv())["error"]["code"] == 4
        with pytest.raises(websockets.ConnectionClosedError, match=r"1008.*Invalid request"):
            await socket.recv()


async def test_a_client_that_answers_pings_stays_and_its_own_are_answered() -> None:
    limits = Limits(ping_interval_s=0.2, pong_timeout_s=0.5, max_age_s=1.5)
    async with LocalExchange(["BTCUSDT"], limits=limits) as exchange, listen(exchange, "/ws") as socket:
        await (await socket.ping(b"ours"))
        with pytest.raises(websockets.ConnectionClosedOK, match="1001"):  # its age, not its pongs
            await socket.recv()


def handshake(path: str) -> bytes:
    """Return the request of a client that will do nothing of its own accord."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


async def test_a_client_that_never_pongs_is_dropped() -> None:
    limits = Limits(ping_interval_s=0.2, pong_timeout_s=0.3)
    async with LocalExchange(["BTCUSDT"], limits=limits) as exchange:
        reader, writer = await asyncio.open_connection(exchange.host, exchange.port)
        writer.write(handshake("/market/ws"))
        received = await reader.read()  # to the end: the exchange hangs up
        writer.close()
    _, _, frames = received.partition(b"\r\n\r\n")
    assert frames[0] == 0x89, "a ping came first"
    assert frames[2 : 2 + frames[1]].decode().isdigit()
    assert b"Pong timeout" in frames


async def test_a_reader_that_does_not_keep_up_is_cut_off() -> None:
    names = [f"{k}" * 100_000 for k in range(9)]  # an answer that lists them has 900 kB
    async with (
        LocalExchange(["BTCUSDT"]) as exchange,
        connect(f"{exchange.address}/market/ws", max_queue=1, close_timeout=0.1) as socket,
    ):
        await connections(exchange, 1)
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}))
        for k in range(14):
            await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": k}))
        await connections(exchange, 0)


@pytest.mark.parametrize(("jump_s", "is_whole"), [(10, True), (600, False)])
async def test_after_a_blocked_loop_streams_catch_up_as_far_as_is_sensible(
    jump_s: int, is_whole: bool
) -> None:
    """Beyond two minutes the stream has a hole, and REST what is in it."""
    jump_ns = 0
    exchange = LocalExchange(["BTCUSDT"], rate=50.0, clock_ns=lambda: time.time_ns() + jump_ns)
    async with exchange, listen(exchange, "/market/ws/btcusdt@aggTrade") as socket:
        ids = [json.loads(await socket.recv())["a"]]
        jump_ns = jump_s * 1_000_000_000
        after_ms = exchange.market.now_ms + jump_s * 1000
        while True:
            trade = json.loads(await socket.recv())
            ids.append(trade["a"])
            if trade["T"] >= after_ms:
                break
        holes = [(before, after) for before, after in pairwise(ids) if after != before + 1]
        assert len(holes) == (0 if is_whole else 1)
        for before, after in holes:
            reply = await get(exchange, f"/fapi/v1/aggTrades?symbol=BTCUSDT&fromId={before + 1}&limit=1000")
            filled = [row["a"] for row in reply.json()]
            assert filled == list(range(before + 1, before + 1 + len(filled)))
            assert len(filled) == 1000 or filled[-1] >= after


async def test_a_port_in_use_is_a_sentence(exchange: LocalExchange) -> None:
    with pytest.raises(FeedError, match=f"Port {exchange.port} on 127.0.0.1 is in use: choose another"):
        await LocalExchange(["BTCUSDT"], port=exchange.port).start()


@pytest.mark.parametrize("setting", [{"seed": -1}, {"rate": 0.0}, {"symbols": ["FOO"]}])
def test_a_bad_setting_is_an_error(setting: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettingError):
        LocalExchange(**setting)


async def test_stopping_closes_connections_and_leaves_no_task_behind() -> None:
    before = asyncio.all_tasks()
    exchange = LocalExchange(["BTCUSDT"])
    await exchange.start()
    await exchange.start()  # a second start changes nothing
    async with listen(exchange, "/market/ws/btcusdt@markPrice@1s") as socket:
        await exchange.stop()
        with pytest.raises(websockets.ConnectionClosed, match="1001"):
            await drain(socket, [])
    await exchange.stop()
    assert exchange.n_connections == 0
    assert asyncio.all_tasks() == before
