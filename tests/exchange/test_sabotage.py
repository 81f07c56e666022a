from __future__ import annotations

import pytest

from quantnb.errors import InvalidSettingError
from quantnb.exchange.faults import Fault
from quantnb.exchange.sabotage import Faults


def faults_of(*texts: str, seed: int = 0) -> Faults:
    return Faults(map(Fault.parse, texts), seed=seed)


def names(faults: Faults) -> list[str]:
    return [fault.name for fault in faults.all if faults.active(fault.name)]


def test_a_fault_begins_and_heals_at_its_times() -> None:
    #  0    1    2    3    4    5 s
    #       |-------------|           silent-socket:at=1,for=3
    faults = faults_of("silent-socket:at=1,for=3")
    active = []
    for now_s in (0.0, 0.9, 1.0, 3.9, 4.0):
        faults.advance(now_s)
        active.append(names(faults))
    assert active == [[], [], ["silent-socket"], ["silent-socket"], []]
    assert not faults.has_plans


def test_its_times_count_from_when_it_was_asked_for() -> None:
    faults = faults_of()
    faults.inject(Fault.parse("half-open:5,at=2"), 100.0)
    faults.advance(101.9)
    assert faults.is_idle
    assert faults.has_plans
    faults.advance(102.0)
    assert names(faults) == ["half-open"]
    faults.advance(107.0)
    assert faults.is_idle


@pytest.mark.parametrize(
    ("text", "strikes_s"),
    [
        ("drop:1012", [0]),
        ("drop:1012,at=2", [2]),
        ("drop:1012,every=3", [0, 3, 6, 9]),
        ("rst:every=3,at=1,for=6", [1, 4, 7]),
        ("burst", [0]),
        ("drop:1012,after=3", []),  # that is a matter of each connection
        ("half-open", []),
    ],
)
def test_what_strikes_does_so_at_its_moments(text: str, strikes_s: list[int]) -> None:
    faults = faults_of(text)
    assert [now_s for now_s in range(11) if faults.advance(float(now_s))] == strikes_s


def test_strikes_that_were_slept_through_are_one() -> None:
    faults = faults_of("drop:every=1")
    assert [len(faults.advance(now_s)) for now_s in (0.0, 100.0, 100.5, 101.0)] == [1, 1, 0, 1]


def test_a_fault_that_was_asked_for_so_many_times_is_over_after_them() -> None:
    faults = faults_of("handshake-503:times=2")
    faults.advance(0.0)
    for _ in range(2):
        (running,) = faults.active("handshake-503")
        running.hits()
    assert not faults.active("handshake-503")
    faults.advance(0.1)
    assert faults.is_idle


def test_healing_ends_one_or_all_and_what_has_not_begun() -> None:
    faults = faults_of("delay", "skip", "burst:at=9", "skip:at=9")
    faults.advance(0.0)
    faults.heal("skip")
    assert [fault.name for fault in faults.all] == ["delay", "burst"]
    faults.heal()
    assert not faults.has_plans
    with pytest.raises(InvalidSettingError, match=r"No fault is called 'skp' \(did you mean skip\?\)"):
        faults.heal("skp")


def test_the_wrong_clocks_add_up_while_they_last() -> None:
    faults = faults_of("clock:5", "clock:-2,for=1", "push-clock:0.25")
    faults.advance(0.0)
    assert (faults.clock_offset_ms, faults.push_offset_ms) == (3_000, 250)
    faults.advance(1.0)
    assert faults.clock_offset_ms == 5_000
