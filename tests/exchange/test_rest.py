from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.exchange.endpoints import ENDPOINTS
from quantnb.exchange.listings import DEFAULT_UNIVERSE
from quantnb.exchange.market import Market
from quantnb.exchange.protocol import Limits
from quantnb.exchange.rest import Answer, Rest

from .conftest import START_MS

AGG_TRADES = "/fapi/v1/aggTrades?symbol=BTCUSDT"
KLINES = "/fapi/v1/klines?symbol=BTCUSDT&interval=1m"


@pytest.fixture
def rest(market: Market) -> Rest:
    return Rest(market, Limits())


def get(rest: Rest, target: str, now_ms: int = START_MS) -> Any:
    answer = rest.answer(target, now_ms)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def used_weight(answer: Answer) -> int:
    return int(answer.headers["X-MBX-USED-WEIGHT-1M"])


def test_ping_and_time(rest: Rest) -> None:
    assert get(rest, "/fapi/v1/ping") == {}
    assert get(rest, "/fapi/v1/time") == {"serverTime": START_MS}


def test_exchange_info_tells_the_grids_and_what_trades(rest: Rest) -> None:
    info = get(rest, "/fapi/v1/exchangeInfo")
    symbols = {row["symbol"]: row for row in info["symbols"]}
    assert tuple(symbols) == DEFAULT_UNIVERSE
    filters = {each["filterType"]: each for each in symbols["BTCUSDT"]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.10"
    assert filters["LOT_SIZE"]["stepSize"] == "0.001"
    assert symbols["OMGUSDT"]["status"] == "SETTLING"
    assert symbols["OMGUSDT"]["deliveryDate"] < START_MS < symbols["BTCUSDT"]["deliveryDate"]
    assert symbols["XAUUSDT"]["contractType"] == "TRADIFI_PERPETUAL"


def test_klines_are_the_market_s(rest: Rest, market: Market) -> None:
    bars = get(rest, f"{KLINES}&limit=1500")
    rows = market.klines("BTCUSDT", "1m", None, market.now_ms, 1_500)
    assert [bar[0] for bar in bars] == rows["open_ms"].tolist()
    assert [bar[8] for bar in bars] == rows["n_trades"].tolist()
    assert all(len(bar) == 12 and bar[6] == bar[0] + 59_999 for bar in bars)
    open_, high, low, close = (float(text) for text in bars[-1][1:5])
    assert low <= min(open_, close) <= max(open_, close) <= high


def test_klines_are_paged_by_start_time_without_seams(rest: Rest) -> None:
    whole = get(rest, f"{KLINES}&limit=300")
    paged, start_ms = [], whole[0][0]
    while True:
        page = get(rest, f"{KLINES}&limit=77&startTime={start_ms}")
        paged += page
        if len(page) < 77:
            break
        start_ms = page[-1][0] + 60_000
    assert paged == whole


def test_agg_trades_are_paged_by_id_to_the_newest(rest: Rest, market: Market) -> None:
    truth = market.tape("BTCUSDT").between(0, market.visible_ms)["trade_id"].tolist()[-3_000:]
    rows, next_id = [], truth[0]
    while True:
        page = get(rest, f"{AGG_TRADES}&fromId={next_id}&limit=1000")
        rows += page
        if len(page) < 1000:
            break
        next_id = page[-1]["a"] + 1
    assert [row["a"] for row in rows] == truth
    assert set(rows[0]) == {"a", "p", "q", "nq", "f", "l", "T", "m"}


def test_agg_trades_by_time_include_both_ends(rest: Rest) -> None:
    newest = get(rest, f"{AGG_TRADES}&limit=100")
    start_ms, end_ms = newest[0]["T"], newest[-1]["T"]
    found = get(rest, f"{AGG_TRADES}&startTime={start_ms}&endTime={end_ms}&limit=1000")
    assert found[-100:] == newest
    assert all(start_ms <= row["T"] <= end_ms for row in found)


def test_klines_of_a_minute_sum_its_agg_trades(rest: Rest) -> None:
    bar = get(rest, f"{KLINES}&limit=3")[0]
    rows: list[Any] = []
    page = get(rest, f"{AGG_TRADES}&startTime={bar[0]}&endTime={bar[6]}&limit=1000")
    while page:
        rows += page
        page = get(rest, f"{AGG_TRADES}&fromId={rows[-1]['a'] + 1}&endTime={bar[6]}&limit=1000")
    steps = [round(float(row["q"]) * 1000) for row in rows]
    assert sum(steps) == round(float(bar[5]) * 1000)
    assert (rows[0]["p"], rows[-1]["p"]) == (bar[1], bar[4])


def test_trades_are_had_backwards_by_id_over_a_quarter_of_an_hour_and_fold_into_the_bars(
    rest: Rest, market: Market
) -> None:
    newest = get(rest, f"{AGG_TRADES}&limit=1000")
    first_id = market.tape("BTCUSDT").first_id
    assert get(rest, f"{AGG_TRADES}&fromId={newest[-1]['a']}") == newest[-1:], "up to the newest"
    assert get(rest, f"{AGG_TRADES}&fromId={newest[-1]['a'] + 1}") == []
    rows = newest
    while rows[0]["a"] > first_id:
        from_id = max(rows[0]["a"] - 1000, first_id)
        rest = Rest(market, Limits())  # another minute's weight
        rows = get(rest, f"{AGG_TRADES}&fromId={from_id}&limit={rows[0]['a'] - from_id}") + rows
    assert [row["a"] for row in rows] == list(range(first_id, newest[-1]["a"] + 1))
    assert newest[-1]["T"] - rows[0]["T"] > 14 * 60_000
    for interval, length_ms in (("1m", 60_000), ("5m", 300_000), ("15m", 900_000)):
        bars = get(rest, f"/fapi/v1/klines?symbol=BTCUSDT&interval={interval}&limit=20")
        whole = [bar for bar in bars if bar[0] >= market.first_ms]
        assert whole or interval == "15m"
        for bar in whole:
            own = [row for row in rows if bar[0] <= row["T"] < bar[0] + length_ms]
            prices = [float(row["p"]) for row in own]
            expected = [prices[0], max(prices), min(prices), prices[-1]]
            assert [float(text) for text in bar[1:5]] == expected
            assert sum(round(float(row["q"]) * 1000) for row in own) == round(float(bar[5]) * 1000)
            assert sum(row["l"] - row["f"] + 1 for row in own) == bar[8]


def test_raw_trades_are_the_fills_of_the_aggregated_ones(rest: Rest) -> None:
    last = get(rest, f"{AGG_TRADES}&limit=1")[0]
    fills = [
        row for row in get(rest, "/fapi/v1/trades?symbol=BTCUSDT") if last["f"] <= row["id"] <= last["l"]
    ]
    assert len(fills) == last["l"] - last["f"] + 1
    assert sum(round(float(row["qty"]) * 1000) for row in fills) == round(float(last["q"]) * 1000)


def test_the_order_book_begins_with_the_quote_and_is_sorted(rest: Rest) -> None:
    quote_ = get(rest, "/fapi/v1/ticker/bookTicker?symbol=BTCUSDT")
    book = get(rest, "/fapi/v1/depth?symbol=BTCUSDT&limit=20")
    assert book["bids"][0] == [quote_["bidPrice"], quote_["bidQty"]]
    assert book["asks"][0] == [quote_["askPrice"], quote_["askQty"]]
    bids, asks = ([float(price) for price, _ in book[side]] for side in ("bids", "asks"))
    assert len(bids) == len(asks) == 20
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)


