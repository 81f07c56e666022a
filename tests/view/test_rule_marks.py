"""What a preview found is marked on the z-score, and nothing else is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantnb.alerts import Rule
from quantnb.view.rule_marks import MAX_MARKS
from quantnb.view.spread import SpreadChart
from tests.view.browser_stub import Screen, quiet_lease
from tests.view.conftest import StandInSession

FIRES, TRADES = -2, -1


@pytest.fixture
def chart(session: StandInSession) -> SpreadChart:
    session.tick(5, 300)
    return SpreadChart(session, lease=quiet_lease())


def show(session: StandInSession, kind: Any = "zscore", threshold: float = 0.5) -> None:
    session.show_preview(session.preview_inputs(Rule(0, kind, threshold, cooldown_s=0), 0.1).run())


def test_firings_stand_on_the_z_score(session: StandInSession, chart: SpreadChart) -> None:
    screen = Screen(chart.figure).hello()
    assert screen.traces[FIRES]["visible"] is False
    show(session)
    marks = screen.look().traces[FIRES]
    preview = session.preview
    assert preview.n_firings > 0
    np.testing.assert_array_equal(marks["x"], preview.opens_ns / 1e6)
    np.testing.assert_array_equal(marks["y"], preview.values)


def test_a_trade_is_a_line_from_entry_to_exit_that_says_what_it_made(
    session: StandInSession, chart: SpreadChart
) -> None:
    screen = Screen(chart.figure).hello()
    show(session)
    trades, marks = session.preview.backtest.trades, screen.look().traces[TRADES]
    assert len(marks["x"]) == 3 * len(trades) > 0
    np.testing.assert_array_equal(marks["x"][:2], session.preview.trades_ns[0] / 1e6)
    side = "long" if trades["side"][0] > 0 else "short"
    assert marks["text"][0].startswith(f"{side} the spread, {trades['net_bp'][0]:+.1f} bp net")
    assert marks["marker"]["symbol"][0] == ("triangle-up" if side == "long" else "triangle-down")


def test_a_preview_that_is_cleared_is_taken_off(session: StandInSession, chart: SpreadChart) -> None:
    screen = Screen(chart.figure).hello()
    show(session)
    session.show_preview(None)
    assert [screen.look().traces[trace]["visible"] for trace in (FIRES, TRADES)] == [False, False]


def test_a_price_rule_marks_nothing_on_the_pair(session: StandInSession, chart: SpreadChart) -> None:
    screen = Screen(chart.figure).hello()
    show(session, "price_change", 0.001)
    assert session.preview.n_firings > 0
    assert screen.look().traces[FIRES]["visible"] is False


def test_a_hidden_pane_has_no_marks(session: StandInSession, chart: SpreadChart) -> None:
    screen = Screen(chart.figure).hello()
    show(session)
    chart.zscore_switch.value = False
    assert screen.look().traces[FIRES]["visible"] is False
    chart.zscore_switch.value = True
    assert screen.look().traces[FIRES]["visible"] is True


def test_marks_are_bounded(session: StandInSession) -> None:
    session.tick(5, 4 * MAX_MARKS)
    chart = SpreadChart(session, lease=quiet_lease())
    screen = Screen(chart.figure).hello()
    show(session, threshold=1e-6)
    assert len(screen.look().traces[FIRES]["x"]) <= MAX_MARKS
