"""The market keeps the laws of the real one; all figures are for the seeds printed in the failing test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.stattools import coint

from quantnb.exchange.candles import candle_of, fold
from quantnb.exchange.instrument import Trades
from quantnb.exchange.listings import UNIVERSE, find_listings
from quantnb.exchange.market import Market

from .conftest import START_MS


def trades_of(market: Market, symbol: str) -> Trades:
    return market.truth(symbol)


def closes_1s(market: Market, symbol: str) -> pd.Series:
    trades = trades_of(market, symbol)
    prices = trades["price"] * float(market.listings[symbol].tick)
    index = pd.to_datetime(trades["time_ms"], unit="ms", utc=True)
    return pd.Series(prices, index=index).resample("1s").last().ffill()


def test_the_rhythm_of_advancing_changes_nothing() -> None:
    three = find_listings(["BTCUSDT", "ETHUSDT", "OMGUSDT"])
    jumped = Market(three, seed=7, rate=25.0, start_ms=START_MS, warm_minutes=1)
    walked = Market(three, seed=7, rate=25.0, start_ms=START_MS, warm_minutes=1)
    collected = [walked.published("BTCUSDT")]
    begin_ms = walked.visible_ms - 100
    for now_ms in range(START_MS + 100, START_MS + 150_001, 100):
        walked.advance(now_ms)
        collected.append(walked.published("BTCUSDT"))
    jumped.advance(START_MS + 149_980)
    assert jumped.now_ms == walked.now_ms
    np.testing.assert_array_equal(
        np.concatenate(collected), jumped.tape("BTCUSDT").between(begin_ms, jumped.visible_ms)
    )
    for symbol in walked.listings:
        np.testing.assert_array_equal(trades_of(walked, symbol), trades_of(jumped, symbol))
        assert walked.quote(symbol) == jumped.quote(symbol)
        assert walked.mark(symbol) == jumped.mark(symbol)
        bars = [each.klines(symbol, "1m", None, each.now_ms, 500) for each in (walked, jumped)]
        np.testing.assert_array_equal(*bars)


def test_a_symbol_does_not_depend_on_which_others_are_listed(market: Market) -> None:
    alone = Market(find_listings(["SOLUSDT"]), seed=7, rate=25.0, start_ms=START_MS)
    np.testing.assert_array_equal(trades_of(alone, "SOLUSDT"), trades_of(market, "SOLUSDT"))


def test_another_seed_is_another_market(market: Market) -> None:
    other = Market(find_listings(["BTCUSDT"]), seed=8, rate=25.0, start_ms=START_MS)
    assert not np.array_equal(trades_of(other, "BTCUSDT"), trades_of(market, "BTCUSDT"))


def test_time_never_runs_back(market: Market) -> None:
    now_ms = market.now_ms
    market.advance(now_ms - 5_000)
    assert market.now_ms == now_ms


@pytest.mark.parametrize(
    "listing", [each for each in UNIVERSE if each.is_trading], ids=lambda each: each.symbol
)
def test_trades_are_numbered_in_order_and_lie_on_the_grid(market: Market, listing: object) -> None:
    trades = trades_of(market, listing.symbol)  # type: ignore[attr-defined]
    assert len(trades) > 100
    assert (np.diff(trades["trade_id"]) == 1).all()
    assert (np.diff(trades["time_ms"]) >= 0).all()
    raw_gap = trades["first_raw_id"][1:] - (trades["first_raw_id"] + trades["n_raw"])[:-1]
    assert (raw_gap >= 0).all()
    assert raw_gap.max() <= 1
    assert trades["quantity"].min() >= 1
    assert (trades["quantity_without_rpi"] <= trades["quantity"]).all()


def test_two_trades_of_a_slot_never_share_price_and_side(market: Market) -> None:
    trades = pd.DataFrame(trades_of(market, "SOLUSDT"))
    trades["slot"] = trades["time_ms"] // 100
    assert not trades.duplicated(["slot", "price", "is_buyer_maker"]).any()


def test_the_rate_is_that_of_the_three_busiest_together() -> None:
    three = find_listings(["BTCUSDT", "ETHUSDT", "SOLUSDT"])
    rates = []
    for seed in range(4):
        market = Market(three, seed=seed, rate=25.0, start_ms=START_MS, warm_minutes=60)
        n_trades = sum(len(trades_of(market, symbol)) for symbol in market.listings)
        rates.append(n_trades / (market.visible_ms - market.first_ms) * 1000)
    assert np.mean(rates) == pytest.approx(25.0, rel=0.2), rates


def test_trades_come_in_bursts_as_recorded(market: Market) -> None:
    """Recorded BTCUSDT (100 s, 2024-08-08): var/mean 12.6 a second, 45 % of slots empty, 38 % same ms."""
    time_ms = trades_of(market, "BTCUSDT")["time_ms"] - market.first_ms
    per_s, per_slot = np.bincount(time_ms // 1000), np.bincount(time_ms // 100)
    assert per_s.max() / per_s.mean() >= 5
    assert 8 < per_s.var() / per_s.mean() < 60
    assert 0.3 < (per_slot == 0).mean() < 0.7
    assert 0.15 < (np.diff(time_ms) == 0).mean() < 0.6


def test_taker_sides_and_sizes_are_as_recorded(market: Market) -> None:
    """Recorded: lag-1 correlation of the side 0.26 (BTC) and 0.48 (ETH), 90th percentile 15 to 30 medians."""
    trades = trades_of(market, "BTCUSDT")
    side = trades["is_buyer_maker"].astype(float)
    assert 0.15 < np.corrcoef(side[1:], side[:-1])[0, 1] < 0.6
    median, large = np.percentile(trades["quantity"], [50, 90])
    assert 8 < large / median < 40
    assert 2 < trades["n_raw"].mean() < 3.5


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "SOLUSDT"])
def test_realised_volatility_is_between_20_and_130_percent_a_year(market: Market, symbol: str) -> None:
    returns = np.log(closes_1s(market, symbol)).diff().dropna()
    assert 0.2 < returns.std() * np.sqrt(365 * 86_400) < 1.3


@pytest.fixture(scope="module")
def ten_markets() -> list[Market]:
    listings = find_listings(["BTCUSDT", "ETHUSDT", "SOLUSDT", "BCHUSDT"])
    return [Market(listings, seed=seed, rate=100.0, start_ms=START_MS) for seed in range(10)]


def cointegration_pvalues(markets: list[Market], y: str, x: str) -> list[float]:
    """Return Engle-Granger's p-value on the last 600 closes of a second, per market."""
    pvalues = []
    for market in markets:
        closes = (
            pd.concat([closes_1s(market, symbol) for symbol in (y, x)], axis=1, sort=True).ffill().dropna()
        )
        _, pvalue, _ = coint(closes.iloc[-600:, 0], closes.iloc[-600:, 1], maxlag=1, autolag=None)
        pvalues.append(round(float(pvalue), 3))
    return pvalues


