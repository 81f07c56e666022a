"""Waiting for the first of several things, and giving up the others."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["finished", "first", "give_up"]


async def first(watched: asyncio.Task[Any] | None, *works: Coroutine[Any, Any, Any]) -> None:
    """Return as soon as one of the works ends; they are given up then, the watched task is not touched.

    Raises what ended the watched task, if it ended.
    """
    mine = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait([*mine, *([watched] if watched else [])], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in mine:
            task.cancel()
    if watched is not None and watched.done():
        watched.result()


async def finished(task: asyncio.Task[Any]) -> None:
    """Wait until a task has ended, however; giving this up does not touch it."""
    await asyncio.wait({task})


async def give_up(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end, which no longer matters."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
