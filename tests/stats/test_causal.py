"""The causal spread: which bars judge which."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError
from quantnb.stats import causal_fit, causal_spread, hedge_ratio, rolling_fit

X = np.round(60_000 + np.cumsum(np.random.default_rng(1).normal(0, 5, 90)), 1)
Y = np.round(0.05 * X + np.cumsum(np.random.default_rng(2).normal(0, 0.3, 90)), 2)


@pytest.mark.parametrize("intercept", [True, False])
def test_a_bar_is_judged_by_the_fit_on_the_window_strictly_before_it(intercept: bool) -> None:
    row = causal_spread(Y, X, 20, intercept=intercept).iloc[60]
    before = hedge_ratio(Y[40:60], X[40:60], intercept=intercept)
    assert row["hedge_ratio"] == before.hedge_ratio
    assert row["intercept"] == before.intercept
    assert row["r_squared"] == before.r_squared
    assert row["spread"] == Y[60] - before.intercept - before.hedge_ratio * X[60]


def test_a_bars_own_price_changes_its_spread_but_not_its_ratio() -> None:
    moved = Y.copy()
    moved[60] += 1000
    before, after = causal_spread(Y, X, 20), causal_spread(moved, X, 20)
    assert after["hedge_ratio"][60] == before["hedge_ratio"][60]
    assert after["spread"][60] == pytest.approx(before["spread"][60] + 1000)


def test_the_causal_fit_is_the_rolling_fit_one_bar_later() -> None:
    for later, now in zip(causal_fit(Y, X, 20), rolling_fit(Y, X, 20), strict=True):
        np.testing.assert_array_equal(later[1:], now[:-1])
        assert np.isnan(later[:20]).all()
        assert np.isfinite(later[20:]).all()


def test_a_missing_price_is_felt_while_it_is_in_the_fit_or_the_bar() -> None:
    holed = X.copy()
    holed[50] = np.nan
    frame = causal_spread(Y, holed, 20)
    assert np.flatnonzero(frame["hedge_ratio"][20:].isna()).tolist() == list(range(31, 51))
    assert np.flatnonzero(frame["spread"][20:].isna()).tolist() == list(range(30, 51))


def test_a_leg_x_that_stood_still_gives_nan() -> None:
    still = X.copy()
    still[30:60] = 60_000.1
    frame = causal_spread(Y, still, 20)
    assert frame.isna().all(axis=1)[50:61].all()
    assert np.isfinite(frame["spread"][61])


def test_series_keep_their_index() -> None:
    index = pd.date_range("2026-01-01", periods=90, freq="1s", tz="UTC")
    frame = causal_spread(pd.Series(Y, index=index), pd.Series(X, index=index), 20)
    assert frame.index.equals(index)
    np.testing.assert_array_equal(frame, causal_spread(Y, X, 20))


def test_fewer_bars_than_a_window_are_all_warm_up() -> None:
    assert causal_spread(Y[:5], X[:5], 20).isna().all(axis=None)
    assert len(causal_spread(Y[:0], X[:0], 20)) == 0


def test_a_window_of_two_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="at least 3"):
        causal_spread(Y, X, 2)
