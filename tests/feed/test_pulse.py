from __future__ import annotations

import pytest

from quantnb.feed.pulse import Pulse

S = 1_000_000_000


def beat(pulse: Pulse, per_s: float, seconds: int, since_s: int = 0) -> None:
    """Look four times a second at arrivals of a steady rate."""
    for quarter in range(4 * seconds + 1):
        pulse.n = round(per_s * (since_s + quarter / 4))
        pulse.look(since_s * S + quarter * S // 4)


@pytest.mark.parametrize("per_s", [1.0, 30.0, 1_000.0])
def test_a_steady_rate_is_measured(per_s: float) -> None:
    pulse = Pulse()
    beat(pulse, per_s, 30)
    assert pulse.per_s == pytest.approx(per_s, rel=0.05)


def test_the_rate_is_that_of_the_last_ten_seconds() -> None:
    pulse = Pulse()
    beat(pulse, 30.0, 30)
    for second in range(31, 42):
        pulse.look(second * S)
    assert pulse.per_s == 0.0


def test_a_burst_in_the_first_moment_is_not_a_rate() -> None:
    pulse = Pulse()
    pulse.look(0)
    pulse.n = 5
    pulse.look(S // 4)
    assert pulse.per_s == 5.0


def test_a_busy_kind_is_overdue_after_five_seconds() -> None:
    pulse = Pulse()
    beat(pulse, 30.0, 20)
    assert not pulse.is_overdue(25 * S, 0)
    assert pulse.is_overdue(25 * S + 1, 0)


def test_a_quiet_kind_is_given_ten_of_its_intervals() -> None:
    pulse = Pulse()
    beat(pulse, 0.5, 20)
    assert not pulse.is_overdue(35 * S, 0)
    assert pulse.is_overdue(45 * S, 0)


def test_what_never_came_is_overdue_five_seconds_after_it_could_have() -> None:
    pulse = Pulse()
    pulse.look(0)
    assert not pulse.is_overdue(7 * S, 2 * S)
    assert pulse.is_overdue(7 * S + 1, 2 * S)


def test_silence_does_not_count_from_before_a_given_time() -> None:
    pulse = Pulse()
    beat(pulse, 30.0, 2)
    assert pulse.silence_ns(60 * S, 0) == 58 * S
    assert pulse.silence_ns(60 * S, 59 * S) == 1 * S
