"""Least squares, many windows at once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from quantnb.stats.regression import least_squares

X = np.random.default_rng(1).normal(60_000, 50, (7, 30))
Y = 0.05 * X + np.random.default_rng(2).normal(12, 0.5, (7, 30))


@pytest.mark.parametrize("intercept", [True, False])
def test_each_row_is_fitted_on_its_own(intercept: bool) -> None:
    fit = least_squares(Y, X, intercept=intercept)
    for row, (y, x) in enumerate(zip(Y, X, strict=True)):
        design = np.column_stack([x, np.ones(30)]) if intercept else x[:, None]
        coefficients, (error,), *_ = np.linalg.lstsq(design, y)
        stderr = np.sqrt(
            error / (30 - design.shape[1]) * np.linalg.pinv(design.T @ design, rcond=1e-30)[0, 0]
        )
        assert fit.hedge_ratio[row] == pytest.approx(coefficients[0], rel=1e-8)
        assert fit.intercept[row] == pytest.approx(coefficients[1] if intercept else 0.0, rel=1e-6)
        assert fit.stderr[row] == pytest.approx(stderr, rel=1e-5)


def one_row(y: list[float], x: list[float], *, intercept: bool = True) -> NDArray[np.float64]:
    fit = least_squares(np.array([y]), np.array([x]), intercept=intercept)
    return np.array([column[0] for column in fit])


def test_an_x_that_does_not_move_gives_no_fit() -> None:
    assert np.isnan(one_row([1, 2, 4], [0.1, 0.1, 0.1])).all()
    assert np.isnan(one_row([1, 2, 4], [0, 0, 0], intercept=False)).all()


def test_a_y_that_does_not_move_has_slope_zero_and_no_r_squared() -> None:
    slope, constant, stderr, r_squared = one_row([0.1, 0.1, 0.1], [1, 2, 4])
    assert (slope, constant, stderr) == (0.0, 0.1, 0.0)
    assert np.isnan(r_squared)


def test_a_missing_value_in_either_leg_gives_no_fit() -> None:
    assert np.isnan(one_row([1, np.nan, 4], [1, 2, 3])).all()
    assert np.isnan(one_row([1, 2, 4], [1, np.nan, 3])).all()
