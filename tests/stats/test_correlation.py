"""Correlation: of returns or levels, masks, flat legs, the band."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import correlation_band, correlation_matrix, log_returns, rolling_corr
from quantnb.stats.correlation import joint_correlation

RNG = np.random.default_rng(11)
COMMON = np.cumsum(RNG.normal(0, 1e-3, 100))
A = 100 * np.exp(COMMON + np.cumsum(RNG.normal(0, 5e-4, 100)))
B = 50 * np.exp(COMMON + np.cumsum(RNG.normal(0, 5e-4, 100)))


def test_by_default_it_is_the_correlation_of_log_returns() -> None:
    expected = np.corrcoef(log_returns(A)[-20:], log_returns(B)[-20:])[0, 1]
    assert rolling_corr(A, B, 20)[-1] == pytest.approx(expected, rel=1e-12)
    assert np.isnan(rolling_corr(A, B, 20)).sum() == 20


def test_levels_are_correlated_on_demand() -> None:
    expected = np.corrcoef(A[-20:], B[-20:])[0, 1]
    assert rolling_corr(A, B, 20, of="levels")[-1] == pytest.approx(expected, rel=1e-10)
    assert np.isnan(rolling_corr(A, B, 20, of="levels")).sum() == 19


def test_levels_may_be_negative_but_returns_need_prices() -> None:
    assert np.isfinite(rolling_corr(-A, B, 20, of="levels")[-1])
    with pytest.raises(StatisticsError, match="above 0"):
        rolling_corr(-A, B, 20)


def test_a_leg_with_itself_is_one_and_with_its_inverse_minus_one() -> None:
    np.testing.assert_allclose(rolling_corr(A, A, 20)[20:], 1.0, rtol=1e-15)
    np.testing.assert_allclose(rolling_corr(A, 1 / A, 20)[20:], -1.0, rtol=1e-10)
    assert np.nanmax(np.abs(rolling_corr(A, 3 * A, 20))) <= 1.0


def test_a_flat_leg_has_no_correlation() -> None:
    flat = np.append(A[:50], np.full(50, A[49]))
    assert np.isnan(rolling_corr(flat, B, 20)[70:]).all()
    assert np.isnan(rolling_corr(B, flat, 20)[70:]).all()


def test_a_missing_value_in_one_leg_masks_both() -> None:
    holed = A.copy()
    holed[50] = np.nan
    for correlation in (rolling_corr(holed, B, 20), rolling_corr(B, holed, 20)):
        assert np.flatnonzero(np.isnan(correlation[20:])).tolist() == list(range(30, 51))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="returns or levels, not of 'price'"):
        rolling_corr(A, B, 20, of="price")  # type: ignore[arg-type]


def returns(n: int = 60, k: int = 5) -> np.ndarray:
    return np.random.default_rng(2).normal(0, 1e-4, (n, k)) @ np.random.default_rng(3).normal(0, 1, (k, k))


def test_the_matrix_equals_numpys_where_nothing_is_missing() -> None:
    values, n = correlation_matrix(returns())
    np.testing.assert_allclose(values, np.corrcoef(returns().T), rtol=0, atol=1e-14)
    assert (n == 60).all()
    assert (np.diag(values) == 1.0).all()
    np.testing.assert_array_equal(values, values.T)


def test_each_pair_has_its_own_joint_mask() -> None:
    holed = returns()
    holed[np.random.default_rng(4).random(holed.shape) < 0.3] = np.nan
    values, n = correlation_matrix(holed)
    frame = pd.DataFrame(holed)
    np.testing.assert_allclose(values, frame.corr(min_periods=3), rtol=0, atol=1e-13)
    for i in range(5):
        for j in range(5):
            assert n[i, j] == frame[[i, j]].dropna().shape[0] if i != j else frame[i].count()


def test_a_flat_column_has_no_correlation_even_with_itself() -> None:
    columns = returns()
    columns[:, 2] = 0.1
    values, n = correlation_matrix(columns)
    assert np.isnan(values[2]).all()
    assert np.isnan(values[:, 2]).all()
    assert np.isfinite(np.delete(np.delete(values, 2, 0), 2, 1)).all()
    assert (n == 60).all()


def test_a_column_flat_only_where_the_other_is_present_has_no_correlation_with_it() -> None:
    columns = returns(10, 2)
    columns[:5, 0] = np.nan
    columns[5:, 1] = 0.1
    values, _ = correlation_matrix(columns)
    assert np.isnan(values[0, 1])
    assert values[1, 1] == 1.0


def test_two_rows_in_common_are_too_few() -> None:
    columns = returns(6, 2)
    columns[:2, 0] = np.nan
    columns[4:, 1] = np.nan
    values, n = correlation_matrix(columns)
    assert n.tolist() == [[4, 2], [2, 4]]
    assert np.isnan(values[0, 1])


def test_no_bars_give_a_matrix_without_values() -> None:
    values, n = correlation_matrix(np.empty((0, 3)))
    assert np.isnan(values).all()
    assert (n == 0).all()


def test_a_matrix_needs_columns() -> None:
    with pytest.raises(StatisticsError, match="rows of bars and columns of symbols"):
        correlation_matrix(np.zeros(5))


def test_the_band_is_196_over_root_n() -> None:
    np.testing.assert_allclose(correlation_band([20, 200]), [0.44, 0.14], atol=0.005)
    assert np.isnan(correlation_band(0))


def test_of_two_columns_alone_it_is_their_element_of_the_matrix() -> None:
    columns = np.column_stack([log_returns(A), log_returns(B)])
    columns[[5, 9], [0, 1]] = np.nan
    values, n = correlation_matrix(columns)
    value, n_joint = joint_correlation(*columns.T)
    assert value == pytest.approx(values[0, 1], rel=1e-12)
    assert n_joint == n[0, 1] == 97
    assert np.isnan(joint_correlation(columns[:3, 0], columns[:3, 1])[0])
    assert np.isnan(joint_correlation(np.zeros(9), columns[10:19, 1])[0])
