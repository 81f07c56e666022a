"""An hour of trades in compressed time: what the engine holds is bounded by its budget, and stays so."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

from quantnb.engine import Engine, Settings, engine, instrument
from quantnb.events import Trade
from quantnb.snapshot import Status

START_NS, SECOND_NS = 1_790_000_000_000_000_000, 1_000_000_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
STATUS = Status("live", "live", "", False, 30.0, 0.1, 1.0, None, {})
# An hour at 1,000 trades a second fills the usual budget not quite twice; here it does so three times.
PER_S, HOUR_S, FULL_S = 10, 3_600, 1_200  # trades of each symbol
SETTINGS = Settings(SYMBOLS, SYMBOLS[:2], "5s", 20, memory_mb=1.0)
BARS_KEPT, LOOK_S = 100, 4
# numpy makes and drops interned strings there; when the interpreter's own table of them grows is chance.
NOT_OURS = tracemalloc.Filter(False, "*/_stride_tricks_impl.py")


def pass_seconds(folded: Engine, start_s: int, end_s: int) -> None:
    """Give the engine the trades of some seconds, and look at it now and then, as a page does."""
    rng = np.random.default_rng(start_s)
    for second in range(start_s, end_s):
        prices = 100.0 + rng.normal(0, 0.1, (PER_S, len(SYMBOLS)))
        for k, row in enumerate(prices.tolist()):
            event_ns = START_NS + second * SECOND_NS + k * SECOND_NS // PER_S
            for symbol, price in zip(SYMBOLS, row, strict=True):
                at_ns = (event_ns, event_ns + 10**8, event_ns + 10**8)
                folded.receive(Trade(symbol, second * PER_S + k + 1, price, 1.0, False, *at_ns))
        if second % LOOK_S == 0:
            folded.snapshot(START_NS + second * SECOND_NS, STATUS)


def held_bytes() -> int:
    gc.collect()
    snapshot = tracemalloc.take_snapshot().filter_traces([NOT_OURS])
    return sum(trace.size for trace in snapshot.traces)


@pytest.mark.timeout(300)
def test_an_hour_of_trades_needs_no_more_memory_than_the_budget_filled_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (instrument, engine):
        monkeypatch.setattr(module, "BARS_KEPT", BARS_KEPT)
    folded = Engine(SETTINGS)
    tracemalloc.start()
    try:
        pass_seconds(folded, 0, FULL_S)
        n_bytes = held_bytes()
        pass_seconds(folded, FULL_S, HOUR_S)
        n_more = held_bytes() - n_bytes
    finally:
        tracemalloc.stop()
    memory = folded.memory
    assert memory.n_bytes <= 1.05 * memory.n_bytes_allowed
    for each in folded.instruments.values():
        assert each.n_trades == PER_S * HOUR_S
        assert len(each.bars) <= BARS_KEPT
    assert n_more < 0.02 * n_bytes, f"{n_more:,} bytes more than {n_bytes:,}"
