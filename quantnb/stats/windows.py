"""Every window computed afresh: the arithmetic that all rolling statistics share.

A running sum that adds the newest value and removes the oldest carries the rounding of everything it has
ever seen; on prices (level 1e5, moves of 0.05) its variance is off by up to 2,400 %. Here each window is one
row of a contiguous block and every reduction runs along that row. So a row's result depends on the row alone,
not on what stood before the window nor on how many rows are computed together: the newest window computed
live equals the batch bit for bit.

Centring is in two passes. The first takes the window's first value off, which is exact for prices near each
other and turns a flat window into exact zeros; the second takes off the mean of what is left. The first value
is never farther than sqrt(n) standard deviations from the mean, so it is always a good enough anchor.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from quantnb.stats.inputs import Array

__all__ = ["centre", "quietly", "row_sums", "windows"]

_BLOCK_VALUES = 1 << 17  # 1 MB a block: the temporaries stay in the processor's cache


def quietly() -> np.errstate:
    """Stand around arithmetic whose undefined results become NaN afterwards."""
    return np.errstate(divide="ignore", invalid="ignore", over="ignore")


def windows(width: int, *columns: Array) -> Iterator[tuple[slice, list[Array]]]:
    """Yield all full windows of the columns, side by side, in blocks.

    Parameters
    ----------
    width : int
        Values in a window.
    *columns : array of shape (n,)
        Columns of one length.

    Yields
    ------
    rows : slice
        Positions of the windows' last values.
    blocks : list of array, each of shape (len(rows), width)
        One contiguous block a column; do not write to them.
    """
    n_windows = len(columns[0]) - width + 1
    step = max(1, _BLOCK_VALUES // width)
    for first in range(0, n_windows, step):
        last = min(first + step, n_windows)
        views = (sliding_window_view(column, width)[first:last] for column in columns)
        yield slice(first + width - 1, last + width - 1), [np.ascontiguousarray(view) for view in views]


def centre(block: Array, n: int | None = None) -> tuple[Array, Array]:
    """Return each row's deviations from the mean of its first ``n`` values (default: all), and that mean."""
    anchor = block[:, :1]
    shifted = block - anchor
    mean = shifted[:, :n].mean(axis=-1, keepdims=True)
    return shifted - mean, (anchor + mean)[:, 0]


def row_sums(a: Array, b: Array) -> Array:
    """Return the sum of products of each row; numpy's pairwise sum, the same for one row as for many."""
    sums: Array = (a * b).sum(axis=-1)
    return sums
