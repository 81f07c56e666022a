"""A preview fires where the saved rule would have fired, and trades as the backtest does."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantnb.alerts import Rule
from quantnb.engine import Engine
from quantnb.engine.preview import BREAKS_LOOKED_AT, RulePreview, preview_inputs
from quantnb.stats import Costs, Leg, backtest_rule
from tests.engine.market import S, heartbeat, quote, reverting_pair, trade
from tests.engine.test_engine import SETTINGS, run

PAIR = replace(SETTINGS, symbols=("BTCUSDT", "ETHUSDT"))
LEGS = [quote("ETHUSDT", 3_000.0, 3_000.02), quote("BTCUSDT", 60_000.0, 60_000.1)]
LEGS += [heartbeat(0, "ETHUSDT"), heartbeat(0)]


def rule(kind: Any, threshold: float, **more: Any) -> Rule:
    return Rule(0, kind, threshold, **more)


def preview(engine: Engine, of: Rule, exit: float = 0.5) -> RulePreview:
    return preview_inputs(engine, of, exit).run()


@pytest.mark.parametrize(("kind", "threshold"), [("zscore", 1.0), ("zscore", 2.0), ("break", 0.6)])
def test_it_fires_where_the_rule_fires_live(kind: Any, threshold: float) -> None:
    engine = Engine(PAIR)
    engine.alerts.add_rule(kind, threshold, cooldown_s=5)
    for event in [*LEGS, *reverting_pair(4, 260)]:
        engine.receive(event)
    found = preview(engine, rule(kind, threshold, cooldown_s=5))
    assert found.n_firings > 0
    assert (found.opens_ns + S).tolist() == [alert.time_ns for alert in engine.alerts.log]
    assert found.values.tolist() == [alert.value for alert in engine.alerts.log]


def test_the_backtest_is_that_of_the_function_on_the_bars_of_the_pair() -> None:
    engine = run([*LEGS, *reverting_pair(4, 200)], PAIR)
    found = preview(engine, rule("zscore", 1.5), exit=0.2)
    columns = engine.analytics.columns
    costs = Costs.of_legs(
        Leg(3_000.0, 3_000.02, 0.0001), Leg(60_000.0, 60_000.1, 0.0001), taker_fee_bp=PAIR.taker_fee_bp
    )
    names = ("y", "x", "zscore", "hedge_ratio")
    expected = backtest_rule(
        *(columns[name] for name in names), entry=1.5, exit=0.2, costs=costs, timeframe_s=1.0
    )
    assert found.backtest is not None
    assert found.backtest.n_trades > 0
    assert found.backtest.trades.equals(expected.trades)
    bars = expected.trades[["entry_bar", "exit_bar"]].to_numpy()
    np.testing.assert_array_equal(found.trades_ns, columns["time_ns"][bars])


def test_a_price_rule_is_previewed_at_the_closes_of_every_symbol_it_watches() -> None:
    events = reverting_pair(4, 120)
    engine = run(events, PAIR)
    both = preview(engine, rule("price_change", 0.01, span_s=10, cooldown_s=0))
    each = [
        preview(engine, rule("price_change", 0.01, symbol=symbol, span_s=10, cooldown_s=0))
        for symbol in PAIR.symbols
    ]
    assert both.n_firings == sum(one.n_firings for one in each) > 0
    assert both.n_bars == sum(one.n_bars for one in each)
    assert (np.diff(both.opens_ns) >= 0).all()
    assert (np.abs(both.values) >= 0.01).all()
    assert both.backtest is None
    assert "may fire more often" in both.words


def test_it_says_in_words_how_often_when_last_and_what_it_would_have_made() -> None:
    engine = run([*LEGS, *reverting_pair(4, 200)], PAIR)
    found = preview(engine, rule("zscore", 1.5, cooldown_s=0))
    assert found.n_bars == np.isfinite(engine.analytics.columns["zscore"]).sum()
    assert f"Would have fired {found.n_firings} times on {found.n_bars} bars of 1s, the last " in found.words
    assert "In at ±1.5, out at 0.5, filled at the next close: " in found.words
    assert found.words.count("will do worse on the next ones") == 1


def test_a_threshold_that_is_never_reached_is_said_not_to_fire() -> None:
    engine = run([*LEGS, *reverting_pair(4, 200)], PAIR)
    assert "Would not have fired on" in preview(engine, rule("zscore", 50.0)).words


@pytest.mark.parametrize("kind", ["zscore", "price_change", "break"])
def test_without_bars_there_is_nothing_to_look_at(kind: Any) -> None:
    found = preview(Engine(PAIR), rule(kind, 1.0))
    assert (found.n_bars, found.n_firings) == (0, 0)
    assert found.words.startswith("There is no bar yet that this rule could look at.")


def test_without_quotes_there_is_no_backtest_and_it_says_why() -> None:
    found = preview(run(reverting_pair(4, 100), PAIR), rule("zscore", 1.0))
    assert found.backtest is None
    assert found.words.endswith("No backtest: no quote of ETHUSDT yet.")


def test_an_exit_beyond_the_entry_is_no_backtest_and_it_says_why() -> None:
    engine = run([*LEGS, *reverting_pair(4, 100)], PAIR)
    found = preview(engine, rule("zscore", 1.0), exit=2.0)
    assert found.n_firings > 0
    assert "No backtest: " in found.words
    assert "not above exit 2" in found.words


def test_what_happens_after_the_inputs_were_taken_changes_nothing() -> None:
    events = [*LEGS, *reverting_pair(4, 200)]
    engine = run(events[:300], PAIR)
    inputs = preview_inputs(engine, rule("zscore", 1.0), 0.5)
    before = inputs.run()
    for event in events[300:]:
        engine.receive(event)
    engine.receive(trade("ETHUSDT", 10_000, 1.0, 150.0))
    assert inputs.run().opens_ns.tolist() == before.opens_ns.tolist()
    assert inputs.run().words == before.words


def test_breaks_are_looked_for_on_the_newest_bars_only() -> None:
    engine = run(reverting_pair(4, BREAKS_LOOKED_AT + 120), PAIR)
    found = preview(engine, rule("break", 1.0))
    assert found.n_bars == BREAKS_LOOKED_AT
    assert not math.isnan(float(engine.analytics.columns["y"][-1]))
