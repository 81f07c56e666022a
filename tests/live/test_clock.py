from __future__ import annotations

import time

from quantnb.live.clock import SystemClock


async def test_both_clocks_go_on_while_it_sleeps() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.02)
    after = clock.now()
    assert after.monotonic_ns - before.monotonic_ns >= 15_000_000
    assert after.wall_ns > before.wall_ns


def test_the_wall_clock_counts_from_the_epoch() -> None:
    assert abs(SystemClock().now().wall_ns - time.time_ns()) < 10_000_000_000
