from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.events import Reply
from quantnb.feed.subscribe import MAX_NAMES, MAX_STREAMS, PACE_NS, Subscriptions
from tests.feed.frames import RECEIVE_NS, at


def names(n: int) -> list[str]:
    return [f"s{k:04}usdt@aggTrade" for k in range(n)]


def messages(subscriptions: Subscriptions, since_s: float = 0.0) -> list[tuple[float, dict[str, Any]]]:
    """Return what is sent, asked every 100 ms for two minutes, with its time."""
    sent = []
    for tick in range(1_200):
        message = subscriptions.next_message(at(since_s + tick / 10))
        if message is not None:
            sent.append((since_s + tick / 10, json.loads(message)))
    return sent


def acknowledge(subscriptions: Subscriptions, message: dict[str, Any]) -> None:
    subscriptions.receive(Reply(message["id"], None, "", RECEIVE_NS))


def test_nothing_desired_is_nothing_to_say() -> None:
    subscriptions = Subscriptions()
    assert subscriptions.next_message(at(0)) is None
    assert subscriptions.next_at_ns() is None


def test_one_message_subscribes_to_all() -> None:
    subscriptions = Subscriptions()
    subscriptions.desire(["b@aggTrade", "a@aggTrade"])
    assert messages(subscriptions) == [
        (0.0, {"method": "SUBSCRIBE", "params": ["a@aggTrade", "b@aggTrade"], "id": 1})
    ]


def test_many_streams_go_in_batches_half_a_second_apart() -> None:
    subscriptions = Subscriptions()
    subscriptions.desire(names(450))
    sent = messages(subscriptions)
    assert [(time_s, len(message["params"])) for time_s, message in sent] == [
        (0.0, MAX_NAMES),
        (0.5, MAX_NAMES),
        (1.0, 50),
    ]
    assert sorted(name for _, message in sent for name in message["params"]) == names(450)


def test_the_time_of_the_next_message_is_known() -> None:
    subscriptions = Subscriptions()
    subscriptions.desire(names(201))
    subscriptions.next_message(at(1))
    assert subscriptions.next_at_ns() == at(1).monotonic_ns + PACE_NS


def test_an_acknowledged_stream_is_held() -> None:
    subscriptions = Subscriptions()
    subscriptions.desire(names(2))
    [(_, message)] = messages(subscriptions)
    assert not subscriptions.held
    acknowledge(subscriptions, message)
    assert subscriptions.held == set(names(2))


def test_a_change_unsubscribes_first_and_says_only_the_difference() -> None:
    subscriptions = Subscriptions()
    subscriptions.desire(["a", "b"])
    acknowledge(subscriptions, messages(subscriptions)[0][1])
    subscriptions.desire(["b", "c"])
    sent = messages(subscriptions, since_s=200)
    assert [(message["method"], message["params"]) for _, message in sent] == [
        ("UNSUBSCRIBE", ["a"]),
        ("SUBSCRIBE", ["c"]),
    ]
    for _, message in sent:
        acknowledge(subscriptions, message)
    assert subscriptions.held == {"b", "c"}


def test_an_error_is_not_answered_with_the_same_request() -> None:
    subscriptions = Subscriptions()
    subscriptions.desire(["a"])
    [(_, message)] = messages(subscriptions)
    subscriptions.receive(Reply(message["id"], 2, "Invalid request", RECEIVE_NS))
    assert subscriptions.refused == {"a"}
    assert messages(subscriptions, since_s=200) == []


def test_a_refused_stream_is_asked_for_again_where_that_is_wanted() -> None:
    subscriptions = Subscriptions(["a", "b"])
    [(_, message)] = messages(subscriptions)
    subscriptions.receive(Reply(message["id"], 2, "Invalid request", RECEIVE_NS))
    subscriptions.repeat(["a"])
    assert [(each["method"], each["params"]) for _, each in messages(subscriptions, since_s=200)] == [
        ("SUBSCRIBE", ["a"])
    ]


