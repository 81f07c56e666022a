"""pandas' resampler as the oracle for bars of random trades."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from quantnb.stats import resample_ohlc
from quantnb.stats.timeframes import TIMEFRAME_NS


def random_trades(seed: int, n: int = 3_000) -> pd.DataFrame:
    """Bursts that share a millisecond, then silence for up to minutes; prices on a tick."""
    rng = np.random.default_rng(seed)
    waits_ms = np.where(rng.random(n) < 0.75, 0, rng.exponential(1_500, n).astype(int))
    waits_ms[rng.integers(0, n, 10)] = 400_000
    times = pd.to_datetime(1_723_161_240_000 + np.cumsum(waits_ms), unit="ms", utc=True)
    price = np.round(60_000 + np.cumsum(rng.normal(0, 3, n)), 1)
    return pd.DataFrame(
        {"price": price, "quantity": np.round(rng.exponential(0.05, n) + 0.001, 3)}, index=times
    )


@pytest.mark.parametrize("timeframe", TIMEFRAME_NS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bars_are_those_of_pandas(seed: int, timeframe: str) -> None:
    trades = random_trades(seed)
    bars = resample_ohlc(trades, timeframe)
    resampler = trades.resample(pd.Timedelta(TIMEFRAME_NS[timeframe], unit="ns"), origin="epoch")
    ohlc = resampler["price"].ohlc()
    is_empty = ohlc["close"].isna()
    ohlc["close"] = ohlc["close"].ffill()
    for name in ("open", "high", "low"):
        ohlc[name] = ohlc[name].fillna(ohlc["close"])
    assert is_empty.any() or timeframe in ("5m", "15m")
    assert (bars.index == ohlc.index).all()
    np.testing.assert_array_equal(bars[["open", "high", "low", "close"]], ohlc)
    np.testing.assert_array_equal(bars["filled"], is_empty)
    np.testing.assert_array_equal(bars["n_trades"], resampler["price"].count())
    np.testing.assert_allclose(bars["volume"], resampler["quantity"].sum(), rtol=1e-13)
    quote = (trades["price"] * trades["quantity"]).resample(resampler.freq, origin="epoch").sum()
    np.testing.assert_allclose(bars["quote_volume"], quote, rtol=1e-13)
    np.testing.assert_allclose(bars["vwap"], quote / bars["volume"].where(~is_empty), rtol=1e-13)
