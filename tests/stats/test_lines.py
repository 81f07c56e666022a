"""The ways to lay a line through two legs."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations
from statistics import median

import numpy as np
import pytest
from scipy.stats import theilslopes

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import hedge_ratio, rolling_lines
from quantnb.stats.lines import METHODS, line_of
from quantnb.stats.regression import least_squares

RNG = np.random.default_rng(4)
X = np.round(60_000 + np.cumsum(RNG.normal(0, 5, 80)), 1)
Y = np.round(0.05 * X + 12 + RNG.normal(0, 0.3, 80), 2)
PRICES = ("level", "log")


@pytest.mark.parametrize("prices", PRICES)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_an_exact_line(method: str, prices: str) -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    y = 3 * x**2 if prices == "log" else 2 * x + 3
    fit = hedge_ratio(y, x, method=method, prices=prices)  # type: ignore[arg-type]
    constant = math.log(3) if prices == "log" else 3
    found = (fit.hedge_ratio, fit.intercept, fit.stderr, fit.r_squared)
    assert found == pytest.approx((2, constant, 0, 1), rel=1e-12, abs=1e-7)
    assert (fit.method, fit.prices, fit.nobs) == (method, prices, 5)


@pytest.mark.parametrize("method", METHODS)
def test_a_ratio_scales_with_the_units_of_levels(method: str) -> None:
    """By powers of two, so that the scaling itself is exact."""
    fit = hedge_ratio(Y, X, method=method)  # type: ignore[arg-type]
    scaled = hedge_ratio(8 * Y, 2 * X, method=method)  # type: ignore[arg-type]
    assert scaled.hedge_ratio == 4 * fit.hedge_ratio
    assert scaled.stderr == pytest.approx(4 * fit.stderr, rel=1e-12)


@pytest.mark.parametrize("prices", PRICES)
def test_both_directions_of_total_least_squares_are_one_line(prices: str) -> None:
    there = hedge_ratio(Y, X, method="tls", prices=prices)  # type: ignore[arg-type]
    back = hedge_ratio(X, Y, method="tls", prices=prices)  # type: ignore[arg-type]
    assert there.hedge_ratio * back.hedge_ratio == pytest.approx(1, rel=1e-9)


def test_the_inverse_line_is_x_on_y_solved_for_y() -> None:
    back = hedge_ratio(X, Y)
    fit = hedge_ratio(Y, X, method="inverse")
    assert fit.hedge_ratio == pytest.approx(1 / back.hedge_ratio, rel=1e-12)
    assert fit.intercept == pytest.approx(-back.intercept / back.hedge_ratio, rel=1e-9)
    assert hedge_ratio(Y, X).hedge_ratio / fit.hedge_ratio == pytest.approx(back.r_squared, rel=1e-9)


def test_total_least_squares_on_logs_is_the_first_principal_component() -> None:
    fit = hedge_ratio(Y, X, method="tls", prices="log")
    _, vectors = np.linalg.eigh(np.cov(np.log(X), np.log(Y)))
    assert fit.hedge_ratio == pytest.approx(vectors[1, -1] / vectors[0, -1], rel=1e-8)
    assert fit.intercept == pytest.approx(np.log(Y).mean() - fit.hedge_ratio * np.log(X).mean(), rel=1e-9)


def test_total_least_squares_on_levels_is_the_ratio_of_deviations_with_the_sign() -> None:
    assert hedge_ratio(Y, X, method="tls").hedge_ratio == pytest.approx(Y.std() / X.std(), rel=1e-9)
    assert hedge_ratio(-Y, X, method="tls").hedge_ratio == pytest.approx(-Y.std() / X.std(), rel=1e-9)


@pytest.mark.parametrize(("method", "prices"), [("tls", "log"), ("tls", "level"), ("theil_sen", "level")])
def test_the_standard_error_is_the_spread_of_the_estimate(method: str, prices: str) -> None:
    """1,000 samples of 100 independent points (seed 8): their deviation against the mean standard error."""
    rng = np.random.default_rng(8)
    true = rng.normal(0, 1, (1_000, 100))
    x, y = true + rng.normal(0, 0.3, true.shape), 2 * true + rng.normal(0, 0.3, true.shape)
    fit = line_of(method, prices)(y, x)  # type: ignore[arg-type]
    assert fit.hedge_ratio.std(ddof=1) == pytest.approx(fit.stderr.mean(), rel=0.1)


def test_the_median_of_slopes_in_exact_arithmetic() -> None:
    points = [(Fraction(float(x)), Fraction(float(y))) for x, y in zip(X, Y, strict=True)]
    slopes = [(d - b) / (c - a) for (a, b), (c, d) in combinations(points, 2) if c != a]
    ratio = median(slopes)
    fit = hedge_ratio(Y, X, method="theil_sen")
    assert fit.hedge_ratio == pytest.approx(float(ratio), rel=1e-9)
    assert fit.intercept == pytest.approx(float(median(y - ratio * x for x, y in points)), rel=1e-9)


def test_the_median_of_slopes_and_its_interval_are_those_of_scipy() -> None:
    theirs, ours = theilslopes(Y, X), hedge_ratio(Y, X, method="theil_sen")
    assert ours.hedge_ratio == pytest.approx(theirs.slope, rel=1e-12)
    width = (theirs.high_slope - theirs.low_slope) / (2 * 1.959963984540054)
    assert ours.stderr == pytest.approx(width, rel=0.02)  # they correct for ties, we do not


@pytest.mark.parametrize("leg", ["y", "x"])
def test_a_bad_print_in_either_leg_moves_the_median_of_slopes_little_and_the_others_far(leg: str) -> None:
    y, x = Y.copy(), X.copy()
    (y if leg == "y" else x)[5] *= 1.5
    clean = hedge_ratio(Y, X).hedge_ratio
    moved = {name: hedge_ratio(y, x, method=name).hedge_ratio / clean - 1 for name in METHODS}
    assert abs(moved["theil_sen"]) < 0.06
    assert abs(moved["ols"]) > 0.5
    assert abs(moved["tls"]) > 0.5


@pytest.mark.parametrize("method", METHODS)
def test_a_rolling_line_is_the_line_of_its_window_bit_for_bit(method: str) -> None:
    rolling = rolling_lines(line_of(method, "level"), Y, X, 20)  # type: ignore[arg-type]
    assert np.isnan(rolling.hedge_ratio[:19]).all()
    for t in range(19, 80, 7):
        one = hedge_ratio(Y[t - 19 : t + 1], X[t - 19 : t + 1], method=method)  # type: ignore[arg-type]
        assert (one.hedge_ratio, one.intercept, one.stderr, one.r_squared) == tuple(c[t] for c in rolling)


@pytest.mark.parametrize("prices", PRICES)
@pytest.mark.parametrize("method", METHODS)
def test_a_flat_leg_or_a_missing_value_gives_nan_and_never_infinity(method: str, prices: str) -> None:
    line = line_of(method, prices)  # type: ignore[arg-type]
    flat = np.full((1, 20), 0.1)
    for y, x in ((Y[None, :20], flat), (Y[None, :20], np.where(np.arange(20) == 3, np.nan, X[:20])[None, :])):
        assert all(np.isnan(column).all() for column in line(y.copy(), x.copy()))
    assert not any(np.isinf(column).any() for column in line(flat, X[None, :20].copy()))


def test_least_squares_is_the_first_of_the_methods() -> None:
    ours = line_of("ols", "level")(Y[None, :], X[None, :])
    np.testing.assert_array_equal(ours, least_squares(Y[None, :], X[None, :], intercept=True))


def test_too_long_a_stretch_for_the_median_of_slopes_is_refused() -> None:
    long = np.arange(2_001.0)
    with pytest.raises(StatisticsError, match="of 2001 take the newest 2000"):
        hedge_ratio(long, long, method="theil_sen")


def test_legs_that_do_not_move_together_have_no_line_from_x_on_y() -> None:
    with pytest.raises(StatisticsError, match="do not move together"):
        hedge_ratio([1, 2, 1, 2], [1, 1, 2, 2], method="inverse")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": "huber"}, "The method is ols, inverse, tls or theil_sen, not 'huber'"),
        ({"method": "tls", "intercept": False}, "Only ols goes through the origin"),
    ],
)
def test_an_unknown_setting_is_told_the_valid_ones(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidSettingError, match=sentence):
        hedge_ratio(Y, X, **arguments)  # type: ignore[arg-type]
