"""How often a rule would have spoken: where it fires on bars, and what a price rule watches."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import firings, price_changes_pct

NAN = math.nan
S = 1_000_000_000
MINUTES = 60 * S * np.arange(8)


def fired(values: list[float], threshold: float = 2.0, **rule: float) -> list[int]:
    return firings(values, MINUTES[: len(values)], threshold, **rule).tolist()


def test_a_rule_fires_at_its_threshold_and_again_after_the_value_came_back() -> None:
    assert fired([0.0, 2.0, 1.7, 2.5, -1.6, -2.0]) == [1, 5]


def test_the_share_to_come_back_to_and_the_cooldown_are_the_rules() -> None:
    values = [2.0, 1.6, 2.0, 0.9, 2.0, 0.0, 2.0]
    assert fired(values) == [0, 2, 4, 6]
    assert fired(values, rearm=0.5) == [0, 4, 6]
    assert fired(values, cooldown_s=240.0) == [0, 4]


def test_what_is_not_known_changes_nothing() -> None:
    assert fired([NAN, 2.0, NAN, 2.0, math.inf]) == [1]
    assert fired([]) == []


def test_the_positions_are_whole_numbers_that_select_bars() -> None:
    values = pd.Series([0.0, 3.0, 0.0, -3.0], index=pd.date_range("2026-01-01", periods=4, tz="UTC"))
    found = firings(values, MINUTES[:4], 2.0)
    assert values.iloc[found].tolist() == [3.0, -3.0]
    assert firings([], [], 2.0).dtype == np.int64


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"threshold": 0.0}, "The threshold is a number above 0, not 0.0"),
        ({"threshold": NAN}, "The threshold is a number above 0"),
        ({"rearm": 0.0}, "armed again at a share above 0 and at most 1, not 0.0"),
        ({"rearm": 1.1}, "at most 1, not 1.1"),
        ({"cooldown_s": -1.0}, "The cooldown is 0 or more seconds, not -1.0"),
        ({"cooldown_s": math.inf}, "The cooldown is 0 or more seconds"),
    ],
)
def test_an_impossible_rule_is_refused(wrong: dict[str, float], sentence: str) -> None:
    with pytest.raises(InvalidSettingError, match=sentence):
        fired([2.0], **wrong)


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        ([0], r"one whole number of nanoseconds for each of the 2 values, not int64 of shape \(1,\)"),
        ([0.0, 1.0], "one whole number of nanoseconds for each of the 2 values, not float64"),
        ([1, 0], "must ascend"),
    ],
)
def test_times_that_are_none_are_refused(times: list[float], sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        firings([1.0, 2.0], times, 2.0)
    with pytest.raises(StatisticsError, match=sentence):
        price_changes_pct(np.array([1.0, 2.0]), times, 60.0)


def test_a_price_change_is_against_the_close_a_span_before() -> None:
    closes = np.array([100.0, 110.0, 99.0, 99.0])
    found = price_changes_pct(closes, MINUTES[:4], 120.0)
    np.testing.assert_allclose(found, [NAN, NAN, -1.0, -10.0], rtol=1e-13)


@pytest.mark.parametrize("span_s", [60.5, 119.0, 120.0])
def test_a_span_that_is_no_whole_number_of_bars_looks_at_the_next_older_one(span_s: float) -> None:
    closes = np.array([100.0, 110.0, 121.0, 110.0])
    found = price_changes_pct(closes, MINUTES[:4], span_s)
    np.testing.assert_allclose(found, [NAN, NAN, 21.0, 0.0], rtol=1e-13)


def test_a_span_shorter_than_a_bar_is_one_bar() -> None:
    closes = np.array([100.0, 110.0, 121.0])
    np.testing.assert_allclose(price_changes_pct(closes, MINUTES[:3], 1.0), [NAN, 10.0, 10.0], rtol=1e-13)


def test_a_change_from_or_to_an_unknown_close_is_not_known() -> None:
    closes = np.array([100.0, NAN, 110.0, 110.0])
    assert np.isnan(price_changes_pct(closes, MINUTES[:4], 60.0)).tolist() == [True, True, True, False]


def test_a_change_has_the_form_of_its_closes() -> None:
    closes = pd.Series([100.0, 101.0], index=pd.date_range("2026-01-01", periods=2, tz="UTC"))
    changes = price_changes_pct(closes, MINUTES[:2], 60.0)
    assert changes.index.equals(closes.index)
    assert changes.name == "price_change_pct"
    assert len(price_changes_pct(np.array([]), [], 60.0)) == 0


@pytest.mark.parametrize("span_s", [0.0, -1.0, NAN, math.inf])
def test_a_span_that_is_none_is_refused(span_s: float) -> None:
    with pytest.raises(InvalidSettingError, match="The span is a number of seconds above 0"):
        price_changes_pct(np.ones(2), MINUTES[:2], span_s)


def test_a_close_that_is_no_price_is_refused() -> None:
    with pytest.raises(StatisticsError, match="closes must be above 0 to be a price; at position 1"):
        price_changes_pct(np.array([1.0, 0.0]), MINUTES[:2], 60.0)
