"""What a million trades take: in the store, against a list of dicts, and in a process with the same imports.

Each is measured in a process of its own, by what the operating system holds for it (Linux).
"""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

from quantnb.engine import Engine, Settings
from quantnb.engine.instrument import Instrument
from quantnb.events import Trade

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
N_TRADES = 1_000_000
START_NS = 1_790_000_000_000_000_000


def trade(number: int) -> Trade:
    symbol, event_ns = SYMBOLS[number % 3], START_NS + number * 1_000_000
    price, quantity = 60_000.0 + number % 1_000 / 10, (number % 997 + 1) / 1_000
    return Trade(symbol, number // 3, price, quantity, number % 2 == 0, event_ns, event_ns, event_ns)


def resident_mb() -> float:
    gc.collect()
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(text.split("VmRSS:")[1].split()[0]) * 1024 / 1e6


def measure(what: str) -> None:
    before_mb = resident_mb()
    kept: object = None
    if what == "store":
        engine = kept = Engine(Settings(SYMBOLS, ("ETHUSDT", "BTCUSDT"), "1s", 50))
        for number in range(N_TRADES):
            engine.receive(trade(number))
        instruments: list[Instrument] = list(engine.instruments.values())
        assert engine.memory.n_trades == N_TRADES
        n_bytes = sum(each.trades.nbytes for each in instruments)
        print(resident_mb() - before_mb, n_bytes / N_TRADES)
    else:
        kept = [
            {
                "symbol": t.symbol,
                "price": t.price,
                "quantity": t.quantity,
                "time": t.event_ns,
                "id": t.trade_id,
            }
            for t in map(trade, range(N_TRADES))
        ]
        print(resident_mb() - before_mb, 0.0)
    del kept


def grown(what: str) -> tuple[float, float]:
    """Return by how many MB a process grew, and the bytes allocated for a trade."""
    command = [sys.executable, __file__, what]
    mb, n_bytes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(mb), float(n_bytes)


def main() -> None:
    store_mb, n_bytes = grown("store")
    dicts_mb, _ = grown("dicts")
    print(f"{N_TRADES:,} trades of {len(SYMBOLS)} symbols; the process grows by")
    print(f"list of dicts        {dicts_mb:7.1f} MB, {dicts_mb:5.0f} bytes a trade")
    print(f"quantnb, all of it   {store_mb:7.1f} MB, of which columns {n_bytes:.1f} bytes a trade")
    print(f"ratio of a trade     {n_bytes / dicts_mb:.3f}")


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
