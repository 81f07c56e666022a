"""The faults of handshakes and of REST, over real sockets."""

from __future__ import annotations

import json
import time

import httpx
import pytest
import websockets

from quantnb.exchange import LocalExchange

from .client import get, listen

STATUSES = (403, 418, 429, 451, 500, 502, 503, 504)
HTML = (403, 502, 504)
TRADES = "/market/ws/btcusdt@aggTrade"
AGG_TRADES = "/fapi/v1/aggTrades?symbol=BTCUSDT"


@pytest.fixture
def exchange(pair_exchange: LocalExchange) -> LocalExchange:
    return pair_exchange


@pytest.mark.parametrize("retry", ["", "30"])
@pytest.mark.parametrize("status", STATUSES)
async def test_handshakes_are_refused_until_it_heals(
    exchange: LocalExchange, status: int, retry: str
) -> None:
    exchange.inject(f"handshake-{status}:{retry}")
    with pytest.raises(websockets.InvalidStatus) as refused:
        await listen(exchange, TRADES)
    response = refused.value.response
    assert response.status_code == status
    assert response.headers.get("Retry-After", "") == retry
    assert response.body.startswith(b"<html>" if status in HTML else b"{")
    assert (await get(exchange, "/fapi/v1/ping")).status_code == 200
    exchange.heal()
    async with listen(exchange, TRADES) as socket:
        await socket.recv()


@pytest.mark.parametrize("retry", ["", "30"])
@pytest.mark.parametrize("status", STATUSES)
async def test_rest_is_refused_until_it_heals(exchange: LocalExchange, status: int, retry: str) -> None:
    exchange.inject(f"rest-{status}:{retry}")
    reply = await get(exchange, "/fapi/v1/time")
    assert reply.status_code == status
    assert reply.headers.get("Retry-After", "") == retry
    if status in HTML:
        assert reply.headers["Content-Type"] == "text/html"
        assert "<title>" in reply.text
    else:
        assert {"code", "msg"} == set(reply.json())
    async with listen(exchange, TRADES) as socket:
        await socket.recv()
    exchange.heal()
    assert (await get(exchange, "/fapi/v1/time")).status_code == 200


async def test_a_ban_tells_until_when(exchange: LocalExchange) -> None:
    exchange.inject("rest-418:120")
    message = (await get(exchange, "/fapi/v1/time")).json()["msg"]
    until_s = int(message.rpartition(" ")[2].rstrip(".")) / 1000
    assert 100 < until_s - time.time() < 121


async def test_a_refusal_can_be_of_one_route_one_path_or_a_few_times(exchange: LocalExchange) -> None:
    exchange.inject("handshake-503:route=public")
    exchange.inject("rest-503:path=agg*,times=2")
    async with listen(exchange, TRADES) as socket:
        await socket.recv()
    with pytest.raises(websockets.InvalidStatus):
        await listen(exchange, "/public/ws/btcusdt@bookTicker")
    assert (await get(exchange, "/fapi/v1/ping")).status_code == 200
    assert [(await get(exchange, AGG_TRADES)).status_code for _ in range(3)] == [503, 503, 200]


async def test_answers_come_late(exchange: LocalExchange) -> None:
    exchange.inject("rest-delay:0.4,path=ping")
    exchange.inject("handshake-delay:0.4,route=market")
    begin_s = time.monotonic()
    await get(exchange, "/fapi/v1/ping")
    middle_s = time.monotonic()
    async with listen(exchange, TRADES):
        end_s = time.monotonic()
    assert min(middle_s - begin_s, end_s - middle_s) >= 0.4
    exchange.heal()
    begin_s = time.monotonic()
    await get(exchange, "/fapi/v1/ping")
    assert time.monotonic() - begin_s < 0.4


async def test_rest_connections_end_without_an_answer(exchange: LocalExchange) -> None:
    exchange.inject("rest-cut:times=1")
    with pytest.raises(httpx.TransportError):
        await get(exchange, "/fapi/v1/ping")
    assert (await get(exchange, "/fapi/v1/ping")).status_code == 200


@pytest.mark.parametrize("kind", ["truncated", "html", "empty"])
async def test_rest_answers_with_what_is_no_json(exchange: LocalExchange, kind: str) -> None:
    exchange.inject(f"rest-garbage:{kind},times=1")
    reply = await get(exchange, AGG_TRADES)
    assert reply.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        reply.json()
    assert (await get(exchange, AGG_TRADES)).json()


async def test_old_trades_are_refused_and_new_ones_are_not(exchange: LocalExchange) -> None:
    newest = (await get(exchange, f"{AGG_TRADES}&limit=1000")).json()
    old, new = newest[0], newest[-1]
    age_s = (new["T"] - old["T"]) / 1000
    exchange.inject(f"rest-too-old:{age_s}")
    for refused in (f"fromId={old['a'] - 100}", f"startTime={old['T'] - 60_000}"):
        reply = await get(exchange, f"{AGG_TRADES}&{refused}")
        assert (reply.status_code, reply.json()["code"]) == (400, -4166)
    for served in (f"fromId={new['a']}", f"fromId={new['a'] + 10**6}", "limit=10", f"startTime={new['T']}"):
        assert (await get(exchange, f"{AGG_TRADES}&{served}")).status_code == 200
    exchange.heal()
    assert (await get(exchange, f"{AGG_TRADES}&fromId={old['a'] - 100}")).json()[0]["a"] == old["a"] - 100