@pytest.mark.parametrize("request_id", [None, "1", 77])
def test_an_answer_to_no_request_of_ours_changes_nothing(request_id: int | str | None) -> None:
    subscriptions = Subscriptions()
    subscriptions.desire(["a"])
    messages(subscriptions)
    subscriptions.receive(Reply(request_id, 3, "Invalid JSON", RECEIVE_NS))
    assert not subscriptions.refused
    assert not subscriptions.held


def test_streams_are_asked_for_again_after_they_were_given_up() -> None:
    subscriptions = Subscriptions(["a", "b", "c"])
    acknowledge(subscriptions, messages(subscriptions)[0][1])
    subscriptions.repeat(["b", "c", "never asked for"])
    assert not subscriptions.is_settled
    sent = messages(subscriptions, since_s=200)
    assert [(time_s, message["method"], message["params"]) for time_s, message in sent] == [
        (200.0, "UNSUBSCRIBE", ["b", "c"]),
        (200.5, "SUBSCRIBE", ["b", "c"]),
    ]
    assert subscriptions.held == {"a"}
    for _, message in sent:
        acknowledge(subscriptions, message)
    assert subscriptions.held == {"a", "b", "c"}


def test_a_stream_that_is_no_longer_desired_is_not_asked_for_again() -> None:
    subscriptions = Subscriptions(["a", "b"])
    acknowledge(subscriptions, messages(subscriptions)[0][1])
    subscriptions.repeat(["a"])
    subscriptions.desire(["b"])
    assert [message["method"] for _, message in messages(subscriptions, since_s=200)] == ["UNSUBSCRIBE"]


def test_it_is_settled_when_every_stream_was_answered_for() -> None:
    subscriptions = Subscriptions(names(201))
    assert not subscriptions.is_settled
    first, second = (message for _, message in messages(subscriptions))
    acknowledge(subscriptions, first)
    assert not subscriptions.is_settled
    subscriptions.receive(Reply(second["id"], 2, "Invalid request", RECEIVE_NS))
    assert subscriptions.is_settled


def test_never_more_streams_are_asked_for_than_a_connection_carries() -> None:
    subscriptions = Subscriptions(names(MAX_STREAMS + 7))
    sent = messages(subscriptions)
    assert sum(len(message["params"]) for _, message in sent) == MAX_STREAMS
    assert subscriptions.next_message(at(500)) is None


@given(st.lists(st.sets(st.sampled_from(names(600))), min_size=1, max_size=6), st.data())
def test_whatever_is_desired_the_exchange_hears_at_most_two_messages_a_second_of_200_names(
    desires: list[set[str]], data: st.DataObject
) -> None:
    subscriptions = Subscriptions()
    times_s: list[float] = []
    for step, desired in enumerate(desires):
        subscriptions.desire(desired)
        subscriptions.repeat(data.draw(st.sets(st.sampled_from(names(20)))))
        for tick in range(data.draw(st.integers(1, 12))):
            now_s = step * 1.2 + tick / 10
            message = subscriptions.next_message(at(now_s))
            if message is not None:
                times_s.append(now_s)
                assert 0 < len(json.loads(message)["params"]) <= MAX_NAMES
    assert all(after - before >= PACE_NS / 1e9 - 1e-6 for before, after in pairwise(times_s))


@given(st.lists(st.sets(st.sampled_from(names(12))), min_size=1, max_size=8))
def test_the_exchange_ends_up_with_what_was_desired_last(desires: list[set[str]]) -> None:
    subscriptions = Subscriptions()
    delivered: set[str] = set()
    for step, desired in enumerate(desires):
        subscriptions.desire(desired)
        sent = messages(subscriptions, since_s=200.0 * step) if step == len(desires) - 1 else []
        if not sent and (message := subscriptions.next_message(at(200.0 * step))):
            sent = [(0.0, json.loads(message))]
        for _, each in sent:
            apply = delivered.update if each["method"] == "SUBSCRIBE" else delivered.difference_update
            apply(each["params"])
    assert delivered == desires[-1]
