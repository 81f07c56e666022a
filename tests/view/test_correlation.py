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
    n = '<br><span style="font-size: 9px">n = 49</span>'
    assert heatmap["text"] == [[f"1.00{n}", f"−0.46{n}"], [f"−0.46{n}", f"1.00{n}"]]
    assert list(heatmap["customdata"][0][1]) == [49.0, pytest.approx(1.96 / 7)]
    assert (heatmap["zmin"], heatmap["zmax"]) == (-1, 1)


@pytest.mark.parametrize(
    ("n", "caption"),
    [
        (7, "7 of 50 log returns so far · 95 % band of chance ±0.74, in brackets what is inside"),
        (50, "n = 50 log returns · 95 % band of chance ±0.28"),
    ],
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
    assert screen.traces[0]["text"][0][1].startswith("–<br>")
    assert "A and B –" in screen.words["label"]


def test_a_number_inside_the_band_stands_in_brackets_and_the_caption_says_so(
    session: StandInSession, chart: CorrelationChart
) -> None:
    show(session, 0.27, n=49)
    screen = Screen(chart.figure).hello()
    assert [cell.split("<")[0] for cell in screen.traces[0]["text"][0]] == ["1.00", "(0.27)"]
    assert screen.words["caption"].endswith("±0.28, in brackets what is inside")
    show(session, 0.29, n=49)
    assert screen.look().traces[0]["text"][0][1].startswith("0.29<")
    assert screen.words["caption"].endswith("±0.28")


def test_a_symbol_with_itself_is_never_in_brackets(session: StandInSession, chart: CorrelationChart) -> None:
    show(session, 0.5, n=3)  # where the band is wider than any correlation
    assert Screen(chart.figure).hello().traces[0]["text"][1][1].startswith("1.00<")


@pytest.mark.parametrize(("n_symbols", "has_n"), [(6, True), (7, False)])
def test_a_second_line_says_n_where_there_is_room(
    session: StandInSession, chart: CorrelationChart, n_symbols: int, has_n: bool
) -> None:
    symbols = tuple(f"S{i}" for i in range(n_symbols))
    matrix = CorrelationMatrix(symbols, np.eye(n_symbols), np.full((n_symbols, n_symbols), 60))
    session.snapshot = replace(session.snapshot, correlation=matrix)
    text = Screen(chart.figure).hello().traces[0]["text"]
    assert all(("n = 60" in cell) == has_n for row in text for cell in row)


def test_overlaps_that_differ_are_said_as_a_range(session: StandInSession, chart: CorrelationChart) -> None:
    matrix = CorrelationMatrix(("A", "B"), np.array([[1.0, 0.9], [0.9, 1.0]]), np.array([[50, 30], [30, 30]]))
    session.snapshot = replace(session.snapshot, correlation=matrix)
    screen = Screen(chart.figure).hello()
    assert screen.words["caption"] == "n = 30 to 50 log returns · 95 % band of chance ±0.28"
    assert "n = 30" in screen.traces[0]["text"][0][1]


def test_many_symbols_have_a_dot_in_place_of_a_number_inside_the_band(
    session: StandInSession, chart: CorrelationChart
) -> None:
    symbols = tuple(f"S{i}" for i in range(9))
    values = np.where(np.eye(9, dtype=bool), 1.0, 0.27)
    values[0, 1] = values[1, 0] = 0.5
    matrix = CorrelationMatrix(symbols, values, np.full((9, 9), 49))
    session.snapshot = replace(session.snapshot, correlation=matrix)
    screen = Screen(chart.figure).hello()
    assert screen.traces[0]["text"][0][:3] == ["", "", "·"]
    assert screen.words["caption"].endswith("±0.28, with a dot what is inside")
    assert screen.words["label"].startswith(
        "Correlation of log returns of 9 symbols, strongest: S0 and S1 0.50, "
    )
    assert screen.words["label"].count(" and ") == 8


def shrunk(n_symbols: int = 40, n: int = 20, alone: int = 0) -> CorrelationMatrix:
    """A matrix of 0.4 everywhere, of which the last ``alone`` symbols were not shrunk."""
    symbols = tuple(f"S{i}" for i in range(n_symbols))
    values = np.full((n_symbols, n_symbols), 0.4)
    np.fill_diagonal(values, 1.0)
    counts = np.full((n_symbols, n_symbols), n)
    return CorrelationMatrix(symbols, values, counts, 0.314, symbols[: n_symbols - alone])


def test_a_shrunk_matrix_says_by_how_much_and_why(session: StandInSession, chart: CorrelationChart) -> None:
    session.snapshot = replace(session.snapshot, correlation=shrunk(), window=20)
    screen = Screen(chart.figure).hello()
    assert screen.words["caption"] == (
        "n = 20 log returns · shrunk by 31 % towards none (Ledoit–Wolf): 40 symbols, 20 returns"
        " · 95 % band of chance ±0.30"
    )
    hover = screen.traces[0]["hovertext"]
    assert hover[0][1] == "<br>shrunk by 31 % towards none (Ledoit–Wolf)"
    assert hover[0][0] == ""


def test_the_band_of_what_was_shrunk_is_shrunk_with_it(
    session: StandInSession, chart: CorrelationChart
) -> None:
    session.snapshot = replace(session.snapshot, correlation=shrunk(alone=1), window=20)
    heatmap = Screen(chart.figure).hello().traces[0]
    band = 1.96 / np.sqrt(20)
    assert heatmap["customdata"][0][1][1] == pytest.approx(band * (1 - 0.314))
    assert heatmap["customdata"][0][39][1] == pytest.approx(band)
    assert heatmap["hovertext"][0][39] == ""
    assert (heatmap["text"][0][1], heatmap["text"][0][39]) == ("", "·")


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
