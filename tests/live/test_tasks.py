from __future__ import annotations

import asyncio

import pytest

from quantnb.live.tasks import finished, first, give_up


async def test_the_first_end_gives_up_the_others() -> None:
    before = asyncio.all_tasks()
    is_set = asyncio.Event()
    is_set.set()
    await first(None, asyncio.Event().wait(), is_set.wait())
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_a_watched_task_is_not_touched() -> None:
    watched = asyncio.create_task(asyncio.Event().wait())
    await first(watched, asyncio.sleep(0))
    assert not watched.done()
    await give_up(watched)
    assert watched.cancelled()


async def test_what_ended_a_watched_task_is_raised() -> None:
    async def fail() -> None:
        raise LookupError("ours")

    with pytest.raises(LookupError, match="ours"):
        await first(asyncio.create_task(fail()), asyncio.Event().wait())


async def test_to_wait_for_an_end_neither_raises_nor_cancels() -> None:
    async def fail() -> None:
        raise LookupError("ours")

    task = asyncio.create_task(fail())
    await finished(task)
    await give_up(task)  # it has ended: its error does not matter any more
    going_on = asyncio.create_task(asyncio.Event().wait())
    await first(None, finished(going_on), asyncio.sleep(0))
    assert not going_on.done()
    await give_up(going_on)
