"""What alerts of the pair say: who moved the z-score, and that the hedge ratio has broken."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from quantnb.engine import Engine
from quantnb.engine.watch import break_bars, who_moved
from quantnb.stats import break_alarm, zscore_attribution
from tests.engine.market import S, heartbeat, reverting_pair, trade
from tests.engine.test_engine import SETTINGS, run

PAIR = replace(SETTINGS, symbols=("BTCUSDT", "ETHUSDT"))


def test_who_moved_names_the_largest_part_first_and_adds_up() -> None:
    engine = run(reverting_pair(3, 90), PAIR)
    columns = engine.analytics.columns
    parts = zscore_attribution(columns["y"], columns["x"], 20).iloc[-1]
    names = {
        "leg_y": "ETHUSDT", "leg_x": "BTCUSDT", "hedge_ratio": "hedge ratio", "mean": "mean",
        "deviation": "deviation",
    }  # fmt: skip
    ordered = parts[list(names)].abs().sort_values(ascending=False).index
    said = ", ".join(f"{names[name]} {parts[name]:+.2f}" for name in ordered)
    assert who_moved(engine.analytics, PAIR.pair) == f"z moved {parts['change']:+.2f} in its last bar: {said}"
    moved = columns["zscore"][-1] - columns["zscore"][-2]
    assert math.isclose(moved, parts["change"], abs_tol=1e-9)


def test_nobody_is_blamed_for_the_first_zscore() -> None:
    engine = run(reverting_pair(3, 42), PAIR)
    assert math.isfinite(engine.analytics.columns["zscore"][-1])
    assert who_moved(engine.analytics, PAIR.pair) == ""


def test_an_alert_of_the_zscore_says_who_moved_it() -> None:
    engine = Engine(PAIR)
    engine.alerts.add_rule("zscore", 1.0, cooldown_s=0)
    for event in reverting_pair(3, 90):
        engine.receive(event)
    newest = engine.alerts.log[-1]
    assert newest.cause.startswith("z moved ")
    assert "BTCUSDT" in newest.cause


def broken_pair(seconds: int, break_at: int) -> list:
    """Return a pair whose ratio doubles on the way."""
    rng = np.random.default_rng(5)
    btc = 60_000 + np.cumsum(rng.normal(0, 8, seconds))
    ratio = np.where(np.arange(seconds) < break_at, 0.05, 0.1)
    eth = 3_000 + np.cumsum(ratio * np.diff(btc, prepend=btc[0])) + rng.normal(0, 0.3, seconds)
    return [
        trade(symbol, t + 1, round(float(prices[t]), 2), t + 0.5)
        for t in range(seconds)
        for symbol, prices in (("BTCUSDT", btc), ("ETHUSDT", eth))
    ]


def test_a_broken_hedge_ratio_raises_an_alert_that_says_how_it_broke() -> None:
    engine = Engine(PAIR)
    engine.alerts.add_rule("break", 1.0)
    events = broken_pair(200, 120)
    for event in events[:240]:
        engine.receive(event)
    assert not engine.alerts.log
    for event in events[240:]:
        engine.receive(event)
    alert = engine.alerts.log[0]
    assert alert.symbol == "ETHUSDT/BTCUSDT"
    assert alert.cause.startswith("The hedge has broken: ")
    assert alert.value >= 1.0
    assert alert.text.startswith("hedge ratio of ETHUSDT/BTCUSDT broke: ")


def test_a_break_is_looked_for_over_the_bars_of_the_zscore_and_never_fewer_than_the_test_needs() -> None:
    assert (break_bars(20), break_bars(100)) == (60, 200)
    engine = Engine(PAIR)
    engine.alerts.add_rule("break", 0.01, cooldown_s=0)
    for event in [*reverting_pair(3, 80), heartbeat(81)]:
        engine.receive(event)
        assert bool(engine.alerts.log) == (len(engine.analytics.columns) >= 60)
    y, x = (engine.analytics.columns[name][:60] for name in "yx")
    assert engine.alerts.log[0].value == break_alarm(y, x).strength


def test_a_rule_of_a_pair_that_cannot_be_tested_is_silent() -> None:
    engine = Engine(PAIR)
    engine.alerts.add_rule("break", 0.01)
    flat = [
        trade(symbol, t + 1, price, t + 0.5)
        for t in range(90)
        for symbol, price in (("BTCUSDT", 60_000.0), ("ETHUSDT", 3_000.0))
    ]
    for event in flat:
        engine.receive(event)
    assert len(engine.analytics.columns) * S > 60 * S
    assert not engine.alerts.log
