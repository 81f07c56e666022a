"""Each recipe, run as it stands, gives the number of the tile or the alert to the last digit."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from quantnb.engine import Engine
from quantnb.errors import StatisticsError
from quantnb.frames import bars_frame, trades_frame
from tests.engine.market import heartbeat, quote, reverting_pair
from tests.engine.test_engine import SETTINGS, run, snapshot

PAIR = replace(SETTINGS, symbols=("BTCUSDT", "ETHUSDT"))


class FakeSession:
    """What recipes use of a session."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def bars(self, symbol: str) -> pd.DataFrame:
        return bars_frame(self._engine.instruments[symbol])

    def trades(self, symbol: str) -> pd.DataFrame:
        return trades_frame(self._engine.instruments[symbol])

    @property
    def snapshot(self) -> Any:
        return snapshot(self._engine)


def value_of(recipe: str, engine: Engine) -> Any:
    """Run the lines and return what the last one is worth."""
    *lines, last = ast.parse(recipe).body
    assert isinstance(last, ast.Expr)
    names: dict[str, Any] = {"session": FakeSession(engine)}
    exec(compile(ast.Module(lines, []), "recipe", "exec"), names)
    return eval(compile(ast.Expression(last.value), "recipe", "eval"), names)


def quoted(seconds: int, seed: int = 3) -> list[Any]:
    quotes = [quote("ETHUSDT", 3_000.0, 3_000.02), quote("BTCUSDT", 60_000.0, 60_000.1)]
    return [*quotes, heartbeat(0, "ETHUSDT"), heartbeat(0), *reverting_pair(seed, seconds)]


@pytest.mark.parametrize(
    "tile", ["ticks", "spread", "zscore", "half_life", "correlation", "edge", "volume", "alerts"]
)
@pytest.mark.parametrize("seed", range(3, 8))
def test_a_tile_is_reproduced_to_the_last_digit(tile: str, seed: int) -> None:
    engine = run(quoted(120, seed), PAIR)
    shown = snapshot(engine).tiles[tile]
    if shown.value is None:
        assert "infinite" in shown.waiting
        return
    assert value_of(engine.recipe(tile), engine) == shown.value


@pytest.mark.parametrize("tile", ["ticks", "spread", "zscore", "half_life", "correlation", "edge", "volume"])
def test_a_recipe_gives_the_same_number_when_the_market_has_moved_on(tile: str) -> None:
    events = quoted(200)
    engine = run(events[:-100], PAIR)
    recipe, shown = engine.recipe(tile), snapshot(engine).tiles[tile].value
    for event in events[-100:]:
        engine.receive(event)
    assert value_of(recipe, engine) == shown
    assert snapshot(engine).tiles[tile].value != shown


def test_every_alert_is_reproduced_to_the_last_digit() -> None:
    engine = Engine(PAIR)
    engine.alerts.add_rule("zscore", 1.0, cooldown_s=0)
    engine.alerts.add_rule("price_change", 0.001, span_s=5, cooldown_s=0)
    engine.alerts.add_rule("break", 0.3, cooldown_s=0)
    for event in quoted(240):
        engine.receive(event)
    alerts = engine.alerts.log
    assert {alert.kind for alert in alerts} == {"zscore", "price_change", "break"}
    for alert in alerts:
        assert value_of(alert.recipe, engine) == alert.value


def test_an_alert_is_reproduced_although_the_pair_and_the_window_have_changed() -> None:
    engine = Engine(PAIR)
    engine.alerts.add_rule("zscore", 1.0)
    for event in quoted(120):
        engine.receive(event)
    engine.configure(replace(PAIR, pair=PAIR.pair[::-1], window=30))
    alert = engine.alerts.log[0]
    assert value_of(alert.recipe, engine) == alert.value


def test_a_tile_without_a_number_has_no_recipe() -> None:
    engine = Engine(PAIR)
    with pytest.raises(StatisticsError, match="no number to compute again yet: zscore"):
        engine.recipe("zscore")
    assert value_of(engine.recipe("ticks"), engine) == 0


def test_trades_that_are_no_longer_kept_are_owned_up_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantnb.engine.engine.TRADE_BYTES", round(PAIR.memory_mb * 1e6) // 100)
    engine = run(quoted(120), PAIR)
    n_kept = sum(len(each.trades) for each in engine.instruments.values())
    assert n_kept < 240
    assert f"# {240 - n_kept} of the trades that were counted are no longer kept" in engine.recipe("volume")
