"""Socket to statistics, against the loop that a user would write by hand with ``websockets``.

By hand: ``async for``, ``json.loads`` and a list of dicts, which then holds no bars and no statistics. Ours:
the client with its two sockets and all its checks, typed columns, bars of one second and the pair's
statistics at each close. The frames are a market's of 24 s and three symbols; another process sends them, as
fast as they are read. Then at 5,000 a second: how long from the socket to the store.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from importlib.util import find_spec

import numpy as np
from feeder import SYMBOLS, feeding
from websockets.asyncio.client import connect

from quantnb.engine import Engine, Settings
from quantnb.events import Disconnected, Event, Trade
from quantnb.feed.health import Health
from quantnb.feed.routes import Endpoints
from quantnb.live.client import Client
from quantnb.live.clock import SystemClock
from quantnb.live.transport import TRANSPORTS

SECONDS, RATE, ROUNDS = 24, 10_000, 3
PACE, PACED_RATE, PACED_S = 5_000, 5_000, 12
SETTINGS = Settings(SYMBOLS, ("ETHUSDT", "BTCUSDT"), "1s", 20)
SNAPSHOT_EVERY_S = 0.25

Run = Callable[[str, int], Awaitable[int]]


async def by_hand(address: str, _n_frames: int) -> int:
    trades = []
    async with connect(f"{address}/market/stream") as socket:
        async for text in socket:
            data = json.loads(text)["data"]
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


async def collect(address: str) -> Engine:
    """Return the engine in which all is stored that came until the farewell."""
    engine, all_stored = Engine(SETTINGS), asyncio.Event()

    def receive(event: Event) -> None:
        engine.receive(event)
        if type(event) is Disconnected:  # the feeder has sent all
            all_stored.set()

    client = Client(Endpoints.at(address), SYMBOLS, on_event=receive)
    task = asyncio.create_task(client.run())
    await all_stored.wait()
    task.cancel()
    await asyncio.wait([task])
    assert len(engine.analytics.columns) >= SECONDS - 3, "bars were closed on the way"
    return engine


async def ours(address: str, _n_frames: int) -> int:
    engine = await collect(address)
    return sum(each.n_trades for each in engine.instruments.values())


def over(transport: str) -> Run:
    def run(address: str, n_frames: int) -> Awaitable[int]:
        os.environ["QUANTNB_TRANSPORT"] = transport
        return ours(address, n_frames)

    return run


def rates(runs: dict[str, Run]) -> dict[str, float]:
    """Return frames a second of each, the best of several rounds that take turns."""
    best = dict.fromkeys(runs, 0.0)
    for _ in range(ROUNDS):
        # A market anew: times that are half a minute off would be judged as wrong.
        with feeding(SECONDS, RATE) as fed:
            for name, run in runs.items():
                start_s = time.perf_counter()
                assert asyncio.run(run(fed.address, fed.n_frames)) == fed.n_frames, "every frame is a trade"
                best[name] = max(best[name], fed.n_frames / (time.perf_counter() - start_s))
    print(f"about {fed.n_frames:,} frames, best of {ROUNDS}")
    return best


async def stored_ns(address: str, n_frames: int) -> list[int]:
    """Return when each trade was stored, while somebody looks four times a second."""
    engine, health, clock, times = Engine(SETTINGS), Health(), SystemClock(), []

    def receive(event: Event) -> None:
        engine.receive(event)
        if type(event) is Trade:
            times.append(time.monotonic_ns())

    client = Client(Endpoints.at(address), SYMBOLS, on_event=receive, health=health)
    task = asyncio.create_task(client.run())
    while len(times) < n_frames:
        await asyncio.sleep(SNAPSHOT_EVERY_S)
        engine.snapshot(clock.now().wall_ns, health.status(clock.now()))
    task.cancel()
    await asyncio.wait([task])
    return times


async def by_hand_ns(address: str, _n_frames: int) -> list[int]:
    """Return the same of the loop by hand, which does nothing else: what is late here the machine made so."""
    times, trades = [], []
    async with connect(f"{address}/market/stream") as socket:
        async for text in socket:
            trades.append(json.loads(text)["data"])
            times.append(time.monotonic_ns())
    return times


def measure_latency(name: str) -> None:
    os.environ["QUANTNB_TRANSPORT"] = name if name in TRANSPORTS else ""
    run = stored_ns if name in TRANSPORTS else by_hand_ns
    with feeding(PACED_S, PACED_RATE, PACE) as fed:
        stored = np.array(asyncio.run(run(fed.address, fed.n_frames)))
        while not fed.sent.exists():
            time.sleep(0.05)
        ms = (stored - np.load(fed.sent)) / 1e6
    assert len(stored) == fed.n_frames
    p50, p99, most = np.percentile(ms, [50, 99, 100])
    found = f"median {p50:.2f}, p99 {p99:.2f}, most {most:.1f} ms"
    print(f"{name:12} at {PACE:,} a second, socket to store: {found}")


def main() -> None:
    transports = [name for name in TRANSPORTS if find_spec(name)]
    found = rates({"by hand": by_hand} | {f"quantnb, {name}": over(name) for name in transports})
    for name, rate in found.items():
        print(f"{name:22} {rate:10,.0f} trades/s   ratio {rate / found['by hand']:.2f}")
    for name in ("by hand", *transports):
        measure_latency(name)


if __name__ == "__main__":
    main()
