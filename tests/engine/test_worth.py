"""The expected edge of the pair on the screen is that of the function, or says what is missing."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from quantnb.engine import Engine
from quantnb.errors import StatisticsError
from quantnb.events import Event
from quantnb.snapshot import Measure
from quantnb.stats import Leg, expected_edge
from tests.engine.market import heartbeat, quote, reverting_pair
from tests.engine.test_engine import SETTINGS, run, snapshot

QUOTES = [quote("ETHUSDT", 3_000.0, 3_000.02), quote("BTCUSDT", 60_000.0, 60_000.1)]
MARKS = [heartbeat(0, "ETHUSDT"), heartbeat(0)]


def edge_tile(events: list[Event]) -> Measure:
    return snapshot(run(events)).tiles["edge"]


def test_the_tile_is_the_function_on_what_the_engine_holds() -> None:
    engine = run([*QUOTES, *MARKS, *reverting_pair(3, 90)])
    columns, life = engine.analytics.columns, engine.weigh_zscore().half_life
    assert life is not None
    expected = expected_edge(
        Leg(3_000.0, 3_000.02, 0.0001),
        Leg(60_000.0, 60_000.1, 0.0001),
        hedge_ratio=columns["hedge_ratio"][-1],
        deviation=columns["spread"][-1] - columns["spread_mean"][-1],
        half_life_s=life.corrected,
        taker_fee_bp=5.0,
    )
    tile = snapshot(engine).tiles["edge"]
    assert tile.value == expected.edge_bp
    assert tile.parts == expected.parts
    assert math.isclose(
        expected.reversion_bp - expected.fees_bp - expected.bid_ask_bp - expected.funding_bp,
        expected.edge_bp,
    )


def test_a_fee_that_is_changed_counts_from_then_on() -> None:
    engine = run([*QUOTES, *MARKS, *reverting_pair(3, 90)])
    before = snapshot(engine).tiles["edge"].value
    engine.configure(replace(SETTINGS, taker_fee_bp=2.0))
    after = snapshot(engine).tiles["edge"].value
    assert before is not None
    assert after == pytest.approx(before + 2 * 3.0)


def test_funding_that_is_due_more_often_costs_more() -> None:
    engine = run([*QUOTES, *MARKS, *reverting_pair(3, 90)])
    usual = engine.edge_inputs().result().funding_bp
    engine.use_funding_intervals({"ETHUSDT": 3600.0, "BTCUSDT": 3600.0})
    assert engine.edge_inputs().result().funding_bp == pytest.approx(8 * usual)
    engine.clear()
    assert engine.instruments["ETHUSDT"].funding_interval_s == 3600.0


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([*QUOTES, *MARKS, *reverting_pair(3, 30)], "no z-score yet"),
        ([*MARKS, *reverting_pair(3, 90)], "no quote of ETHUSDT yet"),
        ([*QUOTES, *reverting_pair(3, 90)], "no funding rate of ETHUSDT yet"),
    ],
    ids=["zscore", "quote", "funding"],
)
def test_what_is_missing_is_said(events: list[Event], words: str) -> None:
    tile = edge_tile(events)
    assert tile.value is None
    assert tile.waiting == words
    with pytest.raises(StatisticsError, match=words):
        run(events).edge_inputs()


def test_quotes_of_symbols_that_are_not_watched_are_passed_over() -> None:
    engine = Engine(SETTINGS)
    engine.receive(quote("DOGEUSDT", 0.1, 0.11))
    engine.receive(heartbeat(1, "DOGEUSDT"))
    assert "DOGEUSDT" not in engine.instruments