@pytest.mark.parametrize("path", ["premiumIndex", "ticker/24hr", "ticker/bookTicker"])
def test_without_a_symbol_all_are_answered(rest: Rest, path: str) -> None:
    rows = get(rest, f"/fapi/v1/{path}")
    symbols = {row["symbol"] for row in rows}
    assert "BTCUSDT" in symbols
    assert ("OMGUSDT" in symbols) == (path != "ticker/24hr")
    assert get(rest, f"/fapi/v1/{path}?symbol=BTCUSDT")["symbol"] == "BTCUSDT"


def test_fundings_are_every_eight_hours(rest: Rest) -> None:
    rows = get(rest, "/fapi/v1/fundingRate?symbol=BTCUSDT&limit=3")
    times = [row["fundingTime"] for row in rows]
    assert times[1] - times[0] == times[2] - times[1] == 8 * 3_600_000
    assert times[-1] <= START_MS


def test_symbols_are_percent_encoded_and_may_be_lower_case(rest: Rest) -> None:
    symbol = "币安人生USDT"
    assert get(rest, f"/fapi/v1/premiumIndex?symbol={quote(symbol)}")["symbol"] == symbol
    assert get(rest, "/fapi/v1/openInterest?symbol=btcusdt")["symbol"] == "BTCUSDT"


