"""The half-life: its definition, its edges, and the bias that it is printed with."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from quantnb.errors import StatisticsError
from quantnb.stats import half_life, half_life_of
from quantnb.stats.regression import least_squares

RNG = np.random.default_rng(1)


def autoregressive(rng: np.random.Generator, true: float, shape: tuple[int, int]) -> np.ndarray:
    """Rows of AR(1) with a half-life of ``true`` bars, each from its stationary distribution."""
    phi = 2.0 ** (-1.0 / true)
    rows = rng.normal(0, 1, shape)
    rows[:, 0] /= math.sqrt(1 - phi**2)
    for t in range(1, shape[1]):
        rows[:, t] += phi * rows[:, t - 1]
    return rows


def test_a_deviation_that_halves_every_three_bars_has_a_half_life_of_three() -> None:
    result = half_life(100 + 8 * 2.0 ** (-np.arange(40) / 3))
    assert result.half_life == pytest.approx(3, rel=1e-9)
    assert result.nobs == 39


def test_the_slope_is_that_of_exact_arithmetic() -> None:
    values = np.round(2900 + autoregressive(RNG, 10, (1, 120))[0], 2)
    exact = [Fraction(float(value)) for value in values]
    change = [b - a for a, b in pairwise(exact)]
    mean = sum(exact[:-1]) / len(change)
    level = [value - mean for value in exact[:-1]]
    slope = sum(a * b for a, b in zip(level, change, strict=True)) / sum(a * a for a in level)
    result = half_life(values)
    assert result.slope == pytest.approx(float(slope), rel=1e-9)
    assert result.half_life == pytest.approx(-math.log(2) / math.log1p(float(slope)), rel=1e-9)


@pytest.mark.parametrize(
    ("slope", "bars"), [(0.0, math.inf), (0.3, math.inf), (-0.5, 1.0), (-1.0, 0.0), (-1.7, 0.0)]
)
def test_it_is_never_negative(slope: float, bars: float) -> None:
    assert half_life_of(slope) == bars


def test_a_slope_that_is_not_known_has_none() -> None:
    assert np.isnan(half_life_of(np.nan))


@pytest.mark.parametrize("series", [np.arange(40.0), 1.1 ** np.arange(40)])
def test_what_runs_away_does_not_come_back(series: np.ndarray) -> None:
    result = half_life(series)
    assert result.half_life == result.corrected == math.inf
    assert result.verdict == "Does not come back: no reversion over 39 changes."


def test_what_overshoots_within_a_bar_has_a_half_life_of_zero() -> None:
    assert half_life([1, -2, 3, -4, 5, -6, 7]).half_life == 0


@pytest.mark.parametrize(("n", "reads", "within"), [(50, 6, 1.0), (200, 13, 1.0)])
def test_a_true_twenty_reads_short_and_corrected_it_does_not(n: int, reads: float, within: float) -> None:
    """The bias of `statistics.md`: median reading of 4,000 simulated spreads (seed 20)."""
    rows = autoregressive(np.random.default_rng(20), 20, (4_000, n))
    changes, levels = np.ascontiguousarray(np.diff(rows)), np.ascontiguousarray(rows[:, :-1])
    slope = least_squares(changes, levels, intercept=True).hedge_ratio
    assert np.median(half_life_of(slope)) == pytest.approx(reads, abs=within)
    corrected = [half_life(row).corrected for row in rows[:1_000]]
    assert 15 < np.median(corrected) < 30


def test_a_missing_value_takes_out_the_two_changes_beside_it() -> None:
    values = autoregressive(RNG, 5, (1, 60))[0]
    values[20] = np.nan
    assert half_life(values).nobs == 57


def test_the_verdict_says_that_it_reads_short() -> None:
    words = half_life(autoregressive(np.random.default_rng(3), 5, (1, 200))[0]).verdict
    assert "reads too short over 199 changes, corrected for it" in words


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        ([1.0, 2.0, 1.0, 2.0], "at least 4 changes in a row; there are 3"),
        ([1.0, np.nan, 1.0, np.nan, 2.0, np.nan], "there are 0"),
        (np.full(30, 0.1), r"constant \(0.1\)"),
        ([0.1, 0.1, 0.1, 0.1, 0.2], "constant"),
        ([], "there are 0"),
    ],
)
def test_a_series_without_an_honest_answer_is_refused(series: object, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        half_life(series)
