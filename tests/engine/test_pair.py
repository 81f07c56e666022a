"""The pair's rows equal the batch functions over all bars, however they were added."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.engine.pair import PART_COLUMNS, PairAnalytics
from quantnb.stats import causal_fit, causal_spread, rolling_corr, zscore, zscore_attribution
from quantnb.store import Columns


def bars(closes: np.ndarray) -> Columns:
    store = Columns({"time_ns": np.int64, "close": np.float64}, 10_000)
    store.extend({"time_ns": np.arange(len(closes)), "close": closes})
    return store


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    steps=st.lists(st.integers(1, 60), min_size=1, max_size=12),
    gap=st.integers(0, 400),
    window=st.sampled_from([20, 50]),
)
def test_rows_added_in_any_steps_equal_the_batch_bit_for_bit(
    seed: int, steps: list[int], gap: int, window: int
) -> None:
    rng = np.random.default_rng(seed)
    n = sum(steps)
    x = np.round(60_000 + np.cumsum(rng.normal(0, 5, n)), 1)
    y = np.round(0.05 * x + np.cumsum(rng.normal(0, 0.3, n)), 2)
    y[gap : gap + 3] = np.nan
    live = PairAnalytics(window, 10_000)
    y_bars, x_bars = bars(y[:0]), bars(x[:0])
    done = 0
    for step in steps:
        new = slice(done, done + step)
        for store, closes in ((y_bars, y), (x_bars, x)):
            store.extend({"time_ns": np.arange(n)[new], "close": closes[new]})
        live.update(y_bars, x_bars)
        done += step
    whole = causal_spread(y, x, window)
    np.testing.assert_array_equal(live.columns["hedge_ratio"], whole["hedge_ratio"])
    np.testing.assert_array_equal(live.columns["spread"], whole["spread"])
    np.testing.assert_array_equal(live.columns["zscore"], zscore(whole["spread"].to_numpy(), window))
    np.testing.assert_array_equal(live.columns["correlation"], rolling_corr(y, x, window))
    np.testing.assert_array_equal(live.columns["stderr"], causal_fit(y, x, window).stderr)
    moved = zscore_attribution(y, x, window)
    for column, part in zip(
        PART_COLUMNS, ("leg_y", "leg_x", "hedge_ratio", "mean", "deviation"), strict=True
    ):
        np.testing.assert_array_equal(live.columns[column], moved[part])


def test_legs_of_different_length_meet_at_their_newest_bars() -> None:
    live = PairAnalytics(20, 1000)
    x, y = bars(np.arange(1.0, 11.0)), bars(np.arange(1.0, 11.0))
    y.rewrite(0, {"time_ns": np.arange(7, 10), "close": np.arange(8.0, 11.0)})
    live.update(y, x)
    assert live.columns["x"].tolist() == [8.0, 9.0, 10.0]
    assert live.columns["time_ns"].tolist() == [7, 8, 9]


def test_a_revised_bar_begins_a_new_generation_of_rows() -> None:
    live = PairAnalytics(20, 1000)
    x, y = bars(np.arange(1.0, 11.0)), bars(np.arange(1.0, 11.0))
    live.update(y, x)
    before = live.columns.generation
    y.rewrite(9, {"time_ns": np.array([9]), "close": np.array([90.0])})
    live.update(y, x)
    assert live.columns.generation > before
    assert live.columns["y"][-1] == 90.0
