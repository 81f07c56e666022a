from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

from quantnb.view.outbox import BURST, RATE_PER_S, Letter, Outbox
from tests.view.browser_stub import Clock


class Widget:
    """Writes letters and keeps, in ``sent``, what it was given to send."""

    def __init__(self, sent: list[Any], number: int = 1) -> None:
        self.sent, self.number = sent, number
        self.failures: list[Exception] = []

    def writer(self, content: Any, *buffers: bytes) -> Callable[[], Letter]:
        return lambda: Letter(self.number, content, buffers, self.send, self.failures.append)

    def send(self, content: Any, buffers: Any) -> None:
        self.sent.append((content, list(buffers)) if buffers else content)


def nothing() -> None:
    """There is nothing new."""


def test_never_more_than_its_rate_however_much_is_asked() -> None:
    clock, sent = Clock(), []
    outbox, write = Outbox(clock), Widget(sent).writer("news")
    for step in range(1_000):
        clock.now_s = step / 100
        for key in range(20):
            outbox.put(key, write)
    assert len(sent) <= BURST + RATE_PER_S * 10
    assert len(sent) >= RATE_PER_S * 9


def test_asking_twice_is_asking_once_and_first_come_is_first_served() -> None:
    clock, sent = Clock(), []
    outbox, widget = Outbox(clock), Widget(sent)
    for i in range(BURST):
        outbox.put(("used up", i), widget.writer("before"))
    sent.clear()
    for key in "abcab":
        outbox.put(key, widget.writer(key))
    assert sent == []
    clock.now_s = 1.0
    outbox.flush()
    assert sent == ["a", "b", "c"]


def test_who_had_nothing_to_send_costs_nothing() -> None:
    sent: list[Any] = []
    outbox = Outbox(Clock())
    for i in range(10 * BURST):
        outbox.put(i, nothing)
    outbox.put("last", Widget(sent).writer("news"))
    assert sent == ["news"]


async def test_what_waits_is_sent_later_without_being_asked_again() -> None:
    outbox, sent, done = Outbox(time.monotonic), [], asyncio.Event()
    widget = Widget(sent)

    def write(i: int) -> Letter:
        if i == BURST + 4:
            done.set()
        return widget.writer(i)()

    for i in range(BURST + 5):
        outbox.put(i, lambda i=i: write(i))
    outbox.flush()
    assert len(sent) < BURST + 5
    await done.wait()
    assert sent == list(range(BURST + 5))


def numbered(sent: list[Any]) -> Iterator[Widget]:
    return (Widget(sent, number) for number in range(1, 10))


async def test_letters_to_one_page_that_are_written_in_one_turn_travel_in_one_message() -> None:
    sent: list[Any] = []
    outbox, (a, b, c, *_) = Outbox(Clock()), numbered(sent)
    outbox.put("a", a.writer("x", b"1", b"2"), page="first")
    outbox.put("b", b.writer("y"), page="second")
    outbox.put("c", c.writer("z", b"3"), page="first")
    outbox.put("d", nothing, page="first")
    await asyncio.sleep(0)
    assert sent == [({"letters": [[1, "x", 2], [3, "z", 1]]}, [b"1", b"2", b"3"]), "y"]


async def test_a_message_of_many_letters_counts_once() -> None:
    sent: list[Any] = []
    outbox = Outbox(Clock())
    for turn in range(BURST):
        for widget in numbered(sent):
            outbox.put(widget.number, widget.writer(turn), page="one")
        await asyncio.sleep(0)
    assert len(sent) == BURST


async def test_letters_without_a_page_travel_alone() -> None:
    sent: list[Any] = []
    outbox, (a, b, *_) = Outbox(Clock()), numbered(sent)
    outbox.put("a", a.writer("x"))
    outbox.put("b", b.writer("y"))
    await asyncio.sleep(0)
    assert sent == ["x", "y"]


async def test_a_letter_that_cannot_be_sent_keeps_no_other_back() -> None:
    sent: list[Any] = []
    outbox, (a, b, c, *_) = Outbox(Clock()), numbered(sent)
    bad = b.writer("bad")

    def refuse_what_is_bad(content: Any, buffers: Any) -> None:
        if "bad" in str(content):
            raise TypeError(content)
        sent.append(content)

    for widget in (a, b, c):
        widget.send = refuse_what_is_bad  # type: ignore[method-assign]
    outbox.put("a", a.writer("x"), page="one")
    outbox.put("b", bad, page="one")
    outbox.put("c", c.writer("z"), page="one")
    await asyncio.sleep(0)
    assert sent == ["x", "z"]
    assert [str(error) for error in b.failures] == ["bad"]
    assert a.failures == c.failures == []
