"""NIST Statistical Reference Datasets: certified values, computed by NIST in 500-digit arithmetic.

https://www.itl.nist.gov/div898/strd/ (linear least squares: Norris, NoInt1; univariate: NumAcc4).
"""

from __future__ import annotations

import numpy as np
import pytest

from quantnb.stats import hedge_ratio, rolling_fit, rolling_volatility, zscore
from quantnb.stats.windows import centre, row_sums

# fmt: off
NORRIS_Y = np.array([
    0.1, 338.8, 118.1, 888.0, 9.2, 228.1, 668.5, 998.5, 449.1, 778.9, 559.2, 0.3, 0.1, 778.1, 668.8,
    339.3, 448.9, 10.8, 557.7, 228.3, 998.0, 888.8, 119.6, 0.3, 0.6, 557.6, 339.3, 888.0, 998.5,
    778.9, 10.2, 117.6, 228.9, 668.4, 449.2, 0.2,
])
NORRIS_X = np.array([
    0.2, 337.4, 118.2, 884.6, 10.1, 226.5, 666.3, 996.3, 448.6, 777.0, 558.2, 0.4, 0.6, 775.5,
    666.9, 338.0, 447.5, 11.6, 556.0, 228.1, 995.8, 887.6, 120.2, 0.3, 0.3, 556.8, 339.1, 887.2,
    999.0, 779.0, 11.1, 118.3, 229.2, 669.1, 448.9, 0.5,
])
# fmt: on
NOINT1_X = np.arange(60.0, 71.0)
NOINT1_Y = np.arange(130.0, 141.0)
NUMACC4 = np.array([10000000.2, *[10000000.1, 10000000.3] * 500])


def test_norris_a_line_with_intercept() -> None:
    fit = hedge_ratio(NORRIS_Y, NORRIS_X)
    assert fit.hedge_ratio == pytest.approx(1.00211681802045, rel=1e-14)
    assert fit.intercept == pytest.approx(-0.262323073774029, rel=1e-12)
    assert fit.stderr == pytest.approx(0.429796848199937e-03, rel=1e-12)
    assert fit.r_squared == pytest.approx(0.999993745883712, rel=1e-14)
    assert fit.nobs == 36


def test_norris_the_rolling_fit_over_all_of_it_is_the_same_fit() -> None:
    fit, rolling = hedge_ratio(NORRIS_Y, NORRIS_X), rolling_fit(NORRIS_Y, NORRIS_X, 36)
    assert [column[-1] for column in rolling] == [fit.hedge_ratio, fit.intercept, fit.stderr, fit.r_squared]


def test_noint1_a_line_through_the_origin() -> None:
    """R squared is about zero, as NIST has it: 1 - sum e^2 / sum y^2."""
    fit = hedge_ratio(NOINT1_Y, NOINT1_X, intercept=False)
    assert fit.hedge_ratio == pytest.approx(2.07438016528926, rel=1e-14)
    assert fit.stderr == pytest.approx(0.165289256198347e-01, rel=1e-12)
    assert fit.r_squared == pytest.approx(0.999365492298663, rel=1e-14)
    assert fit.intercept == 0.0


def test_noint1_residual_sum_of_squares() -> None:
    fit = hedge_ratio(NOINT1_Y, NOINT1_X, intercept=False)
    assert np.sum((NOINT1_Y - fit.hedge_ratio * NOINT1_X) ** 2) == pytest.approx(127.272727272727, rel=1e-12)


def test_numacc4_mean_and_standard_deviation() -> None:
    """Exact: mean 10000000.2, s 0.1. The data as float64 are off by 1e-9 each, and so then is s."""
    deviations, mean = centre(NUMACC4[None, :])
    assert mean[0] == pytest.approx(10000000.2, rel=1e-15)
    assert np.sqrt(row_sums(deviations, deviations)[0] / 1000) == pytest.approx(0.1, rel=1e-8)


@pytest.mark.parametrize("window", [2, 20, 50, 200, 1000])
def test_numacc4_rolling_every_even_window_has_the_same_zscores(window: int) -> None:
    """Over an even window without the first point s = 0.1 sqrt(n / (n - 1)), and each value is 0.1 off."""
    z = zscore(NUMACC4, window)[window:]
    expected = np.sqrt((window - 1) / window)
    np.testing.assert_allclose(np.abs(z), expected, rtol=1e-7)
    assert (np.sign(z[1:]) == -np.sign(z[:-1])).all()


def test_numacc4_rolling_volatility_does_not_drift() -> None:
    """The returns alternate +-r, so each even window has s = r sqrt(n / (n - 1))."""
    volatility = rolling_volatility(NUMACC4, 20, "1s")[21:]
    expected = np.log(10000000.3 / 10000000.1) * np.sqrt(20 / 19) * np.sqrt(365 * 86_400)
    np.testing.assert_allclose(volatility, expected, rtol=1e-7)
