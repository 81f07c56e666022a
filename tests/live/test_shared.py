from __future__ import annotations

import asyncio
from typing import Any, Self

import pytest

from quantnb.live.shared import Shared
from tests.live.server import until


class Lamp:
    """Counts how often it was turned on and off; each takes until it is allowed."""

    def __init__(self) -> None:
        self.n_on = self.n_off = 0
        self.allowed = asyncio.Event()
        self.allowed.set()
        self.fault: Exception | None = None

    async def __aenter__(self) -> Self:
        await self.allowed.wait()
        if self.fault is not None:
            raise self.fault
        self.n_on += 1
        return self

    async def __aexit__(self, *_why: Any) -> None:
        await self.allowed.wait()
        self.n_off += 1


@pytest.fixture
def lamp() -> Lamp:
    return Lamp()


async def test_the_first_opens_and_the_last_closes(lamp: Lamp) -> None:
    shared = Shared(lamp)
    async with shared as first:
        async with shared as second:
            assert first is second is lamp
        assert (lamp.n_on, lamp.n_off) == (1, 0)
    assert (lamp.n_on, lamp.n_off) == (1, 1)
    async with shared:
        assert (lamp.n_on, lamp.n_off) == (2, 1)


async def test_who_comes_while_the_last_one_leaves_has_it_opened_again(lamp: Lamp) -> None:
    shared = Shared(lamp)
    await shared.__aenter__()
    lamp.allowed.clear()
    leaving = asyncio.create_task(shared.__aexit__(None, None, None))
    await asyncio.sleep(0)
    coming = asyncio.create_task(shared.__aenter__())
    await asyncio.sleep(0)
    lamp.allowed.set()
    await asyncio.gather(leaving, coming)
    assert (lamp.n_on, lamp.n_off) == (2, 1)


async def test_a_fault_in_opening_is_the_users_and_the_next_one_may_try(lamp: Lamp) -> None:
    shared = Shared(lamp)
    lamp.fault = OSError("no port")
    with pytest.raises(OSError, match="no port"):
        await shared.__aenter__()
    lamp.fault = None
    async with shared:
        assert lamp.n_on == 1
    assert lamp.n_off == 1


async def test_one_who_gives_up_waiting_is_no_user(lamp: Lamp) -> None:
    shared = Shared(lamp)
    lamp.allowed.clear()
    waiting = [asyncio.create_task(shared.__aenter__()) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    lamp.allowed.set()
    await until(lambda: all(task.done() for task in waiting))
    await shared.__aexit__(None, None, None)
    assert (lamp.n_on, lamp.n_off) == (1, 1)