@pytest.mark.parametrize(("y", "x"), [("ETHUSDT", "BTCUSDT"), ("SOLUSDT", "ETHUSDT")])
def test_legs_of_a_group_are_cointegrated(ten_markets: list[Market], y: str, x: str) -> None:
    pvalues = cointegration_pvalues(ten_markets, y, x)
    assert np.median(pvalues) < 0.05, f"seeds 0 to 9: {pvalues}"


def test_legs_of_different_groups_are_not_cointegrated(ten_markets: list[Market]) -> None:
    pvalues = cointegration_pvalues(ten_markets, "BCHUSDT", "BTCUSDT")
    assert np.median(pvalues) > 0.05, f"seeds 0 to 9: {pvalues}"


def test_a_quote_brackets_the_fair_price_and_its_ids_increase() -> None:
    market = Market(find_listings(["BTCUSDT"]), seed=7, rate=25.0, start_ms=START_MS, warm_minutes=1)
    quotes = []
    for now_ms in range(START_MS, START_MS + 90_000, 100):
        market.advance(now_ms)
        quotes.append(market.quote("BTCUSDT"))
    assert all(0 < quote.bid < quote.ask for quote in quotes)
    assert (np.diff([quote.update_id for quote in quotes]) > 0).all()
    assert sum(quote.is_changed for quote in quotes) > 5 * 90


def test_what_is_being_settled_has_a_mark_and_nothing_else(market: Market) -> None:
    mark = market.mark("OMGUSDT")
    assert mark.next_funding_ms == 0
    assert mark.mark > 0
    assert len(trades_of(market, "OMGUSDT")) == 0
    bars = market.klines("OMGUSDT", "1m", None, market.now_ms, 1_500)
    assert set(bars["volume"]) == {0}


