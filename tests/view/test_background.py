"""Work in a thread: when it runs, when it rests, and what becomes of its result."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from quantnb.view.background import REST_S, RESTS_PER_RUN, Background
from tests.view.browser_stub import Clock


class Desk:
    """A background whose clock a test moves, and whose news it can wait for."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.n_news = 0
        self._news = asyncio.Event()
        self.background: Background[int] = Background(self._hear, clock=self.clock)
        self.runs: list[int] = []

    def _hear(self) -> None:
        self.n_news += 1
        self._news.set()

    async def news(self) -> None:
        async with asyncio.timeout(30):
            await self._news.wait()
        self._news.clear()

    def work(self, number: int, lasts_s: float = 0.0) -> Callable[[], int]:
        def run() -> int:
            self.runs.append(number)
            self.clock.now_s += lasts_s
            return number

        return run

    async def run(self, number: int, *, subject: str = "pair", lasts_s: float = 0.0) -> None:
        self.background.offer(subject, number, self.work(number, lasts_s))
        await self.news()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    yield made
    made.background.close()


async def test_it_runs_in_another_thread_and_keeps_the_result(desk: Desk) -> None:
    assert desk.background.result() is None
    threads: list[int] = []

    def work() -> int:
        threads.append(threading.get_ident())
        return 7

    desk.background.offer("pair", 1, work)
    await desk.news()
    assert desk.background.result() == 7
    assert threads != [threading.get_ident()]


async def test_what_has_been_computed_is_not_computed_again(desk: Desk) -> None:
    await desk.run(1)
    desk.clock.now_s += 1_000
    desk.background.offer("pair", 1, desk.work(1))
    await desk.run(2)
    assert desk.runs == [1, 2]


@pytest.mark.parametrize(("lasts_s", "rest_s"), [(0.0, REST_S), (2.0, 2.0 * RESTS_PER_RUN)])
async def test_it_rests_five_seconds_or_twenty_times_as_long_as_a_long_run_lasted(
    desk: Desk, lasts_s: float, rest_s: float
) -> None:
    await desk.run(1, lasts_s=lasts_s)
    desk.clock.now_s += rest_s - 0.01
    desk.background.offer("pair", 2, desk.work(2))
    desk.clock.now_s += 0.02
    await desk.run(3)
    assert desk.runs == [1, 3]


async def test_what_was_passed_over_is_called_for_after_the_rest(desk: Desk) -> None:
    await desk.run(1)
    desk.clock.now_s += REST_S - 0.01
    desk.background.offer("pair", 2, desk.work(2))
    await desk.news()
    assert desk.runs == [1]


async def test_another_subject_does_not_wait_for_the_rest(desk: Desk) -> None:
    await desk.run(1, lasts_s=3.0)
    await desk.run(2, subject="another pair")
    assert desk.runs == [1, 2]


async def test_one_runs_at_a_time(desk: Desk) -> None:
    may_end = threading.Event()

    def wait() -> int:
        may_end.wait(30)
        return 1

    desk.background.offer("pair", 1, wait)
    desk.background.offer("another pair", 2, desk.work(2))
    may_end.set()
    await desk.news()
    assert desk.background.result() == 1
    assert desk.runs == []


async def test_what_a_run_raises_is_raised_where_the_result_is_asked_for(desk: Desk) -> None:
    def fail() -> int:
        raise ValueError("no numbers")

    desk.background.offer("pair", 1, fail)
    await desk.news()
    for _ in range(2):
        with pytest.raises(ValueError, match="no numbers"):
            desk.background.result()
    desk.clock.now_s += REST_S
    await desk.run(2)
    assert desk.background.result() == 2


async def test_a_run_that_another_cell_cancels_can_be_offered_again(desk: Desk) -> None:
    may_end = threading.Event()

    def wait() -> int:
        may_end.wait(30)
        return 1

    desk.background.offer("pair", 1, wait)
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "quantnb background")
    task.cancel()
    await asyncio.wait([task])
    may_end.set()
    await asyncio.sleep(0)  # the task's callbacks
    desk.clock.now_s += REST_S
    await desk.run(1)
    assert desk.background.result() == 1


async def test_once_closed_it_brings_no_news() -> None:
    desk = Desk()
    may_end = threading.Event()

    def wait() -> int:
        may_end.wait(30)
        return 1

    desk.background.offer("pair", 1, wait)
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "quantnb background")
    desk.background.close()
    await asyncio.wait([task])
    may_end.set()
    await asyncio.sleep(0)
    assert desk.n_news == 0
