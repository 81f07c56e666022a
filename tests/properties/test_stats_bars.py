"""What holds for bars of any trades."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.stats import BarColumns, aggregate_bars, resample_ohlc

TIMEFRAME_NS = 1_000
N_BARS = 12
FIELDS = tuple(BarColumns.__slots__)

# Times step back and repeat; prices and quantities are decimals whose sums round.
trade_lists = st.lists(
    st.tuples(
        st.integers(0, N_BARS * TIMEFRAME_NS - 1),
        st.integers(1, 10**7).map(lambda ticks: ticks / 100),
        st.integers(1, 10**6).map(lambda lots: lots / 1000),
    ),
    max_size=120,
)
Trades = list[tuple[int, float, float]]


def aggregate(
    trades: Trades, start: int = 0, end: int = N_BARS, previous_close: float = float("nan")
) -> BarColumns:
    start_ns, end_ns = start * TIMEFRAME_NS, end * TIMEFRAME_NS
    inside = [trade for trade in trades if start_ns <= trade[0] < end_ns]
    event_ns, price, quantity = zip(*inside, strict=True) if inside else ((), (), ())
    return aggregate_bars(
        np.array(event_ns, np.int64),
        np.array(price, np.float64),
        np.array(quantity, np.float64),
        timeframe_ns=TIMEFRAME_NS,
        start_ns=start_ns,
        end_ns=end_ns,
        previous_close=previous_close,
    )


def assert_bit_equal(bars: dict[str, np.ndarray], others: BarColumns) -> None:
    for name in FIELDS:
        assert bars[name].tobytes() == getattr(others, name).tobytes(), name


@settings(max_examples=60, deadline=None)
@given(trades=trade_lists, cuts=st.sets(st.integers(1, N_BARS - 1)))
def test_any_split_at_bar_edges_gives_the_same_bits(trades: Trades, cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), N_BARS]
    parts, close = [], float("nan")
    for start, end in pairwise(edges):
        parts.append(aggregate(trades, start, end, close))
        close = float(parts[-1].close[-1])
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in FIELDS}
    assert_bit_equal(joined, aggregate(trades))


@settings(max_examples=60, deadline=None)
@given(trades=trade_lists, data=st.data())
def test_only_the_order_within_each_bar_matters(trades: Trades, data: st.DataObject) -> None:
    """Trades of different bars may arrive in any order among each other."""
    keys = data.draw(st.lists(st.integers(0, 5), min_size=N_BARS, max_size=N_BARS))
    reordered = sorted(trades, key=lambda trade: keys[trade[0] // TIMEFRAME_NS])
    bars = aggregate(reordered)
    assert_bit_equal({name: getattr(bars, name) for name in FIELDS}, aggregate(trades))


@settings(max_examples=60, deadline=None)
@given(trades=trade_lists)
def test_a_bar_is_what_a_plain_loop_over_its_trades_says(trades: Trades) -> None:
    bars = aggregate(trades)
    close = float("nan")
    for k in range(N_BARS):
        own = [(price, quantity) for event_ns, price, quantity in trades if event_ns // TIMEFRAME_NS == k]
        prices = [price for price, _ in own] or [close]
        expected = [prices[0], max(prices), min(prices), prices[-1]]
        np.testing.assert_array_equal([bars.open[k], bars.high[k], bars.low[k], bars.close[k]], expected)
        np.testing.assert_allclose(bars.volume[k], sum(quantity for _, quantity in own), rtol=1e-12)
        np.testing.assert_allclose(bars.quote_volume[k], sum(p * q for p, q in own), rtol=1e-12)
        assert bars.n_trades[k] == len(own)
        assert bars.filled[k] == (not own and close == close)
        assert not own or bars.low[k] <= bars.vwap[k] <= bars.high[k]
        close = prices[-1]


@settings(max_examples=60, deadline=None)
@given(trades=trade_lists)
def test_nothing_traded_is_lost(trades: Trades) -> None:
    bars = aggregate(trades)
    assert bars.n_trades.sum() == len(trades)
    np.testing.assert_allclose(bars.volume.sum(), sum(quantity for *_, quantity in trades), rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(trades=trade_lists.map(lambda trades: sorted(trades, key=lambda trade: trade[0])), data=st.data())
def test_a_closed_bar_does_not_change_with_what_comes_after(trades: Trades, data: st.DataObject) -> None:
    n_known = data.draw(st.integers(0, len(trades)))
    whole, known = (resample_ohlc(_frame(part), "1s") for part in (trades, trades[:n_known]))
    closed = known[:-1]
    pd.testing.assert_frame_equal(closed, whole[: len(closed)], check_freq=False, rtol=0, atol=0)


def _frame(trades: Trades) -> pd.DataFrame:
    # A thousand of the small bars' nanoseconds is a second of real bars.
    times = pd.DatetimeIndex([event_ns * 1_000_000 for event_ns, *_ in trades], tz="UTC")
    columns = {"price": [p for _, p, _ in trades], "quantity": [q for *_, q in trades]}
    return pd.DataFrame(columns, index=times, dtype=float)
