"""What the statistics of one bar close cost: 300 symbols, window 200, all that the engine does at a close.

Correlation matrix of all symbols (shrunk, as there are more of them than bars), the pair's row (spread,
z-score, causal hedge ratio, correlation), the newest fit, and what else `Engine` computes then; bars come
ready, trades are not aggregated. Values are checked against a batch over the whole history and against numpy.
After 1,000 and after 1,000,000 bars, all of which the legs keep here; the engine would keep `BARS_KEPT`.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from quantnb.engine import Engine, Settings
from quantnb.engine.bar_columns import BAR_COLUMNS, BAR_DTYPES
from quantnb.engine.pair import PairAnalytics
from quantnb.stats import causal_spread, ledoit_wolf, rolling_corr, zscore
from quantnb.store import Columns

N_SYMBOLS, WINDOW, ROUNDS = 300, 200, 200
SHORT, LONG, KEPT = 1_000, 1_000_000, 1_000
MINUTE_NS = 60_000_000_000
SYMBOLS = tuple(f"S{i}USDT" for i in range(N_SYMBOLS))

Array = NDArray[np.float64]


def large_settings() -> Settings:
    """Return settings for 300 symbols, where one socket's limit allows 100."""
    settings = Settings(SYMBOLS[:2], SYMBOLS[:2], "1m", WINDOW)
    object.__setattr__(settings, "symbols", SYMBOLS)
    return settings


class Desk:
    """An engine whose bars are made up: 300 symbols, of which the two legs have a long past."""

    def __init__(self, n_past: int) -> None:
        self._rng, self._n = np.random.default_rng(1), n_past
        self._trend = np.cumsum(self._rng.normal(0, 1e-4, n_past))
        self.engine = Engine(large_settings())
        self.engine.analytics = PairAnalytics(WINDOW, 2 * n_past)
        for leg, instrument in enumerate(self.engine.instruments.values()):
            instrument.bars = Columns(BAR_DTYPES, 2 * n_past)
            n = n_past if leg < 2 else min(n_past, KEPT)
            instrument.bars.extend(self._rows(np.arange(n_past - n, n_past), self._trend[-n:]))
        self._close()

    def _rows(self, bars: NDArray[np.int64], trend: Array) -> dict[str, NDArray[np.generic]]:
        close = np.round(60_000 * np.exp(trend + self._rng.normal(0, 1e-3, len(trend))), 2)
        rows = {name: np.zeros(len(bars)) for name in BAR_COLUMNS}
        return {"time_ns": bars * MINUTE_NS} | rows | {"close": close}

    def _close(self) -> None:
        self.engine._exchange_ns = self._n * MINUTE_NS + MINUTE_NS // 2
        self.engine._close_bars()

    def timed_close(self) -> float:
        """Give each symbol one more bar; return the seconds that the engine takes for its statistics."""
        self._trend = self._trend[-1:] + self._rng.normal(0, 1e-4)
        for instrument in self.engine.instruments.values():
            instrument.bars.extend(self._rows(np.array([self._n]), self._trend))
        self._n += 1
        start_s = time.perf_counter()
        self._close()
        return time.perf_counter() - start_s


def check(engine: Engine) -> None:
    bars = [instrument.bars for instrument in engine.instruments.values()]
    closes = np.column_stack([each["close"][-WINDOW - 1 :] for each in bars])
    expected = np.corrcoef(np.diff(np.log(closes), axis=0).T)
    shrinkage = ledoit_wolf(np.diff(np.log(closes), axis=0), of="correlation").shrinkage
    expected = (1 - shrinkage) * expected + shrinkage * np.eye(N_SYMBOLS)  # more symbols than bars
    np.testing.assert_allclose(engine._correlation.values, expected, atol=1e-12)
    slope = np.polyfit(closes[1:, 1] - closes[1, 1], closes[1:, 0] - closes[1, 0], 1)[0]
    np.testing.assert_allclose(engine._hedge.hedge_ratio, slope, rtol=1e-9)
    y, x = (each["close"] for each in bars[:2])
    spread = causal_spread(y, x, WINDOW)["spread"].to_numpy()
    batch = {"spread": spread, "zscore": zscore(spread, WINDOW), "correlation": rolling_corr(y, x, WINDOW)}
    for name, values in batch.items():
        assert engine.analytics.columns[name][-1] == values[-1], f"live {name} equals batch, bit for bit"


def main() -> None:
    desks = {n: Desk(n) for n in (SHORT, LONG)}
    taken: dict[int, list[float]] = {n: [] for n in desks}
    for _ in range(ROUNDS):  # in turns, so that what else the machine does falls on both
        for n, desk in desks.items():
            taken[n].append(desk.timed_close())
    for n, desk in desks.items():
        check(desk.engine)
        median_ms, best_ms = 1e3 * np.median(taken[n]), 1e3 * min(taken[n])
        print(f"one close after {n:9,} bars   median {median_ms:6.2f} ms   best {best_ms:6.2f} ms")
    median, best = (f(taken[LONG]) / f(taken[SHORT]) for f in (np.median, np.min))
    print(f"long history over short         {median:6.3f}             {best:6.3f}")


if __name__ == "__main__":
    main()
