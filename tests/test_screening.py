"""A universe by REST: closes, the scan and the pair taken from it, with a feed that runs and without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import quantnb as qn
from quantnb.engine.settings import MAX_SYMBOLS
from quantnb.errors import FeedError, InvalidSettingError
from quantnb.exchange import LocalExchange
from quantnb.screening import Progress
from quantnb.session import Session
from quantnb.stats import ScanResult
from tests.test_session import has_bars, until

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "币安人生USDT")


@pytest.fixture
async def exchange() -> AsyncIterator[LocalExchange]:
    async with LocalExchange(seed=11, rate=60) as running:
        yield running


@pytest.fixture
def session(exchange: LocalExchange) -> Session:
    """One that has not been started."""
    return Session(feed=exchange.address, window=20)


def names_of_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("quantnb")}


# Closes


async def test_closes_come_without_a_feed_and_leave_nothing_behind(
    session: Session, exchange: LocalExchange
) -> None:
    closes = await session.closes(n_bars=40)
    traded = sorted(each.symbol for each in exchange.listings if each.is_trading)
    assert list(closes.columns) == traded
    assert closes.shape == (40, len(traded))
    assert str(closes.index.tz) == "UTC"
    assert (closes.index.to_series().diff().dropna() == pd.Timedelta("1min")).all()
    assert closes.notna().all(axis=None)
    assert closes.attrs["exchange"] == exchange.address
    assert closes.attrs["is_simulated"] is True
    assert closes.attrs["left_out"] == {}
    until_time = pd.Timestamp(closes.attrs["until_ms"], unit="ms", tz="UTC")
    assert until_time == closes.index[-1] + pd.Timedelta("1min")
    assert exchange.n_connections == 0
    assert names_of_tasks() == {"quantnb exchange"}
    assert not session.running


async def test_closes_are_those_of_the_bars_that_the_feed_shows(session: Session) -> None:
    session.timeframe = "1m"
    session.start()
    await until(session, has_bars(30))
    closes = await session.closes(session.symbols, "1m", 20)
    await session.stop()
    for symbol in session.symbols:
        bars = session.bars(symbol)["close"]
        joint = closes.index.intersection(bars.index)
        assert len(joint) >= 18
        assert closes.loc[joint, symbol].tolist() == bars.loc[joint].tolist()


async def test_a_symbol_that_cannot_be_had_is_left_out_with_its_reason(session: Session) -> None:
    closes = await session.closes("BTCUSDT, ETHUSDX, OMGUSDT", "15m", 5)
    assert list(closes.columns) == ["BTCUSDT"]
    assert "did you mean ETHUSDT" in closes.attrs["left_out"]["ETHUSDX"]
    assert "no perpetual that is traded" in closes.attrs["left_out"]["OMGUSDT"]


async def test_where_nothing_can_be_had_the_reason_is_the_error(session: Session) -> None:
    with pytest.raises(FeedError, match="did you mean ETHUSDT"):
        await session.closes(["ETHUSDX"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeframe": "1s"}, "1m, 5m or 15m ready"),
        ({"timeframe": "30s"}, "1m, 5m or 15m ready"),
        ({"n_bars": 0}, "from 1 to 1500"),
        ({"symbols": 7}, "a list such as"),
    ],
)
async def test_a_wrong_wish_is_refused_before_anything_is_asked(
    session: Session, exchange: LocalExchange, options: dict[str, Any], words: str
) -> None:
    exchange.inject("rest-503")  # a request would say so
    with pytest.raises(InvalidSettingError, match=words):
        await session.closes(**options)


async def test_closes_can_be_written_with_what_they_rest_on(session: Session, tmp_path: Path) -> None:
    closes = await session.closes(SYMBOLS, n_bars=5)
    closes.to_parquet(tmp_path / "closes.parquet")
    read = pd.read_parquet(tmp_path / "closes.parquet")
    assert read.attrs == closes.attrs


# The scan


async def test_a_scan_is_that_of_the_closes(session: Session, exchange: LocalExchange) -> None:
    told: list[Progress] = []
    closes = await session.closes(SYMBOLS, "5m", 200)
    found = await session.scan(SYMBOLS, "5m", 200, on_progress=told.append)
    while found.pairs.attrs != closes.attrs:  # a bar closed in between
        closes = await session.closes(SYMBOLS, "5m", 200)
        found = await session.scan(SYMBOLS, "5m", 200, on_progress=told.append)
    expected = qn.scan(closes)
    columns = ["y", "x", "statistic", "qvalue", "hedge_ratio", "zscore"]
    pd.testing.assert_frame_equal(found.pairs[columns], expected.pairs[columns])
    assert told[-1].words == "5 of 5 symbols; testing every pair"
    assert np.isfinite(found.pairs["liquidity"]).all()


async def test_liquidity_is_the_quote_volume_of_the_less_liquid_leg(
    session: Session, exchange: LocalExchange
) -> None:
    found = await session.scan(["BTCUSDT", "XRPUSDT"], "1m", 60)
    end_ms = found.pairs.attrs["until_ms"] - 1
    sums = []
    for symbol in ("BTCUSDT", "XRPUSDT"):
        listing = exchange.market.listings[symbol]
        rows = exchange.market.klines(symbol, "1m", None, end_ms, 60)
        sums.append(sum(float(listing.quote_text(int(each))) for each in rows["quote_volume"]))
    assert found.pairs["liquidity"].tolist() == pytest.approx([min(sums)] * 2)


async def test_what_a_scan_leaves_out_stands_in_its_words(session: Session, exchange: LocalExchange) -> None:
    exchange.inject("rest-garbage:html,path=klines,times=1")
    found = await session.scan(SYMBOLS, n_bars=60)
    (left_out,) = found.left_out
    assert f"Left out for missing bars: {left_out}." in found.words
    assert "cannot be read" in found.pairs.attrs["left_out"][left_out]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"n_bars": 29}, "from 30 to 1500"), ({"symbols": ["BTCUSDT"]}, "2 or more symbols")],
)
async def test_a_scan_that_cannot_be_is_a_sentence(
    session: Session, options: dict[str, Any], words: str
) -> None:
    with pytest.raises((InvalidSettingError, FeedError), match=words):
        await session.scan(**options)


async def test_a_scan_beside_the_feed_disturbs_neither(session: Session) -> None:
    session.start()
    await until(session, has_bars(2))
    found, other = await asyncio.gather(session.scan(SYMBOLS), session.scan(SYMBOLS))
    assert found.n_tests == other.n_tests == 20
    n_before = len(session.trades("BTCUSDT"))
    await until(session, lambda each: len(each.trades("BTCUSDT")) > n_before + 20)
    assert session.trades("BTCUSDT")["trade_id"].diff().dropna().eq(1).all()
    await session.stop()


async def test_scan_and_repair_spend_one_budget(session: Session) -> None:
    session.start()
    await until(session, has_bars(1))
    client = session._source._client
    async with session._source.reach(session.feed) as access:
        assert access.budget is client.recovery._budget
        assert access.ban is client._ban
    await session.stop()


# With and without the feed


async def test_the_local_exchange_starts_for_a_scan_and_stops_after_it() -> None:
    session = Session(feed="sim")
    found = await session.scan(SYMBOLS)
    assert found.pairs.attrs["exchange"] == "sim"
    assert names_of_tasks() == set()


async def begun_scan(session: Session) -> asyncio.Task[ScanResult]:
    """Start a scan and return when it is under way."""
    begun = asyncio.Event()
    task = asyncio.create_task(session.scan(n_bars=1_000, on_progress=lambda progress: begun.set()))
    await begun.wait()
    return task


async def test_a_session_that_stops_in_the_middle_does_not_end_a_scan() -> None:
    session = Session(feed="sim")
    session.start()
    await until(session, has_bars(1))
    task = await begun_scan(session)
    await session.stop()
    assert not task.done()
    assert (await task).n_tests > 400
    assert names_of_tasks() == set()


async def test_a_session_that_starts_in_the_middle_shares_the_local_exchange() -> None:
    session = Session(feed="sim")
    task = await begun_scan(session)
    session.start()
    assert (await task).n_tests > 400
    await until(session, has_bars(2))
    await session.stop()
    assert names_of_tasks() == set()


async def test_an_exchange_that_is_not_there_is_a_sentence() -> None:
    async with LocalExchange() as gone:
        address = gone.address
    with pytest.raises(FeedError, match="cannot be reached"):
        await Session(feed=address).scan()


async def test_a_scan_that_is_cancelled_leaves_nothing() -> None:
    session = Session(feed="sim")
    task = await begun_scan(session)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names_of_tasks() == set()


# The pair


def test_any_pair_can_be_used_and_what_is_not_watched_is_added() -> None:
    session = Session()
    session.use_pair("币安人生USDT", "BTCUSDT")
    assert session.pair == ("币安人生USDT", "BTCUSDT")
    assert session.symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT", "币安人生USDT")
    session.use_pair("BTCUSDT", "ETHUSDT")
    assert session.snapshot.pair == ("BTCUSDT", "ETHUSDT")
    assert len(session.symbols) == 4


@pytest.mark.parametrize(
    ("pair", "words"),
    [(("BTCUSDT", "BTCUSDT"), "two different symbols"), (("btc", "BTCUSDT"), "'btc' is not a symbol")],
)
def test_a_pair_that_is_none_changes_nothing(pair: tuple[str, str], words: str) -> None:
    session = Session()
    with pytest.raises(InvalidSettingError, match=words):
        session.use_pair(*pair)
    assert session.pair == ("ETHUSDT", "BTCUSDT")
    assert session.symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT")


def test_a_full_session_says_what_to_do() -> None:
    session = Session(symbols=[f"COIN{k}USDT" for k in range(MAX_SYMBOLS)])
    session.use_pair("COIN5USDT", "COIN6USDT")
    with pytest.raises(InvalidSettingError, match=r"watches 100 at most; remove one that is not in use"):
        session.use_pair("COIN5USDT", "BTCUSDT")
    assert session.pair == ("COIN5USDT", "COIN6USDT")


async def test_a_pair_of_the_scan_runs_at_once(session: Session) -> None:
    found = await session.scan(["BNBUSDT", "LTCUSDT", "ADAUSDT"], n_bars=60)
    best = found.pairs.iloc[0]
    session.start()
    await until(session, has_bars(1))
    session.use_pair(best["y"], best["x"])
    await until(session, lambda each: len(each.trades(best["y"])) > 0 and len(each.trades(best["x"])) > 0)
    with pytest.raises(InvalidSettingError, match="did you mean BTCUSDT"):
        session.use_pair("BTCUSDX", best["x"])
    assert session.pair == (best["y"], best["x"])
    await session.stop()
