from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.exchange.processes import PowerLaw, ar1, keyed_rng, rank_within


@given(
    st.floats(-10, 10),
    st.lists(st.floats(-10, 10), min_size=1, max_size=400),
    st.floats(0.05, 0.9999),
)
def test_ar1_equals_its_recursion(start: float, shocks: list[float], decay: float) -> None:
    expected, value = [], start
    for shock in shocks:
        value = decay * value + shock
        expected.append(value)
    np.testing.assert_allclose(ar1(start, np.array(shocks), decay), expected, rtol=1e-9, atol=1e-9)


def test_ar1_survives_more_steps_than_one_power_of_its_decay_can_span() -> None:
    result = ar1(1.0, np.ones(20_000), 0.5)
    assert result[-1] == pytest.approx(2.0)


def test_power_law_has_its_mean_and_bounds() -> None:
    law = PowerLaw(2.1, 120)
    draws = law.draw(np.random.default_rng(3), 200_000)
    assert draws.min() == 1
    assert draws.max() <= 120
    assert draws.mean() == pytest.approx(law.mean, rel=0.03)


@given(st.lists(st.integers(0, 5)))
def test_rank_counts_the_equal_ones_before(keys: list[int]) -> None:
    ranks = rank_within(np.array(keys, np.int64))
    assert ranks.tolist() == [keys[:i].count(key) for i, key in enumerate(keys)]


def test_a_generator_is_known_by_its_key() -> None:
    def first(*key: int | str) -> float:
        return float(keyed_rng(*key).random())  # type: ignore[arg-type]

    assert first(7, "BTCUSDT", 1) == first(7, "BTCUSDT", 1)
    assert len({first(7, "BTCUSDT", 1), first(8, "BTCUSDT", 1), first(7, "ETHUSDT", 1)}) == 3
