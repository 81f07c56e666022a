"""One symbol's missing ids as sorted, disjoint ranges, and the rows of the log that they came from.

::

    row 10-19      [10 . . . . . . . . . 19]        one range
    13 comes       [10 . 12] 13 [14 . . . . 19]     two ranges, one row: 9 missing
    10-12 lost      x  x  x  13 [14 . . . . 19]     the row stays open while a range of it is
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from msgspec import Struct

from quantnb.snapshot import Hole

__all__ = ["HOLES_KEPT", "Holes", "Range", "Row"]

HOLES_KEPT = 1_000  # per symbol; a trade out of an older one counts as a duplicate

TOO_MANY = "More holes than are kept were open at once."


class Row(Struct):
    """One hole as it was found, for the log, and how many of its trades are still missing."""

    symbol: str
    first_id: int
    last_id: int
    start_ns: int
    end_ns: int
    cause: str
    n_open: int = 0
    n_lost: int = 0
    why: str = ""

    def to_hole(self) -> Hole:
        """Return it for the screen."""
        is_lost = not self.n_open and bool(self.why)
        return Hole(
            self.symbol,
            self.first_id,
            self.last_id,
            self.start_ns,
            self.end_ns,
            self.cause,
            "open" if self.n_open else "lost" if is_lost else "closed",
            self.n_open + self.n_lost,
            self.why if is_lost else "",
        )


class Range(Struct):
    """Consecutive missing ids between two known trades, whose event times are ``start_ns`` and ``end_ns``."""

    first_id: int
    last_id: int
    start_ns: int
    end_ns: int
    seen_ns: int  # when it became known, by this computer's clock
    row: Row
    is_lost: bool = False

    @property
    def n_ids(self) -> int:
        """How many ids it holds."""
        return self.last_id - self.first_id + 1

    def to_hole(self) -> Hole:
        """Return it as a hole of its own."""
        row = self.row
        return Hole(
            row.symbol,
            self.first_id,
            self.last_id,
            self.start_ns,
            self.end_ns,
            row.cause,
            "lost" if self.is_lost else "open",
            self.n_ids,
            row.why if self.is_lost else "",
        )


class Holes:
    """The ranges of one symbol; of too many, the oldest are given up.

    Attributes
    ----------
    n_missing : int
        Ids that no trade held has, for good or for now; those given up long ago, too.
    """

    def __init__(self) -> None:
        self.n_missing = 0
        self._ranges: list[Range] = []

    def __iter__(self) -> Iterator[Range]:
        return iter(self._ranges)

    def open(self, row: Row, seen_ns: int) -> None:
        """Add the newest hole, all of it missing."""
        row.n_open = row.last_id - row.first_id + 1
        self.n_missing += row.n_open
        self._ranges.append(Range(row.first_id, row.last_id, row.start_ns, row.end_ns, seen_ns, row))
        self._shorten()

    def _shorten(self) -> None:
        while len(self._ranges) > HOLES_KEPT:
            self._lose(self._ranges.pop(0), TOO_MANY)

    def find(self, trade_id: int) -> Range | None:
        """Return the range that an id lies in."""
        index = self._index(trade_id)
        return None if index is None else self._ranges[index]

    def _index(self, trade_id: int) -> int | None:
        index = bisect_left(self._ranges, trade_id, key=_last_id)
        is_inside = index < len(self._ranges) and self._ranges[index].first_id <= trade_id
        return index if is_inside else None

    def fill(self, trade_id: int, event_ns: int) -> bool:
        """Take an id out of its range; false where it lies in none."""
        index = self._index(trade_id)
        if index is None:
            return False
        self.n_missing -= 1
        found = self._ranges[index]
        if found.is_lost:
            found.row.n_lost -= 1
            if not found.row.n_lost:
                found.row.why = ""
        else:
            found.row.n_open -= 1
        if found.n_ids == 1:
            del self._ranges[index]
        elif trade_id == found.first_id:
            found.first_id, found.start_ns = trade_id + 1, event_ns
        elif trade_id == found.last_id:
            found.last_id, found.end_ns = trade_id - 1, event_ns
        else:
            self._split(index, trade_id, trade_id, event_ns, event_ns)
            self._shorten()
        return True

    def _split(self, index: int, left_of: int, right_of: int, end_ns: int, start_ns: int) -> None:
        """Put two ranges in the place of one: up to before ``left_of``, and from after ``right_of`` on."""
        whole = self._ranges[index]
        left = Range(
            whole.first_id, left_of - 1, whole.start_ns, end_ns, whole.seen_ns, whole.row, whole.is_lost
        )
        whole.first_id, whole.start_ns = right_of + 1, start_ns
        self._ranges.insert(index, left)

    def give_up(self, first_id: int, last_id: int, why: str) -> None:
        """Call the open ids from ``first_id`` to ``last_id`` lost."""
        self._cut(first_id)
        self._cut(last_id + 1)
        begin = bisect_left(self._ranges, first_id, key=_first_id)
        end = bisect_right(self._ranges, last_id, key=_last_id)
        for each in self._ranges[begin:end]:
            self._lose(each, why)
        self._shorten()

    def _lose(self, each: Range, why: str) -> None:
        if not each.is_lost:
            each.is_lost = True
            each.row.n_open -= each.n_ids
            each.row.n_lost += each.n_ids
        each.row.why = why

    def _cut(self, at_id: int) -> None:
        """Make a range begin at ``at_id``, where one goes across it."""
        index = bisect_left(self._ranges, at_id, key=_last_id)
        if index < len(self._ranges) and self._ranges[index].first_id < at_id:
            whole = self._ranges[index]
            self._split(index, at_id, at_id - 1, whole.end_ns, whole.start_ns)

    def drop_newest(self, trade_id: int) -> None:
        """Forget the newest range from ``trade_id`` on, if that lies in it: no trade ever had these ids."""
        if self._ranges and self._ranges[-1].first_id <= trade_id <= self._ranges[-1].last_id:
            self._cut(trade_id)
            newest = self._ranges.pop()
            newest.row.n_open -= 0 if newest.is_lost else newest.n_ids
            newest.row.n_lost -= newest.n_ids if newest.is_lost else 0
            self.n_missing -= newest.n_ids


def _last_id(each: Range) -> int:
    return each.last_id


def _first_id(each: Range) -> int:
    return each.first_id
