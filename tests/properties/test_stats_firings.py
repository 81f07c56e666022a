"""A preview of a rule fires where the rule fires: the alert book and `firings` on the same values."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.alerts import REARM_FRACTION, AlertBook
from quantnb.stats import firings

S = 1_000_000_000
THRESHOLDS = st.sampled_from([0.5, 2.0, 3.3])
# Values at the borders themselves, and those that are none.
EDGES = [edge * t for t in (0.5, 2.0, 3.3) for edge in (1.0, -1.0, REARM_FRACTION, -REARM_FRACTION)]
NONE = [math.nan, math.inf, -math.inf]
VALUES = st.lists(st.one_of(st.floats(-5, 5), st.sampled_from(EDGES + NONE)), max_size=80)


@settings(max_examples=300)
@given(
    values=VALUES,
    threshold=THRESHOLDS,
    cooldown_s=st.one_of(st.sampled_from([0.0, 3.0]), st.floats(0, 20)),
    data=st.data(),
)
def test_a_preview_fires_at_the_bars_at_which_the_rule_fires(
    values: list[float], threshold: float, cooldown_s: float, data: st.DataObject
) -> None:
    steps = data.draw(st.lists(st.integers(0, 5 * S), min_size=len(values), max_size=len(values)))
    times = np.cumsum([1_780_000_000 * S, *steps])[1:].astype(np.int64)
    book = AlertBook()
    rule = book.add_rule("zscore", threshold, cooldown_s=cooldown_s)
    spoken = [
        i
        for i, (value, time_ns) in enumerate(zip(values, times.tolist(), strict=True))
        if book.observe(rule, "Y/X", value, time_ns)
    ]
    assert firings(values, times, threshold, cooldown_s=cooldown_s).tolist() == spoken


@given(values=VALUES, threshold=THRESHOLDS, data=st.data())
def test_what_fired_by_t_does_not_change_with_what_comes_after(
    values: list[float], threshold: float, data: st.DataObject
) -> None:
    t = data.draw(st.integers(0, len(values)))
    times = np.arange(len(values)) * S
    whole = firings(values, times, threshold, cooldown_s=3.0)
    assert firings(values[:t], times[:t], threshold, cooldown_s=3.0).tolist() == whole[whole < t].tolist()
