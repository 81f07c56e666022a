from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from quantnb.exchange.listings import find_listings
from quantnb.exchange.market import Market
from quantnb.exchange.publisher import Publisher
from quantnb.feed.wire import Payload

from .conftest import START_MS

SYMBOLS = ("BTCUSDT", "币安人生USDT", "XAUUSDT", "OMGUSDT")
Frame = tuple[int, Any]


@pytest.fixture
def market() -> Market:
    return Market(find_listings(SYMBOLS), seed=7, rate=200.0, start_ms=START_MS, warm_minutes=1)


def listen(market: Market, *names: str, seconds: int = 10) -> list[Frame]:
    """Advance the market and return when each frame came and what it says."""
    publisher = Publisher(market)
    frames = []
    for now_ms in range(market.now_ms + 100, market.now_ms + seconds * 1000 + 1, 100):
        market.advance(now_ms)
        frames += [(now_ms, json.loads(payload)) for _, payload in publisher.frames(names)]
    return frames


@pytest.mark.parametrize("symbol", SYMBOLS[:2])
def test_every_trade_is_streamed_once_100_to_200_ms_after_it_happened(market: Market, symbol: str) -> None:
    begin_ms = market.visible_ms
    frames = listen(market, f"{symbol.lower()}@aggTrade")
    truth = market.tape(symbol).between(begin_ms, market.visible_ms)
    assert [frame["a"] for _, frame in frames] == truth["trade_id"].tolist()
    assert len(frames) > 10
    for now_ms, frame in frames:
        assert frame["E"] == now_ms
        assert 100 < frame["E"] - frame["T"] <= 200
        assert frame["s"] == symbol


def test_a_trade_carries_the_tape_s_numbers(market: Market) -> None:
    (_, frame), *_ = listen(market, "btcusdt@aggTrade")
    (trade,) = market.tape("BTCUSDT").from_id(frame["a"], market.visible_ms, 1)
    assert round(float(frame["p"]) * 10) == trade["price"]
    assert round(float(frame["q"]) * 1000) == trade["quantity"]
    assert frame["l"] - frame["f"] + 1 == trade["n_raw"]
    assert frame["m"] is bool(trade["is_buyer_maker"])
    assert frame["st"] == 1


def test_book_tickers_have_increasing_ids_and_come_several_times_a_second(market: Market) -> None:
    frames = [frame for _, frame in listen(market, "btcusdt@bookTicker")]
    assert len(frames) > 30
    ids = [frame["u"] for frame in frames]
    assert ids == sorted(set(ids))
    assert all(float(frame["b"]) < float(frame["a"]) for frame in frames)


@pytest.mark.parametrize(
    ("name", "period_ms"), [("btcusdt@markPrice@1s", 1_000), ("btcusdt@markPrice", 3_000)]
)
def test_mark_prices_come_on_the_clock(market: Market, name: str, period_ms: int) -> None:
    times = [now_ms for now_ms, _ in listen(market, name, seconds=12)]
    assert len(times) == 12_000 // period_ms
    assert all(now_ms % period_ms == 0 for now_ms in times)


def test_the_array_of_marks_comes_in_two_frames_with_a_coin_m_row_and_one_without_funding(
    market: Market,
) -> None:
    frames = listen(market, "!markPrice@arr@1s", seconds=2)
    assert len(frames) == 4
    (_, crypto), (_, traditional) = frames[:2]
    rows = {row["s"]: row for row in crypto}
    assert set(rows) == {"BTCUSDT", "BTCUSD_PERP", "币安人生USDT", "OMGUSDT"}
    assert rows["BTCUSD_PERP"]["st"] == 2
    assert rows["OMGUSDT"]["T"] == 0
    assert rows["OMGUSDT"]["r"] == "0.00000000"
    assert [row["s"] for row in traditional] == ["XAUUSDT"]


def test_a_kline_moves_only_on_a_change_and_closes_two_seconds_late(market: Market) -> None:
    frames = listen(market, "btcusdt@kline_1m", seconds=70)
    closed = [(now_ms, frame["k"]) for now_ms, frame in frames if frame["k"]["x"]]
    assert len(closed) == 1
    ((now_ms, bar),) = closed
    assert 2_000 <= now_ms - bar["T"] < 2_500
    (row,) = market.klines("BTCUSDT", "1m", bar["t"], bar["t"], 1)
    assert (bar["n"], bar["f"], bar["L"]) == (row["n_trades"], row["first_raw_id"], row["last_raw_id"])
    assert round(float(bar["v"]) * 1000) == row["volume"]
    opens = [frame["k"]["t"] for _, frame in frames]
    assert opens == sorted(opens), "bars do not overlap"
    states = [(frame["k"]["t"], frame["k"]["L"], frame["k"]["x"]) for _, frame in frames]
    assert len(set(states)) == len(states)
    assert all(later - sooner >= 200 for (sooner, _), (later, _) in pairwise(frames))


def test_ticker_arrays_hold_only_what_has_traded(market: Market) -> None:
    frames = listen(market, "!ticker@arr", "!miniTicker@arr", seconds=3)
    assert len(frames) == 6
    for _, rows in frames:
        symbols = {row["s"] for row in rows}
        assert "BTCUSDT" in symbols
        assert "OMGUSDT" not in symbols
        assert all(float(row["l"]) <= float(row["c"]) <= float(row["h"]) for row in rows)


def test_every_frame_is_one_that_the_client_can_decode(market: Market) -> None:
    publisher = Publisher(market)
    names = ["btcusdt@aggTrade", "btcusdt@bookTicker", "btcusdt@markPrice@1s", "btcusdt@kline_5m"]
    seen = set()
    for now_ms in range(market.now_ms + 100, market.now_ms + 2_000, 100):
        market.advance(now_ms)
        for name, payload in publisher.frames(names):
            msgspec.json.decode(payload, type=Payload)
            seen.add(name)
    assert seen == set(names)


@pytest.mark.parametrize(
    "name",
    [
        "BTCUSDT@aggTrade",
        "btcusdt@AggTrade",
        "btcusdt@depth@250ms",
        "nosuch@aggTrade",
        "btcusdt",
        "",
        "!x@arr",
    ],
)
def test_what_is_not_exactly_a_stream_is_silent(market: Market, name: str) -> None:
    assert Publisher(market).route_of(name) is None
    assert listen(market, name, seconds=3) == []


@pytest.mark.parametrize(
    "name", ["omgusdt@aggTrade", "omgusdt@bookTicker", "omgusdt@kline_1m", "omgusdt@ticker"]
)
def test_what_is_being_settled_is_silent(market: Market, name: str) -> None:
    frames = listen(market, name, seconds=3)
    assert all(frame["e"] == "kline" and frame["k"]["n"] == 0 for _, frame in frames)
