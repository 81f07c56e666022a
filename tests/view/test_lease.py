from __future__ import annotations

import asyncio

from quantnb.view import lease as module
from quantnb.view.lease import ABANDONED_S, BEAT_S, UNWATCHED_S, Lease
from tests.view.browser_stub import Clock


def pass_seconds(lease: Lease, clock: Clock, seconds: float) -> None:
    for _ in range(round(seconds / BEAT_S)):
        clock.now_s += BEAT_S
        lease.beat()


def test_a_life_sign_holds_for_fifteen_seconds() -> None:
    clock = Clock()
    lease = Lease(clock=clock)
    assert not lease.is_watched
    lease.sign()
    pass_seconds(lease, clock, UNWATCHED_S - 1)
    assert lease.is_watched
    pass_seconds(lease, clock, 1)
    assert not lease.is_watched


def test_the_first_viewer_starts_what_waits_for_it_once() -> None:
    calls: list[str] = []
    lease = Lease(clock=Clock())
    lease.on_viewer(lambda: calls.append("start"))
    assert calls == []
    lease.sign()
    lease.sign()
    assert calls == ["start"]


def test_it_is_abandoned_once_sixty_seconds_after_the_last_sign() -> None:
    calls: list[str] = []
    clock = Clock()
    lease = Lease(lambda: calls.append("end"), clock=clock)
    pass_seconds(lease, clock, 30)
    lease.sign()
    pass_seconds(lease, clock, ABANDONED_S - 1)
    assert calls == []
    pass_seconds(lease, clock, 100)
    assert calls == ["end"]


def test_a_kernel_that_nobody_ever_watched_is_abandoned_unless_it_waits_in_a_pool() -> None:
    calls: list[str] = []
    clock = Clock()
    fresh = Lease(lambda: calls.append("fresh"), clock=clock)
    pooled = Lease(lambda: calls.append("pooled"), ends_unseen=False, clock=clock)
    for _ in range(70):
        clock.now_s += BEAT_S
        fresh.beat()
        pooled.beat()
    assert calls == ["fresh"]


def test_a_blocked_loop_is_not_taken_for_a_missing_viewer() -> None:
    calls: list[str] = []
    clock = Clock()
    lease = Lease(lambda: calls.append("end"), clock=clock)
    lease.sign()
    clock.now_s += 600
    lease.beat()
    assert lease.is_watched
    assert calls == []


def test_beats_reach_objects_only_while_they_live() -> None:
    class Heart:
        n = 0

        def beat(self) -> None:
            Heart.n += 1

    lease, heart = Lease(clock=Clock()), Heart()
    lease.on_beat(heart.beat)
    lease.beat()
    del heart
    lease.beat()
    assert Heart.n == 1


async def test_it_beats_by_itself_where_a_loop_runs(monkeypatch) -> None:
    monkeypatch.setattr(module, "BEAT_S", 0.001)
    beaten = asyncio.Event()

    class Heart:
        def beat(self) -> None:
            beaten.set()

    heart = Heart()
    lease = Lease()
    lease.on_beat(heart.beat)
    await beaten.wait()
