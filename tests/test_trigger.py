"""A trigger fires at its threshold, once, until the value came back and the cooldown is over."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.trigger import Trigger

S = 1_000_000_000


def fired(values: list[float], cooldown_s: float = 0.0, rearm: float = 0.8) -> list[int]:
    trigger = Trigger(2.0, cooldown_s, rearm)
    return [i for i, value in enumerate(values) if trigger.fires(value, i * S)]


def test_it_fires_at_the_threshold_itself_on_either_side() -> None:
    assert fired([math.nextafter(2.0, 0.0), 2.0]) == [1]
    assert fired([-1.9, -2.0]) == [1]


def test_it_is_armed_again_at_its_share_of_the_threshold_itself() -> None:
    assert fired([2.0, math.nextafter(1.5, 2.0), 2.0, 1.5, 2.0], rearm=0.75) == [0, 4]


def test_the_cooldown_ends_on_its_last_nanosecond() -> None:
    assert fired([2.0, 0.0, 2.0, 0.0, 2.0], cooldown_s=4.0) == [0, 4]
    assert fired([2.0, 0.0, 2.0, 0.0, 2.0], cooldown_s=4.000000001) == [0]


def test_a_value_that_comes_back_within_the_cooldown_is_armed_and_fires_after_it() -> None:
    assert fired([2.0, 0.0, 2.0, 2.0, 2.0], cooldown_s=3.0) == [0, 3]


@pytest.mark.parametrize("no_value", [math.nan, math.inf, -math.inf])
def test_what_is_no_value_changes_nothing(no_value: float) -> None:
    assert fired([2.0, no_value, 2.0]) == [0]
    assert fired([no_value, 2.0]) == [1]


values = st.lists(st.one_of(st.floats(-5, 5), st.sampled_from([0.0, 1.6, -1.6, 2.0, math.nan])), max_size=60)


@given(values)
def test_without_a_cooldown_it_fires_each_time_the_value_leaves_the_band_anew(series: list[float]) -> None:
    """Told as a story of two lines: up through the outer one, back through the inner one."""
    expected, is_outside = [], False
    for i, value in enumerate(series):
        if abs(value) <= 1.6:
            is_outside = False
        elif abs(value) >= 2.0 and not is_outside:
            is_outside = True
            expected.append(i)
    assert fired(series) == expected
