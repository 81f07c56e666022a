"""The Kalman hedge: against a matrix filter and statsmodels, its units, and what it knows when."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import hedge_ratio, kalman, kalman_hedge

RNG = np.random.default_rng(6)
N = 300
X = np.round(60_000 + np.cumsum(RNG.normal(0, 5, N)), 1)
RATIO = 0.05 + np.cumsum(RNG.normal(0, 2e-4, N))
Y = 12 + 0.05 * 60_000 + RATIO * (X - 60_000) + RNG.normal(0, 0.3, N)


def by_matrices(y: np.ndarray, x: np.ndarray, warm_up: int, delta: float) -> np.ndarray:
    """Return spread, ratio and deviation of the textbook filter in 2 x 2 matrices, the noise's variance 1."""
    dy, dx = y - y[:warm_up].mean(), x - x[:warm_up].mean()
    design = np.column_stack([dx, np.ones(len(dx))])
    covariance = np.linalg.inv(design[:warm_up].T @ design[:warm_up])
    state = covariance @ design[:warm_up].T @ dy[:warm_up]
    squares = np.sum((dy[:warm_up] - design[:warm_up] @ state) ** 2)
    noise, rows = np.diag([delta / np.var(dx[:warm_up]), delta]), []
    for t in range(warm_up, len(y)):
        covariance = covariance + noise
        variance = 1 + design[t] @ covariance @ design[t]
        innovation = dy[t] - design[t] @ state
        rows.append((innovation, state[0], np.sqrt(squares / (t - 2) * variance)))
        gain = covariance @ design[t] / variance
        state, covariance = state + gain * innovation, covariance - np.outer(gain, design[t] @ covariance)
        squares += innovation**2 / variance
    return np.array(rows)


@pytest.mark.parametrize("delta", [0.0, 1e-6, 1e-3, 0.1])
def test_it_is_the_textbook_filter(delta: float) -> None:
    frame = kalman_hedge(Y, X, warm_up=40, delta=delta)
    expected = by_matrices(Y, X, 40, delta)
    np.testing.assert_allclose(
        frame[["spread", "hedge_ratio", "deviation"]].to_numpy()[40:], expected, rtol=1e-8, atol=1e-9
    )
    assert frame.iloc[:40].isna().all(axis=None)


def test_without_noise_of_the_state_it_is_least_squares_on_all_bars_so_far() -> None:
    frame = kalman_hedge(Y, X, warm_up=20, delta=0)
    for t in (20, 57, 299):
        fit = hedge_ratio(Y[:t], X[:t])
        assert frame["hedge_ratio"][t] == pytest.approx(fit.hedge_ratio, rel=1e-9)
        assert frame["intercept"][t] == pytest.approx(fit.intercept, rel=1e-9)
        assert frame["stderr"][t] == pytest.approx(fit.stderr, rel=1e-8)


def test_a_ratio_that_wanders_is_followed_closer_than_by_least_squares() -> None:
    rng = np.random.default_rng(10)
    x, ratio = rng.normal(100, 1, N), 2 + np.cumsum(rng.normal(0, 0.1, N))
    y = ratio * (x - 100) + rng.normal(0, 0.3, N)
    error, error_of_still = (
        np.abs(kalman_hedge(y, x, warm_up=40, delta=delta)["hedge_ratio"] - ratio)[40:].mean()
        for delta in (0.1, 0.0)
    )
    assert error < error_of_still / 1.5


def test_the_zscore_is_of_the_innovation_in_its_own_deviation() -> None:
    """So under its own model its variance is 1: 200 pairs side by side, seed 11."""
    rng = np.random.default_rng(11)
    delta, shape = 1e-3, (200, 150)
    x = rng.normal(0, 1, shape)
    ratio, intercept = (np.cumsum(rng.normal(0, np.sqrt(delta), shape), axis=1) for _ in range(2))
    _, bars = kalman.run(ratio * x + intercept + rng.normal(0, 1, shape), x, warm_up=50, delta=delta)
    z = (bars.spread / bars.deviation)[:, 50:]
    assert z.std() == pytest.approx(1, abs=0.03)
    assert np.mean(z[:, 1:] * z[:, :-1]) == pytest.approx(0, abs=0.03)


def test_units_and_levels_change_no_zscore() -> None:
    frame, scaled = kalman_hedge(Y, X), kalman_hedge(8 * Y, X / 4)
    np.testing.assert_allclose(scaled["zscore"], frame["zscore"], rtol=1e-9, equal_nan=True)
    np.testing.assert_allclose(scaled["hedge_ratio"], 32 * frame["hedge_ratio"], rtol=1e-9, equal_nan=True)
    far = kalman_hedge(Y + 1e6, X)
    np.testing.assert_allclose(far["zscore"], frame["zscore"], rtol=1e-5, equal_nan=True)


