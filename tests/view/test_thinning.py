from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantnb.view.thinning import Sight, extremes, worth_sending

VALUES = arrays(
    np.float64, st.integers(0, 400), elements=st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))
)
COLUMNS = st.integers(1, 60)
FIRST = st.integers(0, 10_000)


@given(VALUES, FIRST, COLUMNS)
def test_rows_ascend_and_are_few(y: np.ndarray, first: int, n_columns: int) -> None:
    rows = extremes(y, first, n_columns)
    assert (np.diff(rows) > 0).all()
    assert len(rows) <= 2 * (n_columns + 1)
    assert rows.size == 0 or (rows[0] >= 0 and rows[-1] < len(y))


@given(VALUES, FIRST, COLUMNS, st.data())
def test_no_spike_is_lost_in_any_bucket(
    y: np.ndarray, first: int, n_columns: int, data: st.DataObject
) -> None:
    rows = extremes(y, first, n_columns)
    known = y[np.isfinite(y)]
    if len(known):
        assert known.min() == np.nanmin(y[rows])
        assert known.max() == np.nanmax(y[rows])
    if len(y) > 2 * n_columns:
        length = 2 ** int(np.ceil(np.log2(np.ceil(len(y) / n_columns))))
        bucket = (np.arange(len(y)) + first) // length
        which = data.draw(st.sampled_from(sorted(set(bucket.tolist()))))
        inside, kept = y[bucket == which], y[rows][bucket[rows] == which]
        if np.isfinite(inside).any():
            assert (np.nanmin(kept), np.nanmax(kept)) == (np.nanmin(inside), np.nanmax(inside))


@given(VALUES, FIRST)
def test_a_short_line_is_left_as_it_is(y: np.ndarray, first: int) -> None:
    assert extremes(y, first, max(1, len(y))).tolist() == list(range(len(y)))


@given(st.integers(130, 250), st.integers(1, 60), FIRST, st.integers(0, 2**32 - 1))
def test_what_was_chosen_stays_chosen_while_a_line_grows(n: int, n_new: int, first: int, seed: int) -> None:
    n_columns = 16
    y = np.random.default_rng(seed).normal(size=n + n_new)
    before = extremes(y[:n], first, n_columns)
    after = extremes(y, first, n_columns)
    if -(-n // n_columns) > 8 and -(-(n + n_new) // n_columns) <= 16:  # of 16 points each, both times
        open_from = (first + n) // 16 * 16 - first
        assert before[before < open_from].tolist() == after[after < open_from].tolist()


def test_a_hole_stays_a_hole() -> None:
    y = np.arange(100.0)
    y[30:70] = np.nan
    rows = extremes(y, 0, 10)
    assert np.isnan(y[rows]).any()


@given(VALUES, FIRST, COLUMNS, st.floats(0, 400), st.floats(0, 400))
def test_all_that_is_in_sight_is_as_fine_as_the_panel(
    y: np.ndarray, first: int, width: int, a: float, b: float
) -> None:
    low, high = sorted((a, b))
    x = np.arange(len(y), dtype=float)
    rows = worth_sending(x, y, first, Sight(width, (low, high)))
    assert (np.diff(rows) > 0).all()
    in_sight = np.flatnonzero((x >= low) & (x <= high))
    if len(in_sight) <= 2 * width and (3 * (high - low) + 1) <= 6 * width:
        assert set(in_sight.tolist()) <= set(rows.tolist())
    known = y[np.isfinite(y)]
    if len(known):
        assert (known.min(), known.max()) == (np.nanmin(y[rows]), np.nanmax(y[rows]))


@pytest.mark.parametrize("n", [2_001, 20_000])
def test_a_long_line_costs_about_two_points_a_pixel(n: int) -> None:
    y = np.random.default_rng(1).normal(size=n)
    assert 0.45 * 600 < len(extremes(y, 7, 600)) / 2 <= 601
