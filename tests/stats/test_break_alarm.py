"""The break alarm: its statistics, how often it is wrong, and what it sees."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.diagnostic import recursive_olsresiduals

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import BreakAlarm, break_alarm
from quantnb.stats.break_alarm import _THRESHOLDS, Level, cusum_statistic, recursive_residuals


def pair(
    rng: np.random.Generator, half_life: float, n: int = 200, ratio_after: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    """A pair whose ratio is 0.05 in the first half and ``ratio_after`` in the second."""
    moves = rng.normal(0, 5, n)
    ratios = np.where(np.arange(n) < n // 2, 0.05, ratio_after)
    gap, persistence = np.zeros(n), 2 ** (-1 / half_life)
    for t in range(1, n):
        gap[t] = persistence * gap[t - 1] + rng.normal(0, 0.3)
    return 3_000 + np.cumsum(ratios * moves) + gap, 60_000 + np.cumsum(moves)


Y, X = pair(np.random.default_rng(1), 5)


def test_the_recursive_residuals_are_those_of_statsmodels() -> None:
    y, x = Y - 3_000, X - 60_000
    found = recursive_olsresiduals(OLS(y, np.column_stack([np.ones(200), x])).fit())
    np.testing.assert_allclose(recursive_residuals(y, x), found[4][2:], rtol=1e-6, atol=1e-8)


def test_the_recursive_residuals_in_exact_arithmetic_at_the_level_of_prices() -> None:
    y, x = np.round(Y, 2), np.round(X, 1)
    residuals = recursive_residuals(y, x)
    for t in range(2, 200, 23):
        xs, ys = ([Fraction(float(value)) for value in leg[:t]] for leg in (x, y))
        mean_x, mean_y = sum(xs) / t, sum(ys) / t
        sxx = sum((a - mean_x) ** 2 for a in xs)
        slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(xs, ys, strict=True)) / sxx
        distance = Fraction(float(x[t])) - mean_x
        residual = float(Fraction(float(y[t])) - mean_y - slope * distance)
        expected = residual / math.sqrt(1 + Fraction(1, t) + distance**2 / sxx)
        assert residuals[t - 2] == pytest.approx(expected, rel=1e-9)


def test_the_cusum_is_the_height_over_the_boundary() -> None:
    """R strucchange's sctest of "Rec-CUSUM" and statsmodels' boundary, which is at a for a of it."""
    residuals = recursive_residuals(Y, X)
    heights = np.cumsum(residuals) / residuals.std(ddof=1)
    boundary = [math.sqrt(198) + 2 * r / math.sqrt(198) for r in range(1, 199)]
    assert cusum_statistic(residuals) == pytest.approx(np.max(np.abs(heights) / boundary), rel=1e-12)


@pytest.mark.parametrize(("level", "size"), [("1%", 0.005), ("5%", 0.025), ("10%", 0.05)])
def test_the_thresholds_solve_their_equations_and_give_the_published_value(level: str, size: float) -> None:
    """Brown, Durbin and Evans (1975) print a = 0.948 at 5 %."""
    a, quantile = _THRESHOLDS[level]  # type: ignore[index]
    tail_a, tail_3a = (math.erfc(value / math.sqrt(2)) / 2 for value in (a, 3 * a))
    assert 2 * (tail_3a + math.exp(-4 * a * a) * (1 - tail_a)) == pytest.approx(size, rel=1e-9)
    assert math.erfc(quantile / math.sqrt(2)) == pytest.approx(size, rel=1e-9)
    assert level != "10%" or round(a, 3) == 0.948


@pytest.mark.parametrize("half_life", [0.5, 2, 5, 10, 30])
def test_false_alarms_stay_near_the_level_however_slowly_the_spread_comes_back(half_life: float) -> None:
    """500 pairs with one ratio (seed 2), at 5 %."""
    rng = np.random.default_rng(2)
    share = np.mean([break_alarm(*pair(rng, half_life)).is_broken for _ in range(500)])
    assert share == pytest.approx(0.05, abs=0.03)


def test_taken_for_independent_the_residuals_would_raise_false_alarms_most_of_the_time() -> None:
    """The reason for freeing the legs from the spread's memory: half-life 5, plain CUSUM at 5 %."""
    rng = np.random.default_rng(2)
    plain = [cusum_statistic(recursive_residuals(*pair(rng, 5))) > 0.948 for _ in range(300)]
    assert np.mean(plain) > 0.6


