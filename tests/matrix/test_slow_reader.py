"""A kernel that is busy until the exchange, in a process of its own, cuts it off: what is shown then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from quantnb.feed.ledger import DISCONNECTED
from quantnb.session import Session
from quantnb.snapshot import Status
from tests.live.test_busy_kernel import exchange

WELL = ("live", "simulated")
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
BUSY_S = 5.0
WELL_WITHIN_S, WHOLE_WITHIN_S = 2.0, 15.0


async def test_a_busy_kernel_that_was_cut_off_says_both_and_is_well_and_whole_again() -> None:
    seen: list[Status] = []
    with exchange("--rate", "1000", "--fault", "slow-reader:65536") as endpoints:
        session = Session(symbols=SYMBOLS, feed=endpoints.websocket_base, window=20)
        session.observe(lambda change: seen.append(change["new"].status), "snapshot")
        session.start()
        await until(lambda: bool(seen) and seen[-1].state in WELL)
        time.sleep(BUSY_S)  # noqa: ASYNC251 - it is the fault under test
        seen.clear()
        resumed_s = time.monotonic()
        await until(lambda: bool(seen) and any(hole.cause == DISCONNECTED for hole in seen[-1].holes))
        await until(lambda: seen[-1].state in WELL)
        well_s = time.monotonic() - resumed_s
        await until(lambda: not any(hole.state == "open" for hole in seen[-1].holes))
        whole_s = time.monotonic() - resumed_s
        await session.stop()
    print(f"well after {well_s:.2f} s, whole after {whole_s:.2f} s")
    states = {each.state: each.reason for each in seen}
    # The next connection may be there before the next look; that one was lost stands in the ledger.
    assert "connection was lost" in states.pop("reconnecting", "The connection was lost.")
    assert states.keys() <= {"connecting", "delayed", "simulated", "stopped"}
    assert "The kernel was busy for 5 s." in seen[-1].notes
    assert well_s <= WELL_WITHIN_S
    assert seen[-1].coverage == 1.0
    assert not [each for each in seen if each.state in WELL and (each.last_trade_age_s or 0.0) > 5.0]
    for symbol in SYMBOLS:
        assert session.trades(symbol)["trade_id"].diff().dropna().eq(1).all()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30.0):
        while not is_so():
            await asyncio.sleep(0.02)
