"""A small seeded market of trades, as the decoder would give them."""

from __future__ import annotations

import numpy as np

from quantnb.events import MarkPrice, Quote, Trade

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


def quote(symbol: str, bid: float, ask: float, at_s: float = 0.0) -> Quote:
    push_ns = T0 + round(at_s * 1000) * MS
    return Quote(symbol, 1, bid, 1.0, ask, 1.0, push_ns, push_ns, push_ns + 20 * MS)


def reverting_pair(seed: int, seconds: int) -> list[Trade]:
    """Return a trade of either leg a second: ETH is 0.05 BTC and a spread with a half-life of two seconds."""
    print(f"reverting pair seed {seed}")
    rng = np.random.default_rng(seed)
    btc = np.round(60_000 + np.cumsum(rng.normal(0, 8, seconds)), 1)
    spread = np.zeros(seconds)
    for t, noise in enumerate(rng.normal(0, 1, seconds - 1), start=1):
        spread[t] = 2**-0.5 * spread[t - 1] + noise
    eth = np.round(0.05 * btc + spread, 2)
    return [
        trade(symbol, t + 1, float(prices[t]), t + 0.5, quantity=float(rng.integers(1, 500)) / 1000)
        for t in range(seconds)
        for symbol, prices in (("BTCUSDT", btc), ("ETHUSDT", eth))
    ]


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
