"""Columns of a trace that grow at the end, and what a browser has been shown of them.

A browser is first sent what is worth sending to its panel (see ``thinning``), then each new point as it is.
When those have become as many as the panel has pixels, or a viewer has zoomed, it is sent a new selection.
So the bytes of an update depend on what is new, and what a browser holds on its width; neither on the
length of the history.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantnb.view.packing import Packer
from quantnb.view.thinning import Sight, worth_sending

__all__ = ["Shown", "Stream", "next_shown", "what_is_new"]


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Columns of one trace that grow at the end.

    ``first`` is the absolute index of the oldest point. Within one ``generation`` no point changes but the
    last ``n_provisional``; those are sent again whenever they do. A line may be thinned; its x ascends.
    """

    generation: Hashable
    first: int
    columns: Mapping[str, NDArray[np.float64]]
    n_provisional: int = 0
    is_line: bool = False

    @property
    def settled_end(self) -> int:
        """Absolute index after the last point that will not change."""
        return self.first + len(next(iter(self.columns.values()))) - self.n_provisional

    def provisional(self) -> bytes:
        """Return what tells whether the points that may change have changed."""
        columns = self.columns.values() if self.n_provisional else ()
        return b"".join(column[-self.n_provisional :].tobytes() for column in columns)

    def selected(self, sight: Sight) -> NDArray[np.intp]:
        """Return the settled rows that are worth sending."""
        n = self.settled_end - self.first
        return worth_sending(self.columns["x"][:n], self.columns["y"][:n], self.first, sight)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a browser has of a stream: all settled points, or a selection of those before ``cut``.

    ``first`` is the index of its oldest point; those of a selection are numbered backwards from ``cut``.
    """

    generation: Hashable
    first: int
    settled_end: int
    provisional: bytes
    cut: int | None = None
    sight: Sight | None = None  # of a selection


def next_shown(stream: Stream, seen: Shown | None, sight: Sight) -> Shown:
    """Return what a browser is to have next, given what it has."""
    end, provisional = stream.settled_end, stream.provisional()
    if seen is not None and _can_go_on(stream, seen, sight):
        first = stream.first if seen.cut is None else seen.first
        return Shown(stream.generation, first, end, provisional, seen.cut, seen.sight)
    if not stream.is_line or end - stream.first <= 2 * sight.width:
        return Shown(stream.generation, stream.first, end, provisional)
    n_selected = len(stream.selected(sight))
    return Shown(stream.generation, end - n_selected, end, provisional, end, sight)


def _can_go_on(stream: Stream, seen: Shown, sight: Sight) -> bool:
    if not _is_same_history(stream, seen):
        return False
    if seen.cut is not None:
        return seen.sight == sight and stream.settled_end - seen.cut <= sight.width
    return not stream.is_line or stream.settled_end - stream.first <= 3 * sight.width


def _is_same_history(stream: Stream, seen: Shown) -> bool:
    return seen.generation == stream.generation and stream.first <= seen.settled_end <= stream.settled_end


def what_is_new(stream: Stream, seen: Shown | None, now: Shown, packer: Packer) -> dict[str, Any]:
    """Return the points that a browser lacks; all of ``now`` if it has seen something else."""
    if seen is not None and _is_same_history(stream, seen) and (seen.cut, seen.sight) == (now.cut, now.sight):
        at, rows = seen.settled_end, np.empty(0, np.intp)
    elif now.sight is not None:
        at, rows = now.settled_end, stream.selected(now.sight)
    else:
        at, rows = stream.first, np.empty(0, np.intp)
    columns = {
        name: np.concatenate([column[rows], column[at - stream.first :]])
        for name, column in stream.columns.items()
    }
    return {"first": now.first, "at": at - len(rows), "columns": packer.pack(columns)}
