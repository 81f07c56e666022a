"""Socket to statistics, against other libraries that only hand over two floats a trade.

The same frames for all, a market's of 24 s and three symbols, which another process sends as fast as they are
read. A library gets them by its own public interface and calls back with price and quantity, which are added
up and forgotten; its time is that from the first trade to the last. quantnb's is that from before the
connection until all is checked and stored, bars of one second closed and the pair's statistics computed.

What is not installed is left out. All of them, in an environment of their own since ccxt demands exact
versions of what others use, too::

    .venv/bin/python -m venv .venv/peers
    .venv/peers/bin/python -m pip install --upgrade "pip>=25.1"
    .venv/peers/bin/python -m pip install --editable ".[fast]" --group benchmark
    .venv/peers/bin/python benchmarks/bench_peers.py
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench_ingest import RATE, SECONDS
from feeder import Fed, feeding
from peers import OTHERS, OURS, PROGRAMS, TRUE, Program, Received

ROUNDS = 5
PATIENCE_S = 300  # a library that loses a trade waits for it for ever

Best = tuple[float, float]  # seconds a trade, on the wall and of the processor


def versions(program: Program) -> str | None:
    """Return what it is made of, or None where something is not installed."""
    try:
        return ", ".join(f"{each} {version(each)}" for each in program.distributions)
    except PackageNotFoundError:
        return None


def installed() -> list[str]:
    """Return the names of what can be run, and say what cannot."""
    found = {name: versions(program) for name, program in PROGRAMS.items()}
    for name, made_of in found.items():
        print(f"{name}: {made_of or 'left out, not installed (how is told at the head of this file)'}")
    return [name for name, made_of in found.items() if made_of]


def run(name: str, fed: Fed) -> Received:
    command = [sys.executable, Path(__file__).with_name("peers.py"), name, fed.address, str(fed.n_frames)]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=PATIENCE_S, check=True)
    return Received(*json.loads(done.stdout))


def check(name: str, received: Received, true: Received) -> None:
    assert received.n_trades == true.n_trades, f"{name} handed over every trade"
    assert math.isclose(received.price_sum, true.price_sum, rel_tol=1e-10), f"{name}: prices"
    assert math.isclose(received.quantity_sum, true.quantity_sum, rel_tol=1e-10), f"{name}: quantities"


def measure(names: list[str]) -> dict[str, Best]:
    """Return the best of several rounds that take turns."""
    best = dict.fromkeys(names, (math.inf, math.inf))
    for _ in range(ROUNDS):
        # A market anew, ours first: times that are half a minute off would be judged as wrong.
        with feeding(SECONDS, RATE) as fed:
            found = {name: run(name, fed) for name in names}
        for name, received in found.items():
            check(name, received, found[TRUE])
            pace = received.wall_s / received.n_trades, received.cpu_s / received.n_trades
            best[name] = min(best[name][0], pace[0]), min(best[name][1], pace[1])
    print(f"about {fed.n_frames:,} trades, best of {ROUNDS}, load {os.getloadavg()[0]:.1f}")
    return best


def main() -> None:
    best = measure(installed())
    ours = [name for name in OURS if name in best]
    for name, (wall_s, cpu_s) in best.items():
        ratios = "   ".join(f"{each} {wall_s / best[each][0]:.2f}" for each in ours if name not in OURS)
        print(f"{name:38} {1 / wall_s:9,.0f} trades/s   {cpu_s * 1e6:5.2f} µs of CPU   {ratios}")
    others = [name for name in OTHERS if name in best]
    if others:
        fastest = min(others, key=lambda name: best[name])
        ratios = ", ".join(f"{each}: {best[fastest][0] / best[each][0]:.2f}" for each in ours)
        print(f"against the fastest, {fastest}: {ratios}")


if __name__ == "__main__":
    main()
