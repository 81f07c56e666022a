from __future__ import annotations

import asyncio
import time

import pytest

from quantnb.errors import FeedError
from quantnb.exchange import LocalExchange
from quantnb.feed.routes import Endpoints
from quantnb.live.rest import Rest
from tests.live.server import FakeExchange, Refusal


@pytest.fixture
async def local() -> LocalExchange:
    return LocalExchange(seed=7)


async def test_the_local_exchange_answers(local: LocalExchange) -> None:
    async with local, Rest(Endpoints.at(local.address)) as rest:
        await rest.ping()
        assert abs(await rest.server_time_ms() - time.time_ns() // 10**6) < 60_000
        listed = {info.symbol: info for info in await rest.exchange_info()}
    assert listed["BTCUSDT"].tick_size == 0.1
    assert listed["BTCUSDT"].is_trading_perpetual
    assert any(not info.is_trading_perpetual for info in listed.values())


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            Refusal(451, b'{"code":0,"msg":"restricted location"}'),
            "not available from this location (HTTP 451)",
        ),
        (Refusal(403, b"<html>"), "firewall refuses this address (HTTP 403)"),
        (Refusal(418, Retry_After="720"), "banned for too many requests (HTTP 418)"),
        (Refusal(429, Retry_After="35"), "asks us to wait (HTTP 429)"),
        (Refusal(503), "not available at the moment (HTTP 503)"),
        (Refusal(302, Location="http://127.0.0.1:9/"), "HTTP 302"),
        (Refusal(404), "does not answer as the exchange does (HTTP 404)"),
    ],
    ids=["451", "403", "418", "429", "503", "302", "404"],
)
async def test_each_refusal_has_its_own_sentence(
    exchange: FakeExchange, refusal: Refusal, words: str
) -> None:
    exchange.refusal = refusal
    async with Rest(exchange.endpoints) as rest:
        with pytest.raises(FeedError) as raised:
            await rest.ping()
    assert words in str(raised.value)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"serverTime":"x"}', b"\xff"])
async def test_an_answer_that_is_no_time_is_a_sentence(exchange: FakeExchange, body: bytes) -> None:
    exchange.refusal = Refusal(200, body)
    async with Rest(exchange.endpoints) as rest:
        with pytest.raises(FeedError, match="time of day cannot be read"):
            await rest.server_time_ms()


async def test_nobody_there_is_a_sentence(exchange: FakeExchange) -> None:
    await exchange.stop()
    async with Rest(exchange.endpoints) as rest:
        with pytest.raises(FeedError, match=r"The exchange cannot be reached \(.+\)\."):
            await rest.ping()


async def test_a_name_that_does_not_exist_is_a_sentence() -> None:
    nowhere = Endpoints("live", "wss://exchange.invalid", "https://exchange.invalid")
    async with Rest(nowhere) as rest:
        with pytest.raises(FeedError, match=r"Binance cannot be reached|did not answer in time"):
            await rest.ping()


async def test_an_exchange_that_never_answers_is_given_up() -> None:
    is_left = asyncio.Event()

    class Silent(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            is_left.set()

    server = await asyncio.get_running_loop().create_server(Silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Rest(Endpoints.at(f"ws://127.0.0.1:{port}"), timeout_s=0.1) as rest:
        with pytest.raises(FeedError, match="did not answer in time"):
            await rest.ping()
        await is_left.wait()


async def test_a_proxy_in_the_environment_is_not_asked_for_this_machine(
    exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    exchange.refusal = Refusal(200, b"{}")
    async with Rest(exchange.endpoints) as rest:
        await rest.ping()


async def test_outside_its_context_it_says_how_it_is_used(exchange: FakeExchange) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Rest(exchange.endpoints).ping()
