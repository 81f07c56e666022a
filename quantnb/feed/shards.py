"""Which of a route's connections carries which symbol."""

from __future__ import annotations

from collections.abc import Iterable

from quantnb.feed.routes import STREAM_KINDS, Route
from quantnb.feed.subscribe import MAX_STREAMS

__all__ = ["Shards"]


class Shards:
    """Distributes symbols; each stays where it is for as long as it is watched.

    A change of one symbol thus never moves another: its stream would be interrupted.
    """

    def __init__(self, route: Route) -> None:
        self.capacity = MAX_STREAMS // len(STREAM_KINDS[route])
        self._shards: list[dict[str, None]] = [{}]

    def assign(self, symbols: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """Return the symbols of each shard; the first one exists always, others may have become empty."""
        wanted = dict.fromkeys(symbols)
        self._shards = [{name: None for name in shard if name in wanted} for shard in self._shards]
        placed = {name for shard in self._shards for name in shard}
        for name in wanted:
            if name not in placed:
                self._first_with_room()[name] = None
        return tuple(tuple(shard) for shard in self._shards)

    def symbols(self, index: int) -> tuple[str, ...]:
        """Return the symbols of one shard."""
        return tuple(self._shards[index])

    def _first_with_room(self) -> dict[str, None]:
        for shard in self._shards:
            if len(shard) < self.capacity:
                return shard
        self._shards.append({})
        return self._shards[-1]