@pytest.mark.parametrize(
    ("target", "code", "message"),
    [
        ("/fapi/v1/klines?symbol=NOPE&interval=1m", -1121, "Invalid symbol."),
        ("/fapi/v1/klines?symbol=BTCUSDT&interval=1s", -1120, "Invalid interval."),
        (f"{KLINES}&limit=1501", -1130, "Data sent for parameter 'limit' is not valid."),
        (f"{KLINES}&limit=0", -1130, "Data sent for parameter 'limit' is not valid."),
        (f"{KLINES}&limit=ten", -1100, "Illegal characters found in parameter 'limit'"),
        (f"{KLINES}&startTime=-1", -1100, "Illegal characters found in parameter 'startTime'"),
        ("/fapi/v1/klines?interval=1m", -1102, "Mandatory parameter 'symbol' was not sent"),
        ("/fapi/v1/klines?symbol=&interval=1m", -1102, "Mandatory parameter 'symbol' was not sent"),
        ("/fapi/v1/klines?symbol=BTCUSDT", -1102, "Mandatory parameter 'interval' was not sent"),
        (f"{AGG_TRADES}&limit=1001", -1130, "Data sent for parameter 'limit' is not valid."),
        (f"{AGG_TRADES}&startTime=1", -4166, "Search window is restricted to recent 2 days only."),
        (f"{AGG_TRADES}&fromId=1", -4166, "Search window is restricted to recent 2 days only."),
        ("/fapi/v1/depth?symbol=BTCUSDT&limit=7", -4021, "7 is not valid depth limit"),
    ],
)
def test_the_error_table(rest: Rest, target: str, code: int, message: str) -> None:
    answer = rest.answer(target, START_MS)
    assert answer.status == 400
    body = json.loads(answer.body)
    assert body["code"] == code
    assert body["msg"].startswith(message)
    assert used_weight(answer) > 0, "what is refused costs weight, too"


@pytest.mark.parametrize("target", ["/fapi/v1/order", "/fapi/v3/klines", "/fapi/"])
def test_other_paths_are_not_found(rest: Rest, target: str) -> None:
    assert rest.answer(target, START_MS).status == 404


@pytest.mark.parametrize(
    ("target", "weight"),
    [
        ("/fapi/v1/ping", 1),
        (KLINES, 5),
        (f"{KLINES}&limit=100", 1),
        (f"{KLINES}&limit=500", 2),
        (f"{KLINES}&limit=1000", 5),
        (f"{KLINES}&limit=1500", 10),
        (AGG_TRADES, 20),
        ("/fapi/v1/premiumIndex", 10),
        ("/fapi/v1/ticker/24hr", 40),
    ],
)
def test_weights(rest: Rest, target: str, weight: int) -> None:
    assert used_weight(rest.answer(target, START_MS)) == weight


def test_weight_is_counted_by_the_minute_of_the_clock_and_its_end_is_told(market: Market) -> None:
    rest = Rest(market, Limits(weight_per_minute=45))
    late_ms = START_MS // 60_000 * 60_000 + 48_500
    assert [rest.answer(AGG_TRADES, late_ms).status for _ in range(3)] == [200, 200, 429]
    refused = rest.answer(AGG_TRADES, late_ms)
    assert json.loads(refused.body)["code"] == -1003
    assert refused.headers["Retry-After"] == "12"
    fresh = rest.answer(AGG_TRADES, late_ms + 11_500)
    assert (fresh.status, used_weight(fresh)) == (200, 20)


@given(path=st.sampled_from(sorted(ENDPOINTS)), query=st.text(max_size=40))
def test_no_query_breaks_it(market: Market, path: str, query: str) -> None:
    answer = Rest(market, Limits()).answer(f"{path}?symbol=BTCUSDT&interval=1m&{query}", START_MS)
    assert answer.status in (200, 400)
    json.loads(answer.body)
