"""Bars of a universe: the same for all symbols, within the weight, and a sentence for what is not there."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator

import numpy as np
import pytest

from quantnb.errors import FeedError, InvalidSettingError
from quantnb.exchange import LocalExchange
from quantnb.feed.budget import Budget, klines_weight
from quantnb.feed.routes import Endpoints
from quantnb.live.ban import Ban
from quantnb.live.clock import SystemClock
from quantnb.live.rest import Rest
from quantnb.live.universe import SPARE, TRIES, Access, Progress, UniverseBars, check_bars, fetch_bars
from tests.live.clocks import START_NS, ManualClock
from tests.live.rest_server import RestServer
from tests.live.server import Refusal, until

MINUTE_MS = 60_000
NOW_MS = START_NS // 10**6  # 12.6 s into a minute
SYMBOLS = [f"COIN{k}USDT" for k in range(12)]
KLINES, TIME, INFO = "/fapi/v1/klines", "/fapi/v1/time", "/fapi/v1/exchangeInfo"


class Market:
    """An exchange with as many bars as are asked for, and a count of the weight in each minute."""

    def __init__(self, clock: ManualClock) -> None:
        self.symbols = list(SYMBOLS)
        self.ahead_ms = 0  # of our clock
        self.n_missing = 0  # bars, of each symbol
        self.refusals: dict[str, list[Refusal]] = {}  # of a symbol's bars, each once
        self.weights: Counter[int] = Counter()
        self._clock = clock

    def answer(self, path: str, query: dict[str, str]) -> Refusal:
        self.weights[self.now_ms // MINUTE_MS] += klines_weight(int(query["limit"])) if path == KLINES else 1
        if waiting := self.refusals.get(query.get("symbol", path)):
            return waiting.pop(0)
        used = str(self.weights[self.now_ms // MINUTE_MS])
        return Refusal(200, json.dumps(self._content(path, query)).encode(), X_MBX_USED_WEIGHT_1M=used)

    @property
    def now_ms(self) -> int:
        return self._clock.now().wall_ns // 10**6 + self.ahead_ms

    def _content(self, path: str, query: dict[str, str]) -> object:
        if path == TIME:
            return {"serverTime": self.now_ms}
        if path == INFO:
            rows = [(symbol, "TRADING") for symbol in self.symbols] + [("OLDUSDT", "SETTLING")]
            return {"symbols": [{"symbol": s, "status": t, "contractType": "PERPETUAL"} for s, t in rows]}
        last = int(query["endTime"]) // MINUTE_MS
        first = last - int(query["limit"]) + 1 + self.n_missing
        price = 1.0 + self.symbols.index(query["symbol"])
        return [
            [k * MINUTE_MS, *[f"{price}"] * 4, "2", (k + 1) * MINUTE_MS - 1, f"{2 * price}", 3, "1", "1", "0"]
            for k in range(first, last + 1)
        ]


@pytest.fixture
def market(server: RestServer, clock: ManualClock) -> Market:
    market = Market(clock)
    server.answer = market.answer
    return market


@pytest.fixture
async def access(server: RestServer, clock: ManualClock) -> AsyncIterator[Access]:
    ban = Ban(clock)
    async with Rest(server.endpoints, clock=clock, ban=ban) as rest:
        yield Access(server.endpoints, rest, Budget(), ban, clock)


async def fetch(access: Access, clock: ManualClock, **options: object) -> UniverseBars:
    """Fetch while time passes."""
    asked: dict[str, object] = {"symbols": None, "timeframe": "1m", "n_bars": 30} | options
    task = asyncio.create_task(fetch_bars(access, **asked))  # type: ignore[arg-type]
    async with asyncio.timeout(20):
        while not task.done():
            await clock.advance(0.25)
            await asyncio.sleep(0.001)
    return await task


def n_asked(server: RestServer, path: str = KLINES) -> int:
    return sum(each == path for each, _ in server.requests)


async def test_all_symbols_have_the_same_bars_up_to_the_newest_that_is_settled(
    access: Access, clock: ManualClock, market: Market, server: RestServer
) -> None:
    bars = await fetch(access, clock)
    assert bars.symbols == tuple(sorted(SYMBOLS))
    assert bars.closes.shape == bars.quote_volume.shape == (30, len(SYMBOLS))
    assert np.isfinite(bars.closes).all()
    assert bars.complete.all()
    assert dict(zip(bars.symbols, bars.closes[0].tolist(), strict=True)) == {
        symbol: 1.0 + k for k, symbol in enumerate(SYMBOLS)
    }
    assert (bars.quote_volume == 2 * bars.closes).all()
    assert (np.diff(bars.open_ns) == MINUTE_MS * 10**6).all()
    assert bars.open_ns[-1] // 10**6 == (NOW_MS // MINUTE_MS - 1) * MINUTE_MS
    assert len({query["endTime"] for path, query in server.requests if path == KLINES}) == 1


@pytest.mark.parametrize(("ahead_ms", "n_later"), [(0, 0), (48_000, 0), (51_000, 1), (-12_000, -1)])
async def test_the_exchanges_clock_says_which_bars_have_closed_and_are_settled(
    access: Access, clock: ManualClock, market: Market, ahead_ms: int, n_later: int
) -> None:
    market.ahead_ms = ahead_ms
    bars = await fetch(access, clock)
    newest_ms = int(bars.open_ns[-1]) // 10**6
    assert newest_ms == (NOW_MS // MINUTE_MS - 1 + n_later) * MINUTE_MS


async def test_a_symbol_that_the_exchange_refuses_is_left_out_with_its_words(
    access: Access, clock: ManualClock, market: Market
) -> None:
    market.refusals = {SYMBOLS[3]: [Refusal(400, b'{"code":-1121,"msg":"Invalid symbol."}')]}
    bars = await fetch(access, clock)
    assert "Invalid symbol" in bars.left_out[SYMBOLS[3]]
    assert list(bars.left_out) == [SYMBOLS[3]]
    assert bars.complete.sum() == len(SYMBOLS) - 1
    assert np.isnan(bars.closes[:, bars.symbols.index(SYMBOLS[3])]).all()


async def test_an_answer_that_cannot_be_read_concerns_its_symbol_alone(
    access: Access, clock: ManualClock, market: Market
) -> None:
    market.refusals = {SYMBOLS[0]: [Refusal(200, b"<html>")]}
    bars = await fetch(access, clock)
    assert "cannot be read" in bars.left_out[SYMBOLS[0]]
    assert bars.complete.sum() == len(SYMBOLS) - 1


async def test_a_young_symbol_is_left_out_and_its_bars_are_counted(
    access: Access, clock: ManualClock, market: Market
) -> None:
    market.n_missing = 1
    bars = await fetch(access, clock, symbols=SYMBOLS[:2], n_bars=100)
    assert bars.left_out[SYMBOLS[0]] == f"The exchange has 99 of the 100 bars of {SYMBOLS[0]}."
    assert np.isnan(bars.closes[0]).all()
    assert np.isfinite(bars.closes[1:]).all()


async def test_symbols_that_are_not_traded_are_named_and_not_asked_for(
    access: Access, clock: ManualClock, market: Market, server: RestServer
) -> None:
    market.symbols[0] = "币安人生USDT"
    wanted = ["币安人生USDT", "COIN1USDX", "OLDUSDT", "COIN2USDT", "COIN2USDT"]
    bars = await fetch(access, clock, symbols=wanted)
    assert bars.symbols == ("币安人生USDT", "COIN2USDT")
    assert "did you mean COIN1USDT" in bars.left_out["COIN1USDX"]
    assert bars.left_out["OLDUSDT"] == "OLDUSDT is no perpetual that is traded now."
    assert n_asked(server) == 2
    assert bars.complete.all()


# Weight -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_used", [0, 13])
async def test_the_weight_is_never_above_its_part_however_many_symbols_there_are(
    access: Access, clock: ManualClock, market: Market, server: RestServer, n_used: int
) -> None:
    limit, reserve, part = SPARE + 24, 4, 20
    market.symbols = [f"COIN{k}USDT" for k in range(50)]
    market.weights[NOW_MS // MINUTE_MS] = n_used  # by the repair, which shares the budget
    budget = Budget(limit, reserve)
    budget.spend(n_used, clock.now())
    told: list[Progress] = []
    shared = Access(access.endpoints, access.rest, budget, access.ban, clock)
    bars = await fetch(shared, clock, on_progress=told.append)
    assert bars.complete.all()
    assert n_asked(server) == 50
    assert max(market.weights.values()) <= part
    assert len(market.weights) == (3 if n_used == 0 else 4)
    assert any(each.waiting_s > 0 and "for the request limit" in each.words for each in told)


async def test_what_the_exchange_counts_of_others_is_left_to_them(
    access: Access, clock: ManualClock, market: Market
) -> None:
    market.weights[NOW_MS // MINUTE_MS] = 1_390  # by another program on this address
    await fetch(access, clock)
    assert market.weights[NOW_MS // MINUTE_MS] <= 2_400 - 400 - SPARE
    assert len(market.weights) == 2


async def test_progress_counts_every_symbol_once_and_ends_with_all(
    access: Access, clock: ManualClock, market: Market
) -> None:
    market.refusals = {SYMBOLS[5]: [Refusal(400, b'{"code":-1,"msg":"no"}')]}
    told: list[Progress] = []
    await fetch(access, clock, on_progress=told.append)
    counts = [each.n_done for each in told if each.n_all]
    assert counts == [*range(len(SYMBOLS) + 1)]
    assert told[0].words == "Asking for the symbols"
    assert told[-1].words == f"{len(SYMBOLS)} of {len(SYMBOLS)} symbols"


def test_a_progress_says_how_long_it_waits_and_why() -> None:
    words = Progress(120, 1_312, 13.4, "for the request limit").words
    assert words == "120 of 1,312 symbols; waiting 14 s for the request limit"
    assert Progress(3, 3, why="testing every pair").words == "3 of 3 symbols; testing every pair"


# What concerns all ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [418, 429])
async def test_a_ban_ends_it_with_a_sentence_and_nothing_more_is_asked(
    access: Access, clock: ManualClock, market: Market, server: RestServer, status: int
) -> None:
    market.refusals = {symbol: [Refusal(status, Retry_After="300")] for symbol in SYMBOLS}
    with pytest.raises(FeedError, match=rf"HTTP {status}\)\. It may be asked again in 5 min\."):
        await fetch(access, clock)
    asked = len(server.requests)
    with pytest.raises(FeedError, match="asked again"):
        await fetch(access, clock)
    assert len(server.requests) == asked
    assert 0 < asked <= 2 + 4


async def test_an_exchange_that_does_not_answer_is_given_up_after_some_tries(
    access: Access, clock: ManualClock, market: Market, server: RestServer
) -> None:
    market.refusals = {symbol: [Refusal(503)] * 99 for symbol in SYMBOLS}
    told: list[Progress] = []
    with pytest.raises(FeedError, match=r"not available at the moment \(HTTP 503\)"):
        await fetch(access, clock, on_progress=told.append)
    assert TRIES <= n_asked(server) <= TRIES * 4
    assert any("to ask again: The exchange is not available" in each.words for each in told)


async def test_an_exchange_that_is_not_there_is_a_sentence(
    access: Access, clock: ManualClock, server: RestServer
) -> None:
    await server.stop()
    with pytest.raises(FeedError, match="cannot be reached"):
        await fetch(access, clock)


async def test_an_exchange_that_dies_in_the_middle_is_a_sentence(
    access: Access, clock: ManualClock, market: Market, server: RestServer
) -> None:
    market.symbols = [f"COIN{k}USDT" for k in range(200)]
    stops: list[asyncio.Task[None]] = []

    def stop(progress: Progress) -> None:
        if progress.n_done == 20 and not stops:
            stops.append(asyncio.create_task(server.stop()))

    with pytest.raises(FeedError, match=r"cannot be reached|did not answer|connection was lost"):
        await fetch(access, clock, on_progress=stop)
    await stops[0]


async def test_a_short_outage_is_waited_for(access: Access, clock: ManualClock, market: Market) -> None:
    market.refusals = {SYMBOLS[4]: [Refusal(503)] * 3, TIME: [Refusal(500)]}
    bars = await fetch(access, clock)
    assert bars.complete.all()
    assert not bars.left_out


@pytest.mark.parametrize("status", [403, 404, 451])
async def test_a_refusal_that_asking_again_cannot_mend_ends_it_at_once(
    access: Access, clock: ManualClock, market: Market, server: RestServer, status: int
) -> None:
    market.refusals = {INFO: [Refusal(status)] * 9}
    with pytest.raises(FeedError, match=f"HTTP {status}"):
        await fetch(access, clock)
    assert len(server.requests) == 1


async def test_what_the_callback_raises_reaches_the_caller(
    access: Access, clock: ManualClock, market: Market
) -> None:
    def fail(progress: Progress) -> None:
        if progress.n_done == 3:
            raise LookupError("from the callback")

    with pytest.raises(LookupError, match="from the callback"):
        await fetch(access, clock, on_progress=fail)


# Cancelling -----------------------------------------------------------------------------------------------


def workers() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "quantnb universe"]


async def test_a_fetch_that_is_cancelled_while_it_waits_leaves_nothing(
    access: Access, clock: ManualClock, market: Market, server: RestServer
) -> None:
    access.budget.spend(2_400 - 400 - SPARE - 6, clock.now())
    market.weights[NOW_MS // MINUTE_MS] = 2_400 - 400 - SPARE - 6
    told: list[Progress] = []
    task = asyncio.create_task(fetch_bars(access, None, "1m", 30, on_progress=told.append))
    await until(lambda: any(each.waiting_s for each in told))
    n_before = len(server.requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await clock.advance(60)
    assert workers() == []
    assert len(server.requests) == n_before


async def test_a_fetch_that_is_cancelled_before_an_answer_leaves_nothing() -> None:
    n_open = 0

    class Silent(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            nonlocal n_open
            n_open += 1

        def connection_lost(self, exc: Exception | None) -> None:
            nonlocal n_open
            n_open -= 1

    listener = await asyncio.get_running_loop().create_server(Silent, "127.0.0.1", 0)
    endpoints = Endpoints.at(f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
    clock = SystemClock()
    async with listener:
        async with Rest(endpoints) as rest:
            access = Access(endpoints, rest, Budget(), Ban(clock), clock)
            task = asyncio.create_task(fetch_bars(access, None, "1m", 30))
            await until(lambda: n_open)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await until(lambda: not n_open)


# Settings, and the package's own exchange -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeframe", "n_bars", "words"),
    [
        ("1s", 100, "1m, 5m or 15m ready, not of '1s'"),
        ("2h", 100, "1m, 5m or 15m"),
        ("1m", 0, "from 1 to 1500, not 0"),
        ("1m", 1_501, "1501"),
        ("1m", True, "True"),
        ("1m", "200", "'200'"),
    ],
)
def test_bars_that_cannot_be_had_are_refused_in_words(timeframe: str, n_bars: int, words: str) -> None:
    with pytest.raises(InvalidSettingError, match=words):
        check_bars(timeframe, n_bars)


@pytest.mark.parametrize("timeframe", ["1m", "5m", "15m"])
async def test_the_bars_are_the_exchanges_own(timeframe: str) -> None:
    clock = SystemClock()
    async with LocalExchange(seed=3) as local:
        endpoints = Endpoints.at(local.address)
        async with Rest(endpoints) as rest:
            access = Access(endpoints, rest, Budget(), Ban(clock), clock)
            bars = await fetch_bars(access, None, timeframe, 60)
        assert not bars.left_out
        assert "币安人生USDT" in bars.symbols
        assert "OMGUSDT" not in bars.symbols
        first_ms, last_ms = (int(each) // 10**6 for each in (bars.open_ns[0], bars.open_ns[-1]))
        for column, symbol in enumerate(bars.symbols):
            listing = local.market.listings[symbol]
            rows = local.market.klines(symbol, timeframe, first_ms, last_ms, 60)
            assert rows["open_ms"].tolist() == (bars.open_ns // 10**6).tolist()
            closes = [float(listing.price_text(int(each))) for each in rows["close"]]
            assert bars.closes[:, column].tolist() == closes
