"""Bars are what `resample_ohlc` makes of the trades kept, whenever they were closed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.engine.instrument import Instrument
from quantnb.events import Gap, Trade
from quantnb.frames import bars_frame, trades_frame
from quantnb.stats import resample_ohlc
from tests.engine.market import MS, T0, S, market, trade


def feed(instrument: Instrument, trades: list[Trade]) -> None:
    for sequence, each in enumerate(trades):
        instrument.receive(each, sequence, float("nan"), float("nan"))


def batch(instrument: Instrument, timeframe: str, until_ns: int) -> pd.DataFrame:
    bars = resample_ohlc(trades_frame(instrument)[["price", "quantity"]], timeframe)
    return bars[bars.index < pd.Timestamp(until_ns, tz="UTC")]


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
    expected = batch(instrument, "1s", T0 + 40 * S)
    live = bars_frame(instrument).loc[: expected.index[-1]]
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
        instrument.receive(each, sequence, float("nan"), float("nan"))
        instrument.close_bars(trades[sequence].event_ns)
    instrument.close_bars(T0 + 31 * S)
    first_open = late[0].event_ns - late[0].event_ns % S
    expected = batch(instrument, "1s", T0 + 31 * S)
    expected = expected[expected.index >= pd.Timestamp(first_open, tz="UTC")]
    live = bars_frame(instrument).loc[: expected.index[-1]]
    columns = ["open", "high", "low", "close", "volume", "n_trades"]
    pd.testing.assert_frame_equal(
        live[columns][1:], expected[columns][1:], check_dtype=False, check_freq=False, rtol=0, atol=0
    )


def test_a_second_without_trades_is_filled_with_the_previous_close() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(price=100.0, at_s=0.5), trade(trade_id=2, price=101.0, at_s=2.5)])
    instrument.close_bars(T0 + 3 * S)
    assert instrument.bars["close"].tolist() == [100.0, 100.0, 101.0]
    assert instrument.bars["filled"].tolist() == [0.0, 1.0, 0.0]
    assert instrument.bars["volume"].tolist() == [1.0, 0.0, 1.0]


def test_a_gap_blanks_the_bars_it_touches_and_no_others() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=i, at_s=i + 0.5) for i in range(3)])
    instrument.receive_gap(Gap("BTCUSDT", 3, 9, T0 + 2500 * MS, T0 + 4500 * MS, "reconnect"))
    feed(instrument, [trade(trade_id=10, at_s=4.5), trade(trade_id=11, at_s=5.5)])
    instrument.close_bars(T0 + 6 * S)
    assert np.isnan(instrument.bars["close"]).tolist() == [False, False, True, True, True, False]


def test_a_gap_that_reaches_back_blanks_bars_already_closed() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=1, at_s=0.5)])
    instrument.close_bars(T0 + 3 * S)
    seen, generation = instrument.bars["close"], instrument.bars.generation
    instrument.receive_gap(Gap("BTCUSDT", 2, 3, T0 + 500 * MS, T0 + 2500 * MS, "reconnect"))
    instrument.close_bars(T0 + 3 * S)
    assert np.isnan(instrument.bars["close"]).all()
    assert instrument.bars.generation > generation
    assert seen.tolist() == [100.0, 100.0, 100.0]


def test_the_forming_bar_holds_the_trades_that_no_closed_bar_holds() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(trade_id=1, at_s=0.5)])
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
    expected = batch(instrument, "5s", T0 + 60 * S)
    pd.testing.assert_frame_equal(
        bars_frame(instrument), expected, check_dtype=False, check_freq=False, rtol=0, atol=0
    )


def test_price_change_is_measured_against_the_price_one_span_ago() -> None:
    instrument = Instrument("BTCUSDT", S)
    feed(instrument, [trade(price=100.0, at_s=0), trade(trade_id=2, price=103.0, at_s=10)])
    assert instrument.price_change_pct(T0 + 10 * S, 10.0) == pytest.approx(3.0)
    assert np.isnan(instrument.price_change_pct(T0 + 10 * S, 60.0))
