"""The hedge ratio of one stretch."""

from __future__ import annotations

import numpy as np
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import hedge_ratio

X = np.random.default_rng(1).normal(60_000, 50, 40)
Y = 0.05 * X + np.random.default_rng(2).normal(12, 0.5, 40)


def test_an_exact_line_is_found() -> None:
    fit = hedge_ratio(np.array([5.0, 7.0, 9.0, 11.0]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert (fit.hedge_ratio, fit.intercept, fit.stderr, fit.r_squared, fit.nobs) == (2, 3, 0, 1, 4)
    assert fit.prices == "level"


def test_both_directions_multiply_to_r_squared() -> None:
    there, back = hedge_ratio(Y, X), hedge_ratio(X, Y)
    assert there.hedge_ratio * back.hedge_ratio == pytest.approx(there.r_squared, rel=1e-12)


def test_logarithms_give_a_ratio_of_money_that_no_unit_changes() -> None:
    fit, in_cents = hedge_ratio(Y, X, prices="log"), hedge_ratio(100 * Y, X, prices="log")
    assert fit.prices == "log"
    assert fit.hedge_ratio == pytest.approx(np.polyfit(np.log(X), np.log(Y), 1)[0], rel=1e-8)
    assert in_cents.hedge_ratio == pytest.approx(fit.hedge_ratio, rel=1e-9)


def test_bars_that_one_leg_misses_are_left_out_of_both_and_counted() -> None:
    y, x = Y.copy(), X.copy()
    y[3], x[7] = np.nan, np.nan
    kept = np.setdiff1d(np.arange(40), [3, 7])
    assert hedge_ratio(y, x) == hedge_ratio(Y[kept], X[kept])
    assert hedge_ratio(y, x).nobs == 38


def test_too_few_bars_are_refused() -> None:
    with pytest.raises(StatisticsError, match="at least 3 bars with both legs present; there are 2"):
        hedge_ratio([1, 2, np.nan], [1, 2, 3])


def test_a_leg_x_that_does_not_move_is_refused() -> None:
    with pytest.raises(StatisticsError, match="Leg x does not move"):
        hedge_ratio([1, 2, 3], [0.1, 0.1, 0.1])


def test_a_price_without_logarithm_is_refused() -> None:
    with pytest.raises(StatisticsError, match="x must be above 0"):
        hedge_ratio([1, 2, 3], [1, 0, 2], prices="log")


def test_unknown_prices_are_refused() -> None:
    with pytest.raises(InvalidSettingError, match="level or log, not 'returns'"):
        hedge_ratio(Y, X, prices="returns")  # type: ignore[arg-type]
