from __future__ import annotations

import asyncio
import time

from quantnb.view.outbox import BURST, RATE_PER_S, Outbox
from tests.view.browser_stub import Clock


def test_never_more_than_its_rate_however_much_is_asked() -> None:
    clock, sent = Clock(), []
    outbox = Outbox(clock)
    for step in range(1_000):
        clock.now_s = step / 100
        for key in range(20):
            outbox.put(key, lambda: sent.append(1) is None)
    assert len(sent) <= BURST + RATE_PER_S * 10
    assert len(sent) >= RATE_PER_S * 9


def test_asking_twice_is_asking_once_and_first_come_is_first_served() -> None:
    clock, sent = Clock(), []
    outbox = Outbox(clock)
    for i in range(BURST):
        outbox.put(("used up", i), lambda: True)
    for key in "abcab":
        outbox.put(key, lambda key=key: sent.append(key) is None)
    assert sent == []
    clock.now_s = 1.0
    outbox.flush()
    assert sent == ["a", "b", "c"]


def test_who_had_nothing_to_send_costs_nothing() -> None:
    outbox, sent = Outbox(Clock()), []
    for i in range(10 * BURST):
        outbox.put(i, lambda: False)
    outbox.put("last", lambda: sent.append(1) is None)
    assert sent == [1]


async def test_what_waits_is_sent_later_without_being_asked_again() -> None:
    outbox, sent, done = Outbox(time.monotonic), [], asyncio.Event()

    def send(i: int) -> bool:
        sent.append(i)
        if len(sent) == BURST + 5:
            done.set()
        return True

    for i in range(BURST + 5):
        outbox.put(i, lambda i=i: send(i))
    assert len(sent) < BURST + 5
    await done.wait()
    assert sent == list(range(BURST + 5))
