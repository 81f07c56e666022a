"""The correlation matrix of all symbols, shrunk where they outnumber the bars.

With 40 symbols and 20 returns the sample's matrix says that some mix of the symbols never moves, which is a
property of the sample and not of the market. There it is drawn towards none by Ledoit and Wolf's share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quantnb.stats.correlation import columns_by_rows, correlation_matrix
from quantnb.stats.inputs import Array
from quantnb.stats.ledoit_wolf import shrinkage_of, standardised

__all__ = ["ShrunkCorrelation", "shrunk_correlation"]

_FEWEST = 3  # returns, as in the correlation of a pair


@dataclass(frozen=True, slots=True, eq=False)
class ShrunkCorrelation:
    """A correlation matrix, as it is or shrunk.

    Attributes
    ----------
    values : array of shape (n_symbols, n_symbols)
        Symmetric, within [-1, 1], 1 on the diagonal; NaN as of `correlation_matrix`.
    n : integer array of shape (n_symbols, n_symbols)
        Rows that each pair has in common.
    shrinkage : float, optional
        What was taken off each element between two symbols of `is_shrunk`, 0 to 1; None where nothing was.
    is_shrunk : array of shape (n_symbols,)
        The symbols that were shrunk together.
    """

    values: Array
    n: NDArray[np.int64]
    shrinkage: float | None
    is_shrunk: NDArray[np.bool_]


def shrunk_correlation(returns: ArrayLike) -> ShrunkCorrelation:
    """Return the correlation of every pair of columns, shrunk among those that outnumber their rows.

    Parameters
    ----------
    returns : array of shape (n_bars, n_symbols)
        Log returns; NaN where missing.

    Returns
    -------
    ShrunkCorrelation
        That of `correlation_matrix`, unless the largest group of symbols that have exactly the same rows, and
        move, has more symbols than rows. Then each element within the group is ``1 - shrinkage`` times what
        it was. What a symbol with rows of its own has (one just added, one with a gap) stays as it is: it
        neither cuts the others' window nor is shrunk by a share that was not estimated with it.

    Raises
    ------
    StatisticsError
        For another shape.

    Notes
    -----
    The share is that of `ledoit_wolf` with ``of="correlation"`` on the group, which says where it is from.
    """
    values, n = correlation_matrix(returns)
    columns = np.asarray(returns, dtype=np.float64)
    members, rows = _largest_group(columns, moves=np.isfinite(values.diagonal()))
    is_shrunk = np.zeros(len(values), np.bool_)
    if not len(members) > len(rows) >= _FEWEST:
        return ShrunkCorrelation(values, n, None, is_shrunk)
    is_shrunk[members] = True
    block = np.ix_(members, members)
    shrinkage = shrinkage_of(standardised(columns[np.ix_(rows, members)]), values[block])
    shrunk = (1.0 - shrinkage) * values[block]
    np.fill_diagonal(shrunk, 1.0)
    values[block] = shrunk
    return ShrunkCorrelation(values, n, shrinkage, is_shrunk)


def _largest_group(columns: Array, moves: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the most columns that move and miss the same rows, and the rows that they have."""
    present, moving = np.isfinite(columns), np.flatnonzero(moves)
    largest = max(columns_by_rows(present[:, moving]), key=len, default=np.empty(0, np.intp))
    members = moving[largest]
    rows = np.flatnonzero(present[:, members[0]]) if len(members) else np.empty(0, np.intp)
    return members, rows
