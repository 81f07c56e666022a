from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from quantnb.snapshot import CorrelationMatrix
from quantnb.view.correlation import CorrelationChart
from tests.view.browser_stub import Screen, quiet_lease
from tests.view.conftest import StandInSession


@pytest.fixture
def chart(session: StandInSession) -> CorrelationChart:
    return CorrelationChart(session, lease=quiet_lease())


def show(session: StandInSession, value: float, n: int = 49, symbols: tuple[str, ...] = ("A", "B")) -> None:
    matrix = CorrelationMatrix(symbols, np.array([[1.0, value], [value, 1.0]]), np.full((2, 2), n))
    session.snapshot = replace(session.snapshot, correlation=matrix)


def test_it_says_what_it_waits_for(session: StandInSession, chart: CorrelationChart) -> None:
    session.tick(5, 12)
    screen = Screen(chart.figure).hello()
    assert screen.words["notice"] == "Waiting for the first returns."
    assert screen.traces[0]["visible"] is False


def test_cells_hold_value_count_and_band(session: StandInSession, chart: CorrelationChart) -> None:
    show(session, -0.456, n=49)
    heatmap = Screen(chart.figure).hello().traces[0]
    np.testing.assert_array_equal(heatmap["z"], [[1, -0.456], [-0.456, 1]])
    assert heatmap["text"] == [["1.00", "−0.46"], ["−0.46", "1.00"]]
    assert list(heatmap["customdata"][0][1]) == [49.0, pytest.approx(1.96 / 7)]
    assert (heatmap["zmin"], heatmap["zmax"]) == (-1, 1)


@pytest.mark.parametrize(
    ("n", "caption"),
    [(7, "7 of 50 log returns so far"), (50, "n = 50 log returns · 95 % band of chance ±0.28")],
)
def test_the_caption_says_what_the_numbers_rest_on(
    session: StandInSession, chart: CorrelationChart, n: int, caption: str
) -> None:
    show(session, 0.5, n=n)
    assert Screen(chart.figure).hello().words["caption"] == caption


def test_a_correlation_that_does_not_exist_is_a_dash(
    session: StandInSession, chart: CorrelationChart
) -> None:
    show(session, math.nan, n=0)
    screen = Screen(chart.figure).hello()
    assert screen.traces[0]["text"][0][1] == "–"
    assert "A and B –" in screen.words["label"]


def test_auto_follows_the_session(session: StandInSession, chart: CorrelationChart) -> None:
    show(session, 0.1)
    screen = Screen(chart.figure).hello()
    show(session, 0.2)
    assert screen.look().traces[0]["z"][0][1] == 0.2


def test_without_auto_it_changes_on_the_button_only(session: StandInSession, chart: CorrelationChart) -> None:
    show(session, 0.1)
    screen = Screen(chart.figure).hello()
    chart.auto_switch.value = False
    show(session, 0.2)
    assert screen.look().traces[0]["z"][0][1] == 0.1
    chart.refresh_button.click()
    assert screen.look().traces[0]["z"][0][1] == 0.2
    show(session, 0.3)
    assert screen.look().traces[0]["z"][0][1] == 0.2


def test_other_symbols_are_shown_at_once(session: StandInSession, chart: CorrelationChart) -> None:
    show(session, 0.1)
    screen = Screen(chart.figure).hello()
    chart.auto_switch.value = False
    show(session, 0.2, symbols=("A", "C<D"))
    assert screen.look().traces[0]["x"] == ["A", "C&lt;D"]


def test_the_same_matrix_is_sent_once(session: StandInSession, chart: CorrelationChart) -> None:
    show(session, 0.1)
    screen = Screen(chart.figure).hello()
    session.snapshot = replace(session.snapshot)
    assert screen.messages == []


def test_after_a_clear_it_waits_again(session: StandInSession, chart: CorrelationChart) -> None:
    show(session, 0.1)
    screen = Screen(chart.figure).hello()
    session.clear()
    assert screen.look().words["notice"] == "Waiting for the first returns."
    show(session, 0.4)
    assert screen.look().traces[0]["visible"] is True
