"""Frames to trades, bars and statistics, against the loop that a user would write by hand.

By hand: ``json.loads`` and a list of dicts, which then holds no bars and no statistics. Ours: decode, order,
typed columns, bars of one second, the pair's statistics at each close. Frames of three symbols, 600 s of a
seeded market at 60 trades a second. Sockets are left out on both sides.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import msgspec

from quantnb.engine import Engine, Settings
from quantnb.events import Trade
from quantnb.exchange.listings import find_listings
from quantnb.exchange.market import Market
from quantnb.exchange.payloads import agg_trade_payloads
from quantnb.feed.decode import decode
from quantnb.feed.ledger import Ledger
from quantnb.feed.wire import Combined

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
SECONDS, ROUNDS = 600, 3
START_MS = 1_790_000_000_000


def recorded_frames() -> list[bytes]:
    """Return the market's frames in order of their push times."""
    market = Market(find_listings(SYMBOLS), seed=7, rate=60, start_ms=START_MS)
    market.advance(START_MS + 1000 * SECONDS)
    payloads = [
        payload
        for symbol in SYMBOLS
        for payload in agg_trade_payloads(
            market.listings[symbol], market.tape(symbol).between(START_MS, START_MS + 1000 * SECONDS)
        )
    ]
    payloads.sort(key=lambda payload: payload.push_ms)
    return [
        msgspec.json.encode(Combined(f"{payload.symbol.lower()}@aggTrade", payload)) for payload in payloads
    ]


def by_hand(frames: list[bytes]) -> int:
    trades = []
    for frame in frames:
        data = json.loads(frame)["data"]
        trades.append(
            {
                "symbol": data["s"],
                "price": float(data["p"]),
                "quantity": float(data["q"]),
                "time": data["T"],
                "id": data["a"],
            }
        )
    return len(trades)


def ours(frames: list[bytes]) -> int:
    engine = Engine(Settings(SYMBOLS, ("ETHUSDT", "BTCUSDT"), "1s", 50))
    ledger = Ledger()
    for frame in frames:
        for event in decode(frame, (START_MS + 1000 * SECONDS) * 1_000_000):
            if isinstance(event, Trade):
                for each in ledger.receive(event):
                    engine.receive(each)
    return sum(len(instrument.trades) for instrument in engine.instruments.values())


def rate(run: Callable[[list[bytes]], int], frames: list[bytes]) -> float:
    best_s = float("inf")
    for _ in range(ROUNDS):
        start_s = time.perf_counter()
        assert run(frames) == len(frames), "every frame is a stored trade"
        best_s = min(best_s, time.perf_counter() - start_s)
    return len(frames) / best_s


def main() -> None:
    frames = recorded_frames()
    hand, full = rate(by_hand, frames), rate(ours, frames)
    print(f"{len(frames)} frames, best of {ROUNDS}")
    print(f"json.loads and a list of dicts    {hand:12,.0f} frames/s")
    print(f"decode, store, bars, statistics   {full:12,.0f} frames/s   ratio {full / hand:.2f}")


if __name__ == "__main__":
    main()
