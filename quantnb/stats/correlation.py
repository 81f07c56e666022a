"""Correlation of returns: one pair through time, and all symbols at once."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats.inputs import Array, Column, check_window, like, pair_values
from quantnb.stats.returns import returns_of
from quantnb.stats.windows import centre, quietly, row_sums, windows

__all__ = [
    "columns_by_rows",
    "correlation_band",
    "correlation_matrix",
    "joint_correlation",
    "rolling_corr",
]

_FEWEST = 3  # two points always lie on a line


def rolling_corr(
    a: Column, b: Column, window: int, *, of: Literal["returns", "levels"] = "returns"
) -> Column:
    """Return the rolling correlation (Pearson) of two price series.

    Parameters
    ----------
    a, b : Series or array of shape (n,)
        Closes of the two legs, oldest first, on one index.
    window : int
        Returns (or levels) in each correlation, at least 3.
    of : {"returns", "levels"}
        Log returns, or the prices as they stand. Levels of independent random walks correlate beyond 0.5 in
        some 40 % of windows: they show a common trend, not a relation.

    Returns
    -------
    Series or array of shape (n,)
        In the form of ``a``; within [-1, 1]. NaN during warm-up, where either leg misses a value in the
        window, and where either leg is flat in it.

    Raises
    ------
    InvalidSettingError
        For an impossible window or an unknown ``of``.
    StatisticsError
        For legs that are not aligned, and for returns of prices that are not above 0.
    """
    check_window(window, at_least=_FEWEST)
    if of not in ("returns", "levels"):
        raise InvalidSettingError(f"Correlation is of returns or levels, not of {of!r}.")
    first, second = pair_values(a, b, ("a", "b"))
    if of == "returns":
        first, second = returns_of(first), returns_of(second)
    correlation = np.full(len(first), np.nan)
    with quietly():
        for rows, blocks in windows(window, first, second):
            (da, _), (db, _) = (centre(block) for block in blocks)
            scale = np.sqrt(row_sums(da, da)) * np.sqrt(row_sums(db, db))
            correlation[rows] = row_sums(da, db) / scale
    return like(a, _bounded(correlation), "correlation")


def joint_correlation(a: Array, b: Array) -> tuple[float, int]:
    """Return the correlation of two columns over the rows that both have, and the number of those rows.

    NaN for fewer than 3 rows, and where either column is flat over them.
    """
    is_joint = np.isfinite(a) & np.isfinite(b)
    n = int(np.count_nonzero(is_joint))
    if n < _FEWEST:
        return float("nan"), n
    (da, _), (db, _) = centre(a[is_joint][None, :]), centre(b[is_joint][None, :])
    with quietly():
        value = row_sums(da, db) / (np.sqrt(row_sums(da, da)) * np.sqrt(row_sums(db, db)))
    return float(_bounded(value)[0]), n


def correlation_matrix(returns: ArrayLike) -> tuple[Array, NDArray[np.int64]]:
    """Return the correlation of every pair of columns over the rows that both of them have.

    Parameters
    ----------
    returns : array of shape (n_bars, n_symbols)
        Log returns; NaN where missing.

    Returns
    -------
    values : array of shape (n_symbols, n_symbols)
        Symmetric, within [-1, 1], 1 on the diagonal; NaN where a pair has fewer than 3 rows in common or
        either column is flat over them.
    n : integer array of shape (n_symbols, n_symbols)
        Rows that each pair has in common.
    """
    columns = np.asarray(returns, dtype=np.float64)
    if columns.ndim != 2:
        raise StatisticsError(f"Returns are rows of bars and columns of symbols, not shape {columns.shape}.")
    present = np.isfinite(columns)
    counted = present.astype(np.float64)  # whole numbers in float64: BLAS multiplies no integers
    n = (counted.T @ counted).astype(np.int64)
    values = np.full(n.shape, np.nan)
    members = columns_by_rows(present)  # without gaps there is one group and one product
    for i, j in combinations_with_replacement(range(len(members)), 2):
        rows = np.flatnonzero(present[:, members[i][0]] & present[:, members[j][0]])
        if len(rows) >= _FEWEST:
            block = _correlate(columns[np.ix_(rows, members[i])], columns[np.ix_(rows, members[j])])
            values[np.ix_(members[i], members[j])] = block
            values[np.ix_(members[j], members[i])] = block.T
    upper = np.triu(values, 1)
    values = upper + upper.T + np.diag(np.where(np.isfinite(values.diagonal()), 1.0, np.nan))
    return _bounded(values), n


def columns_by_rows(present: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the columns in groups that are present in exactly the same rows, each group ascending."""
    groups: dict[bytes, list[int]] = {}
    for column, mask in enumerate(np.ascontiguousarray(present.T)):
        groups.setdefault(mask.tobytes(), []).append(column)
    return [np.array(group, np.intp) for group in groups.values()]


def _correlate(a: Array, b: Array) -> Array:
    """Correlate each column of ``a`` with each of ``b``; nothing is missing."""
    (da, _), (db, _) = centre(np.ascontiguousarray(a.T)), centre(np.ascontiguousarray(b.T))
    with quietly():
        scale = np.outer(np.sqrt(row_sums(da, da)), np.sqrt(row_sums(db, db)))
        block: Array = (da @ db.T) / scale
    return block


def _bounded(values: Array) -> Array:
    # Rounding may carry a perfect correlation past 1 in the last digit; infinite means that it is undefined.
    return np.where(np.isfinite(values), np.clip(values, -1.0, 1.0), np.nan)


def correlation_band(n: ArrayLike) -> Array:
    """Return the half-width of the 95 % band of no correlation, 1.96 / sqrt(n); NaN where ``n`` is 0."""
    counts = np.asarray(n, dtype=np.float64)
    return 1.96 / np.sqrt(np.where(counts > 0, counts, np.nan))
