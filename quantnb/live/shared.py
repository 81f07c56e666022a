"""One thing for several users: opened by the first, closed by the last."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Generic, TypeVar

__all__ = ["Shared"]

T = TypeVar("T")


class Shared(Generic[T]):
    """An async context manager for many users of one that knows only one, and can be entered again.

    Parameters
    ----------
    inner : async context manager
        Entered by the first user, left by the last.
    """

    def __init__(self, inner: AbstractAsyncContextManager[T]) -> None:
        self._inner = inner
        self._given: tuple[T] | None = None  # what it gave; None while it is closed
        self._n_users = 0
        self._lock = asyncio.Lock()  # who comes while the last one leaves waits, and opens it anew

    async def __aenter__(self) -> T:
        self._n_users += 1
        try:
            async with self._lock:
                if self._given is None:
                    self._given = (await self._inner.__aenter__(),)
                return self._given[0]
        except BaseException:
            self._n_users -= 1
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._n_users -= 1
        async with self._lock:
            if not self._n_users and self._given is not None:
                self._given = None
                await self._inner.__aexit__(None, None, None)
