"""All statistics anew, with 10,000 and with 1,000,000 trades kept, against a DataFrame of all ticks.

The DataFrame does what notebooks do: resample to bars of one second, then OLS of leg on leg, the spread's
rolling z-score, the rolling correlation of returns, and `adfuller` of the spread, as it comes. Ours is a
bar's close, which computes more than these, and a snapshot.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.tsa.stattools import adfuller

from quantnb.engine import Engine, Settings
from quantnb.events import MarkPrice, Recovered, Trade
from quantnb.frames import trades_frame
from quantnb.snapshot import Status

SYMBOLS, WINDOW = ("BTCUSDT", "ETHUSDT"), 50
PER_S = 100  # trades of both
SIZES, ROUNDS = (10_000, 1_000_000), 20
S = 1_000_000_000
START_NS = 1_790_000_000 * S
STATUS = Status("live", "live", "", False, 0.0, None, None, None, {})


def heartbeat(at_ns: int) -> MarkPrice:
    return MarkPrice("BTCUSDT", 60_000.0, 60_000.0, 0.0001, at_ns, at_ns, at_ns)


def filled(n_trades: int) -> tuple[Engine, int]:
    """Return an engine that holds so many trades, and the time up to which its bars are closed."""
    rng = np.random.default_rng(7)
    common = np.cumsum(rng.normal(0, 1, n_trades // 2))
    own = rng.normal(0, 1, n_trades // 2)
    engine = Engine(Settings(SYMBOLS, ("ETHUSDT", "BTCUSDT"), "1s", WINDOW))
    for symbol, prices in zip(SYMBOLS, (60_000 + common, 3_000 + 0.05 * common + own), strict=True):
        times = START_NS + np.arange(n_trades // 2) * (2 * S // PER_S)
        rows = zip(prices.tolist(), times.tolist(), strict=True)
        trades = tuple(Trade(symbol, i, p, 1.0, False, t, t, t) for i, (p, t) in enumerate(rows))
        engine.receive(Recovered(symbol, trades, "rest"))
    now_ns = START_NS + n_trades // PER_S * S
    engine.receive(heartbeat(now_ns + S // 2))
    return engine, now_ns


def ours_s(engine: Engine, now_ns: int) -> float:
    """Return the time of a close and a snapshot, the best of several."""
    best_s = float("inf")
    for number in range(1, ROUNDS + 1):
        at_ns = now_ns + number * S
        for symbol in SYMBOLS:
            last = engine.instruments[symbol].trades
            price, trade_id = float(last["price"][-1]) + number % 3, int(last["trade_id"][-1]) + 1
            engine.receive(Trade(symbol, trade_id, price, 1.0, False, at_ns - S // 2, at_ns, at_ns))
        start_s = time.perf_counter()
        engine.receive(heartbeat(at_ns + S // 2))
        shown = engine.snapshot(at_ns, STATUS)
        best_s = min(best_s, time.perf_counter() - start_s)
        assert shown.bars["BTCUSDT"].time_ns[-1] == at_ns - S
    return best_s


def by_dataframe(ticks: pd.DataFrame) -> tuple[float, float]:
    closes = pd.DataFrame(
        {name: ticks.loc[ticks["symbol"] == name, "price"].resample("1s").last().ffill() for name in SYMBOLS}
    )
    y, x = closes["ETHUSDT"], closes["BTCUSDT"]
    fit = sm.OLS(y.iloc[-WINDOW:], sm.add_constant(x.iloc[-WINDOW:])).fit()
    spread = y - fit.params["BTCUSDT"] * x
    (spread - spread.rolling(WINDOW).mean()) / spread.rolling(WINDOW).std()
    returns = np.log(closes).diff()
    correlation = returns["ETHUSDT"].rolling(WINDOW).corr(returns["BTCUSDT"])
    adfuller(spread.dropna(), result_object=False)
    return float(fit.params["BTCUSDT"]), float(correlation.iloc[-1])


def main() -> None:
    took_s = {}
    for n_trades in SIZES:
        engine, now_ns = filled(n_trades)
        took_s[n_trades] = ours_s(engine, now_ns)
        ticks = pd.concat(
            trades_frame(each).assign(symbol=name) for name, each in engine.instruments.items()
        ).sort_index()
        start_s = time.perf_counter()
        slope, correlation = by_dataframe(ticks)
        frame_s = time.perf_counter() - start_s
        shown = engine.snapshot(now_ns, STATUS)
        assert shown.hedge is not None
        assert shown.correlation is not None
        assert abs(shown.hedge.hedge_ratio - slope) < 1e-9
        assert abs(shown.correlation.values[0, 1] - correlation)  # noqa: PD011 < 1e-9
        print(
            f"{n_trades:9,} trades kept: DataFrame {1e3 * frame_s:8.1f} ms, "
            f"quantnb {1e3 * took_s[n_trades]:5.2f} ms   ratio 1/{frame_s / took_s[n_trades]:.0f}"
        )
    few, many = (took_s[size] for size in SIZES)
    print(f"quantnb with {SIZES[1]:,} against {SIZES[0]:,} trades kept   ratio {many / few:.2f}")


if __name__ == "__main__":
    main()
