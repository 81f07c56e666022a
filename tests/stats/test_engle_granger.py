"""The cointegration test of a pair."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.stattools import coint

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import adf_test, engle_granger, hedge_ratio, spread
from tests.stats.pairs import pair


@pytest.mark.parametrize("lags", [0, 1, 4])
@pytest.mark.parametrize(("seed", "n", "persistence"), [(1, 30, 0.5), (2, 200, 0.8), (3, 500, 1.0)])
def test_the_statistic_is_that_of_statsmodels_coint(seed: int, n: int, persistence: float, lags: int) -> None:
    y, x = pair(seed, persistence, n)
    y, x = y - 2900, x - 59_900  # statsmodels does not centre: at the level of prices it loses digits
    expected = coint(y, x, maxlag=lags, autolag=None, return_results=True)
    result = engle_granger(y, x, lags=lags)
    assert result.statistic == pytest.approx(expected[0], rel=1e-9)
    assert result.pvalue == pytest.approx(expected[1], rel=1e-8)
    assert (result.lags, result.nobs) == (lags, n)


def test_a_pair_that_comes_back_is_cointegrated_and_two_walks_are_not() -> None:
    assert engle_granger(*pair(2, 0.5, 200)).verdict == ("Cointegrated: no cointegration is rejected at 1%.")
    assert engle_granger(*pair(5, 1.0, 200)).verdict.startswith("Not shown to be cointegrated")


def test_the_description_names_the_table() -> None:
    words = engle_granger(*pair(2, 0.5, 200)).describe()
    assert "Engle-Granger, MacKinnon 2010 table" in words
    assert "200 bars, 1 lags" in words


def test_the_fit_is_the_hedge_ratio() -> None:
    y, x = pair(2, 0.5, 200)
    result, fit = engle_granger(y, x), hedge_ratio(y, x)
    assert (result.hedge_ratio, result.intercept) == (fit.hedge_ratio, fit.intercept)


def test_unrelated_walks_pass_the_wrong_table_far_more_often_than_this_one() -> None:
    """The reason for the test: at 5 %, Dickey-Fuller's own table sees cointegration everywhere."""
    by_dickey_fuller = by_engle_granger = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        y, x = np.cumsum(rng.normal(0, 1, (2, 100)), axis=1)
        fit = hedge_ratio(y, x)
        adf, eg = adf_test(spread(y, x, fit.hedge_ratio, fit.intercept)), engle_granger(y, x)
        by_dickey_fuller += adf.statistic < adf.critical_values["5%"]
        by_engle_granger += eg.statistic < eg.critical_values["5%"]
    assert by_dickey_fuller > 2 * by_engle_granger
    assert by_engle_granger < 0.1 * 200


Y, X = pair(1, 0.5, 60)
HOLED = np.where(np.arange(60) == 5, np.nan, X)


@pytest.mark.parametrize(
    ("y", "x", "sentence"),
    [
        (Y[:29], X[:29], "Leg y has 29 values; the test needs at least 30"),
        (Y, HOLED, "Leg x misses 1 of its 60 values"),
        (np.full(60, 3.0), X, "Leg y is constant"),
        (Y, np.full(60, 3.0), "Leg x is constant"),
        (2 * X + 1, X, "straight line of leg x"),
        (Y, X[1:], "align"),
    ],
)
def test_legs_without_an_honest_answer_are_refused(y: np.ndarray, x: np.ndarray, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        engle_granger(y, x)


def test_more_lags_than_the_bars_can_bear_are_refused() -> None:
    with pytest.raises(InvalidSettingError, match="from 0 to 29, not 30"):
        engle_granger(Y, X, lags=30)
