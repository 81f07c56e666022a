"""How long data are on their way."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.events import Trade
from quantnb.latency import SPAN_NS, STEP_NS, Latency, Percentiles, Window
from tests.feed.frames import trade

MS = 1_000_000
START_NS = 1_790_000_000_000_000_000


def arrived(receive_ns: int, lag_ms: float = 5.0) -> Trade:
    return msgspec.structs.replace(trade(1), push_ns=receive_ns - round(lag_ms * MS), receive_ns=receive_ns)


def test_without_data_nothing_is_known() -> None:
    assert Window().percentiles(START_NS) == Percentiles(0, None, None, None)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_percentiles_are_durations_that_were_measured(durations_ms: list[float]) -> None:
    window = Window()
    for duration_ms in durations_ms:
        window.add(START_NS, duration_ms)
    found = window.percentiles(START_NS)
    expected = np.percentile(durations_ms, [50, 95, 99], method="inverted_cdf")
    assert (found.n, found.p50, found.p95, found.p99) == (len(durations_ms), *expected.tolist())


def test_what_is_older_than_a_minute_is_forgotten() -> None:
    window = Window()
    window.add(START_NS, 900.0)
    window.add(START_NS + SPAN_NS, 10.0)
    assert window.percentiles(START_NS + SPAN_NS).p99 == 900.0
    assert window.percentiles(START_NS + SPAN_NS + 1) == Percentiles(1, 10.0, 10.0, 10.0)


def test_a_clock_that_was_set_back_starts_over() -> None:
    window = Window()
    window.add(START_NS, 900.0)
    window.add(START_NS - SPAN_NS, 10.0)
    assert window.percentiles(START_NS - SPAN_NS).n == 1


def test_a_window_is_bounded_however_often_it_is_fed() -> None:
    window = Window()
    for _ in range(10_000):
        window.add(START_NS, 1.0)
    assert window.percentiles(START_NS).n < 10_000


def test_a_trade_takes_its_time_to_arrive_and_then_to_be_in_a_snapshot() -> None:
    latency = Latency()
    latency.look([[arrived(START_NS, lag_ms=7)]], START_NS + 120 * MS)
    assert latency.received().p50 == pytest.approx(7)
    assert latency.computed().p50 == pytest.approx(120)
    assert latency.computed_ns == START_NS + 120 * MS


def test_each_trade_counts_once_though_it_stands_in_later_snapshots_too() -> None:
    latency, tape = Latency(), [arrived(START_NS)]
    for look in range(1, 5):
        latency.look([tape], START_NS + look * 250 * MS)
    assert latency.computed().n == 1


def test_of_each_step_one_trade_counts_whichever_symbol_it_is_of() -> None:
    latency = Latency()
    a_minute_of = [arrived(START_NS - k * MS) for k in range(200)]  # 200 ms, a trade a millisecond
    latency.look([a_minute_of, a_minute_of], START_NS + MS)
    assert latency.received().n == pytest.approx(200 * MS / STEP_NS, abs=1)


def test_what_was_received_after_the_snapshot_is_of_the_next_one() -> None:
    latency, late = Latency(), arrived(START_NS + 10 * MS)
    latency.look([[late]], START_NS)
    assert latency.received().n == 0
    latency.look([[late]], START_NS + 250 * MS)
    assert latency.computed().p50 == pytest.approx(240)


def test_a_clock_ahead_of_the_exchange_shows_as_a_negative_time() -> None:
    latency = Latency()
    latency.look([[arrived(START_NS, lag_ms=-30)]], START_NS)
    assert latency.received().p50 == pytest.approx(-30)
