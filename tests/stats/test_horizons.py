"""Correlation by horizon: from closes and from trades."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import (
    TradeColumns,
    correlate_trades,
    correlation_by_horizon,
    log_returns,
    resample_ohlc,
    trade_correlation_by_horizon,
)

RNG = np.random.default_rng(5)
COMMON = RNG.normal(0, 1e-4, 1_000)
A = 60_000 * np.exp(np.cumsum(COMMON + RNG.normal(0, 1e-4, 1_000)))
B = 3_000 * np.exp(np.cumsum(COMMON + RNG.normal(0, 1e-4, 1_000)))


def test_one_bar_is_the_plain_correlation_of_returns() -> None:
    row = correlation_by_horizon(A, B, [1]).loc[1]
    assert row["correlation"] == pytest.approx(np.corrcoef(np.diff(np.log(A)), np.diff(np.log(B)))[0, 1])
    assert (row["n"], row["band"]) == (999, pytest.approx(1.96 / np.sqrt(999)))


@pytest.mark.parametrize("horizon", [2, 7, 50])
def test_longer_bars_are_put_together_from_the_newest_backwards_and_do_not_overlap(horizon: int) -> None:
    a, b = A[::-1][::horizon][::-1], B[::-1][::horizon][::-1]
    row = correlation_by_horizon(A, B, [horizon]).loc[horizon]
    assert row["correlation"] == pytest.approx(np.corrcoef(np.diff(np.log(a)), np.diff(np.log(b)))[0, 1])
    assert row["n"] == 999 // horizon


def test_a_missing_close_costs_the_returns_beside_it() -> None:
    holed = A.copy()
    holed[-1 - 20] = np.nan
    frame = correlation_by_horizon(holed, B, [1, 3, 10])
    assert frame["n"].tolist() == [997, 333, 97]


def test_too_few_returns_have_no_correlation_but_a_count() -> None:
    frame = correlation_by_horizon(A[:5], B[:5], [1, 2, 9])
    assert frame["n"].tolist() == [4, 2, 0]
    assert np.isnan(frame["correlation"]).tolist() == [False, True, True]
    assert len(correlation_by_horizon([], [], [1])) == 1


def trades(rng: np.random.Generator, log_price: np.ndarray, every_ms: float) -> pd.Series:
    """Trades at random times on a price that moves each 10 ms."""
    times = np.sort(rng.integers(0, len(log_price) * 10, int(len(log_price) * 10 / every_ms)))
    index = pd.to_datetime(times * 1_000_000, unit="ns", utc=True)
    return pd.Series(np.exp(log_price[times // 10]), index=index)


def epps_pair() -> tuple[pd.Series, pd.Series]:
    rng = np.random.default_rng(9)
    common = rng.normal(0, 1e-5, 60_000)  # ten minutes
    legs = [np.cumsum(common + rng.normal(0, 3e-6, 60_000)) for _ in range(2)]
    return trades(rng, legs[0], 200), trades(rng, legs[1], 500)


def test_correlation_rises_with_the_horizon() -> None:
    """Epps: a true correlation of 0.92, seen through trades every 200 and 500 ms."""
    frame = trade_correlation_by_horizon(*epps_pair(), [100, 1_000, 5_000, 15_000])
    assert frame["correlation"].is_monotonic_increasing
    assert frame.loc[100, "correlation"] < 0.35
    assert frame.loc[15_000, "correlation"] > 0.8
    assert frame["n"].tolist() == [pytest.approx(6_000, abs=20), 598, 118, 38]
    assert frame["share_filled"].is_monotonic_decreasing
    assert frame.loc[100, "share_filled"] > 0.8


def test_the_bars_are_those_of_resample_ohlc_without_the_open_one() -> None:
    a, b = epps_pair()
    frames = [pd.DataFrame({"price": leg, "quantity": 1.0}) for leg in (a, b)]
    closes = [resample_ohlc(frame, "5s")["close"].iloc[:-1] for frame in frames]
    returns = pd.DataFrame({"a": log_returns(closes[0]), "b": log_returns(closes[1])}).dropna()
    row = trade_correlation_by_horizon(a, b, [5_000]).loc[5_000]
    assert row["correlation"] == pytest.approx(returns.corr().loc["a", "b"], rel=1e-9)
    assert row["n"] == len(returns)


def test_symbols_known_at_different_times_are_compared_while_both_are_known() -> None:
    a, b = epps_pair()
    late = trade_correlation_by_horizon(a, b[b.index >= b.index[0] + pd.Timedelta("5min")], [1_000])
    assert late["n"].iloc[0] == pytest.approx(298, abs=2)
    never = trade_correlation_by_horizon(a, b.iloc[:0], [1_000])
    assert (never["n"].iloc[0], len(never)) == (0, 1)
    assert never["correlation"].isna().all()


@pytest.mark.parametrize("horizon", [0, -1, 1.5, True, "1m"])
def test_an_impossible_horizon_is_refused(horizon: object) -> None:
    with pytest.raises(InvalidSettingError, match="A horizon is a whole number of bars above 0"):
        correlation_by_horizon(A, B, [horizon])  # type: ignore[list-item]


def test_trades_without_time_or_price_are_refused() -> None:
    a, b = epps_pair()
    with pytest.raises(StatisticsError, match="trades of b are prices on an index of times"):
        trade_correlation_by_horizon(a, b.reset_index(drop=True))
    with pytest.raises(StatisticsError, match="A trade of a has no price"):
        trade_correlation_by_horizon(a.where(a.index != a.index[3]), b)
    with pytest.raises(StatisticsError, match="a must be above 0"):
        trade_correlation_by_horizon(a * 0, b)


def columns(leg: pd.Series, first_id: int = 1) -> TradeColumns:
    return TradeColumns(leg.index.as_unit("ns").asi8, leg.to_numpy(), first_id + np.arange(len(leg)))


def kept(leg: TradeColumns, is_kept: np.ndarray) -> TradeColumns:
    return TradeColumns(leg.event_ns[is_kept], leg.price[is_kept], leg.trade_id[is_kept])


def test_trades_whose_times_step_back_make_the_bars_of_resample_ohlc() -> None:
    a, b = epps_pair()
    late = np.random.default_rng(3).random(len(a)) < 0.2  # a fifth of the trades bear a time 300 ms too early
    a.index = a.index.where(~late, a.index - pd.Timedelta("300ms"))
    frames = [pd.DataFrame({"price": leg, "quantity": 1.0}) for leg in (a, b)]
    for horizon_ms, timeframe in ((1_000, "1s"), (5_000, "5s")):
        closes = pd.concat([resample_ohlc(frame, timeframe)["close"].iloc[:-1] for frame in frames], axis=1)
        row = correlation_by_horizon(*closes.dropna().to_numpy().T, [1]).loc[1]
        found = trade_correlation_by_horizon(a, b, [horizon_ms]).loc[horizon_ms]
        assert (found["correlation"], found["n"]) == (row["correlation"], row["n"])


def test_bars_that_a_hole_in_the_ids_touches_are_not_known() -> None:
    a, b = map(columns, epps_pair())
    second = a.event_ns // 1_000_000_000
    lost = (second >= second[0] + 100) & (second < second[0] + 110)
    whole, holed = (correlate_trades(leg, b, [1_000]) for leg in (a, kept(a, ~lost)))
    # The bars of the trades on either side are touched too, and the return after the last of them.
    n_lost = whole.n[0] - holed.n[0]
    assert n_lost in (11, 12, 13)
    assert holed.share_filled[0] == pytest.approx(whole.share_filled[0], abs=0.01)


def test_a_span_is_that_of_the_newest_trades() -> None:
    a, b = epps_pair()
    newest = correlate_trades(columns(a), columns(b), [1_000], span_ns=60_000_000_000)
    assert newest.end_ns - newest.start_ns == 60_000_000_000
    frames = [pd.DataFrame({"price": leg, "quantity": 1.0}) for leg in (a, b)]
    closes = pd.concat([resample_ohlc(frame, "1s")["close"] for frame in frames], axis=1)
    inside = closes[(closes.index.asi8 < newest.end_ns // 10**9 * 10**9)][-60:]
    row = correlation_by_horizon(*inside.to_numpy().T, [1]).loc[1]
    assert (newest.correlations[0], newest.n[0]) == (row["correlation"], 59)


def test_it_says_over_how_much_time_and_how_many_trades() -> None:
    a, b = map(columns, epps_pair())
    result = correlate_trades(a, kept(b, b.event_ns >= b.event_ns[0] + 300_000_000_000), [1_000])
    assert result.start_ns == b.event_ns[b.event_ns >= b.event_ns[0] + 300_000_000_000][0]
    assert result.end_ns == min(a.event_ns[-1], b.event_ns[-1])
    inside = (a.event_ns >= result.start_ns) & (a.event_ns <= result.end_ns)
    assert result.n_trades[0] == inside.sum()


def test_symbols_that_were_never_known_together_have_no_span() -> None:
    a, b = map(columns, epps_pair())
    for other in (kept(b, b.event_ns > a.event_ns[-1]), TradeColumns(*(np.empty(0, t) for t in "lfl"))):
        result = correlate_trades(kept(a, a.event_ns < a.event_ns[100]), other, [100, 1_000])
        assert (result.start_ns, result.end_ns) == (0, 0)
        assert result.n.tolist() == [0, 0]
        assert np.isnan(result.correlations).all()
    assert len(correlate_trades(a, b, []).to_frame()) == 0
