"""Every fault of the local exchange against what the screen says of it, on real sockets.

The cases run side by side, once; each test then asks for one of them. What was measured is printed.
"""

from __future__ import annotations

import asyncio
import statistics

import pytest

from quantnb.exchange.kinds import KINDS

from .experiment import Outcome, run_all
from .table import CASES

pytestmark = pytest.mark.timeout(300)
AT_ONCE = 6
MEDIAN_S = 1.0


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return asyncio.run(run_all(CASES.values(), AT_ONCE))


def test_every_fault_of_the_exchange_is_in_the_matrix() -> None:
    used = {fault.partition(":")[0] for case in CASES.values() for fault in (*case.faults, *case.starts_with)}
    assert used == set(KINDS)


def test_a_recovery_above_two_seconds_says_why() -> None:
    for case in CASES.values():
        assert bool(case.late) == (case.back_within_s is None or case.back_within_s > 2.0), case.name


@pytest.mark.parametrize("name", CASES)
def test_the_screen_tells_the_truth_about(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    assert not outcome.failures, outcome.told


def test_recovery_takes_less_than_a_second_in_the_median(
    outcomes: dict[str, Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    quick = [each for each in outcomes.values() if not each.case.late and not each.case.keeps_well]
    measured = sorted(each.back_s for each in quick if each.back_s is not None)
    with capsys.disabled():
        print(f"\n{'fault':34} {'shown':>11} {'back':>6} {'whole':>6} {'stall':>6}  seconds")
        for outcome in outcomes.values():
            print(outcome.row)
        print(f"recovery: {len(measured)} cases, median {statistics.median(measured):.2f} s,", end=" ")
        print(f"longest {measured[-1]:.2f} s")
    assert statistics.median(measured) < MEDIAN_S
