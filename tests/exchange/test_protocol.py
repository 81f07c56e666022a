from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.exchange.protocol import Close, Conversation, Limits, Ping, StreamPath

NOW_MS = 1_791_382_992_488
ROUTES = {"btcusdt@aggTrade": "market", "btcusdt@bookTicker": "public", "币安人生usdt@aggTrade": "market"}


def conversation(target: str = "/market/ws", limits: Limits | None = None) -> Conversation:
    path = StreamPath.parse(target)
    assert path
    return Conversation(path, limits or Limits(), ROUTES.get, NOW_MS)


def ask(talk: Conversation, request: object, now_ms: int = NOW_MS) -> Any:
    """Return the only answer to a request."""
    text = request if isinstance(request, str) else json.dumps(request)
    (answer,), close = talk.receive(text, now_ms)
    assert close is None
    return json.loads(answer)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/market/ws", StreamPath("market", False)),
        ("/market/ws/", StreamPath("market", False)),
        ("/market/ws/a@x/b@y", StreamPath("market", False, ("a@x", "b@y"))),
        ("/public/stream?streams=a@x/b@y", StreamPath("public", True, ("a@x", "b@y"))),
        ("/private/stream", StreamPath("private", True)),
        ("/ws/a@x", StreamPath("public", False, ("a@x",))),
        ("/stream?streams=a@x", StreamPath("public", True, ("a@x",))),
        ("/market/ws/%E5%B8%81usdt@aggTrade", StreamPath("market", False, ("币usdt@aggTrade",))),
        (
            "/market/stream?streams=%E5%B8%81usdt%40aggTrade%2Fb",
            StreamPath("market", True, ("币usdt@aggTrade", "b")),
        ),
        ("/", None),
        ("/market", None),
        ("/spot/ws", None),
        ("/market/stream/a@x", None),
        ("/wsx", None),
    ],
)
def test_paths(target: str, expected: StreamPath | None) -> None:
    assert StreamPath.parse(target) == expected


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 1}, {"result": None, "id": 1}),
        ({"method": "SUBSCRIBE", "params": ["no such stream"], "id": 0}, {"result": None, "id": 0}),
        ({"method": "UNSUBSCRIBE", "params": ["never@asked"], "id": 2}, {"result": None, "id": 2}),
        ({"method": "LIST_SUBSCRIPTIONS", "id": 3}, {"result": [], "id": 3}),
        ({"method": "LIST_SUBSCRIPTIONS", "params": None, "id": "a-uuid"}, {"result": [], "id": "a-uuid"}),
        ({"method": "GET_PROPERTY", "params": ["combined"], "id": 4}, {"result": False, "id": 4}),
        ({"method": "SET_PROPERTY", "params": ["combined", True], "id": 5}, {"result": None, "id": 5}),
    ],
)
def test_what_is_valid_is_acknowledged(request_: object, answer: object) -> None:
    assert ask(conversation(), request_) == answer


@pytest.mark.parametrize(
    ("request_", "code", "words", "answer_id"),
    [
        ({"method": "SET_PROPERTY", "params": ["colour", True], "id": 1}, 0, "Unknown property", {"id": 1}),
        ({"method": "GET_PROPERTY", "params": ["colour"], "id": 1}, 0, "Unknown property", {"id": 1}),
        (
            {"method": "SET_PROPERTY", "params": ["combined", "yes"], "id": 1},
            1,
            "Invalid value type: expected Boolean",
            {"id": 1},
        ),
        ({"method": "SET_PROPERTY", "params": ["combined"], "id": 1}, 1, "Boolean", {"id": 1}),
        ({"method": "SET_PROPERTY", "params": [1, True], "id": 1}, 2, "name must be a string", {"id": 1}),
        ({"method": "GET_PROPERTY", "params": ["combined", 1], "id": 1}, 2, "too many parameters", {"id": 1}),
        ({"method": "LIST_SUBSCRIPTIONS", "params": ["x"], "id": 1}, 2, "too many parameters", {"id": 1}),
        ({"method": "SUBSCRIBE", "params": [7], "id": 1}, 2, "stream names", {"id": 1}),
        ({"method": "SUBSCRIBE", "params": "btcusdt@aggTrade", "id": 1}, 2, "must be an array", {"id": 1}),
        ({"method": "SUBSCRIBE", "id": 1}, 2, "stream names", {"id": 1}),
        (
            {"method": "subscribe", "id": 1},
            2,
            "unknown variant subscribe, expected one of SUBSCRIBE,",
            {"id": 1},
        ),
        ({"params": [], "id": 1}, 2, "missing field `method` at line 1 column ", {"id": 1}),
        ({"method": "LIST_SUBSCRIPTIONS"}, 2, "request ID must be an unsigned integer", {}),
        ({"method": "LIST_SUBSCRIPTIONS", "id": -1}, 2, "unsigned integer", {}),
        ({"method": "LIST_SUBSCRIPTIONS", "id": True}, 2, "unsigned integer", {}),
        ({"method": "LIST_SUBSCRIPTIONS", "id": 1.5}, 2, "unsigned integer", {}),
        ({"method": "LIST_SUBSCRIPTIONS", "id": None}, 2, "unsigned integer", {}),
        ("[1]", 2, "Invalid request", {}),
        ("hello", 3, "Invalid JSON: expected value at line 1 column 1", {"id": None}),
        ('{"id":1', 3, "Invalid JSON", {"id": None}),
        ("", 3, "Invalid JSON", {"id": None}),
    ],
)
def test_errors(request_: object, code: int, words: str, answer_id: dict[str, object]) -> None:
    answer = ask(conversation(), request_)
    assert answer["error"]["code"] == code
    assert words in answer["error"]["msg"]
    assert {key: answer[key] for key in answer if key != "error"} == answer_id


