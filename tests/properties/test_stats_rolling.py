"""What holds for every rolling statistic: causality, forgetting, equivariance, bounds.

Each statistic stands here as a function of two legs of prices and a window; results are compared bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quantnb.stats import (
    causal_fit,
    causal_spread,
    hedge_ratio,
    rolling_corr,
    rolling_fit,
    rolling_lines,
    rolling_volatility,
    zscore,
)
from quantnb.stats.lines import Line, line_of
from quantnb.stats.orthogonal import orthogonal_lines

Array = NDArray[np.float64]
Statistic = Callable[[Array, Array, int], Array]


def fitted(y: Array, x: Array, window: int) -> Array:
    return np.column_stack(rolling_fit(y, x, window))


def fitted_before(y: Array, x: Array, window: int) -> Array:
    return np.column_stack(causal_fit(y, x, window, intercept=False))


def lined(line: Line) -> Statistic:
    return lambda y, x, window: np.column_stack(rolling_lines(line, y, x, window))


STATISTICS: dict[str, tuple[Statistic, int]] = {  # and how many bars before the window it looks at
    "zscore": (lambda y, x, w: zscore(y, w), 0),
    "zscore of the past": (lambda y, x, w: zscore(y, w, include_current=False), 1),
    "volatility": (lambda y, x, w: rolling_volatility(y, w, "1s"), 1),
    "correlation": (lambda y, x, w: rolling_corr(y, x, w), 1),
    "correlation of levels": (lambda y, x, w: rolling_corr(y, x, w, of="levels"), 0),
    "fit": (fitted, 0),
    "fit of x on y": (lined(line_of("inverse", "level")), 0),
    "standardised line": (lined(line_of("tls", "level")), 0),
    "orthogonal line": (lined(orthogonal_lines), 0),
    "causal fit without intercept": (fitted_before, 1),
    "causal spread": (lambda y, x, w: causal_spread(y, x, w).to_numpy(), 1),
}
each_statistic = pytest.mark.parametrize("name", STATISTICS)


@st.composite
def legs(draw: st.DrawFn, min_size: int = 4) -> tuple[Array, Array]:
    """Two legs on their ticks, with flat stretches and missing bars."""
    n = draw(st.integers(min_size, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share_flat, share_missing = draw(st.sampled_from([0.0, 0.5, 0.95])), draw(st.sampled_from([0.0, 0.05]))
    columns = []
    for level, tick in ((draw(st.sampled_from([3.0, 2_500.0, 60_000.0])), 0.01), (60_000.0, 0.1)):
        moves = rng.integers(-5, 6, n) * (rng.random(n) >= share_flat)
        column = np.round(level + tick * np.cumsum(moves), 2)
        columns.append(np.where(rng.random(n) < share_missing, np.nan, column))
    return columns[0], columns[1]


def same_bits(a: Array, b: Array) -> bool:
    # NaN has many bit patterns, and which one comes out of NaN arithmetic is nobody's promise.
    return np.where(np.isnan(a), np.nan, a).tobytes() == np.where(np.isnan(b), np.nan, b).tobytes()


@each_statistic
@settings(max_examples=40, deadline=None)
@given(legs=legs(), window=st.integers(3, 25), data=st.data())
def test_what_is_known_at_t_does_not_change_with_what_comes_after(
    name: str, legs: tuple[Array, Array], window: int, data: st.DataObject
) -> None:
    y, x = legs
    statistic, _ = STATISTICS[name]
    t = data.draw(st.integers(0, len(y) - 1))
    assert same_bits(statistic(y[: t + 1], x[: t + 1], window), statistic(y, x, window)[: t + 1])


@each_statistic
@settings(max_examples=40, deadline=None)
@given(legs=legs(), window=st.integers(3, 25), data=st.data())
def test_the_newest_window_alone_gives_the_same_bits_as_the_batch(
    name: str, legs: tuple[Array, Array], window: int, data: st.DataObject
) -> None:
    y, x = legs
    statistic, n_before = STATISTICS[name]
    t = data.draw(st.integers(0, len(y) - 1))
    start = max(0, t + 1 - window - n_before)
    alone = statistic(y[start : t + 1], x[start : t + 1], window)
    assert same_bits(alone[-1:], statistic(y, x, window)[t : t + 1])


@each_statistic
@pytest.mark.parametrize("window", [20, 97, 1000])
def test_neither_do_long_series_that_are_computed_in_blocks(name: str, window: int) -> None:
    rng = np.random.default_rng(window)
    x = np.round(60_000 + np.cumsum(rng.normal(0, 5, 8_000)), 1)
    y = np.round(0.05 * x + np.cumsum(rng.normal(0, 0.3, 8_000)), 2)
    statistic, n_before = STATISTICS[name]
    whole = statistic(y, x, window)
    for t in [*range(window + n_before, 8_000, 311), 7_999]:
        part = slice(t + 1 - window - n_before, t + 1)
        assert same_bits(statistic(y[part], x[part], window)[-1:], whole[t : t + 1])


@each_statistic
@settings(max_examples=40, deadline=None)
@given(recent=legs(min_size=30), window=st.integers(3, 25), data=st.data())
def test_a_spike_missing_bars_and_a_flat_hour_leave_no_trace_once_out_of_the_window(
    name: str, recent: tuple[Array, Array], window: int, data: st.DataObject
) -> None:
    statistic, n_before = STATISTICS[name]
    disasters = st.sampled_from([[1e12], [np.nan] * 3, [60_000.1] * 40, [1e-12], [np.inf], [5.0, 1e12, 5.0]])
    drawn = [data.draw(st.lists(disasters, max_size=6)) for _ in range(2)]
    history = [np.array(list(chain.from_iterable(parts))) for parts in drawn]
    n = max(map(len, history))
    y, x = (
        np.concatenate([np.full(n - len(past), 1.0), past, leg])
        for past, leg in zip(history, recent, strict=True)
    )
    since = window + n_before - 1
    with_history = statistic(y, x, window)[n + since :]
    assert same_bits(with_history, statistic(*recent, window)[since:])


@each_statistic
@settings(max_examples=40, deadline=None)
@given(legs=legs(), window=st.integers(3, 25))
def test_nothing_is_ever_infinite_and_warm_up_is_nan(
    name: str, legs: tuple[Array, Array], window: int
) -> None:
    statistic, n_before = STATISTICS[name]
    values = statistic(*legs, window)
    assert not np.isinf(values).any()
    assert np.isnan(values[: window + n_before - 1]).all()


@settings(max_examples=40, deadline=None)
@given(legs=legs(), window=st.integers(2, 25))
def test_a_zscore_stays_within_its_bound(legs: tuple[Array, Array], window: int) -> None:
    z = zscore(legs[0], window)
    assert (np.abs(z[np.isfinite(z)]) <= (window - 1) / np.sqrt(window) * (1 + 1e-13)).all()


@settings(max_examples=40, deadline=None)
@given(legs=legs(), window=st.integers(3, 25))
def test_a_correlation_stays_within_one_and_does_not_care_which_leg_is_first(
    legs: tuple[Array, Array], window: int
) -> None:
    y, x = legs
    correlation = rolling_corr(y, x, window)
    assert (np.abs(correlation[np.isfinite(correlation)]) <= 1.0).all()
    assert same_bits(correlation, rolling_corr(x, y, window))


@settings(max_examples=40, deadline=None)
@given(legs=legs(), window=st.integers(2, 25), shift=st.integers(-(10**7), 10**7))
def test_a_shift_of_all_values_changes_no_zscore(legs: tuple[Array, Array], window: int, shift: int) -> None:
    """In whole ticks, so that the shift itself is exact; 1e7 above, an add-and-remove variance is noise."""
    ticks = np.round(legs[0] * 100)
    np.testing.assert_array_equal(zscore(ticks + shift, window), zscore(ticks, window))


@settings(max_examples=40, deadline=None)
@given(legs=legs(), window=st.integers(3, 25), power=st.integers(-20, 20))
def test_scaling_a_leg_scales_the_ratio_and_no_correlation(
    legs: tuple[Array, Array], window: int, power: int
) -> None:
    """By powers of two, so that the scaling itself is exact."""
    (y, x), c = legs, 2.0**power
    fit, of_scaled_x, of_scaled_y = (rolling_fit(*pair, window) for pair in ((y, x), (y, c * x), (c * y, x)))
    np.testing.assert_array_equal(of_scaled_x.hedge_ratio * c, fit.hedge_ratio)
    np.testing.assert_array_equal(of_scaled_y.hedge_ratio, fit.hedge_ratio * c)
    np.testing.assert_array_equal(of_scaled_x.r_squared, fit.r_squared)
    np.testing.assert_array_equal(rolling_corr(c * y, x, window), rolling_corr(y, x, window))


@settings(max_examples=40, deadline=None)
@given(legs=legs(min_size=30), window=st.integers(3, 25))
def test_a_rolling_fit_is_the_hedge_ratio_of_its_window_bit_for_bit(
    legs: tuple[Array, Array], window: int
) -> None:
    y, x = legs
    fit = rolling_fit(y, x, window)
    for t in np.flatnonzero(np.isfinite(fit.hedge_ratio))[:3]:
        one = hedge_ratio(y[t + 1 - window : t + 1], x[t + 1 - window : t + 1])
        assert (one.hedge_ratio, one.intercept, one.stderr) == tuple(column[t] for column in fit[:3])
