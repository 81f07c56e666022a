from __future__ import annotations

import math
import random
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quantnb.events import Malformed, MarkPrice, Quote, Reply, Trade
from quantnb.feed.decode import SAMPLE_BYTES, decode, decode_all
from quantnb.feed.unused import Ignored
from tests.feed.frames import (
    AGG_TRADE,
    BOOK_TICKER,
    KLINE,
    MARK_PRICE,
    RECEIVE_NS,
    combined,
    mutated,
    raw,
)

TRADE = Trade(
    "BTCUSDT",
    9001,
    83000.10,
    0.020,
    False,
    1791382992338 * 10**6,
    1791382992488 * 10**6,
    RECEIVE_NS,
)


@pytest.mark.parametrize("wrap", [raw, combined])
@pytest.mark.parametrize("as_text", [False, True])
def test_an_agg_trade_becomes_a_trade(wrap: Any, as_text: bool) -> None:
    frame = wrap(AGG_TRADE)
    assert decode(frame.decode() if as_text else frame, RECEIVE_NS) == (TRADE,)


def test_key_order_and_extra_keys_do_not_matter() -> None:
    backwards = dict(reversed(AGG_TRADE.items())) | {"new": {"deep": [1]}}
    assert decode(raw(backwards), RECEIVE_NS) == (TRADE,)
    frame = b'{"data":' + raw(backwards) + b',"extra":null,"stream":"btcusdt@aggTrade"}'
    assert decode(frame, RECEIVE_NS) == (TRADE,)


def test_fields_that_older_frames_lack_are_optional() -> None:
    assert decode(combined(AGG_TRADE, nq=..., st=..., f=..., l=...), RECEIVE_NS) == (TRADE,)


def test_a_symbol_may_be_chinese() -> None:
    (event,) = decode(combined(AGG_TRADE, s="币安人生USDT"), RECEIVE_NS)
    assert isinstance(event, Trade)
    assert event.symbol == "币安人生USDT"


@pytest.mark.parametrize("wrap", [raw, combined])
def test_a_book_ticker_becomes_a_quote(wrap: Any) -> None:
    assert decode(wrap(BOOK_TICKER), RECEIVE_NS) == (
        Quote(
            "ETHUSDT",
            700,
            4000.10,
            12.5,
            4000.11,
            3.1,
            1791382992457 * 10**6,
            1791382992458 * 10**6,
            RECEIVE_NS,
        ),
    )


@pytest.mark.parametrize("wrap", [raw, combined])
def test_an_array_becomes_an_event_a_row(wrap: Any) -> None:
    rows = [MARK_PRICE, MARK_PRICE | {"s": "BTCUSD_PERP", "st": 2}, MARK_PRICE | {"T": 0, "r": "0.00000000"}]
    first, second, third = decode(wrap(rows), RECEIVE_NS)
    push_ns = 1791382992000 * 10**6
    assert first == MarkPrice(
        "BTCUSDT", 83084.3, 83123.65, 7.8e-07, 1791388800000 * 10**6, push_ns, RECEIVE_NS
    )
    assert isinstance(second, Ignored)
    assert "COIN-M" in second.reason
    assert third == MarkPrice("BTCUSDT", 83084.3, 83123.65, 0.0, 0, push_ns, RECEIVE_NS)


def test_one_bad_row_of_an_array_does_not_cost_the_others() -> None:
    events = decode(combined([MARK_PRICE, {"e": "markPriceUpdate"}, MARK_PRICE]), RECEIVE_NS)
    assert [type(event) for event in events] == [MarkPrice, Malformed, MarkPrice]


