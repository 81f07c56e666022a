"""What the statistics accept, and the form of what they return."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import log_returns, rolling_corr, rolling_volatility, spread, zscore
from quantnb.stats.inputs import to_values

INDEX = pd.date_range("2026-01-01", periods=6, freq="1s", tz="UTC")
VALUES = np.array([1.0, 2.0, 1.5, 3.0, 2.5, 2.0])

FUNCTIONS = {
    "log_return": log_returns,
    "volatility": lambda a: rolling_volatility(a, 2, "1s"),
    "zscore": lambda a: zscore(a, 3),
    "correlation": lambda a: rolling_corr(a, a, 3),
    "spread": lambda a: spread(a, a, 0.5),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_series_gives_a_series_on_its_index_and_an_array_an_array(name: str) -> None:
    from_array = FUNCTIONS[name](VALUES)
    from_series = FUNCTIONS[name](pd.Series(VALUES, index=INDEX, name="anything"))
    from_list = FUNCTIONS[name](VALUES.tolist())  # type: ignore[no-untyped-call]
    assert isinstance(from_array, np.ndarray)
    assert isinstance(from_list, np.ndarray)
    pd.testing.assert_series_equal(from_series, pd.Series(from_array, index=INDEX, name=name))
    np.testing.assert_array_equal(from_list, from_array)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_input_is_left_as_it_was(name: str) -> None:
    values = VALUES.copy()
    values.flags.writeable = False  # as the store hands them out
    FUNCTIONS[name](values)
    np.testing.assert_array_equal(values, VALUES)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_in_gives_nothing_out(name: str) -> None:
    assert len(FUNCTIONS[name](np.array([]))) == 0


def test_an_infinite_value_counts_as_missing() -> None:
    np.testing.assert_array_equal(to_values([1.0, np.inf, -np.inf], "a"), [1.0, np.nan, np.nan])


def test_pandas_own_missing_value_is_understood() -> None:
    np.testing.assert_array_equal(to_values(pd.Series([1.0, None], dtype="Float64"), "a"), [1.0, np.nan])


@pytest.mark.parametrize(
    ("y", "x", "sentence"),
    [
        (VALUES, VALUES[1:], "y has 6 values and x has 5"),
        (VALUES.reshape(2, 3), VALUES, r"y is one column of numbers, not an array of shape \(2, 3\)"),
        (["a"] * 6, VALUES, "y holds something that is not a number"),
        (pd.Series(VALUES), pd.Series(VALUES, index=INDEX), "different indexes; align them"),
    ],
)
def test_legs_that_do_not_stand_side_by_side_are_refused(y: Any, x: Any, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        spread(y, x, 1.0)


@pytest.mark.parametrize("window", [1, 0, -5, 2.0, "20", True, None])
def test_an_impossible_window_is_refused(window: Any) -> None:
    with pytest.raises(InvalidSettingError, match=r"whole number of bars, here at least 2, not"):
        zscore(VALUES, window)
