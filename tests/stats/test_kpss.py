"""The KPSS test: what is refused and what is said."""

from __future__ import annotations

import numpy as np
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import kpss_test

NOISE = np.random.default_rng(1).normal(0, 1, 200)
WALK = np.cumsum(NOISE)


def test_noise_may_keep_to_its_mean_and_a_walk_does_not() -> None:
    assert kpss_test(NOISE).verdict == "May well keep to its mean: stationarity is not rejected at 10%."
    assert kpss_test(WALK).verdict == "Does not keep to its mean: stationarity is rejected at 1%."
    trend = kpss_test(NOISE + np.arange(200), regression="ct")
    assert trend.verdict == "May well keep to a trend: stationarity is not rejected at 10%."


def test_the_ends_of_the_table_are_bounds_and_no_warning() -> None:
    assert kpss_test(NOISE).pvalue == 0.10
    assert kpss_test(WALK).pvalue == 0.01


def test_the_result_says_what_was_run() -> None:
    result = kpss_test(NOISE, regression="ct", lags=3)
    assert (result.regression, result.lags, result.nobs) == ("ct", 3, 200)
    assert list(result.critical_values) == ["10%", "5%", "2.5%", "1%"]


@pytest.mark.parametrize("regression", ["c", "ct"])
def test_a_level_far_away_changes_no_digit(regression: str) -> None:
    """In steps of 1/64, so that the shift itself is exact."""
    near = np.round(WALK * 64) / 64
    far = kpss_test(near + 2.0**23, regression=regression)  # type: ignore[arg-type]
    assert far == kpss_test(near, regression=regression)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("series", "regression", "sentence"),
    [
        (NOISE[:29], "c", "has 29 values; the test needs at least 30"),
        (np.full(50, 0.1), "c", r"constant \(0.1\)"),
        (np.where(np.arange(200) == 7, np.nan, NOISE), "c", "misses 1 of its 200 values"),
        (np.arange(50.0), "ct", "straight line"),
    ],
)
def test_a_series_without_an_honest_answer_is_refused(
    series: np.ndarray, regression: str, sentence: str
) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        kpss_test(series, regression=regression)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"regression": "n"}, "c or ct, not 'n'"),
        ({"lags": 200}, "from 0 to 199, not 200"),
        ({"lags": -1}, "not -1"),
        ({"lags": "legacy"}, "not 'legacy'"),
        ({"lags": True}, "not True"),
    ],
)
def test_an_unknown_setting_is_told_the_valid_ones(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidSettingError, match=sentence):
        kpss_test(NOISE, **arguments)  # type: ignore[arg-type]
