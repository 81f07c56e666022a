from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.feed.reconnect import (
    REFUSED_LAST_CEILING_S,
    RULES,
    UNPROVED_LAST_CEILING_S,
    Failure,
    Reconnect,
    Trial,
    ban_s,
    rule_of,
)
from tests.feed.frames import at

LOST = Failure("close", 1006)
REFUSED = Failure("network", detail="Connection refused")


def longest() -> float:
    return 1.0


def shortest() -> float:
    return 0.0


def trial(data_s: float | None = None, start_s: float = 0.0) -> Trial:
    """Return that of a connection that opened, and brought data for so long."""
    trial = Trial()
    trial.open()
    if data_s is not None:
        trial.receive_data(at(start_s))
        trial.receive_data(at(start_s + data_s))
    return trial


def attempts(policy: Reconnect, until_s: float, failure: Failure, *, opens: bool) -> list[float]:
    """Return when one tries, from 0 s on, each attempt taking 20 ms, while every one fails."""
    times, now_s = [], 0.0
    while now_s < until_s:
        times.append(now_s)
        now_s += 0.02
        wait_s, _ = policy.fail(failure, at(now_s), trial() if opens else None)
        assert wait_s is not None
        now_s += wait_s
    return times


# Refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age_s", "wait_s"), [(0, 1.0), (5, 1.0), (10, 2.0), (60, 12.0), (150, 30.0), (10_000, 30.0)]
)
def test_while_nothing_opens_the_ceiling_is_a_fifth_of_the_outages_age(age_s: float, wait_s: float) -> None:
    policy = Reconnect(longest)
    policy.fail(REFUSED, at(0))
    assert policy.fail(REFUSED, at(age_s))[0] == wait_s


def test_a_thousand_failures_do_not_overflow() -> None:
    policy = Reconnect(longest)
    waits = [policy.fail(REFUSED, at(1e6 * k))[0] for k in range(1_000)]
    assert max(filter(None, waits)) == REFUSED_LAST_CEILING_S


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 50))
def test_jitter_is_full(chance: float, n_before: int) -> None:
    policy, upper = Reconnect(lambda: chance), Reconnect(longest)
    for k in range(n_before + 1):
        wait_s, ceiling_s = policy.fail(REFUSED, at(k))[0], upper.fail(REFUSED, at(k))[0]
    assert wait_s == pytest.approx(chance * (ceiling_s or 0))


@pytest.mark.parametrize(
    ("outage_s", "opens", "most_s"),
    [
        (1.0, False, 1.0),
        (5.0, False, 1.0),
        (10.0, False, 2.0),
        (1.0, True, 1.5),
        (5.0, True, 1.5),
    ],
)
def test_after_an_outage_of_seconds_the_next_attempt_comes_soon(
    outage_s: float, opens: bool, most_s: float
) -> None:
    delays = []
    for seed in range(300):
        times = attempts(Reconnect(random.Random(seed).random), outage_s + 60.0, REFUSED, opens=opens)
        delays.append(next(time_s for time_s in times if time_s >= outage_s) - outage_s)
    assert max(delays) <= most_s + 0.02
    assert sorted(delays)[150] < 1.0


# Unproved -------------------------------------------------------------------------------------------------


def test_one_hour_of_accept_then_close_costs_few_attempts() -> None:
    n_attempts = [
        len(attempts(Reconnect(random.Random(seed).random), 3_600.0, LOST, opens=True))
        for seed in range(2_000)
    ]
    assert max(n_attempts) < 30  # two sockets: below 60
    assert min(n_attempts) > 12  # and it does not fall asleep either


def test_a_long_trouble_is_looked_at_every_eight_minutes_at_least() -> None:
    times = attempts(Reconnect(longest), 36_000.0, LOST, opens=True)
    assert max(b - a for a, b in pairwise(times)) <= UNPROVED_LAST_CEILING_S + 0.03


def test_a_drop_after_a_long_outage_starts_at_the_beginning() -> None:
    policy = Reconnect(longest)
    policy.fail(LOST, at(0), trial())
    policy.fail(LOST, at(1), trial())
    for k in range(2, 1_000):
        policy.fail(REFUSED, at(k))
    assert policy.fail(LOST, at(1_000), trial())[0] == 0.5


def test_a_handshake_without_data_resets_nothing() -> None:
    policy = Reconnect(longest)
    policy.fail(REFUSED, at(0))
    policy.fail(LOST, at(100), trial())
    assert policy.fail(REFUSED, at(100))[0] == 20.0


# Proved ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data_s", "wait_s"), [(9.9, 0.5), (10.0, 0.5)])
def test_a_first_drop_is_answered_soon(data_s: float, wait_s: float) -> None:
    assert Reconnect(longest).fail(LOST, at(60), trial(data_s))[0] == wait_s


@pytest.mark.parametrize(("data_s", "wait_s"), [(9.9, 20.0), (10.0, 1.0)])
def test_only_ten_seconds_of_data_reset_the_ceiling(data_s: float, wait_s: float) -> None:
    policy = Reconnect(longest)
    policy.fail(REFUSED, at(0))
    policy.fail(LOST, at(100), trial(data_s))
    assert policy.fail(REFUSED, at(100))[0] == wait_s


def test_data_of_two_short_connections_do_not_add_up() -> None:
    policy = Reconnect(longest)
    waits = [policy.fail(LOST, at(7 * k), trial(6, start_s=7 * k - 6))[0] for k in range(1, 6)]
    assert waits == [0.5, 1.0, 14.0, 21.0, 28.0]


