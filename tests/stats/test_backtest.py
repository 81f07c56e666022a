"""The plain rule: when it trades, at which prices, and what it makes on pairs that are none."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import BacktestResult, Costs, backtest_rule, causal_spread, hedge_ratio, zscore

NAN = math.nan
FREE = Costs(taker_fee_bp=0.0, bid_ask_y_bp=0.0, bid_ask_x_bp=0.0)
DEAR = Costs(taker_fee_bp=5.0, bid_ask_y_bp=2.0, bid_ask_x_bp=1.0)


def backtest(score: list[float], **changes: Any) -> BacktestResult:
    """Trade at 2 and 0.5 on bars of a minute; y rises by 1 a bar from 100, x stays at 50, ratio 2."""
    n = len(score)
    given = {"y": 100.0 + np.arange(n), "x": np.full(n, 50.0), "hedge_ratio": np.full(n, 2.0)}
    rule = {"entry": 2.0, "exit": 0.5, "costs": FREE, "timeframe_s": 60.0}
    return backtest_rule(**given | {"zscore": score} | rule | changes)


def bars(result: BacktestResult) -> list[tuple[int, int, int]]:
    return list(result.trades[["entry_bar", "exit_bar", "side"]].itertuples(index=False, name=None))


def test_an_order_is_filled_at_the_bar_after_its_signal() -> None:
    assert bars(backtest([0, 1.9, 2.0, 1.0, 0.5, 0, 0])) == [(3, 5, -1)]


def test_the_spread_is_shorted_above_the_mean_and_bought_below() -> None:
    assert bars(backtest([0, 3, 0, 0, -3, 0, 0])) == [(2, 3, -1), (5, 6, 1)]


def test_a_z_score_that_jumps_to_the_other_side_ends_the_trade_and_then_begins_the_next() -> None:
    assert bars(backtest([0, 3, 3, -3, -3, -3, 0, 0])) == [(2, 4, -1), (5, 7, 1)]


def test_at_the_close_that_fills_an_entry_the_exit_may_be_signalled() -> None:
    assert bars(backtest([3, 0, 0, 0])) == [(1, 2, -1)]


def test_the_ratio_is_that_of_the_signal_and_stays_for_the_trade() -> None:
    ratio = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert backtest([0, 3, 3, 0, 0], hedge_ratio=ratio).trades["hedge_ratio"].tolist() == [2.0]


def test_a_trade_worked_out_by_hand() -> None:
    """Signal at bar 1: short 1 y at 110, long 2 x at 50 (gross 210); signal out at bar 3: 104 and 51.

    Makes 6 + 2. Fees 10 bp of 210 and of 206; bid-ask: 1 bp of y in and out, 2 bp of x; funding of 2 bars of
    a minute: receives 8 bp a minute on y, pays 4 bp a minute on x.
    """
    y, x = [100.0, 109, 110, 112, 104], [50.0, 52, 50, 48, 51]
    costs = Costs(
        taker_fee_bp=10.0,
        bid_ask_y_bp=2.0,
        bid_ask_x_bp=4.0,
        funding_rate_y=8e-4,
        funding_rate_x=4e-4,
        funding_interval_s=60.0,
    )
    trade = backtest([0, 2.5, 2, -0.1, 0], y=y, x=x, costs=costs).trades.iloc[0]
    assert trade["gross_bp"] == pytest.approx(1e4 * 8 / 210, rel=1e-14)
    assert trade["fees_bp"] == pytest.approx(10 * (210 + 206) / 210, rel=1e-14)
    assert trade["bid_ask_bp"] == pytest.approx((110 + 104 + 2 * 2 * (50 + 51)) / 210, rel=1e-14)
    assert trade["funding_bp"] == pytest.approx(2 * (-8 * 110 + 4 * 2 * 50) / 210, rel=1e-14)
    assert trade["costs_bp"] == trade["fees_bp"] + trade["bid_ask_bp"] + trade["funding_bp"]
    assert trade["net_bp"] == trade["gross_bp"] - trade["costs_bp"]
    assert (trade["entry_zscore"], trade["exit_zscore"], trade["n_bars"]) == (2.5, -0.1, 2)


def test_where_opens_are_given_orders_are_filled_at_the_next_open() -> None:
    """Short 1 y at 201, in at the open of bar 2 and out at that of bar 4, two bars later."""
    opens = (200.0 + np.arange(5), np.full(5, 40.0))
    result = backtest([0, 3, 3, 0, 0], opens=opens)
    assert bars(result) == [(2, 4, -1)]
    assert result.gross_bp == pytest.approx(1e4 * (202 - 204) / (202 + 80), rel=1e-14)
    assert result.trades["n_bars"].tolist() == [2]


def test_an_unknown_bar_gives_no_signal_neither_in_nor_out() -> None:
    assert bars(backtest([NAN, 3, 3, NAN, 1, 0, 0])) == [(2, 6, -1)]
    ratio = np.array([2.0, NAN, NAN, 2, 2, 2, 2])
    assert bars(backtest([0, 3, 3, 3, 1, 0, 0], hedge_ratio=ratio)) == [(4, 6, -1)]
    gap = np.array([50.0, NAN, 50, 50, 50, 50, 50])
    assert bars(backtest([0, 3, 1, 1, 1, 0, 0], x=gap)) == []


def test_a_fill_waits_for_the_first_bar_whose_prices_are_known() -> None:
    gap = np.array([50.0, 50, NAN, math.inf, 50, 50, NAN, 50])
    assert bars(backtest([0, 3, NAN, NAN, 1, 0, NAN, 3], x=gap)) == [(4, 7, -1)]
    assert bars(backtest([0, 3, 1, 0, 0], opens=([100.0, 100, NAN, 100, 100], [50.0] * 5))) == [(3, 4, -1)]


def test_the_time_in_a_gap_counts_for_funding() -> None:
    gap = np.array([50.0, 50, 50, NAN, NAN, NAN, 50, 50])
    paying = dataclasses.replace(FREE, funding_rate_x=1e-4, funding_interval_s=60.0)
    trade = backtest([0, 3, 2, NAN, NAN, NAN, 0, 0], x=gap, costs=paying).trades.iloc[0]
    assert trade["n_bars"] == 5
    assert trade["funding_bp"] == pytest.approx(5 * 100 / 202)


def test_a_trade_still_open_is_valued_at_the_newest_known_close_and_counted_apart() -> None:
    """Short 1 y at 102, 106 at bar 6; bar 7 is not known."""
    y = np.where(np.arange(8) == 7, NAN, 100.0 + np.arange(8))
    costs = dataclasses.replace(FREE, taker_fee_bp=10.0)
    result = backtest([0, 3, 3, 3, 2, 2, 1, 1], y=y, costs=costs)
    trade = result.trades.iloc[0]
    assert (trade["exit_bar"], trade["is_open"], trade["n_bars"], trade["exit_zscore"]) == (6, True, 4, 1.0)
    expected = -1e4 * 4 / 202 - 10 * (202 + 206) / 202
    assert (result.n_trades, result.n_open, result.net_bp) == (0, 1, 0.0)
    assert result.open_net_bp == pytest.approx(expected, rel=1e-14)


def test_what_came_in_at_an_open_and_is_still_there_is_valued_at_a_close_one_bar_later() -> None:
    opens = (100.0 + np.arange(4), np.full(4, 50.0))
    trade = backtest([0, 3, 3, 3], opens=opens, y=100.5 + np.arange(4)).trades.iloc[0]
    assert (trade["exit_bar"], trade["n_bars"]) == (3, 2)
    assert trade["gross_bp"] == pytest.approx(-1e4 * 1.5 / 202, rel=1e-14)


def test_an_exit_signalled_by_the_last_bar_is_not_filled() -> None:
    assert backtest([0, 3, 3, 0]).n_open == 1
    assert len(backtest([0, 0, 0, 3]).trades) == 0


@pytest.mark.parametrize("score", [[], [NAN] * 5, [0.0] * 5])
def test_without_a_signal_there_is_no_trade_and_the_table_has_its_columns(score: list[float]) -> None:
    result = backtest(score)
    assert result.trades.dtypes.equals(backtest([0, 3, 0, 0, 0]).trades.dtypes)
    assert result.n_trades == result.n_open == result.worst_drawdown_bp == 0
    assert math.isnan(result.share_won)


def test_the_times_are_the_labels_of_y() -> None:
    index = pd.date_range("2026-01-01", periods=5, freq="1min", tz="UTC")
    columns = {"y": 100.0, "x": 50.0, "zscore": [0, 3, 3, 0, 0], "hedge_ratio": 2.0}
    frame = pd.DataFrame(columns, index=index)
    legs = {str(name): column for name, column in frame.items()}
    trades = backtest_rule(**legs, entry=2.0, costs=FREE, timeframe_s=60.0).trades
    assert trades["entry_time"].tolist() == [index[2]]
    assert trades["exit_time"].tolist() == [index[4]]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"entry": 1.0, "exit": 2.0}, "begins at a larger .* entry 1 is not above exit 2"),
        ({"entry": 2.0, "exit": 2.0}, "entry 2 is not above exit 2"),
        ({"exit": -0.5}, "numbers from 0 on, not 2.0 and -0.5"),
        ({"exit": NAN}, "numbers from 0 on"),
        ({"entry": math.inf}, "numbers from 0 on"),
        ({"timeframe_s": 0.0}, "A bar lasts a number of seconds above 0, not 0.0"),
    ],
)
def test_an_impossible_rule_is_refused(wrong: dict[str, float], sentence: str) -> None:
    with pytest.raises(InvalidSettingError, match=sentence):
        backtest([0, 3, 0, 0], **wrong)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"x": np.ones(3)}, "y has 4 values and close of x has 3"),
        ({"hedge_ratio": np.ones(5)}, "y has 4 values and hedge_ratio has 5"),
        ({"opens": (np.ones(4), np.ones(2))}, "y has 4 values and open of x has 2"),
        ({"y": [1.0, 2, 0, 1]}, "close of y must be above 0 to be a price; at position 2 it is 0"),
    ],
)
def test_columns_without_an_honest_answer_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        backtest([0, 3, 0, 0], **wrong)


def traded(y: np.ndarray, x: np.ndarray, costs: Costs = FREE) -> pd.DataFrame:
    """Trades by the causal z-score over 60 bars, the open one too: to leave it out would flatter."""
    causal = causal_spread(y, x, 60)
    score = zscore(causal["spread"].to_numpy(), 60)
    rule = {"entry": 2.0, "exit": 0.5, "costs": costs, "timeframe_s": 60.0}
    return backtest_rule(y, x, score, causal["hedge_ratio"].to_numpy(), **rule).trades


def walks(seed: int, n_pairs: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    steps = ((rng.normal(0, 1, 1_000), rng.normal(0, 5, 1_000)) for _ in range(n_pairs))
    return [(3_000 + np.cumsum(of_y), 60_000 + np.cumsum(of_x)) for of_y, of_x in steps]


def test_two_independent_walks_earn_nothing_and_lose_their_costs() -> None:
    """300 pairs (seed 5): prices are martingales, on which no rule earns that does not know the future."""
    trades = pd.concat([traded(y, x, costs=DEAR) for y, x in walks(5, 300)])
    error = trades["gross_bp"].std() / math.sqrt(len(trades))
    print(f"{len(trades)} trades: {trades['gross_bp'].mean():+.3f} +- {error:.3f} bp gross, seed 5")
    assert error < 0.1
    assert abs(trades["gross_bp"].mean()) < 3 * error
    assert trades["costs_bp"].mean() == pytest.approx(11.5, rel=0.01)
    assert trades["net_bp"].mean() == pytest.approx(-trades["costs_bp"].mean(), abs=3 * error)


def test_on_walks_most_trades_win_before_costs_and_those_still_open_lose() -> None:
    """It goes out when the spread is back, so what is open is what is not: a share won is no evidence."""
    trades = pd.concat([traded(y, x) for y, x in walks(5, 300)])
    closed, still_open = (trades[trades["is_open"] == state]["gross_bp"] for state in (False, True))
    print(f"{(closed > 0).mean():.1%} won; {len(still_open)} open at {still_open.mean():.1f} bp, seed 5")
    assert (closed > 0).mean() == pytest.approx(0.62, abs=0.02)
    assert still_open.mean() < -2


def test_a_fitted_spread_knows_the_future_and_earns_on_walks() -> None:
    """That is why the z-score must be causal; the same rule, 30 pairs (seed 5), the line of all bars."""
    found = []
    for y, x in walks(5, 30):
        fit = hedge_ratio(y, x)
        fitted = y - fit.intercept - fit.hedge_ratio * x
        ratio = np.full(1_000, fit.hedge_ratio)
        rule = {"entry": 1.0, "costs": FREE, "timeframe_s": 60.0}
        found.append(backtest_rule(y, x, fitted / fitted.std(), ratio, **rule).trades["gross_bp"])
    gross = pd.concat(found)
    assert gross.mean() > 8 * gross.std() / math.sqrt(len(gross))


def test_a_pair_that_comes_back_earns_before_costs() -> None:
    """20 pairs with a half-life of 10 bars (seed 6): more than 8 standard errors above nothing."""
    rng = np.random.default_rng(6)
    found = []
    for _ in range(20):
        x, gap = 60_000 + np.cumsum(rng.normal(0, 5, 2_000)), np.zeros(2_000)
        for t in range(1, 2_000):
            gap[t] = 2 ** (-1 / 10) * gap[t - 1] + rng.normal(0, 0.3)
        found.append(traded(0.05 * x + gap, x))
    gross = pd.concat(found)["gross_bp"]
    print(f"{len(gross)} trades: {gross.mean():+.2f} bp gross, seed 6")
    assert gross.mean() > 8 * gross.std() / math.sqrt(len(gross))