JSON = st.recursive(st.none() | st.text() | st.integers() | st.floats(), st.lists, max_leaves=5)


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_nothing_that_a_client_sends_is_left_without_an_answer(text: str | bytes) -> None:
    answers, close = conversation().receive(text, NOW_MS)
    assert len(answers) == 1
    assert close is None
    json.loads(answers[0])


def test_only_exact_names_of_the_right_route_are_delivered() -> None:
    names = ["btcusdt@aggTrade", "btcusdt@bookTicker", "BTCUSDT@aggTrade", "币安人生usdt@aggTrade", "x"]
    talk = conversation("/market/ws")
    ask(talk, {"method": "SUBSCRIBE", "params": names, "id": 1})
    assert talk.delivered == {"btcusdt@aggTrade", "币安人生usdt@aggTrade"}
    assert ask(talk, {"method": "LIST_SUBSCRIPTIONS", "id": 2})["result"] == names
    ask(talk, {"method": "UNSUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 3})
    assert talk.delivered == {"币安人生usdt@aggTrade"}


@pytest.mark.parametrize(
    ("target", "delivered"),
    [
        ("/market/stream?streams=btcusdt@aggTrade/btcusdt@bookTicker", {"btcusdt@aggTrade"}),
        ("/public/stream?streams=btcusdt@aggTrade/btcusdt@bookTicker", {"btcusdt@bookTicker"}),
        ("/stream?streams=btcusdt@aggTrade/btcusdt@bookTicker", {"btcusdt@bookTicker"}),
        ("/private/ws/btcusdt@aggTrade/btcusdt@bookTicker", set()),
    ],
)
def test_each_route_delivers_its_own(target: str, delivered: set[str]) -> None:
    talk = conversation(target)
    assert talk.open() == ([], None), "the names of a URL are not acknowledged"
    assert talk.delivered == delivered


def test_the_envelope_follows_the_path_until_it_is_set() -> None:
    talk = conversation("/market/stream")
    assert ask(talk, {"method": "GET_PROPERTY", "params": ["combined"], "id": 1})["result"] is True
    ask(talk, {"method": "SET_PROPERTY", "params": ["combined", False], "id": 2})
    assert not talk.is_combined


def test_one_stream_too_many_costs_the_connection() -> None:
    talk = conversation(limits=Limits(streams_per_connection=3))
    ask(talk, {"method": "SUBSCRIBE", "params": ["a", "b", "c"], "id": 1})
    ask(talk, {"method": "SUBSCRIBE", "params": ["a"], "id": 2})
    (answer,), close = talk.receive('{"method":"SUBSCRIBE","params":["d"],"id":3}', NOW_MS)
    assert json.loads(answer)["error"]["code"] == 4
    assert json.loads(answer)["id"] == 3
    assert close == Close(1008, "Invalid request")


def test_too_many_streams_in_the_url_cost_it_too() -> None:
    talk = conversation("/market/ws/a/b/c", Limits(streams_per_connection=2))
    assert talk.open()[1] == Close(1008, "Invalid request")


def test_forty_requests_at_once_get_fifteen_answers_and_a_close() -> None:
    """Measured on Binance, 2026-10-07."""
    talk = conversation()
    replies = [talk.receive('{"method":"LIST_SUBSCRIPTIONS","id":1}', NOW_MS) for _ in range(16)]
    assert all(close is None and len(answers) == 1 for answers, close in replies[:15])
    assert replies[15] == ([], Close(1008, "Too many requests"))


def test_ten_requests_a_second_are_fine_for_ever() -> None:
    talk = conversation()
    for k in range(1_000):
        ask(talk, {"method": "LIST_SUBSCRIPTIONS", "id": k}, NOW_MS + 100 * k)


def walk(talk: Conversation, seconds: range) -> list[tuple[int, Ping | Close]]:
    found = [(second, talk.due(NOW_MS + 1000 * second)) for second in seconds]
    return [(second, due) for second, due in found if due]


def test_pings_carry_the_time_and_an_unanswered_one_ends_the_connection() -> None:
    talk = conversation()
    events = walk(talk, range(1, 781))
    assert [second for second, _ in events] == [180, 360, 540, 720, 780]
    assert events[0][1] == Ping(str(NOW_MS + 180_000).encode())
    assert events[-1][1] == Close(1008, "Pong timeout")


def test_an_answered_ping_keeps_the_connection_to_its_highest_age() -> None:
    talk = conversation(limits=Limits(max_age_s=5_000))
    for second in range(1, 5_000):
        if due := talk.due(NOW_MS + 1000 * second):
            assert isinstance(due, Ping)
            talk.receive_pong()
    assert isinstance(talk.due(NOW_MS + 5_000_000), Close)