def test_neither_a_handshake_nor_one_frame_is_a_proof() -> None:
    assert not Trial().is_proved
    assert not trial().is_proved
    assert not trial(0).is_proved


def test_woken_it_starts_over() -> None:
    policy = Reconnect(longest)
    policy.fail(REFUSED, at(0))
    policy.fail(REFUSED, at(100))
    policy.forget()
    assert policy.fail(REFUSED, at(100))[0] == 1.0


# Rules ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "wait_s", "words"),
    [
        (Failure("http", 403), 60.0, "firewall"),
        (Failure("http", 408), 0.0, "not available at the moment (HTTP 408)"),
        (Failure("http", 418), 120.0, "banned"),
        (Failure("http", 418, retry_after_s=720.0), 720.0, "banned"),
        (Failure("http", 429), 10.0, "Too many requests"),
        (Failure("http", 429, retry_after_s=35.0), 35.0, "Too many requests"),
        (Failure("http", 500), 0.0, "not available at the moment (HTTP 500)"),
        (Failure("http", 503), 0.0, "not available at the moment"),
        (Failure("http", 451), None, "not available from this location (HTTP 451)"),
        (Failure("http", 302), None, "does not answer as the exchange does (HTTP 302)"),
        (Failure("http", 404), None, "does not answer as the exchange does"),
        (Failure("close", 1000), 0.0, "closed the connection"),
        (Failure("close", 1001), 0.0, "going away"),
        (Failure("close", 1006), 0.0, "lost"),
        (Failure("close", 1008, "Too many requests"), 5.0, "(close code 1008 – Too many requests)"),
        (Failure("close", 1009), 0.0, "too big"),
        (Failure("close", 1011), 0.0, "error of its own"),
        (Failure("close", 1012), 5.0, "restarts"),
        (Failure("close", 1013), 5.0, "overloaded"),
        (Failure("close", 4000, "{odd}"), 0.0, "(close code 4000 – {odd})"),
        (Failure("dns"), 0.0, "Binance cannot be reached (name not resolved"),
        (Failure("tls", detail="self-signed certificate"), None, "not trusted (self-signed certificate)"),
        (Failure("timeout"), 0.0, "in time"),
        (Failure("unanswered"), 0.0, "silent"),
        (Failure("network", detail="Connection refused"), 0.0, "cannot be reached (Connection refused)"),
        (Failure("network"), 0.0, "cannot be reached (no details)"),
    ],
    ids=str,
)
def test_each_failure_has_its_wait_and_its_words(failure: Failure, wait_s: float | None, words: str) -> None:
    retry_in_s, reason = Reconnect(shortest, "Binance").fail(failure, at(0))
    assert retry_in_s == wait_s
    assert words in reason
    assert reason.endswith((".", "?"))


def test_a_policy_close_is_tried_four_times_in_ten_minutes_and_ever_more_slowly() -> None:
    policy = Reconnect(shortest)
    waits = [policy.fail(Failure("close", 1008), at(60 * k))[0] for k in range(5)]
    assert waits == [5.0, 10.0, 20.0, 40.0, None]


def test_policy_closes_an_hour_apart_never_block() -> None:
    policy = Reconnect(shortest)
    assert all(policy.fail(Failure("close", 1008), at(3_600 * k))[0] == 5.0 for k in range(20))


def test_a_firewall_is_tried_twice() -> None:
    policy = Reconnect(shortest)
    assert [policy.fail(Failure("http", 403), at(60 * k))[0] for k in range(3)] == [60.0, 60.0, None]


def test_every_kind_has_a_rule_for_codes_it_does_not_know() -> None:
    for kind, code in RULES:
        assert rule_of(Failure(kind, 987_654 if code else None), "X").sentence


@pytest.mark.parametrize(
    ("failure", "is_told"),
    [
        (LOST, False),
        (REFUSED, False),
        (Failure("close", 1008), True),
        (Failure("http", 403), True),
        (Failure("http", 503), False),
        (Failure("http", 503, retry_after_s=7.0), True),
    ],
    ids=str,
)
def test_it_is_known_whether_a_wait_was_asked_for(failure: Failure, is_told: bool) -> None:
    policy = Reconnect(longest)
    policy.fail(failure, at(0))
    assert policy.is_told_to_wait == is_told


@pytest.mark.parametrize(
    ("failure", "pause_s"),
    [
        (Failure("http", 429), 10.0),
        (Failure("http", 418), 120.0),
        (Failure("http", 429, retry_after_s=35.0), 35.0),
        (Failure("http", 418, retry_after_s=720.0), 720.0),
        (Failure("http", 503, retry_after_s=7.0), 7.0),
        (Failure("http", 503), None),
        (Failure("http", 403), None),
        (LOST, None),
        (REFUSED, None),
    ],
    ids=str,
)
def test_a_request_to_wait_holds_for_everything_that_is_asked(
    failure: Failure, pause_s: float | None
) -> None:
    assert ban_s(failure) == pause_s


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1e6))
def test_nothing_is_asked_before_retry_after(chance: float, retry_after_s: float) -> None:
    policy = Reconnect(lambda: chance)
    wait_s, _ = policy.fail(Failure("http", 429, retry_after_s=retry_after_s), at(0))
    assert wait_s is not None
    assert wait_s >= retry_after_s
