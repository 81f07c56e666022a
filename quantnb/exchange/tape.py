"""The trades of one symbol, kept in order and bounded: the truth that streams and REST both read."""

from __future__ import annotations

from collections import deque

import numpy as np

from quantnb.exchange.climate import MINUTE_MS
from quantnb.exchange.instrument import TRADE, Trades

__all__ = ["Tape"]


class Tape:
    """Whole minutes of trades, oldest dropped first once more than ``capacity`` are kept.

    Minutes are generated ahead of time, so every reader says up to which time it may see.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._minutes: deque[Trades] = deque()
        self._n_kept = 0
        self.first_id = 0  # of the oldest trade kept
        self.start_ms = 0  # from here on the tape is complete

    def append(self, start_ms: int, trades: Trades) -> None:
        """Add the next minute."""
        if not self._minutes:
            self.start_ms = start_ms
        self._minutes.append(trades)
        self._n_kept += len(trades)
        while self._n_kept > self._capacity and len(self._minutes) > 2:
            dropped = self._minutes.popleft()
            self._n_kept -= len(dropped)
            self.start_ms += MINUTE_MS
        self.first_id = next((int(block["trade_id"][0]) for block in self._minutes if len(block)), 0)

    def insert(self, trades: Trades) -> None:
        """Put trades of one moment after all others of that moment, with ids that are consecutive.

        The ids of all later trades move up; nobody has seen those, as they are not visible yet.
        """
        time_ms = int(trades["time_ms"][0])
        place = (time_ms - self.start_ms) // MINUTE_MS
        block = self._minutes[place]
        at = int(np.searchsorted(block["time_ms"], time_ms, side="right"))
        later = _joined(
            [block[at:], *(self._minutes[k] for k in range(place + 1, len(self._minutes)))]
        ).copy()
        if len(later):
            trades["trade_id"] += later["trade_id"][0] - trades["trade_id"][0]
            trades["first_raw_id"] += later["first_raw_id"][0] - trades["first_raw_id"][0]
        later["trade_id"] += len(trades)
        later["first_raw_id"] += trades["n_raw"].sum()
        self._minutes[place] = np.concatenate((block[:at], trades, later[: len(block) - at]))
        begin = len(block) - at
        for k in range(place + 1, len(self._minutes)):
            end = begin + len(self._minutes[k])
            self._minutes[k] = later[begin:end]
            begin = end
        self._n_kept += len(trades)

    def between(self, start_ms: int, end_ms: int, limit: int | None = None) -> Trades:
        """Return trades with ``start_ms <= time < end_ms``, ascending: the first ``limit`` of them."""
        found: list[Trades] = []
        n_found = 0
        for block in self._from_minute(start_ms):
            if not len(block):
                continue
            if block["time_ms"][0] >= end_ms or (limit is not None and n_found >= limit):
                break
            low, high = np.searchsorted(block["time_ms"], (start_ms, end_ms))
            found.append(block[low:high])
            n_found += int(high - low)
        return _joined(found)[:limit]

    def from_id(self, trade_id: int, end_ms: int, limit: int) -> Trades:
        """Return up to ``limit`` trades from ``trade_id`` on that happened before ``end_ms``."""
        found: list[Trades] = []
        n_found = 0
        for block in self._minutes:
            if not len(block) or block["trade_id"][-1] < trade_id:
                continue
            if block["time_ms"][0] >= end_ms or n_found >= limit:
                break
            low = max(0, trade_id - int(block["trade_id"][0]))
            high = int(np.searchsorted(block["time_ms"], end_ms))
            found.append(block[low:high])
            n_found += max(0, high - low)
        return _joined(found)[:limit]

    def newest(self, end_ms: int, limit: int) -> Trades:
        """Return the last ``limit`` trades that happened before ``end_ms``, ascending."""
        found: list[Trades] = []
        n_found = 0
        for block in reversed(self._minutes):
            if n_found >= limit:
                break
            seen = block[: int(np.searchsorted(block["time_ms"], end_ms))]
            found.append(seen)
            n_found += len(seen)
        return _joined(found[::-1])[-limit:]

    def _from_minute(self, start_ms: int) -> list[Trades]:
        skipped = max(0, (start_ms - self.start_ms) // MINUTE_MS)
        if skipped == 0:
            return list(self._minutes)
        # The usual reader wants the newest seconds: walk from the right end.
        n_wanted = len(self._minutes) - skipped
        return [self._minutes[index] for index in range(-n_wanted, 0)] if n_wanted > 0 else []


def _joined(blocks: list[Trades]) -> Trades:
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate(blocks) if blocks else np.empty(0, TRADE)
