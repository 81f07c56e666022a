from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from quantnb.feed.wire import (
    Ack,
    AggTrade,
    BookTicker,
    Combined,
    ErrorBody,
    ErrorReply,
    Kline,
    MarkPriceUpdate,
    Request,
)
from tests.feed.frames import AGG_TRADE, BOOK_TICKER, KLINE, MARK_PRICE


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (AggTrade, AGG_TRADE),
        (BookTicker, BOOK_TICKER),
        (MarkPriceUpdate, MARK_PRICE),
        (Kline, KLINE),
    ],
)
def test_what_is_decoded_is_encoded_to_the_same_fields(kind: Any, fields: dict[str, Any]) -> None:
    payload = msgspec.json.decode(json.dumps(fields), type=kind)
    assert json.loads(msgspec.json.encode(payload)) == fields


def test_fields_that_are_not_set_are_left_out() -> None:
    fields = {name: value for name, value in AGG_TRADE.items() if name not in ("nq", "f", "l", "st")}
    payload = msgspec.json.decode(json.dumps(fields), type=AggTrade)
    assert json.loads(msgspec.json.encode(payload)) == fields


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            Request("SUBSCRIBE", ["btcusdt@aggTrade"], 1),
            {"method": "SUBSCRIBE", "params": ["btcusdt@aggTrade"], "id": 1},
        ),
        (Request("LIST_SUBSCRIPTIONS", id=3), {"method": "LIST_SUBSCRIPTIONS", "id": 3}),
        (Ack(None, 1), {"result": None, "id": 1}),
        (Ack(True, 5), {"result": True, "id": 5}),
        (ErrorReply(ErrorBody(2, "wrong"), 3), {"error": {"code": 2, "msg": "wrong"}, "id": 3}),
        (ErrorReply(ErrorBody(2, "wrong"), None), {"error": {"code": 2, "msg": "wrong"}, "id": None}),
        (ErrorReply(ErrorBody(2, "wrong")), {"error": {"code": 2, "msg": "wrong"}}),
    ],
)
def test_control_messages_look_as_the_protocol_says(message: Any, fields: dict[str, Any]) -> None:
    assert json.loads(msgspec.json.encode(message)) == fields


def test_the_envelope_holds_one_payload_or_an_array() -> None:
    mark = msgspec.json.decode(json.dumps(MARK_PRICE), type=MarkPriceUpdate)
    one = msgspec.json.encode(Combined("btcusdt@markPrice@1s", mark))
    assert json.loads(one) == {"stream": "btcusdt@markPrice@1s", "data": MARK_PRICE}
    many = msgspec.json.encode(Combined("!markPrice@arr@1s", [mark, mark]))
    assert json.loads(many) == {"stream": "!markPrice@arr@1s", "data": [MARK_PRICE, MARK_PRICE]}
