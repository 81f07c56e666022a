from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.feed.reconnect import LAST_CEILING_S, RULES, Failure, Reconnect, rule_of
from tests.feed.frames import at

LOST = Failure("close", 1006)


def longest() -> float:
    return 1.0


def shortest() -> float:
    return 0.0


def test_the_ceiling_doubles_up_to_thirty_seconds() -> None:
    policy = Reconnect(longest)
    waits = [policy.fail(LOST, at(100 * k))[0] for k in range(9)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_thousand_failures_do_not_overflow() -> None:
    policy = Reconnect(longest)
    assert {policy.fail(LOST, at(100 * k))[0] for k in range(20, 1_020)} <= {
        0.5,
        1.0,
        2.0,
        4.0,
        8.0,
        16.0,
        LAST_CEILING_S,
    }


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 50))
def test_jitter_is_full(chance: float, n_before: int) -> None:
    policy, upper = Reconnect(lambda: chance), Reconnect(longest)
    for k in range(n_before + 1):
        wait_s, ceiling_s = policy.fail(LOST, at(k))[0], upper.fail(LOST, at(k))[0]
    assert wait_s == pytest.approx(chance * (ceiling_s or 0))


def test_a_handshake_without_data_resets_nothing() -> None:
    policy = Reconnect(longest)
    policy.fail(LOST, at(0))
    assert policy.fail(LOST, at(1_000))[0] == 1.0


@pytest.mark.parametrize(("data_s", "wait_s"), [(9.9, 1.0), (10.0, 0.5)])
def test_only_ten_seconds_of_data_reset_the_ceiling(data_s: float, wait_s: float) -> None:
    policy = Reconnect(longest)
    policy.fail(LOST, at(0))
    policy.receive_data(at(5))
    policy.receive_data(at(5 + data_s))
    assert policy.fail(LOST, at(60))[0] == wait_s


def test_data_of_two_short_connections_do_not_add_up() -> None:
    policy = Reconnect(longest)
    for start_s in (0, 100):
        policy.receive_data(at(start_s))
        policy.receive_data(at(start_s + 6))
        policy.fail(LOST, at(start_s + 7))
    assert policy.fail(LOST, at(200))[0] == 2.0


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


def test_a_policy_close_is_tried_four_times_in_ten_minutes() -> None:
    policy = Reconnect(shortest)
    waits = [policy.fail(Failure("close", 1008), at(60 * k))[0] for k in range(5)]
    assert waits == [5.0, 5.0, 5.0, 5.0, None]


def test_policy_closes_an_hour_apart_never_block() -> None:
    policy = Reconnect(shortest)
    assert all(policy.fail(Failure("close", 1008), at(3_600 * k))[0] == 5.0 for k in range(20))


def test_a_firewall_is_tried_twice() -> None:
    policy = Reconnect(shortest)
    assert [policy.fail(Failure("http", 403), at(60 * k))[0] for k in range(3)] == [60.0, 60.0, None]


def test_every_kind_has_a_rule_for_codes_it_does_not_know() -> None:
    for kind, code in RULES:
        assert rule_of(Failure(kind, 987_654 if code else None), "X").sentence
