"""The parts of a change of the z-score add up to it: exactly in fractions, to the last bits in floats."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.stats import ZscoreState, attribute_zscore, zscore_attribution
from tests.properties.test_stats_rolling import Array, legs

EPSILON = float(np.finfo(float).eps)


def state() -> st.SearchStrategy[ZscoreState]:
    ticks, ratios = st.integers(1, 10**7), st.integers(-(10**5), 10**5)
    cents = [st.builds(Fraction, ticks, st.just(100)) for _ in range(2)]
    small = [st.builds(Fraction, ratios, st.just(10**4)) for _ in range(3)]
    return st.builds(ZscoreState, *cents, *small, st.builds(Fraction, ticks, st.just(10**4)))


@given(before=state(), after=state())
def test_in_exact_arithmetic_the_parts_are_the_change(before: ZscoreState, after: ZscoreState) -> None:
    assert sum(attribute_zscore(before, after)) == after.zscore - before.zscore


@given(before=state(), after=state())
def test_in_floats_each_part_is_right_to_the_last_bits(before: ZscoreState, after: ZscoreState) -> None:
    """Against fractions of the very floats; a part is as exact as the greatest of the terms it is made of."""
    a, b = (ZscoreState(*map(float, one)) for one in (before, after))
    exact = attribute_zscore(*(ZscoreState(*map(Fraction, one)) for one in (a, b)))
    terms = max(
        abs(value) / min(a.deviation, b.deviation)
        for one in (a, b)
        for value in (one.y, one.hedge_ratio * one.x, one.hedge_ratio * a.x, one.intercept, one.mean)
    )
    scale = terms * max(a.deviation / b.deviation, b.deviation / a.deviation)
    parts = attribute_zscore(a, b)
    for part, truth in zip(parts, exact, strict=True):
        assert abs(Fraction(part) - truth) <= 16 * EPSILON * scale
    assert abs(math.fsum(parts) - float(b.zscore - a.zscore)) <= 32 * EPSILON * scale


@settings(max_examples=60, deadline=None)
@given(legs=legs(min_size=30), window=st.integers(3, 12))
def test_on_bars_the_parts_sum_to_the_change(legs: tuple[Array, Array], window: int) -> None:
    frame = zscore_attribution(*legs, window)
    parts = frame.drop(columns="change")
    rest = (parts.sum(axis=1, skipna=False) - frame["change"]).abs()
    # Digits that the spread lost against its level are lost to the z-score too, not to the sum.
    assert not (rest > 1e-9 * parts.abs().max(axis=1).clip(lower=1.0)).any()
    assert (frame.isna().any(axis=1) == frame.isna().all(axis=1)).all()


@settings(max_examples=40, deadline=None)
@given(legs=legs(), window=st.integers(3, 12), data=st.data())
def test_what_is_known_at_t_does_not_change_with_what_comes_after(
    legs: tuple[Array, Array], window: int, data: st.DataObject
) -> None:
    y, x = legs
    t = data.draw(st.integers(0, len(y) - 1))
    prefix = zscore_attribution(y[: t + 1], x[: t + 1], window)
    np.testing.assert_array_equal(prefix, zscore_attribution(y, x, window)[: t + 1])


@settings(max_examples=40, deadline=None)
@given(recent=legs(min_size=30), window=st.integers(3, 8))
def test_a_spike_missing_bars_and_a_flat_hour_leave_no_trace_once_out_of_the_windows(
    recent: tuple[Array, Array], window: int
) -> None:
    history = np.array([1.0, 1e12, np.nan, np.inf, 1e-12, *[60_000.1] * 40])
    y, x = (np.concatenate([past, leg]) for past, leg in zip((history, history[::-1]), recent, strict=True))
    since = 2 * window  # the change of the first z-score that knows nothing of the history
    with_history = zscore_attribution(y, x, window)[len(history) + since :]
    np.testing.assert_array_equal(with_history, zscore_attribution(*recent, window)[since:])
