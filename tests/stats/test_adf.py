"""The Dickey-Fuller test: what is refused and what is said."""

from __future__ import annotations

import numpy as np
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import adf_test

NOISE = np.random.default_rng(1).normal(0, 1, 200)
WALK = np.cumsum(NOISE)


def test_noise_is_stationary_and_a_walk_is_not() -> None:
    assert adf_test(NOISE).verdict == "Stationary: a unit root is rejected at 1%."
    assert adf_test(WALK).verdict.startswith("Not distinguishable from a random walk")


def test_the_result_says_what_was_run() -> None:
    result = adf_test(NOISE, regression="ct", lags=3)
    assert (result.regression, result.lags, result.nobs) == ("ct", 3, 196)
    assert list(result.critical_values) == ["1%", "5%", "10%"]


def test_lags_can_be_chosen_by_a_criterion_up_to_the_given_number() -> None:
    assert 0 <= adf_test(WALK, lags=12, autolag="AIC").lags <= 12


def test_a_level_far_away_changes_no_digit() -> None:
    """In steps of 1/64, so that the shift itself is exact."""
    near = np.round(WALK * 64) / 64
    assert adf_test(near + 2.0**23).statistic == adf_test(near).statistic


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        (NOISE[:29], "has 29 values; the test needs at least 30"),
        (np.full(50, 0.1), r"constant \(0.1\)"),
        (np.where(np.arange(200) == 7, np.nan, NOISE), "misses 1 of its 200 values"),
        (np.where(np.arange(200) == 7, np.inf, NOISE), "misses 1 of its 200 values"),
        (np.arange(50.0), "straight line"),
    ],
)
def test_a_series_without_an_honest_answer_is_refused(series: np.ndarray, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        adf_test(series)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"regression": "nc"}, "n, c, ct or ctt, not 'nc'"),
        ({"lags": 99}, "from 0 to 98, not 99"),
        ({"lags": -1}, "from 0 to 98, not -1"),
        ({"lags": None}, "from 0 to 98, not None"),
        ({"autolag": "HQ"}, "AIC, BIC, t-stat or None, not 'HQ'"),
    ],
)
def test_an_unknown_setting_is_told_the_valid_ones(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidSettingError, match=sentence):
        adf_test(NOISE, **arguments)  # type: ignore[arg-type]