@pytest.mark.parametrize("half_life", [0.5, 5, 30])
def test_a_ratio_that_doubles_is_seen(half_life: float) -> None:
    rng = np.random.default_rng(3)
    alarms = [break_alarm(*pair(rng, half_life, ratio_after=0.1)) for _ in range(50)]
    assert np.mean([alarm.is_broken for alarm in alarms]) > 0.95
    assert np.median([alarm.ratio_before for alarm in alarms]) == pytest.approx(0.05, rel=0.1)
    assert np.median([alarm.ratio_after for alarm in alarms]) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("half_life", [0.5, 5, 30])
def test_a_shift_of_the_level_is_seen_seldom_and_the_page_says_so(half_life: float) -> None:
    """By 20 deviations of the noise; 300 pairs (seed 2)."""
    rng, seen = np.random.default_rng(2), []
    for _ in range(300):
        y, x = pair(rng, half_life)
        seen.append(break_alarm(y + 6.0 * (np.arange(200) >= 100), x).is_broken)
    assert 0.05 < np.mean(seen) < 0.25


def test_the_verdict_says_what_moved_and_by_how_much() -> None:
    assert break_alarm(Y, X).verdict == "No break is seen at 5% over 200 bars."
    broken = break_alarm(*pair(np.random.default_rng(4), 5, ratio_after=0.1))
    assert broken.verdict.startswith("The hedge has broken: ")
    assert f"to {broken.ratio_after:.6g}, {broken.drift:.1f} standard errors" in broken.verdict
    assert broken.verdict.endswith("(5%, 200 bars).")


@given(st.floats(0, 10), st.floats(-10, 10), st.sampled_from(list(_THRESHOLDS)))
def test_the_strength_passes_1_exactly_where_a_statistic_passes_its_threshold(
    cusum: float, drift: float, level: Level
) -> None:
    cusum_at, drift_at = _THRESHOLDS[level]
    for c in (cusum, cusum_at, np.nextafter(cusum_at, 9)):
        for d in (drift, -drift_at, np.nextafter(-drift_at, -9)):
            alarm = BreakAlarm(float(c), cusum_at, float(d), drift_at, 0.0, 0.0, 0.0, level, 200)
            assert alarm.is_broken == (alarm.strength > 1) == (c > cusum_at or abs(d) > drift_at)
            assert alarm.strength == max(c / cusum_at, abs(d) / drift_at)


def test_units_and_levels_change_no_statistic() -> None:
    plain, scaled = break_alarm(Y, X), break_alarm(8 * Y + 4096, X / 4)
    assert (scaled.cusum, scaled.drift) == pytest.approx((plain.cusum, plain.drift), rel=1e-6)


@pytest.mark.parametrize(
    ("y", "x", "sentence"),
    [
        (Y[:59], X[:59], "Leg y has 59 bars; two halves need 60"),
        (Y, np.where(np.arange(200) == 5, np.nan, X), "Leg x misses 1 of its 200"),
        (Y, np.full(200, 0.1), "Leg x is constant"),
        (Y, np.where(np.arange(200) < 120, 7.0, X), "Leg x does not move"),
        (np.arange(200.0) * 2, np.arange(200.0), "straight line"),
    ],
)
def test_legs_without_an_honest_answer_are_refused(y: np.ndarray, x: np.ndarray, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        break_alarm(y, x)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="1%, 5% or 10%, not '2%'"):
        break_alarm(Y, X, level="2%")  # type: ignore[arg-type]
