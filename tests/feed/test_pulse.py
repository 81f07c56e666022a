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


def test_a_look_says_whether_something_arrived() -> None:
    pulse = Pulse()
    assert not pulse.look(0)
    pulse.n += 1
    assert pulse.look(S)
    assert pulse.last_ns == S
    assert not pulse.look(2 * S)
    assert pulse.last_ns == S


@pytest.mark.parametrize(("per_s", "explained_s"), [(30.0, 1 / 3), (0.5, 20.0)])
def test_the_usual_rate_explains_ten_of_its_intervals(per_s: float, explained_s: float) -> None:
    pulse = Pulse()
    beat(pulse, per_s, 20)
    assert pulse.explained_ns() / S == pytest.approx(explained_s, rel=0.25)
    for second in range(21, 60):
        pulse.look(second * S)
    assert pulse.explained_ns() / S == pytest.approx(explained_s, rel=0.25)


def test_after_a_fault_one_arrival_makes_no_slow_rate_usual() -> None:
    pulse = Pulse()
    beat(pulse, 4.0, 20)
    for second in range(21, 80):
        pulse.look(second * S)
    pulse.n += 1
    pulse.look(80 * S)
    assert pulse.explained_ns() < 30 * S
    for quarter in range(80 * 4, 95 * 4):
        pulse.n += 1
        pulse.look(quarter * S // 4)
    assert pulse.explained_ns() / S == pytest.approx(2.5, rel=0.1)


@pytest.mark.parametrize("every_s", [8, 30, 120])
def test_a_market_that_has_become_slow_is_usual_after_a_while(every_s: int) -> None:
    pulse = Pulse()
    beat(pulse, 4.0, 20)
    for second in range(21, 21 + 20 * every_s):
        pulse.n += second % every_s == 0
        pulse.look(second * S)
    assert min(every_s, 100) * S <= pulse.explained_ns() <= 12 * every_s * S


def test_a_rate_is_usual_once_it_was_seen_for_ten_seconds() -> None:
    pulse = Pulse()
    beat(pulse, 4.0, 9)
    assert pulse.explained_ns() == 0
    beat(pulse, 4.0, 2, since_s=9)
    assert pulse.explained_ns() > 0


def test_what_never_came_has_no_usual_rate() -> None:
    pulse = Pulse()
    pulse.look(0)
    assert pulse.explained_ns() == 0
    assert pulse.silence_ns(7 * S, 2 * S) == 5 * S


def test_silence_does_not_count_from_before_a_given_time() -> None:
    pulse = Pulse()
    beat(pulse, 30.0, 2)
    assert pulse.silence_ns(60 * S, 0) == 58 * S
    assert pulse.silence_ns(60 * S, 59 * S) == 1 * S


def test_a_silence_of_our_own_is_not_taken_for_the_markets() -> None:
    pulse = Pulse()
    beat(pulse, 4.0, 20)
    explained_ns = pulse.explained_ns()
    pulse.restart(80 * S)  # nobody looked for a minute
    pulse.look(80 * S)
    pulse.n += 1
    pulse.look(80 * S + S // 4)
    assert pulse.explained_ns() == explained_ns
