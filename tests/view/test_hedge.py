from __future__ import annotations

import numpy as np
import pytest

from quantnb.view.hedge import HedgeChart
from tests.view.browser_stub import Screen, quiet_lease
from tests.view.conftest import StandInSession


@pytest.fixture
def chart(session: StandInSession) -> HedgeChart:
    return HedgeChart(session, lease=quiet_lease())


def test_it_says_what_it_waits_for(session: StandInSession, chart: HedgeChart) -> None:
    session.tick(5, 12)
    words = Screen(chart.figure).hello().words
    assert words["notice"] == "The hedge ratio needs 50 bars of both legs, 12 so far."
    assert words["caption"] == ""


def test_points_are_the_window_and_the_line_is_the_fit(session: StandInSession, chart: HedgeChart) -> None:
    session.tick(5, 80)
    screen = Screen(chart.figure).hello()
    points, line, _, _, ratio, r_squared = screen.traces
    series, fit = session.snapshot.pair_series, session.snapshot.hedge
    assert fit is not None
    np.testing.assert_array_equal(points["x"], series.columns["x"][-50:])
    np.testing.assert_array_equal(points["y"], series.columns["y"][-50:])
    np.testing.assert_allclose(line["y"], fit.intercept + fit.hedge_ratio * line["x"])
    assert (line["x"][0], line["x"][1]) == (points["x"].min(), points["x"].max())
    since = int(np.isfinite(series.columns["hedge_ratio"]).argmax())
    assert since > 0  # what warms up takes no room
    np.testing.assert_array_equal(ratio["y"], series.columns["hedge_ratio"][since:])
    np.testing.assert_array_equal(r_squared["y"], series.columns["r_squared"][since:])


def test_the_window_moves_by_its_new_point_only(session: StandInSession, chart: HedgeChart) -> None:
    session.tick(5, 200)
    screen = Screen(chart.figure).hello()
    session.tick(5, 1)
    screen.look()
    # A point each of five streams, of which the ratio has three columns; and the line's two ends.
    assert screen.n_bytes <= 5 * 2 * 8 + 8 + 2 * 2 * 8
    np.testing.assert_array_equal(screen.traces[0]["x"], session.snapshot.pair_series.columns["x"][-50:])


def test_the_fit_is_said_in_words(session: StandInSession, chart: HedgeChart) -> None:
    session.tick(5, 80)
    caption = Screen(chart.figure).hello().words["caption"]
    assert caption == "ETHUSDT = 12 + 0.05 × BTCUSDT · stderr 0.001 · R² = 0.830 · n = 50"


def test_the_ratio_lies_in_a_band_of_two_standard_errors(session: StandInSession, chart: HedgeChart) -> None:
    session.tick(5, 80)
    screen = Screen(chart.figure).hello()
    low, high, ratio = screen.traces[2:5]
    np.testing.assert_allclose(low["y"], ratio["y"] - 0.002)
    np.testing.assert_allclose(high["y"], ratio["y"] + 0.002)
    assert (low["line"]["width"], high["line"]["width"], high["fill"]) == (0, 0, "tonexty")
    assert (low["xaxis"], low["yaxis"]) == (high["xaxis"], high["yaxis"]) == ("x2", "y2")
    np.testing.assert_allclose(ratio["customdata"], 0.002)
    assert "± 2 standard errors, as if residuals were independent" in ratio["hovertemplate"]
    assert "± 2 standard errors, as if residuals were independent" in screen.words["label"]


def test_the_band_has_no_width_where_the_ratio_is_not_known(
    session: StandInSession, chart: HedgeChart
) -> None:
    session.tick(5, 90)
    columns = session.snapshot.pair_series.columns
    columns["hedge_ratio"][70:75] = np.nan
    columns["hedge_ratio"][69] = 0.06
    columns["stderr"][80] = np.nan
    low, high, ratio = Screen(chart.figure).hello().traces[2:5]
    width = high["y"] - low["y"]
    at = 70 - ratio["first"]
    np.testing.assert_array_equal(low["y"][at : at + 5], np.full(5, 0.06))  # the last that was known
    assert list(np.flatnonzero(width == 0) + ratio["first"]) == [*range(70, 75), 80]
    assert np.isnan(ratio["y"][at : at + 5]).all()


def test_another_pair_renames_the_axes(session: StandInSession, chart: HedgeChart) -> None:
    session.tick(5, 80)
    screen = Screen(chart.figure).hello()
    session.pair = ("SOLUSDT", "ETHUSDT")
    screen.look()
    assert screen.layout["xaxis"]["title"]["text"] == "x: ETHUSDT"
    assert screen.layout["yaxis"]["title"]["text"] == "y: SOLUSDT"
    np.testing.assert_array_equal(screen.traces[0]["y"], session.snapshot.pair_series.columns["y"][-50:])


def test_the_line_goes_when_the_fit_goes(session: StandInSession, chart: HedgeChart) -> None:
    session.tick(5, 80)
    screen = Screen(chart.figure).hello()
    session.clear()
    screen.look()
    assert len(screen.traces[0]["x"]) == len(screen.traces[1]["x"]) == 0
