from __future__ import annotations

import asyncio
import time

import pytest

from quantnb.errors import FeedError
from quantnb.exchange import LocalExchange
from quantnb.feed.routes import Endpoints
from quantnb.live.ban import Ban
from quantnb.live.clock import SystemClock
from quantnb.live.rest import Rest, RestError
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


async def test_trades_and_bars_are_those_of_the_exchange(local: LocalExchange) -> None:
    async with local, Rest(Endpoints.at(local.address)) as rest:
        tape = local.market.tape("BTCUSDT")
        first_id = tape.first_id
        page = await rest.agg_trades("BTCUSDT", from_id=first_id + 5, limit=100)
        truth = tape.from_id(first_id + 5, local.market.visible_ms, 100)
        (newest,) = await rest.agg_trades("BTCUSDT", limit=1)
        end_ms = local.market.now_ms // 60_000 * 60_000 - 120_001
        bars = await rest.klines("BTCUSDT", "1m", limit=50, end_ms=end_ms)
        rows = local.market.klines("BTCUSDT", "1m", None, end_ms, 50)
        assert rest.used_weight == 20 + 20 + 1
    tick, step = 0.1, float(local.market.listings["BTCUSDT"].step)
    assert [trade.trade_id for trade in page] == truth["trade_id"].tolist()
    assert [trade.price for trade in page] == pytest.approx((truth["price"] * tick).tolist())
    assert [trade.quantity for trade in page] == pytest.approx((truth["quantity"] * step).tolist())
    assert [trade.event_ns // 10**6 for trade in page] == truth["time_ms"].tolist()
    assert page.refused == ""
    assert newest.trade_id > page[-1].trade_id
    assert len(bars) == 50
    assert [bar.open_ns // 10**6 for bar in bars] == rows["open_ms"].tolist()
    assert [bar.close for bar in bars] == pytest.approx((rows["close"] * tick).tolist())
    assert [bar.n_fills for bar in bars] == rows["n_trades"].tolist()


async def test_the_forming_bar_is_left_out(local: LocalExchange) -> None:
    async with local, Rest(Endpoints.at(local.address)) as rest:
        bars = await rest.klines("BTCUSDT", "1m", limit=10)
        now_ns = time.time_ns()
    assert 9 <= len(bars) <= 10
    assert all(bar.open_ns + 60 * 10**9 <= now_ns for bar in bars)


async def test_a_request_that_is_refused_carries_the_exchanges_own_number(local: LocalExchange) -> None:
    async with local, Rest(Endpoints.at(local.address)) as rest:
        with pytest.raises(RestError, match="-4166 Search window is restricted") as too_old:
            await rest.agg_trades("BTCUSDT", from_id=0)
        with pytest.raises(RestError, match="-1121 Invalid symbol") as unknown:
            await rest.klines("NOSUCH", "1m")
    assert (too_old.value.code, unknown.value.code) == (-4166, -1121)
    assert too_old.value.failure.code == 400


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"\xff", b'{"code":"x","msg":1}'])
async def test_a_refusal_in_other_words_carries_no_number(exchange: FakeExchange, body: bytes) -> None:
    exchange.refusal = Refusal(400, body)
    async with Rest(exchange.endpoints) as rest:
        with pytest.raises(RestError, match="HTTP 400") as raised:
            await rest.agg_trades("BTCUSDT")
    assert raised.value.code is None


async def test_how_long_to_wait_is_handed_on(exchange: FakeExchange) -> None:
    exchange.refusal = Refusal(418, Retry_After="720", X_MBX_USED_WEIGHT_1M="2401")
    async with Rest(exchange.endpoints) as rest:
        with pytest.raises(RestError) as raised:
            await rest.agg_trades("BTCUSDT")
        assert rest.used_weight == 2401
    assert (raised.value.failure.code, raised.value.failure.retry_after_s) == (418, 720.0)


@pytest.mark.parametrize("text", ["", "-5", "1e3", "9" * 50])
async def test_a_weight_that_is_no_number_is_not_known(exchange: FakeExchange, text: str) -> None:
    exchange.refusal = Refusal(200, b"[]", X_MBX_USED_WEIGHT_1M=text)
    async with Rest(exchange.endpoints) as rest:
        assert await rest.agg_trades("BTCUSDT") == ()
        assert rest.used_weight is None


async def test_nothing_is_asked_while_the_exchange_has_told_us_to_wait(exchange: FakeExchange) -> None:
    exchange.refusal = Refusal(429, Retry_After="60")
    async with Rest(exchange.endpoints) as rest:
        with pytest.raises(RestError, match="asks us to wait"):
            await rest.ping()
        n_asked = exchange.n_handshakes
        with pytest.raises(RestError, match="asks us to wait") as refused:
            await rest.exchange_info()
    assert exchange.n_handshakes == n_asked
    assert 50 < refused.value.failure.retry_after_s <= 60


async def test_a_ban_is_shared_with_whoever_else_asks(exchange: FakeExchange) -> None:
    ban = Ban(SystemClock())
    ban.set(60.0, "The exchange asks us to wait.")
    async with Rest(exchange.endpoints, ban=ban) as rest:
        with pytest.raises(RestError, match="asks us to wait"):
            await rest.ping()
    assert exchange.n_handshakes == 0
