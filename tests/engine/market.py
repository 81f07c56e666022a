"""A small seeded market of trades, as the decoder would give them."""

from __future__ import annotations

import numpy as np

from quantnb.events import MarkPrice, Trade

MS = 1_000_000
S = 1_000_000_000
T0 = 1_700_000_000 * S


def trade(
    symbol: str = "BTCUSDT",
    trade_id: int = 1,
    price: float = 100.0,
    at_s: float = 0.0,
    *,
    quantity: float = 1.0,
    push_delay_ms: int = 150,
) -> Trade:
    event_ns = T0 + round(at_s * 1000) * MS
    push_ns = event_ns + push_delay_ms * MS
    return Trade(symbol, trade_id, price, quantity, False, event_ns, push_ns, push_ns + 20 * MS)


def heartbeat(at_s: float, symbol: str = "BTCUSDT") -> MarkPrice:
    push_ns = T0 + round(at_s * 1000) * MS
    return MarkPrice(symbol, 100.0, 100.0, 0.0001, push_ns + 3600 * S, push_ns, push_ns + 20 * MS)


def market(
    seed: int, seconds: int, symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
) -> list[Trade]:
    """Return trades of all symbols in order of their push time; prices walk, ETH follows BTC."""
    print(f"market seed {seed}")
    rng = np.random.default_rng(seed)
    common = np.cumsum(rng.normal(0, 0.05, seconds * 10)) + 100
    trades: list[Trade] = []
    for number, symbol in enumerate(symbols):
        own = np.cumsum(rng.normal(0, 0.01, seconds * 10))
        prices = np.round((common + own) * (number + 1), 2)
        n = rng.poisson(6 * seconds)
        times = np.sort(rng.integers(0, seconds * 1000, n))
        trades += [
            trade(symbol, i + 1, prices[t // 100], t / 1000, quantity=float(rng.integers(1, 500)) / 1000)
            for i, t in enumerate(times.tolist())
        ]
    return sorted(trades, key=lambda each: each.push_ns)