@pytest.mark.parametrize(
    ("frame", "reply"),
    [
        (b'{"result":null,"id":1}', Reply(1, None, "", RECEIVE_NS)),
        (b'{"id":"a-b","result":["btcusdt@aggTrade"]}', Reply("a-b", None, "", RECEIVE_NS)),
        (b'{"error":{"code":2,"msg":"wrong"},"id":3}', Reply(3, 2, "wrong", RECEIVE_NS)),
        (b'{"error":{"code":3,"msg":"wrong"},"id":null}', Reply(None, 3, "wrong", RECEIVE_NS)),
        (b'{"error":{"code":2,"msg":"wrong"}}', Reply(None, 2, "wrong", RECEIVE_NS)),
        (b'{"code":2,"msg":"wrong"}', Reply(None, 2, "wrong", RECEIVE_NS)),
    ],
)
def test_replies_come_without_an_envelope(frame: bytes, reply: Reply) -> None:
    assert decode(frame, RECEIVE_NS) == (reply,)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (combined(KLINE), "klines"),
        (combined({"e": "depthUpdate", "E": 1}), "'depthUpdate'"),
        (b'{"event":{"e":"serverShutdown","E":1770123456789}}', "'serverShutdown'"),
        (b'{"e":"serverShutdown","E":1770123456789}', "'serverShutdown'"),
        (combined(AGG_TRADE, st=2), "COIN-M"),
        (combined([]), "empty"),
    ],
)
def test_what_is_left_out_by_rule_says_so(frame: bytes, reason: str) -> None:
    (event,) = decode(frame, RECEIVE_NS)
    assert isinstance(event, Ignored)
    assert reason in event.reason
    assert event.sample == frame


ODD_FRAMES = [
    combined(AGG_TRADE, p="abc"),
    combined(AGG_TRADE, p=83000.10),
    combined(AGG_TRADE, q="0"),
    combined(AGG_TRADE, st=2),
    combined([AGG_TRADE, BOOK_TICKER]),
    combined([]),
    combined(BOOK_TICKER),
    combined(KLINE),
    raw(MARK_PRICE),
    raw({"result": None, "id": 1}),
    b"\xff",
]


@pytest.mark.parametrize("odd", ODD_FRAMES, ids=range(len(ODD_FRAMES)))
def test_frames_that_came_together_give_what_each_gives_alone(odd: bytes) -> None:
    prices = [("83000.10", "0.1"), ("83000.20", "0.2"), ("83000.30", "0.3")]
    first, *others = [combined(AGG_TRADE, p=price, q=quantity) for price, quantity in prices]
    frames = [first, odd, *others, odd]
    alone = [event for frame in frames for event in decode(frame, RECEIVE_NS)]
    assert decode_all(frames, RECEIVE_NS) == alone
    assert sum(type(event) is Trade for event in alone) >= len(prices)


def test_no_frames_give_no_events() -> None:
    assert decode_all([], RECEIVE_NS) == []


@given(st.from_regex(r"[0-9]{1,14}(\.[0-9]{0,30})?|[0-9. _+eE]{1,8}|nan|inf", fullmatch=True))
@example("0.1")
@example("9007199254740993")  # between two floats
@example("1_0")
@example("5e-324")
def test_a_decimal_is_the_number_that_python_makes_of_it(text: str) -> None:
    try:
        expected = float(text)
    except ValueError:
        expected = math.nan
    (event,) = decode(combined(AGG_TRADE, p=text), RECEIVE_NS)
    if 0 < expected < 1e15:
        assert isinstance(event, Trade)
        assert event.price == expected
    else:
        assert type(event) is Malformed


