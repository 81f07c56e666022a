from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from quantnb.errors import FeedError
from quantnb.feed.symbols import SymbolInfo, decode_exchange_info, decode_funding_info

BTC: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "pair": "BTCUSDT",
    "contractType": "PERPETUAL",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "pricePrecision": 2,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "261.10", "tickSize": "0.10"},
        {"filterType": "LOT_SIZE", "stepSize": "0.001"},
        {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
    ],
}


def decode(*symbols: dict[str, Any]) -> tuple[SymbolInfo, ...]:
    return decode_exchange_info(json.dumps({"timezone": "UTC", "symbols": symbols}).encode())


def test_the_tick_is_the_filter_and_not_the_precision() -> None:
    assert decode(BTC) == (SymbolInfo("BTCUSDT", "TRADING", "PERPETUAL", "BTC", "USDT", 0.1, 0.001),)


@pytest.mark.parametrize(
    "filters",
    [
        [],
        [{"filterType": "PRICE_FILTER"}],
        [{"filterType": "PRICE_FILTER", "tickSize": "x"}],
        [{"filterType": "PRICE_FILTER", "tickSize": None}],
        [{"filterType": "PRICE_FILTER", "tickSize": "0"}],
        [{"filterType": "PRICE_FILTER", "tickSize": "inf"}],
    ],
)
def test_a_tick_that_is_not_said_is_not_known(filters: list[dict[str, Any]]) -> None:
    (info,) = decode(BTC | {"filters": filters})
    assert info.tick_size is None


@pytest.mark.parametrize(
    ("changes", "is_trading"),
    [
        ({}, True),
        ({"contractType": "TRADIFI_PERPETUAL"}, True),
        ({"status": "SETTLING"}, False),
        ({"contractType": "CURRENT_QUARTER", "symbol": "BTCUSDT_261225"}, False),
        ({"contractType": "NEW_KIND", "status": "NEW_STATE"}, False),
    ],
)
def test_only_a_perpetual_in_trading_can_be_watched(changes: dict[str, Any], is_trading: bool) -> None:
    (info,) = decode(BTC | changes)
    assert info.is_trading_perpetual is is_trading


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>", b'{"symbols":[{}]}', b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_list_of_symbols_is_a_sentence(body: bytes) -> None:
    with pytest.raises(FeedError, match="list of symbols cannot be read"):
        decode_exchange_info(body)


def test_funding_intervals_are_in_seconds_and_only_of_those_that_are_named() -> None:
    rows = [{"symbol": "XRPUSDT", "fundingIntervalHours": 4, "updateTime": None}]
    unusable = [{"symbol": "A", "fundingIntervalHours": 0}]
    assert decode_funding_info(msgspec.json.encode(rows + unusable)) == {"XRPUSDT": 4 * 3600.0}


@pytest.mark.parametrize("body", [b"", b"{}", b'[{"symbol":"A"}]', b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_list_of_intervals_is_a_sentence(body: bytes) -> None:
    with pytest.raises(FeedError, match="funding intervals cannot be read"):
        decode_funding_info(body)
