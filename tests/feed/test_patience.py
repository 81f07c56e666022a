from __future__ import annotations

import pytest

from quantnb.feed.patience import LAST_CEILING_S, REQUESTS_KEPT, Patience
from tests.feed.frames import at


@pytest.fixture
def patience() -> Patience:
    return Patience(lambda: 1.0)


def test_failures_in_a_row_make_it_wait_longer_up_to_a_limit(patience: Patience) -> None:
    waits = []
    for _ in range(20):
        patience.fail("no network", at(0))
        waits.append(patience.blocked_s(at(0)))
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == LAST_CEILING_S
    assert patience.trouble == "no network"


def test_without_luck_it_still_waits_half_as_long() -> None:
    patience = Patience(lambda: 0.0)
    patience.fail("no network", at(0))
    assert patience.blocked_s(at(0)) == 0.25
    assert patience.blocked_s(at(0.25)) == 0.0


def test_the_exchange_may_ask_for_more(patience: Patience) -> None:
    patience.fail("too many requests", at(0), least_s=35.0)
    assert patience.blocked_s(at(5)) == 30.0


def test_an_answer_sets_it_back(patience: Patience) -> None:
    for _ in range(5):
        patience.fail("no network", at(0))
    patience.succeed()
    assert patience.trouble == ""
    patience.fail("no network", at(100))
    assert patience.blocked_s(at(100)) == 0.5


def test_only_the_request_that_brought_nothing_waits(patience: Patience) -> None:
    assert [patience.fruitless("a", at(0)) for _ in range(3)] == [1, 2, 3]
    assert patience.delay_s("a", at(1)) == 3.0
    assert (patience.delay_s("b", at(1)), patience.n_tries("b")) == (0.0, 0)
    assert patience.blocked_s(at(0)) == 0.0


def test_what_it_remembers_is_bounded(patience: Patience) -> None:
    for number in range(REQUESTS_KEPT + 1):
        patience.fruitless(number, at(0))
    assert (patience.n_tries(0), patience.n_tries(1)) == (0, 1)