@pytest.mark.parametrize(
    "changes",
    [
        {"p": "0"},
        {"p": "-1"},
        {"p": "NaN"},
        {"p": "Infinity"},
        {"p": "1e308"},
        {"p": ""},
        {"p": "abc"},
        {"p": 83000.10},
        {"p": None},
        {"p": ...},
        {"q": "0.000"},
        {"q": "-0.1"},
        {"q": ["1"]},
        {"a": "9001"},
        {"a": 9001.5},
        {"a": -1},
        {"a": 2**64},
        {"s": ""},
        {"s": 7},
        {"s": "X" * 65},
        {"m": 0},
        {"T": 1791382992338000},  # microseconds
        {"T": 1791382992},  # seconds
        {"E": 1791382992488000},
        {"T": 1791382994000},  # later than its own message
        {"E": 1791382992488 + 2 * 86_400_000},
        {"e": 5},
        {"e": ...},
    ],
    ids=str,
)
@pytest.mark.parametrize("wrap", [raw, combined])
def test_a_trade_that_cannot_be_is_malformed(wrap: Any, changes: dict[str, Any]) -> None:
    frame = wrap(AGG_TRADE, **changes)
    (event,) = decode(frame, RECEIVE_NS)
    assert type(event) is Malformed
    assert event.reason
    assert event.sample == frame[:SAMPLE_BYTES]


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b" ",
        b"null",
        b"7",
        b'"text"',
        b"{}",
        b"[[]]",
        b'{"stream":"x"}',
        b'{"stream":"x","data":null}',
        b'{"result":null}',
        b'{"error":"x","id":1}',
        b'{"error":{"code":"2","msg":1},"id":1}',
        combined(AGG_TRADE)[:-3],
        combined(AGG_TRADE).replace(b"BTC", b"B\xffC"),
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"stream":"x","data":' * 10_000,
        combined(BOOK_TICKER, b="nan"),
        combined(BOOK_TICKER, a="0"),
        combined(MARK_PRICE, p="inf"),
        combined(MARK_PRICE, r="nan"),
        b"x" * 2**21,
        b"[" + b"1," * 1_000_000 + b"1]",
        b'{"stream":"!markPrice@arr@1s","data":[' + b",".join([raw(MARK_PRICE)] * 20_000) + b"]}",
        combined(AGG_TRADE).replace(b'"a": 9001', b'"a": 9001, "a": "9001"'),
        combined(AGG_TRADE, x=...)[:-2] + b', "deep": ' + b"[" * 2_000 + b"]" * 2_000 + b"}}",
        combined(AGG_TRADE, a=10**400),
    ],
    ids=lambda frame: repr(frame[:40]),
)
def test_a_frame_that_cannot_be_read_is_malformed(frame: bytes) -> None:
    (event,) = decode(frame, RECEIVE_NS)
    assert type(event) is Malformed
    assert event.reason
    assert len(event.sample) <= SAMPLE_BYTES


def test_of_a_key_that_comes_twice_the_last_one_counts() -> None:
    frame = combined(AGG_TRADE).replace(b'"a": 9001', b'"a": 1, "a": 9001')
    assert decode(frame, RECEIVE_NS) == (TRADE,)


def test_a_long_array_of_bad_rows_is_one_event() -> None:
    (event,) = decode(b"[" + b"0," * 10_000 + b"0]", RECEIVE_NS)
    assert type(event) is Malformed
    assert event.reason == "an array of 10,001 rows"


def test_a_clock_behind_the_exchange_changes_nothing() -> None:
    receive_ns = RECEIVE_NS - 3_600 * 10**9
    (event,) = decode(combined(AGG_TRADE), receive_ns)
    assert isinstance(event, Trade)
    assert msgspec.structs.replace(event, receive_ns=RECEIVE_NS) == TRADE


def assert_sound(frame: bytes | str) -> None:
    """A frame gives at least one event, and numbers of events are finite and positive."""
    events = decode(frame, RECEIVE_NS)
    assert events
    for event in events:
        match event:
            case Trade():
                assert 0 < event.price < math.inf
                assert 0 < event.quantity < math.inf
                assert math.isfinite(event.price * event.quantity)
                assert 0 <= event.trade_id < 2**63
                assert 0 < event.event_ns < 2**63
            case Quote():
                assert 0 < event.bid_price < math.inf
                assert 0 < event.ask_price < math.inf
            case MarkPrice():
                assert 0 < event.mark_price < math.inf
                assert math.isfinite(event.funding_rate)
            case Malformed():
                assert event.reason
                assert isinstance(event.sample, bytes)
            case _:
                assert isinstance(event, Reply)


@given(st.binary() | st.text())
def test_arbitrary_bytes_never_raise(frame: bytes | str) -> None:
    assert_sound(frame)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(
    st.sampled_from([AGG_TRADE, BOOK_TICKER, MARK_PRICE, KLINE]),
    st.dictionaries(st.sampled_from("eEsapqnflTmbBAuirPk") | st.just("st"), JSON, max_size=4),
    st.sampled_from([raw, combined]),
)
@example(AGG_TRADE, {"p": "\ud800"}, combined)
@example(AGG_TRADE, {"E": float("nan")}, combined)
def test_any_value_in_any_field_never_raises(fields: Any, changes: dict[str, Any], wrap: Any) -> None:
    assert_sound(wrap(fields | changes))


@given(st.dictionaries(st.sampled_from(["stream", "data", "id", "result", "error", "code", "event"]), JSON))
def test_any_envelope_never_raises(envelope: dict[str, Any]) -> None:
    assert_sound(raw(envelope))


def test_mutated_frames_never_raise() -> None:
    chance = random.Random(7)
    for _ in range(5_000):
        assert_sound(mutated(chance))