def test_what_is_known_at_a_bar_does_not_change_with_what_comes_after() -> None:
    whole = kalman_hedge(Y, X).to_numpy()
    for t in (49, 50, 51, 200):
        np.testing.assert_array_equal(kalman_hedge(Y[: t + 1], X[: t + 1]).to_numpy(), whole[: t + 1])


def test_many_pairs_side_by_side_and_bar_by_bar_are_each_alone_bit_for_bit() -> None:
    rows_y, rows_x = np.stack([Y, 2 * Y, X]), np.stack([X, X, Y])
    _, together = kalman.run(rows_y, rows_x, warm_up=50, delta=1e-4)
    for row, (y, x) in enumerate(zip(rows_y, rows_x, strict=True)):
        _, alone = kalman.run(y[None, :], x[None, :], warm_up=50, delta=1e-4)
        np.testing.assert_array_equal(together.spread[row], alone.spread[0])
    state = kalman.start(rows_y[:, :50].copy(), rows_x[:, :50].copy())
    for t in range(50, N):
        state, bar = kalman.step(state, rows_y[:, t], rows_x[:, t], 1e-4)
        np.testing.assert_array_equal(bar.deviation, together.deviation[:, t])


def test_a_missing_bar_is_left_out_and_its_time_is_counted() -> None:
    holed = Y.copy()
    holed[100:110] = np.nan
    frame, whole = kalman_hedge(holed, X, delta=1e-3), kalman_hedge(Y, X, delta=1e-3)
    assert frame[100:110].isna().all(axis=None)
    assert np.isfinite(frame[110:]).all(axis=None)
    assert frame["stderr"][110] > 1.2 * whole["stderr"][110]


def test_the_likeliest_delta_is_near_the_true_one() -> None:
    rng = np.random.default_rng(12)
    x = rng.normal(0, 1, 2_000)
    ratio, intercept = (np.cumsum(rng.normal(0, 0.1, 2_000)) for _ in range(2))
    frame = kalman_hedge(ratio * x + intercept + rng.normal(0, 1, 2_000), x, delta="ml")
    assert 0.003 < frame.attrs["delta"] < 0.03


def test_the_likeliest_delta_swallows_a_spread_that_comes_back_slowly() -> None:
    """The trap: what a desk would trade is explained by a wandering intercept."""
    rng = np.random.default_rng(13)
    gap = np.zeros(1_000)
    for t in range(1, 1_000):
        gap[t] = 0.95 * gap[t - 1] + rng.normal()
    x = 60_000 + np.cumsum(rng.normal(0, 5, 1_000))
    frame = kalman_hedge(0.05 * x + gap, x, delta="ml")
    still = kalman_hedge(0.05 * x + gap, x, delta=0)
    assert frame.attrs["delta"] > 0.01
    assert np.corrcoef(still["spread"][50:], gap[50:])[0, 1] > 0.9
    assert np.corrcoef(frame["spread"][50:], gap[50:])[0, 1] < 0.4


def test_series_keep_their_index() -> None:
    index = pd.date_range("2026-01-01", periods=N, freq="1s", tz="UTC")
    frame = kalman_hedge(pd.Series(Y, index=index), pd.Series(X, index=index), prices="log")
    assert frame.index.equals(index)
    np.testing.assert_array_equal(frame, kalman_hedge(Y, X, prices="log"))


def test_bars_that_repeat_one_line_have_no_zscore() -> None:
    x = np.arange(60.0)
    assert not np.isinf(kalman_hedge(2 * x, x, warm_up=10).to_numpy()).any()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"delta": -1}, "delta is a number from 0 to 1, or 'ml', not -1"),
        ({"delta": "em"}, "not 'em'"),
        ({"warm_up": 9}, "at least 10"),
        ({"prices": "returns"}, "level or log, not 'returns'"),
    ],
)
def test_an_unknown_setting_is_told_the_valid_ones(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidSettingError, match=sentence):
        kalman_hedge(Y, X, **arguments)  # type: ignore[arg-type]


def test_too_few_bars_and_a_leg_that_stands_still_are_refused() -> None:
    with pytest.raises(StatisticsError, match="takes 50 bars with both legs; there are 49"):
        kalman_hedge(Y[:49], X[:49])
    with pytest.raises(StatisticsError, match="does not move during the warm-up"):
        kalman_hedge(Y, np.full(N, 0.1))
