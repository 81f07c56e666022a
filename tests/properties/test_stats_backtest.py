"""A backtest never looks ahead, adds up exactly, and knows no preference of side."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quantnb.stats import Costs, backtest_rule
from quantnb.stats.costs import LegPrices, round_trip
from tests.properties.test_stats_rolling import legs

Array = NDArray[np.float64]
Bars = dict[str, Array]

COSTS = Costs(taker_fee_bp=4.5, bid_ask_y_bp=0.1, bid_ask_x_bp=0.3, funding_rate_y=1e-4, funding_rate_x=-5e-5)


@st.composite
def bars(draw: st.DrawFn) -> Bars:
    """Legs with missing bars, and beside them any z-score and ratio, known or not."""
    y, x = draw(legs())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    score, ratio = np.round(rng.normal(0, 2, len(y)), 1), rng.normal(0.05, 0.05, len(y))
    for column in (score, ratio):
        column[rng.random(len(y)) < draw(st.sampled_from([0.0, 0.1]))] = np.nan
    return {"y": y, "x": x, "zscore": score, "hedge_ratio": ratio}


def traded(given_bars: Bars, costs: Costs = COSTS, entry: float = 2.0, exit: float = 0.5) -> pd.DataFrame:
    return backtest_rule(**given_bars, entry=entry, exit=exit, costs=costs, timeframe_s=60.0).trades


@settings(max_examples=200, deadline=None)
@given(whole=bars(), data=st.data())
def test_what_is_closed_by_bar_t_does_not_change_with_what_comes_after(
    whole: Bars, data: st.DataObject
) -> None:
    t = data.draw(st.integers(0, len(whole["y"]) - 1))
    until_t = traded({name: column[: t + 1] for name, column in whole.items()})
    all_trades = traded(whole)
    known = all_trades[~all_trades["is_open"] & (all_trades["exit_bar"] <= t)]
    pd.testing.assert_frame_equal(until_t[~until_t["is_open"]], known, check_exact=True)


@settings(max_examples=200, deadline=None)
@given(given_bars=bars(), exit=st.sampled_from([0.0, 0.5, 1.9]))
def test_the_trades_are_those_of_a_walk_bar_by_bar(given_bars: Bars, exit: float) -> None:
    """The rule as it is told, one bar after the other, with one order at a time."""
    expected, side, entry_bar, order = [], 0, -1, 0
    rows = np.column_stack(list(given_bars.values())).tolist()
    for bar, (y, x, z, ratio) in enumerate(rows):
        is_priced = math.isfinite(y) and math.isfinite(x)
        if order and is_priced:
            if side:
                expected.append((entry_bar, bar, side))
            side, entry_bar, order = (0 if side else order), bar, 0
        if order or not (is_priced and math.isfinite(z) and math.isfinite(ratio)):
            continue
        if side == 0 and abs(z) >= 2.0:
            order = -1 if z > 0 else 1
        elif side and (abs(z) <= exit or z * side > 0):
            order = 1
    trades = traded(given_bars, exit=exit)
    closed = trades[~trades["is_open"]]
    found = closed[["entry_bar", "exit_bar", "side"]].itertuples(index=False, name=None)
    assert list(found) == expected
    assert trades["is_open"].sum() == (1 if side else 0)


@settings(max_examples=100, deadline=None)
@given(given_bars=bars())
def test_the_other_sign_of_the_z_score_is_the_other_side(given_bars: Bars) -> None:
    one, other = traded(given_bars), traded(given_bars | {"zscore": -given_bars["zscore"]})
    mirrored = ["side", "entry_zscore", "exit_zscore", "gross_bp", "funding_bp"]
    same = ["entry_bar", "exit_bar", "hedge_ratio", "fees_bp", "bid_ask_bp", "n_bars", "is_open"]
    np.testing.assert_array_equal(other[mirrored], -one[mirrored])
    pd.testing.assert_frame_equal(other[same], one[same], check_exact=True)


ticks = st.builds(Fraction, st.integers(1, 10**7), st.just(100))
small = st.builds(Fraction, st.integers(-(10**4), 10**4), st.just(10**7))
amounts = st.builds(Fraction, st.integers(0, 200), st.just(10))
prices = st.builds(LegPrices, ticks, ticks)


@given(
    entry=prices,
    exit=prices,
    side=st.sampled_from([1, -1]),
    ratio=st.builds(Fraction, st.integers(-(10**6), 10**6), st.just(10**4)),
    minutes=st.integers(0, 10_000),
    costs=st.builds(
        Costs,
        taker_fee_bp=amounts,
        bid_ask_y_bp=amounts,
        bid_ask_x_bp=amounts,
        funding_rate_y=small,
        funding_rate_x=small,
        funding_interval_s=st.sampled_from([3_600, 14_400, 28_800]),
    ),
)
def test_in_exact_arithmetic_the_net_is_the_money_that_is_left(
    entry: LegPrices, exit: LegPrices, side: int, ratio: Fraction, minutes: int, costs: Costs
) -> None:
    """Told as an account: money out for what is bought at the ask, in for what is sold at the bid."""
    trip, money = round_trip(costs, side, ratio, entry, exit, 60 * minutes), Fraction(0)
    for leg, units in (("y", Fraction(side)), ("x", -side * ratio)):
        half = getattr(costs, f"bid_ask_{leg}_bp") / 2
        for price, bought in ((getattr(entry, leg), units), (getattr(exit, leg), -units)):
            money -= bought * price + abs(bought) * price * (half + costs.taker_fee_bp) / 10_000
        rate = getattr(costs, f"funding_rate_{leg}")
        money -= units * getattr(entry, leg) * rate * 60 * minutes / costs.funding_interval_s
    assert trip.net_bp == 10_000 * money / (entry.y + abs(ratio) * entry.x)
    assert trip.net_bp == trip.gross_bp - trip.fees_bp - trip.bid_ask_bp - trip.funding_bp


@settings(max_examples=100, deadline=None)
@given(given_bars=bars())
def test_in_floats_the_table_is_exact_to_the_last_bits(given_bars: Bars) -> None:
    exact_costs = Costs(**{name: Fraction(getattr(COSTS, name)) for name in COSTS.__slots__})
    y, x = given_bars["y"], given_bars["x"]
    for trade in traded(given_bars).itertuples():
        filled = [LegPrices(Fraction(y[bar]), Fraction(x[bar])) for bar in (trade.entry_bar, trade.exit_bar)]
        exact = round_trip(exact_costs, trade.side, Fraction(trade.hedge_ratio), *filled, 60 * trade.n_bars)
        for name, value in exact._asdict().items():
            # A sum of products that cancel is as exact as the greatest of them.
            assert math.isclose(getattr(trade, name), float(value), rel_tol=1e-14, abs_tol=1e-11), name
        assert math.isclose(trade.net_bp, float(exact.net_bp), rel_tol=1e-14, abs_tol=1e-11)
