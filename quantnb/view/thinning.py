"""Which points of a long line are worth sending to a panel of so many pixels.

A line of twenty thousand points in a panel of six hundred pixels has thirty points in each column of
pixels, and what one sees of them is the lowest and the highest. So the points are put into buckets of equal
length, and of each only those two stay; no spike is lost. Buckets begin at multiples of their length, a
power of two, counted in absolute indexes: while a line grows, what was chosen stays chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sight", "extremes", "worth_sending"]

DEFAULT_WIDTH = 1_000  # pixels, until a browser has said how many there are


@dataclass(frozen=True, slots=True)
class Sight:
    """How a browser shows one axis: pixels across, and what part of it where a viewer has chosen one."""

    width: int = DEFAULT_WIDTH
    span: tuple[float, float] | None = None


def extremes(y: NDArray[np.float64], first: int, n_columns: int) -> NDArray[np.intp]:
    """Return the rows of the lowest and the highest value of each bucket, ascending.

    Parameters
    ----------
    y
        Values, shape (n,). NaN is not known; a bucket of nothing else keeps one, so that a hole stays.
    first
        Absolute index of the first value.
    n_columns
        How many buckets there may be, about.

    Returns
    -------
    NDArray
        All rows, where there are no more than two a column.

    Examples
    --------
    >>> extremes(np.array([0.0, 9.0, 3.0, 4.0, 5.0, 1.0, 2.0, 2.0]), 0, 2).tolist()
    [0, 1, 4, 5]
    """
    n = len(y)
    if n <= 2 * n_columns:
        return np.arange(n)
    length = 1 << (-(-n // n_columns) - 1).bit_length()
    lead = first % length
    padded = np.full(-(-(lead + n) // length) * length, np.nan)
    padded[lead : lead + n] = y
    buckets = padded.reshape(-1, length)
    is_known = np.isfinite(buckets)
    starts = np.arange(len(buckets)) * length - lead
    low = starts + np.where(is_known, buckets, np.inf).argmin(axis=1)
    high = starts + np.where(is_known, buckets, -np.inf).argmax(axis=1)
    rows = np.unique(np.concatenate([low, high]))
    return rows[(rows >= 0) & (rows < n)]


def worth_sending(
    x: NDArray[np.float64], y: NDArray[np.float64], first: int, sight: Sight
) -> NDArray[np.intp]:
    """Return the rows of an ascending line that a browser needs: finely what is in sight, coarsely the rest.

    As much again as is in sight is fine on either side of it, for whoever goes on to the left or right.
    """
    if sight.span is None:
        return extremes(y, first, sight.width)
    low, high = sight.span
    start = int(np.searchsorted(x, 2 * low - high))
    end = int(np.searchsorted(x, 2 * high - low, side="right"))
    coarse = max(1, sight.width // 4)
    parts = ((0, start, coarse), (start, end, 3 * sight.width), (end, len(y), coarse))
    return np.concatenate([begin + extremes(y[begin:stop], first + begin, n) for begin, stop, n in parts])
