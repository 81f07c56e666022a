"""Growable typed columns on one index, bounded, append-only; what was handed out never changes.

A view is a read-only slice of the live array. Appending writes beyond every view that exists; whatever would
write inside one (growing, dropping the oldest, rewriting) works on a copy. So a snapshot costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["Columns"]

_INITIAL_ROWS = 1024
_DROPPED = 8  # beyond the capacity the oldest of so many parts goes
_SLACK = 5  # a part of the rows is allocated ahead: a row then costs a fifth more than its bytes, at most

_generations = count()


class Columns:
    """Rows of named, typed columns.

    Parameters
    ----------
    dtypes : mapping of str to dtype
        The columns.
    capacity : int
        The most rows that are kept; beyond it the oldest eighth is dropped. It may be changed.

    Attributes
    ----------
    first : int
        Absolute index of the oldest row kept; it counts rows since the last `clear`.
    generation : int
        Changes whenever rows that were handed out no longer hold. No two stores share one: a reader tells a
        store that took another's place from the one it knew.
    """

    def __init__(self, dtypes: Mapping[str, DTypeLike], capacity: int) -> None:
        self._dtypes = {name: np.dtype(dtype) for name, dtype in dtypes.items()}
        self.capacity = capacity
        self.generation = next(_generations)
        self._reset()

    def _reset(self) -> None:
        self.first = 0
        self._n_rows = 0
        rows = min(_INITIAL_ROWS, self.capacity)
        self._allocate({name: np.empty(rows, dtype) for name, dtype in self._dtypes.items()})

    def _allocate(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._arrays = arrays
        self._allocated = len(next(iter(arrays.values())))

    def __len__(self) -> int:
        return self._n_rows

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return one column, read-only."""
        view = self._arrays[name][: self._n_rows]
        view.flags.writeable = False
        return view

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(array.nbytes for array in self._arrays.values())

    def extend(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Add rows given as columns; of more than the capacity, the newest."""
        n_new = len(next(iter(columns.values())))
        surplus = max(0, n_new - self.capacity)
        if n_new - surplus > self._allocated - self._n_rows:
            self._make_room(n_new - surplus)
        end = self._n_rows + n_new - surplus
        for name, array in self._arrays.items():
            array[self._n_rows : end] = columns[name][surplus:]
        self._n_rows = end
        self.first += surplus

    def rewrite(self, start: int, columns: Mapping[str, NDArray[Any]]) -> None:
        """Replace all rows from position ``start`` on; views handed out keep what they showed."""
        rows = max(start, min(_INITIAL_ROWS, self.capacity))
        self._allocate({name: _grown(array[:start], rows) for name, array in self._arrays.items()})
        self._n_rows = start
        self.generation = next(_generations)
        self.extend(columns)

    def insert(self, positions: NDArray[np.intp], columns: Mapping[str, NDArray[Any]]) -> None:
        """Put rows before those at ``positions`` (as `numpy.insert`); of too many, the newest are kept."""
        n_rows = self._n_rows + len(positions)
        surplus = max(0, n_rows - self.capacity)
        whole = {name: np.insert(self[name], positions, columns[name])[surplus:] for name in self._arrays}
        self._allocate(whole)
        self._n_rows = n_rows - surplus
        self.first += surplus
        self.generation = next(_generations)

    def clear(self) -> None:
        """Forget everything."""
        self.generation = next(_generations)
        self._reset()

    def drop(self, n_rows: int) -> None:
        """Forget so many of the oldest rows; their memory is free once no view of them is left."""
        self._move(min(n_rows, self._n_rows), 0)

    def _make_room(self, n_new: int) -> None:
        wanted = self._n_rows + n_new
        drop = max(wanted - self.capacity, self.capacity // _DROPPED) if wanted > self.capacity else 0
        self._move(min(drop, self._n_rows), n_new)

    def _move(self, drop: int, n_new: int) -> None:
        """Take all rows but the oldest ones to new arrays, with room for more."""
        kept = self._n_rows - drop
        needed = kept + n_new
        rows = max(needed, min(self.capacity, max(needed + needed // _SLACK, _INITIAL_ROWS)))
        self._allocate(
            {name: _grown(array[drop : self._n_rows], rows) for name, array in self._arrays.items()}
        )
        self._n_rows = kept
        self.first += drop


def _grown(array: NDArray[Any], rows: int) -> NDArray[Any]:
    grown = np.empty(rows, array.dtype)
    grown[: len(array)] = array
    return grown
