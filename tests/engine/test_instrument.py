"""Bars are what `resample_ohlc` makes of the trades kept, whenever they were closed."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.engine.instrument import Instrument
from quantnb.events import Gap, History, Kline, Trade
from quantnb.frames import bars_frame, trades_frame
from quantnb.stats import resample_ohlc
from tests.engine.market import MS, T0, S, market, trade


def feed(instrument: Instrument, trades: list[Trade]) -> None:
    for sequence, each in enumerate(trades):
        instrument.receive(each, sequence, math.nan, math.nan)


def batch(instrument: Instrument, timeframe: str, until_ns: int) -> pd.DataFrame:
    """Return the bars of the trades kept, without the first one: there may have been trades before."""
    bars = resample_ohlc(trades_frame(instrument)[["price", "quantity"]], timeframe)
    return bars[bars.index < pd.Timestamp(until_ns, tz="UTC")][1:].assign(history=False)


def assert_bars_equal(instrument: Instrument, expected: pd.DataFrame) -> None:
    live = bars_frame(instrument)
    pd.testing.assert_frame_equal(live, expected, check_dtype=False, check_freq=False, rtol=0, atol=0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(0, 40), max_size=12))
def test_bars_equal_the_batch_however_often_they_were_closed(seed: int, cuts: list[int]) -> None:
    trades = market(seed, 40, ("BTCUSDT",))
    instrument = Instrument("BTCUSDT", S)
    done = 0
    for cut in sorted(cuts):
        upto = next((i for i, t in enumerate(trades) if t.event_ns >= T0 + cut * S), len(trades))
        feed(instrument, trades[done:upto])
        done = max(done, upto)
        instrument.close_bars(T0 + cut * S)
    feed(instrument, trades[done:])
    instrument.close_bars(T0 + 40 * S)
    live = bars_frame(instrument).loc[: pd.Timestamp(trades[-1].event_ns, tz="UTC")]
    expected = batch(instrument, "1s", T0 + 40 * S)
    pd.testing.assert_frame_equal(live, expected, check_dtype=False, check_freq=False, rtol=0, atol=0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), jitter=st.integers(1, 20))
def test_late_trades_revise_their_bars_until_live_equals_batch(seed: int, jitter: int) -> None:
    trades = market(seed, 30, ("BTCUSDT",))
    rng = np.random.default_rng(seed)
    late = [
        Trade(
            t.symbol,
            i,
            t.price,
            t.quantity,
            False,
            t.event_ns - int(rng.integers(0, jitter)) * 100 * MS,
            0,
            0,
        )
        for i, t in enumerate(trades)
    ]
    instrument = Instrument("BTCUSDT", S)
    for sequence, each in enumerate(late):
        instrument.receive(each, sequence, math.nan, math.nan)
        instrument.close_bars(trades[sequence].event_ns)
    instrument.close_bars(T0 + 31 * S)
    first_whole = pd.Timestamp(late[0].event_ns // S * S + S, tz="UTC")
    expected = batch(instrument, "1s", T0 + 31 * S)
    live = bars_frame(instrument).loc[first_whole : expected.index[-1]]
    pd.testing.assert_frame_equal(
        live, expected[first_whole:], check_dtype=False, check_freq=False, rtol=0, atol=0
    )


def test_a_second_without_trades_is_filled_with_the_previous_close() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(price=100.0, at_s=0.5), trade(trade_id=2, price=101.0, at_s=2.5)])
    instrument.close_bars(T0 + 3 * S)
    assert instrument.bars["close"].tolist() == [100.0, 101.0]
    assert instrument.bars["filled"].tolist() == [1.0, 0.0]
    assert instrument.bars["volume"].tolist() == [0.0, 1.0]


def test_the_bar_of_the_first_trade_is_not_known_because_there_may_have_been_trades_before() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=1, at_s=0.5), trade(trade_id=2, at_s=1.5)])
    instrument.close_bars(T0 + S)
    assert len(instrument.bars) == 0
    assert instrument.forming().n_trades == 1
    instrument.close_bars(T0 + 2 * S)
    assert instrument.bars["time_ns"].tolist() == [T0 + S]


def test_a_gap_blanks_the_bars_it_touches_and_no_others() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=i, at_s=i + 0.5) for i in range(3)])
    instrument.receive_gap(Gap("BTCUSDT", 3, 9, T0 + 2500 * MS, T0 + 4500 * MS, "reconnect"))
    feed(instrument, [trade(trade_id=10, at_s=4.5), trade(trade_id=11, at_s=5.5)])
    instrument.close_bars(T0 + 6 * S)
    assert np.isnan(instrument.bars["close"]).tolist() == [False, True, True, True, False]


def test_a_gap_that_reaches_back_blanks_bars_already_closed() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=1, at_s=0.5)])
    instrument.close_bars(T0 + 3 * S)
    seen, generation = instrument.bars["close"], instrument.bars.generation
    instrument.receive_gap(Gap("BTCUSDT", 2, 3, T0 + 500 * MS, T0 + 3500 * MS, "reconnect"))
    feed(instrument, [trade(trade_id=4, at_s=3.5)])
    instrument.close_bars(T0 + 3 * S)
    assert np.isnan(instrument.bars["close"]).all()
    assert instrument.bars.generation > generation
    assert seen.tolist() == [100.0, 100.0]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_lost=st.integers(1, 60),
    page=st.integers(1, 40),
    n_first=st.integers(0, 90),
)
def test_trades_recovered_in_any_pages_make_the_bars_of_a_whole_stream(
    seed: int, n_lost: int, page: int, n_first: int
) -> None:
    trades = market(seed, 30, ("BTCUSDT",))
    rng = np.random.default_rng(seed)
    is_lost = np.isin(np.arange(len(trades)), rng.choice(len(trades), n_lost, replace=False))
    is_lost[:n_first] = True  # history, which comes after the first live trade
    is_lost[-1] = False
    instrument = Instrument("BTCUSDT", S)
    known: Trade | None = None
    for sequence, (each, lost) in enumerate(zip(trades, is_lost.tolist(), strict=True)):
        if lost:
            continue
        if known is not None and each.trade_id != known.trade_id + 1:
            hole = (known.trade_id + 1, each.trade_id - 1)
            instrument.receive_gap(Gap("BTCUSDT", *hole, known.event_ns, each.event_ns, "lost"))
        instrument.receive(each, sequence, math.nan, math.nan)
        instrument.close_bars(each.event_ns)
        known = each
    missing = [each for each, lost in zip(trades, is_lost.tolist(), strict=True) if lost]
    pages = [missing[start : start + page] for start in range(0, len(missing), page)]
    for number in rng.permutation(len(pages)).tolist():
        instrument.recover(pages[number])
        if number % 2:
            instrument.close_bars(trades[-1].event_ns)
    instrument.close_bars(T0 + 31 * S)
    assert [*instrument.trades["trade_id"]] == [each.trade_id for each in trades]
    whole = Instrument("BTCUSDT", S)
    feed(whole, trades)
    whole.close_bars(T0 + 31 * S)
    assert_bars_equal(instrument, bars_frame(whole))


@pytest.mark.parametrize("n_kept", [20, 39, 40, 41])
@pytest.mark.parametrize("missing", [[38], [37, 38], [5, 38], [0, 1, 20]])
def test_a_full_store_takes_in_what_is_recovered_and_drops_the_oldest(
    n_kept: int, missing: list[int]
) -> None:
    instrument = Instrument("BTCUSDT", S, n_kept)
    trades = [trade(trade_id=i, price=100.0 + i, at_s=i / 2) for i in range(40)]
    for sequence, each in enumerate(trades):
        if each.trade_id not in missing:
            instrument.receive(each, sequence, math.nan, math.nan)
            instrument.close_bars(each.event_ns)
    for trade_id in missing:
        instrument.recover([trades[trade_id]])
        instrument.close_bars(T0 + 20 * S)
    ids = instrument.trades["trade_id"]
    assert len(ids) <= n_kept
    assert ids.tolist() == list(range(ids[0], 40))
    kept = bars_frame(instrument)
    expected = batch(instrument, "1s", T0 + 20 * S)
    pd.testing.assert_frame_equal(
        kept[kept.index >= expected.index[0]], expected, check_dtype=False, check_freq=False, rtol=0, atol=0
    )


def test_a_bar_whose_first_trades_are_no_longer_kept_is_not_known() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=i, at_s=i / 4) for i in range(12)])
    instrument.close_bars(T0 + 2 * S)
    instrument.drop_until(T0 + 2250 * MS)  # two of the forming bar's four
    feed(instrument, [trade(trade_id=i, at_s=i / 4) for i in range(12, 20)])
    instrument.close_bars(T0 + 5 * S)
    assert np.isnan(instrument.bars["close"]).tolist() == [False, True, False, False]
    assert instrument.n_trades == 20


def test_the_newest_trade_stays_however_old_it_is() -> None:
    instrument = Instrument("BTCUSDT", S)
    instrument.drop_until(T0)
    feed(instrument, [trade(trade_id=1, at_s=1), trade(trade_id=2, at_s=2)])
    instrument.drop_until(T0 + 60 * S)
    assert instrument.trades["trade_id"].tolist() == [2]
    assert instrument.last_event_ns == T0 + 2 * S


@pytest.mark.parametrize("n", [1, 1_000, 300_000])
def test_a_trade_takes_forty_bytes_at_most(n: int) -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=i) for i in range(n)])
    assert instrument.trades.nbytes <= 40 * max(n, 1_024)


def test_recovered_trades_count_as_traded_and_history_does_not() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=5, at_s=5), trade(trade_id=7, at_s=7)])
    instrument.recover([trade(trade_id=6, at_s=6), trade(trade_id=4, at_s=4)])
    assert instrument.trades["trade_id"].tolist() == [4, 5, 6, 7]
    assert instrument.n_trades == 3


def test_trades_may_be_recovered_before_any_came_live() -> None:
    instrument = Instrument("BTCUSDT", S)
    instrument.recover([trade(trade_id=i, at_s=i) for i in range(3)])
    instrument.close_bars(T0 + 3 * S)
    assert instrument.trades["trade_id"].tolist() == [0, 1, 2]
    assert len(instrument.bars) == 2


def test_a_trade_that_is_recovered_twice_is_stored_once() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=5, at_s=5), trade(trade_id=7, at_s=7)])
    instrument.recover([trade(trade_id=6, at_s=6), trade(trade_id=6, at_s=6), trade(trade_id=7, at_s=7)])
    assert instrument.trades["trade_id"].tolist() == [5, 6, 7]
    instrument.recover([trade(trade_id=6, at_s=6)])
    assert instrument.trades["trade_id"].tolist() == [5, 6, 7]


def test_a_trade_recovered_after_the_newest_one_is_the_newest() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=5, at_s=5)])
    instrument.recover([trade(trade_id=6, price=70.0, at_s=6)])
    assert instrument.trades["price"].tolist() == [100.0, 70.0]
    change = instrument.price_change(T0 + 6 * S, 0.5)
    assert change is not None
    assert (change.then_id, change.now_id, change.percent) == (5, 6, pytest.approx(-30.0))


def test_after_ids_started_over_what_is_recovered_is_put_among_the_new_ones() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=900, at_s=0.5), trade(trade_id=901, at_s=1.5)])
    instrument.receive_gap(Gap("BTCUSDT", 3, 2, T0 + 1500 * MS, T0 + 4500 * MS, "ids started over"))
    feed(instrument, [trade(trade_id=3, at_s=4.5), trade(trade_id=5, at_s=5.5)])
    instrument.recover([trade(trade_id=4, at_s=5.0)])
    instrument.close_bars(T0 + 7 * S)
    assert instrument.trades["trade_id"].tolist() == [900, 901, 3, 4, 5]
    assert np.isnan(instrument.bars["close"]).tolist() == [True, True, True, True, False, False]


def kline(at_s: float, close: float, n_fills: int = 9) -> Kline:
    return Kline(T0 + int(at_s) * S, close - 1, close + 1, close - 2, close, 2.0, 2 * close, n_fills)


def test_klines_stand_before_the_trades_and_are_told_apart() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=i, at_s=i + 0.5) for i in range(10, 14)])
    instrument.receive_history(History("BTCUSDT", "1s", tuple(kline(i, 50.0 + i) for i in range(6, 10))))
    instrument.close_bars(T0 + 13 * S)
    bars = bars_frame(instrument)
    assert bars["history"].tolist() == [True] * 4 + [False] * 3
    assert bars["close"].tolist()[:4] == [56.0, 57.0, 58.0, 59.0]
    assert np.isnan(bars["close"].iloc[4])  # of the seam's trades only the last is there
    instrument.recover([trade(trade_id=9, at_s=9.5)])
    instrument.close_bars(T0 + 13 * S)
    assert bars_frame(instrument)["close"].tolist() == [56.0, 57.0, 58.0, 59.0, 100.0, 100.0, 100.0]


def test_klines_that_come_later_are_put_before_the_bars() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=i, at_s=i + 0.5) for i in range(10, 14)])
    instrument.close_bars(T0 + 13 * S)
    generation = instrument.bars.generation
    instrument.receive_history(History("BTCUSDT", "1s", tuple(kline(i, 50.0) for i in range(8, 11))))
    assert instrument.bars["time_ns"].tolist() == [T0 + i * S for i in range(8, 13)]
    assert instrument.bars.generation != generation


def test_klines_may_come_before_the_first_bar_of_trades_has_closed() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=i, at_s=9.5 + i / 10) for i in range(8)])
    instrument.close_bars(T0 + 10 * S)
    instrument.receive_history(History("BTCUSDT", "1s", (kline(8, 50.0), kline(9, 51.0))))
    instrument.close_bars(T0 + 10 * S)
    assert instrument.bars["close"].tolist() == [50.0, 51.0]


def test_klines_of_another_timeframe_wait_until_it_is_chosen() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=i, at_s=i + 0.5) for i in range(10, 14)])
    instrument.receive_history(History("BTCUSDT", "5s", (kline(0, 50.0), kline(5, 51.0))))
    instrument.close_bars(T0 + 13 * S)
    assert not bars_frame(instrument)["history"].any()
    instrument.change_timeframe(5 * S)
    instrument.close_bars(T0 + 20 * S)
    bars = bars_frame(instrument)
    assert bars["history"].tolist() == [True, True, False, False]
    assert np.isnan(bars["close"].iloc[2])


def test_a_kline_without_fills_is_a_filled_bar_and_others_do_not_say_how_many_trades() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=i, at_s=i + 0.5) for i in range(10, 14)])
    empty = Kline(T0 + 8 * S, 51.0, 51.0, 51.0, 51.0, 0.0, 0.0, 0)
    instrument.receive_history(History("BTCUSDT", "1s", (empty, kline(9, 51.0), kline(10, 51.0))))
    instrument.close_bars(T0 + 12 * S)
    bars = bars_frame(instrument)
    assert bars["filled"].tolist() == [True, False, False, False]
    assert bars["n_trades"].iloc[0] == 0
    assert bars["n_trades"].isna().tolist() == [False, True, True, False]
    assert np.isnan(bars["vwap"].iloc[0])


def test_the_forming_bar_holds_the_trades_that_no_closed_bar_holds() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=0, at_s=-0.5), trade(trade_id=1, at_s=0.5)])
    instrument.close_bars(T0 + S)
    assert instrument.forming() is None
    feed(instrument, [trade(trade_id=2, price=101, at_s=1.2), trade(trade_id=3, price=99, at_s=1.4)])
    bar = instrument.forming()
    assert bar is not None
    assert (bar.open, bar.high, bar.low, bar.close, bar.n_trades) == (101, 101, 99, 99, 2)
    assert bar.open_ns == T0 + S
    assert bar.vwap == 100.0


def test_another_timeframe_remakes_the_bars_from_the_trades_kept() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, market(1, 60, ("BTCUSDT",)))
    instrument.close_bars(T0 + 60 * S)
    instrument.change_timeframe(5 * S)
    instrument.close_bars(T0 + 60 * S)
    assert_bars_equal(instrument, batch(instrument, "5s", T0 + 60 * S))


def test_price_change_is_measured_against_the_price_one_span_ago() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(price=100.0, at_s=0), trade(trade_id=2, price=103.0, at_s=10)])
    change = instrument.price_change(T0 + 10 * S, 10.0)
    assert change is not None
    assert change.percent == pytest.approx(3.0)
    assert instrument.price_change(T0 + 10 * S, 60.0) is None


def test_the_volume_is_the_exact_sum_rounded_once_in_whatever_order_trades_come() -> None:
    trades = market(12, 200, ("BTCUSDT",))
    for order in (trades, trades[::-1]):
        instrument = Instrument("BTCUSDT", S)
        for each in order:
            instrument.receive(each, 1, math.nan, math.nan)
        assert instrument.quote_volume == math.fsum(each.price * each.quantity for each in trades)
