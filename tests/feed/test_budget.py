from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.events import Instant
from quantnb.feed.budget import RESERVE, WEIGHT_PER_MINUTE, Budget, klines_weight

MINUTE_NS = 60_000_000_000
START_NS = 29_856_383 * MINUTE_NS  # a whole minute
OURS = WEIGHT_PER_MINUTE - RESERVE


def at(seconds: float) -> Instant:
    return Instant(START_NS + round(seconds * 1e9), 5_000_000_000 + round(seconds * 1e9))


def test_a_fresh_minute_has_weight_for_everything_but_the_reserve() -> None:
    budget = Budget()
    assert budget.delay_s(OURS, at(0)) == 0.0
    assert budget.delay_s(OURS + 1, at(12)) == 48.0


def test_what_is_spent_comes_back_with_the_next_minute_of_the_clock() -> None:
    budget = Budget()
    budget.spend(OURS, at(50))
    assert budget.delay_s(1, at(50)) == 10.0
    assert budget.delay_s(1, at(60)) == 0.0


def test_a_spare_part_is_left_to_what_matters_more() -> None:
    budget = Budget()
    budget.spend(OURS - 100, at(0))
    assert budget.delay_s(20, at(0), spare=90) == 60.0
    assert budget.delay_s(20, at(0)) == 0.0


def test_the_exchange_knows_better_what_was_used() -> None:
    budget = Budget()
    budget.spend(20, at(1))
    budget.learn(OURS, at(1.2))  # another program on this address
    assert budget.delay_s(1, at(1.2)) == pytest.approx(58.8)
    budget.learn(100, at(2))
    assert budget.delay_s(OURS - 100, at(2)) == 0.0


def test_an_answer_from_before_the_turn_of_the_minute_teaches_nothing() -> None:
    budget = Budget()
    budget.spend(20, at(59.9))
    budget.learn(OURS, at(60.1))
    assert budget.delay_s(OURS - 20, at(60.1)) == 0.0
    assert budget.delay_s(OURS - 19, at(60.1)) > 0.0  # it may have been counted in the new one


@pytest.mark.parametrize(
    ("limit", "weight"), [(1, 1), (99, 1), (100, 2), (499, 2), (500, 5), (1000, 5), (1500, 10)]
)
def test_bars_cost_by_their_number(limit: int, weight: int) -> None:
    assert klines_weight(limit) == weight


@given(
    st.lists(st.tuples(st.integers(1, 40), st.floats(0.0, 3.0)), max_size=400),
    st.floats(0.0, 60.0),
    st.integers(0, 500),
)
def test_whoever_obeys_stays_below_the_limit(
    requests: list[tuple[int, float]], start_s: float, used_by_others: int
) -> None:
    budget, now_s = Budget(), start_s
    used: dict[int, int] = {}
    for weight, latency_s in requests:
        while (delay_s := budget.delay_s(weight, at(now_s))) > 0.0:
            now_s += delay_s
        budget.spend(weight, at(now_s))
        minute = int(now_s // 60)
        used[minute] = used.get(minute, used_by_others) + weight
        assert used[minute] <= WEIGHT_PER_MINUTE + max(0, used_by_others - RESERVE)
        now_s += latency_s
        budget.learn(used[minute], at(now_s))
