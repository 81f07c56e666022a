"""The stack of causes adds up to the change of the z-score, and each cause speaks for itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from quantnb.engine.pair import PART_COLUMNS
from quantnb.view.moves import stacked
from quantnb.view.spread import SpreadChart
from tests.view.browser_stub import Screen, quiet_lease
from tests.view.conftest import StandInSession

parts = npst.arrays(np.float64, (5, 20), elements=st.floats(-1e3, 1e3) | st.just(np.nan))


@given(parts)
def test_what_was_added_and_what_was_taken_make_the_change(values: np.ndarray) -> None:
    up, down = stacked(list(values))[-1]
    np.testing.assert_allclose(up + down, np.nansum(values, axis=0), atol=1e-9)


@given(parts)
def test_sums_only_grow_outwards_so_that_later_drawings_cover_no_other_cause(values: np.ndarray) -> None:
    sums = stacked(list(values))
    assert all((after[0] >= before[0]).all() for before, after in pairwise(sums))
    assert all((after[1] <= before[1]).all() for before, after in pairwise(sums))
    assert (sums[0][0] >= 0).all()
    assert (sums[0][1] <= 0).all()


def test_the_chart_shows_each_cause_by_name_and_says_its_own_part() -> None:
    session = StandInSession()
    session.tick(5, 80)
    chart = SpreadChart(session, lease=quiet_lease())
    screen = Screen(chart.figure).hello()
    spoken = {trace["name"]: trace for trace in screen.traces[4:14] if trace.get("hoverinfo") != "skip"}
    assert list(spoken) == ["σ", "mean", "β", "BTC", "ETH"]  # the outermost first
    columns = session.snapshot.pair_series.columns
    since = int(np.isfinite(columns["spread"]).argmax())
    for name, trace in zip(PART_COLUMNS, reversed(spoken.values()), strict=True):
        np.testing.assert_array_equal(trace["customdata"][:-1], columns[name][since:])
    said = f"ETHUSDT {columns['leg_y'][-1]:+.2f}".replace("-", "−")
    assert said in screen.words["label"]
