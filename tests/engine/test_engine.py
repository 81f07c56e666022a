"""The same events give the same snapshots, and settings changed on the way end where a fresh start would."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.engine import Engine, Settings
from quantnb.events import Event
from quantnb.snapshot import Memory, Snapshot, Status
from tests.engine.market import T0, S, heartbeat, market, trade

SETTINGS = Settings(("BTCUSDT", "ETHUSDT", "SOLUSDT"), ("ETHUSDT", "BTCUSDT"), "1s", 20)
STATUS = Status("live", "live", "", False, 0.0, None, None, None, {})


def run(events: list[Event], setup: Settings = SETTINGS) -> Engine:
    engine = Engine(setup)
    for event in events:
        engine.receive(event)
    return engine


def snapshot(engine: Engine) -> Snapshot:
    return engine.snapshot(0, STATUS)


def same(a: Any, b: Any) -> bool:
    """Compare snapshots to the bit, arrays by value, generations aside."""
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=True)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if hasattr(a, "__dataclass_fields__"):
        names = [field.name for field in fields(a) if field.name != "generation"]
        return all(same(getattr(a, name), getattr(b, name)) for name in names)
    return bool(a == b)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_replaying_the_same_events_gives_the_same_snapshot(seed: int) -> None:
    events = market(seed, 60)
    assert same(snapshot(run(events)), snapshot(run(events)))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), step=st.integers(1, 500))
def test_looking_at_snapshots_on_the_way_changes_nothing(seed: int, step: int) -> None:
    events = market(seed, 60)
    watched = Engine(SETTINGS)
    for number, event in enumerate(events):
        watched.receive(event)
        if number % step == 0:
            snapshot(watched)
    assert same(snapshot(watched), snapshot(run(events)))


def test_an_earlier_snapshot_is_not_changed_by_what_follows() -> None:
    events = market(3, 120)
    engine = run(events[: len(events) // 2])
    early = snapshot(engine)
    copies = {symbol: series.columns["close"].copy() for symbol, series in early.bars.items()}
    spread = early.pair_series.columns["spread"].copy()
    for event in events[len(events) // 2 :]:
        engine.receive(event)
    for symbol, copy in copies.items():
        np.testing.assert_array_equal(early.bars[symbol].columns["close"], copy)
    np.testing.assert_array_equal(early.pair_series.columns["spread"], spread)


@pytest.mark.parametrize(
    "changes", [{"timeframe": "5s"}, {"window": 30}, {"pair": ("SOLUSDT", "ETHUSDT")}], ids=str
)
def test_settings_changed_while_running_recompute_from_the_trades_kept(changes: dict) -> None:
    events = market(4, 300)
    engine = run(events[:1000])
    engine.configure(replace(SETTINGS, **changes))
    for event in events[1000:]:
        engine.receive(event)
    fresh = snapshot(run(events, replace(SETTINGS, **changes)))
    changed = snapshot(engine)
    assert same(changed.bars, fresh.bars)
    assert same(changed.pair_series, fresh.pair_series)
    assert same(changed.hedge, fresh.hedge)
    assert same(changed.correlation, fresh.correlation)


def test_a_removed_symbol_is_forgotten_and_its_trades_are_passed_over() -> None:
    events = market(5, 30)
    engine = run(events)
    engine.configure(replace(SETTINGS, symbols=("BTCUSDT", "ETHUSDT")))
    engine.receive(trade("SOLUSDT", 10_000, at_s=31))
    assert set(snapshot(engine).bars) == {"BTCUSDT", "ETHUSDT"}


def test_an_added_symbol_does_not_cut_the_correlation_of_the_others() -> None:
    events = market(6, 60)
    engine = Engine(replace(SETTINGS, symbols=("BTCUSDT", "ETHUSDT")))
    for event in events:
        engine.receive(event)
    engine.configure(SETTINGS)
    engine.receive(trade("SOLUSDT", 1, 10.0, at_s=60))
    matrix = snapshot(engine).correlation
    assert matrix is not None
    assert math.isfinite(matrix.values[0, 1])
    assert math.isnan(matrix.values[0, 2])


def test_bars_close_on_the_exchanges_clock_even_without_trades() -> None:
    engine = run([trade(at_s=0.5), trade("ETHUSDT", at_s=0.5)])
    assert len(snapshot(engine).bars["BTCUSDT"]) == 0
    engine.receive(heartbeat(2.2))
    assert len(snapshot(engine).bars["BTCUSDT"]) == 0
    engine.receive(heartbeat(2.3))
    assert len(snapshot(engine).bars["BTCUSDT"]) == 1


def test_tiles_say_what_they_wait_for() -> None:
    tiles = snapshot(run(market(7, 10))).tiles
    assert tiles["zscore"].value is None
    assert tiles["zscore"].waiting == "8 of 40 bars"
    assert tiles["correlation"].waiting == "8 of 21 bars"
    assert tiles["ticks"].value == len(market(7, 10))


def test_tiles_are_the_newest_row_of_the_pairs_series() -> None:
    engine = run(market(8, 90))
    shown = snapshot(engine)
    last = {name: column[-1] for name, column in shown.pair_series.columns.items()}
    assert shown.tiles["zscore"].value == last["zscore"]
    assert shown.tiles["correlation"].value == last["correlation"]
    assert shown.tiles["spread"].value == shown.pair_series.columns["spread"][-20:].mean()


def test_a_tile_says_that_a_price_did_not_move() -> None:
    flat = [trade(symbol, i + 1, 100.0, i / 2) for i in range(120) for symbol in ("BTCUSDT", "ETHUSDT")]
    assert snapshot(run([*flat, heartbeat(60)])).tiles["zscore"].waiting.startswith("the price did not move")


def test_volume_is_the_money_traded() -> None:
    engine = run([trade(price=100, quantity=2.0), trade("ETHUSDT", price=10, quantity=3.0)])
    assert snapshot(engine).tiles["volume"].value == 230.0


def test_a_zscore_rule_fires_at_a_bar_close() -> None:
    engine = Engine(SETTINGS)
    rule = engine.alerts.add_rule("zscore", 1.5)
    for event in market(9, 120):
        engine.receive(event)
    zscores = snapshot(engine).pair_series.columns["zscore"]
    assert (np.abs(zscores[np.isfinite(zscores)]) >= 1.5).any()
    assert engine.alerts.active[-1].rule_id == rule.rule_id
    assert abs(engine.alerts.active[-1].value) >= 1.5


def pair_of_walks(seed: int, n: int, *, comes_back: bool) -> list[Event]:
    """A trade of each leg a second: y is twice x, and what is between them comes back or wanders off."""
    print(f"pair seed {seed}")
    rng = np.random.default_rng(seed)
    x = 100 + np.cumsum(rng.normal(0, 0.1, n))
    noise = rng.normal(0, 0.05, n)
    y = 2 * x + (noise if comes_back else np.cumsum(noise))
    return [
        trade(symbol, i + 1, float(price), i + 0.5)
        for i in range(n)
        for symbol, price in (("BTCUSDT", x[i]), ("ETHUSDT", y[i]))
    ]


PAIR = Settings(("BTCUSDT", "ETHUSDT"), ("ETHUSDT", "BTCUSDT"), "1s", 50)


def test_nothing_speaks_against_the_zscore_of_a_spread_that_comes_back() -> None:
    engine = run([*pair_of_walks(1, 140, comes_back=True), heartbeat(140.3)], PAIR)
    tile = snapshot(engine).tiles["zscore"]
    assert tile.value is not None
    assert tile.doubts == ()


def test_a_zscore_says_why_it_is_not_to_be_believed() -> None:
    engine = run([*pair_of_walks(2, 140, comes_back=False), heartbeat(140.3)], PAIR)
    tile = snapshot(engine).tiles["zscore"]
    assert tile.value is not None
    assert tile.doubts[0].startswith("Engle-Granger p = ")
    assert "not shown to come back" in tile.doubts[0]


def test_a_leg_that_has_not_traded_for_long_is_a_doubt() -> None:
    events = pair_of_walks(1, 140, comes_back=True)
    engine = run([*events, trade("BTCUSDT", 141, 100.0, 149.0), heartbeat(149.3)], PAIR)
    assert "ETHUSDT has not traded for 10 s" in snapshot(engine).tiles["zscore"].doubts


def test_an_alert_on_a_zscore_in_doubt_says_so_and_fires_all_the_same() -> None:
    engine = Engine(PAIR)
    engine.alerts.add_rule("zscore", 1.0, cooldown_s=0)
    for event in [*pair_of_walks(2, 200, comes_back=False), heartbeat(200.3)]:
        engine.receive(event)
    assert engine.alerts.log
    doubtful = [alert for alert in engine.alerts.log if alert.doubt]
    assert doubtful
    assert all(alert.text.endswith(f"; not valid: {alert.doubt}") for alert in doubtful)


def test_a_price_rule_fires_for_the_symbol_that_moved() -> None:
    engine = Engine(SETTINGS)
    engine.alerts.add_rule("price_change", 2.0, span_s=5)
    for event in [
        trade("BTCUSDT", 1, 100.0, 0.0),
        trade("ETHUSDT", 1, 10.0, 0.1),
        trade("BTCUSDT", 2, 103.0, 6.0),
        trade("ETHUSDT", 2, 10.01, 6.5),
    ]:
        engine.receive(event)
    assert [alert.symbol for alert in engine.alerts.active] == ["BTCUSDT"]


def test_the_tape_is_newest_first_and_knows_what_was_known() -> None:
    engine = run(market(10, 60))
    tape = snapshot(engine).tape
    assert [row.sequence for row in tape] == sorted((row.sequence for row in tape), reverse=True)
    assert max(sum(row.symbol == symbol for row in tape) for symbol in SETTINGS.symbols) <= 200
    assert tape[0].zscore == pytest.approx(snapshot(engine).tiles["zscore"].value)


def test_clearing_forgets_data_and_keeps_rules() -> None:
    engine = run(market(11, 60))
    engine.alerts.add_rule("zscore", 2.0)
    engine.clear()
    shown = snapshot(engine)
    assert shown.tiles["ticks"].value == 0
    assert shown.tape == ()
    assert len(shown.pair_series) == 0
    assert len(shown.rules) == 1


def test_history_that_was_cleared_is_another_generation() -> None:
    engine = run(market(12, 30))
    before = snapshot(engine)
    engine.clear()
    for event in market(13, 30):
        engine.receive(event)
    after = snapshot(engine)
    assert after.pair_series.generation != before.pair_series.generation
    for symbol in SETTINGS.symbols:
        assert after.bars[symbol].generation != before.bars[symbol].generation


def kept(engine: Engine) -> list[tuple[str, int, int]]:
    """Return symbol, id and time of every trade kept."""
    return [
        (symbol, trade_id, event_ns)
        for symbol, each in engine.instruments.items()
        for trade_id, event_ns in zip(
            each.trades["trade_id"].tolist(), each.trades["event_ns"].tolist(), strict=True
        )
    ]


def test_beyond_the_budget_the_oldest_trades_go_whichever_symbols_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = run(market(14, 200))
    monkeypatch.setattr("quantnb.engine.engine.TRADE_BYTES", round(SETTINGS.memory_mb * 1e6) // 1_000)
    engine = run(market(14, 200))
    n_left = len(kept(engine))
    assert 875 - 100 <= n_left <= 1_000 + 100  # looked at four times a second
    newest = sorted(kept(whole), key=lambda each: each[2])[-n_left:]
    assert {each[2] for each in newest} == {each[2] for each in kept(engine)}
    assert snapshot(engine).tiles["ticks"].value == snapshot(whole).tiles["ticks"].value
    assert snapshot(engine).pair_series.columns["zscore"][-1] == pytest.approx(
        snapshot(whole).pair_series.columns["zscore"][-1], nan_ok=True
    )


def test_what_trades_take_is_shown_with_what_they_may() -> None:
    engine = run(market(14, 30))
    memory = snapshot(engine).memory
    assert memory == Memory(len(kept(engine)), 33 * len(kept(engine)), 64_000_000)


def test_a_smaller_budget_holds_at_once_and_a_larger_one_from_now_on() -> None:
    engine = Engine(SETTINGS)
    for event in [trade(trade_id=i, at_s=i / 1000) for i in range(40_000)]:
        engine.receive(event)
    engine.configure(replace(SETTINGS, memory_mb=1.0))
    assert snapshot(engine).memory.n_bytes <= 1_000_000
    engine.configure(replace(SETTINGS, memory_mb=2.0))
    for event in [trade(trade_id=i, at_s=i / 1000) for i in range(40_000, 60_000)]:
        engine.receive(event)
    assert 1_200_000 < snapshot(engine).memory.n_bytes <= 2_000_000


def test_hours_of_silence_are_filled_and_bounded() -> None:
    engine = run([trade(at_s=0), trade("ETHUSDT", at_s=0), heartbeat(6 * 3600)])
    bars = snapshot(engine).bars["BTCUSDT"]
    assert 17_000 < len(bars) <= 20_000
    assert bars.time_ns[-1] == T0 + 21_598 * S
