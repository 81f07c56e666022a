"""Bars: bins, order, empty bars, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import aggregate_bars, resample_ohlc

COLUMNS = ["open", "high", "low", "close", "volume", "quote_volume", "n_trades", "vwap", "filled"]


def trades(*rows: tuple[str, float, float]) -> pd.DataFrame:
    """Trades as (time within 2026-01-01 12:00, price, quantity)."""
    times = pd.DatetimeIndex([f"2026-01-01 12:{time}" for time, _, _ in rows], tz="UTC")
    return pd.DataFrame(
        {"price": [price for _, price, _ in rows], "quantity": [q for _, _, q in rows]}, index=times
    )


def test_a_bar_tells_what_was_traded() -> None:
    bars = resample_ohlc(trades(("00:00.1", 10, 1), ("00:00.2", 12, 2), ("00:00.9", 11, 1)), "1s")
    assert list(bars.columns) == COLUMNS
    assert bars.index.name == "time"
    assert bars.index[0] == pd.Timestamp("2026-01-01 12:00:00", tz="UTC")
    assert bars.iloc[0].to_list() == [10, 12, 10, 11, 4, 45, 3, 11.25, False]


def test_a_trade_exactly_on_the_edge_opens_the_next_bar() -> None:
    bars = resample_ohlc(trades(("00:00.999999999", 10, 1), ("00:01.000", 20, 1)), "1s")
    assert bars["close"].to_list() == [10, 20]


def test_bars_are_aligned_to_the_epoch_whatever_the_first_trade() -> None:
    bars = resample_ohlc(trades(("07:31", 10, 1)), "5m")
    assert bars.index[0] == pd.Timestamp("2026-01-01 12:05", tz="UTC")


def test_order_within_a_bar_is_the_rows_not_the_times() -> None:
    bars = resample_ohlc(trades(("00:00.5", 10, 1), ("00:00.5", 11, 1), ("00:00.4", 12, 1)), "1s")
    assert bars[["open", "close"]].to_numpy().tolist() == [[10, 12]]


def test_a_trade_whose_time_steps_back_over_an_edge_goes_to_the_bar_of_its_time() -> None:
    bars = resample_ohlc(
        trades(("00:00.5", 10, 1), ("00:01.0", 20, 1), ("00:00.9", 11, 1), ("00:01.1", 21, 1)), "1s"
    )
    assert bars[["open", "close", "n_trades"]].to_numpy().tolist() == [[10, 11, 2], [20, 21, 2]]


def test_a_bar_without_trades_is_filled_with_the_close_before_and_has_no_vwap() -> None:
    bars = resample_ohlc(trades(("00:00", 10, 1), ("00:00", 12, 1), ("00:03", 9, 1)), "1s")
    assert bars["filled"].to_list() == [False, True, True, False]
    assert bars.loc[bars["filled"], ["open", "high", "low", "close"]].to_numpy().tolist() == [[12] * 4] * 2
    assert bars["volume"].to_list() == [2, 0, 0, 1]
    assert bars["n_trades"].to_list() == [2, 0, 0, 1]
    assert bars["vwap"].isna().to_list() == [False, True, True, False]


def test_times_of_another_zone_give_bars_in_utc() -> None:
    there = trades(("00:00", 10, 1)).tz_convert("Asia/Kolkata")
    pd.testing.assert_frame_equal(resample_ohlc(there, "1s"), resample_ohlc(trades(("00:00", 10, 1)), "1s"))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_unit_of_the_index_changes_nothing(unit: Any) -> None:
    coarse = trades(("00:01", 10, 1), ("00:02", 11, 1))
    coarse.index = pd.DatetimeIndex(coarse.index).as_unit(unit)
    bars = resample_ohlc(coarse, "1s")
    assert bars.index[1] == pd.Timestamp("2026-01-01 12:00:02", tz="UTC")
    assert bars["close"].to_list() == [10, 11]


def test_no_trades_give_no_bars() -> None:
    bars = resample_ohlc(trades(("00:00", 10, 1))[:0], "1s")
    assert list(bars.columns) == COLUMNS
    assert len(bars) == 0
    assert str(bars.index.dtype) == "datetime64[ns, UTC]"


def test_the_vwap_of_one_trade_is_its_price_to_the_last_digit() -> None:
    prices = np.random.default_rng(1).uniform(1e-4, 1e5, 500)
    times = pd.date_range("2026-01-01", periods=500, freq="1s", tz="UTC")
    bars = resample_ohlc(pd.DataFrame({"price": prices, "quantity": prices / 7}, index=times), "1s")
    np.testing.assert_array_equal(bars["vwap"], prices)


@pytest.mark.parametrize("column", ["price", "quantity"])
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_price_or_quantity_not_above_zero_is_refused_with_its_row(column: str, value: float) -> None:
    bad = trades(("00:00", 10, 1), ("00:01", 10, 1)).astype(float)
    bad.loc[bad.index[1], column] = value
    with pytest.raises(StatisticsError, match=f"The {column} of a trade is a number above 0; in row 1"):
        resample_ohlc(bad, "1s")


def test_words_in_place_of_prices_are_refused() -> None:
    with pytest.raises(StatisticsError, match="The price of a trade is a number"):
        resample_ohlc(trades(("00:00", 10, 1)).assign(price="ten"), "1s")


def test_missing_columns_are_named() -> None:
    with pytest.raises(
        StatisticsError, match="columns price and quantity; quantity is missing among price, size"
    ):
        resample_ohlc(trades(("00:00", 10, 1)).rename(columns={"quantity": "size"}), "1s")


@pytest.mark.parametrize("index", [[0], pd.DatetimeIndex(["2026-01-01"])])
def test_an_index_without_time_zone_is_refused(index: Any) -> None:
    with pytest.raises(StatisticsError, match="time with a time zone"):
        resample_ohlc(pd.DataFrame({"price": [1.0], "quantity": [1.0]}, index=index), "1s")


def test_a_trade_without_time_is_refused() -> None:
    with pytest.raises(StatisticsError, match="no time"):
        resample_ohlc(
            pd.DataFrame({"price": [1.0], "quantity": [1.0]}, index=pd.DatetimeIndex([pd.NaT], tz="UTC")),
            "1s",
        )


def test_an_unknown_timeframe_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="1s, 5s, 30s, 1m, 5m or 15m"):
        resample_ohlc(trades(("00:00", 10, 1)), "1min")


def aggregate(event_ns: list[int], price: list[float], **range_ns: Any) -> Any:
    quantity = np.ones(len(price))
    return aggregate_bars(
        np.array(event_ns, np.int64), np.array(price, float), quantity, timeframe_ns=10, **range_ns
    )


def test_every_bin_of_the_range_is_there_and_leading_ones_take_the_close_before() -> None:
    bars = aggregate([25], [7.0], start_ns=0, end_ns=50, previous_close=5.0)
    assert bars.open_ns.tolist() == [0, 10, 20, 30, 40]
    assert bars.close.tolist() == [5, 5, 7, 7, 7]
    assert bars.filled.tolist() == [True, True, False, True, True]


def test_before_the_first_trade_there_is_no_price_and_nothing_is_filled() -> None:
    bars = aggregate([25], [7.0], start_ns=0, end_ns=30)
    assert np.isnan([bars.open[:2], bars.high[:2], bars.low[:2], bars.close[:2], bars.vwap[:2]]).all()
    assert bars.filled.tolist() == [False, False, False]
    assert bars.volume.tolist() == [0, 0, 1]


def test_a_range_without_trades_is_filled_too() -> None:
    bars = aggregate([], [], start_ns=0, end_ns=20, previous_close=3.0)
    assert bars.close.tolist() == [3, 3]
    assert bars.n_trades.tolist() == [0, 0]


@pytest.mark.parametrize("event_ns", [[-1], [20]])
def test_a_trade_outside_of_the_range_is_refused_not_dropped(event_ns: list[int]) -> None:
    with pytest.raises(StatisticsError, match="outside"):
        aggregate(event_ns, [1.0], start_ns=0, end_ns=20)


@pytest.mark.parametrize(("start_ns", "end_ns"), [(1, 20), (0, 19), (20, 0)])
def test_a_range_that_is_not_whole_bars_is_refused(start_ns: int, end_ns: int) -> None:
    with pytest.raises(StatisticsError, match="whole bars"):
        aggregate([], [], start_ns=start_ns, end_ns=end_ns)
