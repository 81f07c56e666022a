from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.errors import FeedError
from quantnb.events import Kline, Trade
from quantnb.feed.pages import Page, decode_agg_trades, decode_klines
from tests.feed.frames import RECEIVE_NS

MINUTE_MS = 60_000
OPEN_MS = 1_791_382_980_000
BEYOND_MS = OPEN_MS + 10**9

TRADE = {
    "a": 9001,
    "p": "83000.10",
    "q": "0.020",
    "nq": "0.015",
    "f": 50001,
    "l": 50003,
    "T": 1791382992338,
    "m": True,
}


def kline(number: int = 0, **changes: Any) -> list[Any]:
    open_ms = OPEN_MS + number * MINUTE_MS
    row = {
        "open_ms": open_ms,
        "open": "10.0",
        "high": "12.0",
        "low": "9.0",
        "close": "11.0",
        "volume": "3.5",
        "close_ms": open_ms + MINUTE_MS - 1,
        "quote_volume": "36.5",
        "n": 7,
        "taker_volume": "1",
        "taker_quote_volume": "10",
        "ignore": "0",
    }
    return list((row | changes).values())


def trades(*rows: dict[str, Any]) -> Page[Trade]:
    return decode_agg_trades(json.dumps(rows).encode(), "BTCUSDT", RECEIVE_NS)


def klines(*rows: Any, closed_by_ms: int = BEYOND_MS) -> Page[Kline]:
    return decode_klines(json.dumps(rows).encode(), MINUTE_MS, closed_by_ms)


def test_trades_are_read_as_the_streams_are() -> None:
    event_ns = TRADE["T"] * 1_000_000  # type: ignore[operator]
    expected = Trade("BTCUSDT", 9001, 83000.1, 0.02, True, event_ns, event_ns, RECEIVE_NS)
    page = trades(TRADE)
    assert (page, page.refused) == ((expected,), "")


def test_trades_come_in_the_order_of_their_ids() -> None:
    page = trades(*(TRADE | {"a": trade_id} for trade_id in (5, 4, 9)))
    assert [trade.trade_id for trade in page] == [4, 5, 9]


def test_no_trades_are_an_empty_page() -> None:
    assert trades() == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"p": "NaN"}, "not a finite, positive number"),
        ({"p": "-1"}, "not a finite, positive number"),
        ({"q": "inf"}, "not a finite, positive number"),
        ({"q": ""}, "could not convert"),
        ({"p": 83000.1}, "Expected `str`"),
        ({"T": 1791382992}, "Expected `int` >="),
        ({"T": 1791382992338000}, "Expected `int` <="),
        ({"T": 1791382992338 + 2 * 86_400_000}, "a day ahead"),
        ({"a": -1}, "Expected `int` >= 0"),
        ({"m": 1}, "Expected `bool`"),
    ],
    ids=str,
)
def test_a_trade_that_cannot_be_used_is_left_out_and_said(changes: dict[str, Any], words: str) -> None:
    page = trades(TRADE, TRADE | {"a": 9002} | changes, TRADE | {"a": 9003})
    assert [trade.trade_id for trade in page] == [9001, 9003]
    assert "A row of the exchange's trades of BTCUSDT cannot be used" in page.refused
    assert words in page.refused


@pytest.mark.parametrize("body", [b"", b"{}", b'{"code":0}', b"\xff", b"[" * 50_000, b"null", b"[1"])
def test_an_answer_that_is_no_list_is_a_sentence(body: bytes) -> None:
    with pytest.raises(FeedError, match="answer with trades of BTCUSDT"):
        decode_agg_trades(body, "BTCUSDT", RECEIVE_NS)
    with pytest.raises(FeedError, match="answer with bars"):
        decode_klines(body, MINUTE_MS, BEYOND_MS)


def test_bars_are_read_and_put_in_order() -> None:
    page = klines(kline(1), kline(0))
    first = Kline(OPEN_MS * 1_000_000, 10.0, 12.0, 9.0, 11.0, 3.5, 36.5, 7)
    assert page[0] == first
    assert [bar.open_ns for bar in page] == [first.open_ns, first.open_ns + MINUTE_MS * 1_000_000]
    assert page.refused == ""


def test_a_bar_that_is_still_forming_is_left_out_without_a_word() -> None:
    page = klines(kline(0), kline(1), closed_by_ms=OPEN_MS + 2 * MINUTE_MS - 2)
    assert (len(page), page.refused) == (1, "")
    assert len(klines(kline(0), kline(1), closed_by_ms=OPEN_MS + 2 * MINUTE_MS - 1)) == 2


def test_a_bar_without_a_trade_is_a_bar() -> None:
    flat = {
        "open": "10",
        "high": "10",
        "low": "10",
        "close": "10",
        "volume": "0",
        "quote_volume": "0",
        "n": 0,
    }
    assert klines(kline(**flat))[0].n_fills == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"close": "nan"},
        {"open": "nan"},
        {"high": "inf"},
        {"low": "0"},
        {"close": "13"},
        {"open": "8"},
        {"volume": "-1"},
        {"quote_volume": "nan"},
        {"n": -1},
        {"open_ms": OPEN_MS + 1},
        {"close_ms": OPEN_MS + 5 * MINUTE_MS - 1},
        {"volume": 3.5},
    ],
    ids=str,
)
def test_a_bar_that_cannot_be_used_is_left_out_and_said(changes: dict[str, Any]) -> None:
    page = klines(kline(-1), kline(0, **changes))
    assert len(page) == 1
    assert page.refused.startswith("A row of the exchange's bars cannot be used:")


def test_a_row_that_is_too_short_is_left_out_and_said() -> None:
    page = klines(kline(0), [OPEN_MS, "1"], {"a": 1}, None)
    assert len(page) == 1
    assert "cannot be used" in page.refused


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=13) | st.dictionaries(st.sampled_from("apqTm"), inner),
    max_leaves=30,
)


@given(st.lists(JSON | st.builds(lambda value: TRADE | {"p": value}, JSON), max_size=5))
def test_whatever_the_rows_are_what_comes_out_is_sound(rows: list[Any]) -> None:
    body = json.dumps(rows).encode()
    for trade in decode_agg_trades(body, "BTCUSDT", RECEIVE_NS):
        assert 0.0 < trade.price * trade.quantity < math.inf
    for bar in decode_klines(body, MINUTE_MS, BEYOND_MS):
        assert 0.0 < bar.low <= bar.high < math.inf