def test_funding_is_due_at_the_next_eighth_hour(market: Market) -> None:
    mark = market.mark("BTCUSDT")
    assert 0 < mark.next_funding_ms - market.now_ms <= 8 * 3_600_000
    assert mark.next_funding_ms % (8 * 3_600_000) == 0
    assert mark.mark == pytest.approx(mark.index, rel=0.005)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "币安人生USDT"])
def test_klines_reach_back_and_have_no_holes(market: Market, symbol: str) -> None:
    bars = market.klines(symbol, "1m", None, market.now_ms, 1_500)
    assert len(bars) == 1_500
    assert (np.diff(bars["open_ms"]) == 60_000).all()
    assert bars["open_ms"][-1] == market.visible_ms // 60_000 * 60_000
    assert (bars["low"] <= np.minimum(bars["open"], bars["close"])).all()
    assert (bars["high"] >= np.maximum(bars["open"], bars["close"])).all()
    assert (bars["taker_volume"] <= bars["volume"]).all()
    jumps = np.abs(np.log(bars["open"][1:] / bars["close"][:-1]))
    assert jumps.max() < 0.002, "history and generated minutes are joined"
    assert (np.diff(bars["first_raw_id"]) > 0).all()


def test_klines_agree_with_the_trades_they_are_made_of(market: Market) -> None:
    trades = trades_of(market, "ETHUSDT")
    bars = market.klines("ETHUSDT", "1m", market.first_ms, market.now_ms, 1_500)
    assert bars["n_trades"].sum() == trades["n_raw"].sum()
    for bar in bars:
        inside = trades[trades["time_ms"] // 60_000 * 60_000 == bar["open_ms"]]
        assert candle_of(inside, int(bar["open_ms"]), 0)[0] == bar


@pytest.mark.parametrize("interval", ["5m", "1h", "1d"])
def test_longer_bars_are_folds_of_the_minutes(market: Market, interval: str) -> None:
    minutes = market.minutes_since("BTCUSDT", 0)
    whole = fold(minutes, interval)
    np.testing.assert_array_equal(market.klines("BTCUSDT", interval, None, market.now_ms, 5), whole[-5:])
    start_ms = int(whole["open_ms"][2])
    np.testing.assert_array_equal(market.klines("BTCUSDT", interval, start_ms, market.now_ms, 3), whole[2:5])


def test_memory_is_bounded() -> None:
    market = Market(find_listings(["BTCUSDT"]), seed=7, rate=200.0, start_ms=START_MS, trades_kept=20_000)
    assert len(market.tape("BTCUSDT").between(0, market.visible_ms)) <= 20_000
    bars = market.klines("BTCUSDT", "1m", market.first_ms, market.now_ms, 1_500)
    assert (bars["n_trades"] > 0).all(), "bars outlive the trades they were made of"


@pytest.mark.parametrize("symbol", ["BTCUSDT", "OMGUSDT", "UNIUSDT"])
def test_a_burst_is_a_part_of_the_truth(symbol: str) -> None:
    """At every kind of moment: in mid-minute, in the slot that a minute ends in and the next ones."""
    market = Market(find_listings([symbol]), seed=7, rate=5.0, start_ms=START_MS, warm_minutes=1)
    n_burst = 0
    for offset_ms in (0, 100, 7_400, 7_500, 7_600, 7_700, 30_000, 67_500, 67_600):
        market.advance(START_MS + offset_ms)
        for n in (1_100, 3):
            market.burst(symbol, n)
            n_burst += n
        market.advance(market.now_ms + 100)
        assert len(market.published(symbol)) >= 1_103
    market.advance(START_MS + 200_000)
    trades = trades_of(market, symbol)
    assert len(trades) >= n_burst
    assert set(np.diff(trades["trade_id"])) == {1}
    assert (np.diff(trades["time_ms"]) >= 0).all()
    raw_gap = trades["first_raw_id"][1:] - (trades["first_raw_id"] + trades["n_raw"])[:-1]
    assert set(raw_gap) <= {0, 1}
    bars = market.klines(symbol, "1m", market.first_ms, market.now_ms, 1_500)
    assert bars["n_trades"].sum() == trades["n_raw"].sum()
    assert bars["volume"].sum() == trades["quantity"].sum()
    for bar in bars[:-1]:
        own = trades[(trades["time_ms"] >= bar["open_ms"]) & (trades["time_ms"] < bar["open_ms"] + 60_000)]
        np.testing.assert_array_equal(candle_of(own, bar["open_ms"], bar["close"])[0], bar)
