"""The break alarm bar by bar: the alarm of each window, and nothing where it cannot be run."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import break_alarm, rolling_break
from tests.stats.test_break_alarm import X, Y, pair


def test_each_bar_has_the_strength_of_the_alarm_on_the_window_that_ends_with_it() -> None:
    found = rolling_break(Y, X, 80)
    assert np.isnan(found[:79]).all()
    for bar in (79, 120, 199):
        rows = slice(bar - 79, bar + 1)
        assert found[bar] == break_alarm(Y[rows], X[rows]).strength


def test_only_the_newest_bars_are_looked_at() -> None:
    newest, all_bars = rolling_break(Y, X, 80, n_newest=10), rolling_break(Y, X, 80)
    assert np.isnan(newest[:190]).all()
    np.testing.assert_array_equal(newest[190:], all_bars[190:])
    assert np.isfinite(newest[190:]).all()


def test_what_is_known_at_t_does_not_change_with_what_comes_after() -> None:
    whole = rolling_break(Y, X, 60)
    for t in (59, 100, 150):
        np.testing.assert_array_equal(rolling_break(Y[: t + 1], X[: t + 1], 60), whole[: t + 1])


def test_the_strength_rises_above_1_where_the_ratio_doubles() -> None:
    y, x = pair(np.random.default_rng(10), 5, ratio_after=0.1)
    strengths = rolling_break(y, x, 80)
    assert np.nanmax(strengths[:100]) < 1
    assert np.nanmax(strengths[100:]) > 2


def test_bar_after_bar_a_5_percent_alarm_rings_on_every_pair_whose_ratio_holds() -> None:
    """20 pairs (seed 7), half-life 5, 300 windows of 100 bars in a row: a single one says little."""
    rng = np.random.default_rng(7)
    strengths = [rolling_break(*pair(rng, 5, n=400), 100, n_newest=300)[-300:] for _ in range(20)]
    assert np.mean(np.array(strengths) > 1) == pytest.approx(0.05, abs=0.02)
    assert (np.max(strengths, axis=1) > 1).mean() > 0.9


def test_a_gap_is_felt_while_it_is_in_the_window() -> None:
    holed = np.where(np.arange(200) == 100, math.nan, X)
    found = rolling_break(Y, holed, 60)
    assert np.flatnonzero(np.isnan(found[59:])).tolist() == list(range(100 - 59, 100 - 59 + 60))


@pytest.mark.parametrize(
    ("y", "x", "window"),
    [
        (Y, X, 59),
        (Y, X, 201),
        (Y[:0], X[:0], 60),
        (np.arange(200.0) * 2, np.arange(200.0), 60),
        (Y, np.full(200, 0.1), 60),
    ],
)
def test_where_the_alarm_cannot_be_run_nothing_is_known(y: np.ndarray, x: np.ndarray, window: int) -> None:
    assert np.isnan(rolling_break(y, x, window)).all()


def test_a_series_keeps_its_index() -> None:
    index = pd.date_range("2026-01-01", periods=200, freq="1min", tz="UTC")
    found = rolling_break(pd.Series(Y, index=index), pd.Series(X, index=index), 100, n_newest=1)
    assert found.index.equals(index)
    assert found.notna().sum() == 1


def test_a_stricter_level_lowers_the_strength() -> None:
    strict, lenient = (rolling_break(Y, X, 100, n_newest=5, level=level) for level in ("1%", "10%"))
    assert (strict[-5:] < lenient[-5:]).all()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"window": 0}, "The window is a whole number of bars"),
        ({"n_newest": 0}, "n_newest is a whole number of bars above 0, not 0"),
        ({"n_newest": 1.5}, "n_newest is a whole number of bars above 0, not 1.5"),
        ({"level": "2%"}, "1%, 5% or 10%, not '2%'"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict, sentence: str) -> None:
    with pytest.raises(InvalidSettingError, match=sentence):
        rolling_break(Y, X, **{"window": 80} | wrong)


def test_legs_that_are_not_aligned_are_refused() -> None:
    with pytest.raises(StatisticsError, match="align them first"):
        rolling_break(Y, X[:-1], 80)
