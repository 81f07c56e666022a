from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import traitlets

from quantnb.view.spread import SpreadChart
from tests.view.browser_stub import Screen, quiet_lease
from tests.view.conftest import StandInSession


@pytest.fixture
def chart(session: StandInSession) -> SpreadChart:
    return SpreadChart(session, lease=quiet_lease())


def lines(screen: Screen) -> list[float]:
    return [shape["y0"] for shape in screen.layout["shapes"]]


def test_it_says_what_it_waits_for(session: StandInSession, chart: SpreadChart) -> None:
    session.tick(5, 12)
    notice = Screen(chart.figure).hello().words["notice"]
    assert notice == "The spread needs 51 bars of both legs, 12 so far."


def test_spread_and_zscore_are_the_session_s(session: StandInSession, chart: SpreadChart) -> None:
    session.tick(5, 80)
    screen = Screen(chart.figure).hello()
    session.tick(5, 3)
    screen.look()
    series = session.snapshot.pair_series
    since = int(np.isfinite(series.columns["spread"]).argmax())
    assert since > 0  # what warms up takes no room
    for trace, name in zip(screen.traces, ("spread", "zscore"), strict=False):
        np.testing.assert_array_equal(trace["x"], series.time_ns[since:] / 1e6)
        assert len(trace["y"]) == len(series.columns[name]) - since


def test_only_new_bars_are_sent_and_nothing_between_two_bars(
    session: StandInSession, chart: SpreadChart
) -> None:
    session.tick(5, 300)
    screen = Screen(chart.figure).hello()
    session.tick(5, 0)
    assert screen.messages == []
    session.tick(5, 1)
    screen.look()
    # Of each of five causes x, y and its part, and x, y of what was taken; each with the end of its step.
    steps = 5 * (3 + 2) * 2
    assert screen.n_bytes == (2 * 2 + steps) * 8


def test_the_thresholds_stand_at_both_sides_and_follow_the_trait(
    session: StandInSession, chart: SpreadChart
) -> None:
    screen = Screen(chart.figure).hello()
    assert lines(screen) == [2.0, -2.0]
    chart.threshold = 1.25
    assert lines(screen.look()) == [1.25, -1.25]
    assert chart.threshold_field.value == 1.25


def test_the_threshold_can_be_typed(chart: SpreadChart) -> None:
    seen = []
    chart.observe(lambda change: seen.append(change["new"]), "threshold")
    chart.threshold_field.value = 3.5
    assert seen == [3.5]


@pytest.mark.parametrize(("dropped", "threshold"), [(1.5, 1.5), (-1.234, 1.23), (0.0, 0.1), (99.0, 10.0)])
def test_dragging_either_line_moves_both(chart: SpreadChart, dropped: float, threshold: float) -> None:
    screen = Screen(chart.figure).hello()
    screen.say("relayout", changes={"shapes[1].x0": 0.01, "shapes[1].y0": dropped, "shapes[1].y1": dropped})
    screen.look()
    assert chart.threshold == threshold
    assert lines(screen) == [threshold, -threshold]
    assert [shape["x0"] for shape in screen.layout["shapes"]] == [0, 0]


def test_a_line_pulled_aside_only_is_put_back(chart: SpreadChart) -> None:
    screen = Screen(chart.figure).hello()
    screen.layout = {}
    screen.say("relayout", changes={"shapes[0].x0": 0.1, "shapes[0].y0": 2.0})
    assert lines(screen.look()) == [2.0, -2.0]


@pytest.mark.parametrize(
    "changes", [{"shapes[0].y0": "high"}, {"shapes[0].y0": True}, {"xaxis.range[0]": 1.0}]
)
def test_what_is_no_place_for_a_line_changes_nothing(chart: SpreadChart, changes: dict[str, object]) -> None:
    Screen(chart.figure).hello().say("relayout", changes=changes)
    assert chart.threshold == 2.0


def test_code_cannot_set_a_threshold_of_no_sense(chart: SpreadChart) -> None:
    with pytest.raises(traitlets.TraitError):
        chart.threshold = 0.0


def test_panes_and_thresholds_can_be_hidden(session: StandInSession, chart: SpreadChart) -> None:
    session.tick(5, 80)
    screen = Screen(chart.figure).hello()
    chart.threshold_switch.value = False
    assert screen.look().layout.get("shapes", []) == []
    chart.spread_switch.value = False
    assert [trace["visible"] for trace in screen.look().traces[:2]] == [False, True]
    assert screen.layout["yaxis2"]["domain"][1] == 1.0
    chart.zscore_switch.value = False
    assert screen.look().layout["yaxis3"]["domain"] == [0.0, 1.0]
    chart.moves_switch.value = False
    assert screen.look().words["notice"] == "All panes are hidden."
    chart.spread_switch.value = chart.zscore_switch.value = chart.moves_switch.value = True
    panes = [screen.look().layout[axis]["domain"] for axis in ("yaxis", "yaxis2", "yaxis3")]
    assert panes[0][0] > panes[1][1] > panes[1][0] > panes[2][1] > panes[2][0] == 0.0


def test_another_pair_starts_anew(session: StandInSession, chart: SpreadChart) -> None:
    session.tick(5, 80)
    screen = Screen(chart.figure).hello()
    session.pair = ("SOLUSDT", "BTCUSDT")
    screen.look()
    spread = session.snapshot.pair_series.columns["spread"]
    np.testing.assert_array_equal(screen.traces[0]["y"], spread[np.isfinite(spread)])
    assert "SOLUSDT/BTCUSDT" in screen.words["label"]


def test_another_window_is_another_history_whatever_its_generation(
    session: StandInSession, chart: SpreadChart
) -> None:
    session.tick(5, 200)
    screen = Screen(chart.figure).hello()
    old = session.snapshot.pair_series
    columns = {name: -column for name, column in old.columns.items()}
    session.snapshot = replace(session.snapshot, window=20, pair_series=replace(old, columns=columns))
    screen.look()
    spread = columns["spread"]
    np.testing.assert_array_equal(screen.traces[0]["y"], spread[np.isfinite(spread)])


def test_the_axis_reaches_beyond_both_thresholds(session: StandInSession, chart: SpreadChart) -> None:
    screen = Screen(chart.figure).hello()
    chart.threshold = 3.0
    low, high = screen.look().layout["yaxis2"]["autorangeoptions"]["include"]
    assert low < -3.0
    assert high > 3.0


def test_the_hover_has_the_spread_s_digits(session: StandInSession, chart: SpreadChart) -> None:
    assert Screen(chart.figure).hello().traces[0]["yhoverformat"] == ",.4f"  # ETHUSDT's ticks are 0.01
