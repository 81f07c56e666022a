"""Oracles in exact rational arithmetic, on prices of one tick: level 1e5, moves of a few 0.05."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from quantnb.stats import rolling_corr, rolling_fit, rolling_volatility, zscore

RELATIVE = 1e-9
WINDOWS = (20, 200)


def ticks(seed: int, n: int = 400, level: float = 1e5) -> np.ndarray:
    steps = np.random.default_rng(seed).integers(-3, 4, n)
    return np.round(level + 0.05 * np.cumsum(steps), 2)


def centred(values: Sequence[float]) -> list[Fraction]:
    exact = [Fraction(float(value)) for value in values]
    mean = sum(exact, Fraction()) / len(exact)
    return [value - mean for value in exact]


def dot(a: list[Fraction], b: list[Fraction]) -> Fraction:
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction())


def root(value: Fraction) -> float:
    """Square root to double precision, whatever the size of the fraction."""
    scale = 10**60
    return math.isqrt(value.numerator * scale**2 // value.denominator) / scale


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("seed", range(5))
def test_zscore(seed: int, window: int) -> None:
    values = ticks(seed)
    z = zscore(values, window)
    for end in range(window, len(values) + 1, 29):
        deviations = centred(values[end - window : end])
        std = root(dot(deviations, deviations) / (window - 1))
        assert z[end - 1] == pytest.approx(float(deviations[-1]) / std, rel=RELATIVE)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("seed", range(5))
def test_variance_of_levels(seed: int, window: int) -> None:
    """The distance of a value from its past is known exactly, so its z-score gives the variance away."""
    values = ticks(seed)
    z = zscore(values, window, include_current=False)
    for t in range(window, len(values), 29):
        past = values[t - window : t]
        deviations = centred(past)
        distance = Fraction(float(values[t])) - sum(map(Fraction, past.tolist()), Fraction()) / window
        variance = float(dot(deviations, deviations) / (window - 1))
        assert (float(distance) / z[t]) ** 2 == pytest.approx(variance, rel=RELATIVE)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("seed", range(5))
def test_hedge_ratio(seed: int, window: int) -> None:
    x = ticks(seed)
    y = np.round(0.05 * x + 0.01 * np.random.default_rng(seed + 50).integers(-20, 21, len(x)), 2)
    fit = rolling_fit(y, x, window)
    for end in range(window, len(x) + 1, 29):
        dx, dy = centred(x[end - window : end]), centred(y[end - window : end])
        beta = dot(dx, dy) / dot(dx, dx)
        residual = [b - beta * a for a, b in zip(dx, dy, strict=True)]
        r_squared = 1 - dot(residual, residual) / dot(dy, dy)
        stderr = root(dot(residual, residual) / (window - 2) / dot(dx, dx))
        assert fit.hedge_ratio[end - 1] == pytest.approx(float(beta), rel=RELATIVE, abs=1e-12)
        assert fit.r_squared[end - 1] == pytest.approx(float(r_squared), rel=RELATIVE, abs=1e-12)
        assert fit.stderr[end - 1] == pytest.approx(stderr, rel=RELATIVE)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("seed", range(5))
def test_correlation_of_levels(seed: int, window: int) -> None:
    a, b = ticks(seed), ticks(seed + 99, level=3e3)
    correlation = rolling_corr(a, b, window, of="levels")
    for end in range(window, len(a) + 1, 29):
        da, db = centred(a[end - window : end]), centred(b[end - window : end])
        expected = float(dot(da, db)) / root(dot(da, da) * dot(db, db))
        assert correlation[end - 1] == pytest.approx(expected, rel=RELATIVE, abs=1e-12)


def test_volatility_of_ticks_is_right_to_the_digits_that_a_logarithm_has() -> None:
    """ln(ratio) is rounded at 1e-16, a move of one tick is 5e-7: nine digits are left."""
    close = ticks(1)
    volatility = rolling_volatility(close, 20, "1m")
    for end in range(21, len(close) + 1, 29):
        window = close[end - 21 : end]
        moves = [float((Fraction(b) - Fraction(a)) / Fraction(a)) for a, b in pairwise(window)]
        deviations = centred([math.log1p(move) for move in moves])
        expected = root(dot(deviations, deviations) / 19) * math.sqrt(365 * 1440)
        assert volatility[end - 1] == pytest.approx(expected, rel=RELATIVE)
