from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from quantnb.exchange.faults import Fault
from quantnb.exchange.garbage import garbage
from quantnb.exchange.kinds import GARBAGE
from quantnb.exchange.listings import find_listings
from quantnb.exchange.market import Market
from quantnb.exchange.publisher import Publisher

from .conftest import START_MS

STREAMS = (
    "btcusdt@aggTrade",
    "btcusdt@bookTicker",
    "btcusdt@markPrice@1s",
    "btcusdt@kline_1m",
    "!markPrice@arr@1s",
    "!ticker@arr",
)


@pytest.fixture(scope="module")
def frames() -> dict[str, str]:
    """One true frame of each stream, combined."""
    market = Market(find_listings(["BTCUSDT"]), seed=7, rate=200.0, start_ms=START_MS, warm_minutes=1)
    publisher = Publisher(market)
    found: dict[str, str] = {}
    while len(found) < len(STREAMS):
        market.advance(market.now_ms + 100)
        for name, payload in publisher.frames(STREAMS):
            found[name] = f'{{"stream":"{name}","data":{payload.decode()}}}'
    return found


def made(kind: str, frame: str, seed: int = 1, **args: Any) -> Any:
    return garbage(Fault("garbage", {"kind": kind, **args}), frame, Random(seed))


def row_of(frame: Any) -> dict[str, Any]:
    data = json.loads(frame)["data"]
    row: dict[str, Any] = data[0] if isinstance(data, list) else data
    return row


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("kind", GARBAGE)
def test_every_kind_changes_every_stream_s_frame_and_repeats_with_its_seed(
    frames: dict[str, str], kind: str, stream: str
) -> None:
    frame = frames[stream]
    for seed in range(20):
        spoiled = made(kind, frame, seed)
        assert spoiled != frame
        assert spoiled == made(kind, frame, seed)


@pytest.mark.parametrize("kind", ["truncated", "empty"])
def test_some_are_no_json(frames: dict[str, str], kind: str) -> None:
    for seed in range(100):
        with pytest.raises(json.JSONDecodeError):
            json.loads(made(kind, frames["btcusdt@aggTrade"], seed))


def test_some_are_no_text(frames: dict[str, str]) -> None:
    with pytest.raises(UnicodeDecodeError):
        made("not-utf8", frames["btcusdt@aggTrade"]).decode()


def test_some_are_json_without_an_event(frames: dict[str, str]) -> None:
    for seed in range(20):
        value = json.loads(made("not-object", frames["btcusdt@aggTrade"], seed))
        assert not isinstance(value, dict) or not value


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("unknown-event", {"e": "somethingNew"}),
        ("unknown-symbol", {"s": "NOSUCHUSDT"}),
        ("nan-price", {"p": "NaN"}),
        ("zero-price", {"p": "0"}),
        ("infinite-price", {"p": "Infinity"}),
        ("coin-m", {"s": "BTCUSD_PERP", "st": 2}),
    ],
)
def test_some_change_one_thing_of_a_trade(
    frames: dict[str, str], kind: str, changed: dict[str, object]
) -> None:
    truth = row_of(frames["btcusdt@aggTrade"])
    assert row_of(made(kind, frames["btcusdt@aggTrade"])) == truth | changed


def test_prices_turn_negative_or_leave_the_mark(frames: dict[str, str]) -> None:
    truth = float(row_of(frames["btcusdt@aggTrade"])["p"])
    assert float(row_of(made("negative-price", frames["btcusdt@aggTrade"]))["p"]) == -truth
    factors = {
        round(float(row_of(made("off-mark", frames["btcusdt@aggTrade"], seed))["p"]) / truth, 4)
        for seed in range(20)
    }
    assert factors == {0.75, 1.25}
    quote = row_of(made("off-mark", frames["btcusdt@bookTicker"], size=0.5))
    assert float(quote["b"]) < float(quote["a"]), "a quote moves as a whole"


def test_times_are_in_microseconds_or_in_the_future(frames: dict[str, str]) -> None:
    truth = row_of(frames["btcusdt@aggTrade"])
    micro = row_of(made("microseconds", frames["btcusdt@aggTrade"]))
    assert (micro["E"], micro["T"]) == (truth["E"] * 1000, truth["T"] * 1000)
    future = row_of(made("future", frames["btcusdt@aggTrade"], size=3_600))
    assert (future["E"] - truth["E"], future["T"] - truth["T"]) == (3_600_000, 3_600_000)
    mark, true_mark = (
        row_of(text)
        for text in (made("future", frames["btcusdt@markPrice@1s"]), frames["btcusdt@markPrice@1s"])
    )
    assert mark["E"] > true_mark["E"]
    assert mark["T"] == true_mark["T"], "when funding is due is another matter"


def test_a_big_frame_is_as_big_as_asked_for(frames: dict[str, str]) -> None:
    frame = frames["btcusdt@aggTrade"]
    assert len(made("big", frame)) > 2 * 2**20
    assert 10_000 < len(made("big", frame, size=10_000)) < 11_000
