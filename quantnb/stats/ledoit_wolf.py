"""Ledoit and Wolf's shrinkage: a covariance that can be used where symbols outnumber the bars.

With 300 symbols and 200 bars the sample covariance has directions of no variance at all, and a portfolio on
them looks free of risk. Drawn towards a multiple of the identity, by as much as the sample itself says is
best, it is always of full rank and closer to the truth on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats.inputs import Array

__all__ = ["LedoitWolfResult", "ledoit_wolf", "shrinkage_of", "standardised"]

_FEWEST = 2


@dataclass(frozen=True, slots=True, eq=False)
class LedoitWolfResult:
    """A covariance or correlation matrix, shrunk.

    Attributes
    ----------
    matrix : array of shape (n_symbols, n_symbols)
        (1 - shrinkage) S + shrinkage m I, with S the sample's matrix (divided by n, as in the paper) and m
        the mean of its diagonal. Of a correlation the diagonal stays 1.
    shrinkage : float
        0, the sample is left as it is, to 1, nothing of it is left.
    n : int
        Bars used: those that all symbols have.
    """

    matrix: Array
    shrinkage: float
    n: int


def ledoit_wolf(returns: Any, *, of: Literal["covariance", "correlation"] = "covariance") -> LedoitWolfResult:
    """Estimate a covariance or correlation matrix by Ledoit and Wolf's linear shrinkage.

    Parameters
    ----------
    returns : DataFrame or array of shape (n_bars, n_symbols)
        Log returns; bars that any symbol misses are left out.
    of : {"covariance", "correlation"}
        The covariance of the returns, drawn towards one variance for all; or their correlation, drawn towards
        none, each off-diagonal element by the same share. Where symbols differ in volatility by much, as
        coins do, the second is the better use of the same formula.

    Returns
    -------
    LedoitWolfResult

    Raises
    ------
    InvalidSettingError
        For an unknown ``of``.
    StatisticsError
        For another shape, fewer than 2 bars that all symbols have, or (of a correlation) a symbol that does
        not move.

    Notes
    -----
    O. Ledoit and M. Wolf (2004), "A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices",
    Journal of Multivariate Analysis 88, section 3.2: with d^2 = |S - m I|^2 / p and b^2 the mean over bars of
    |x x' - S|^2 / (p n), at most d^2, the shrinkage is b^2 / d^2. It assumes independent bars.
    """
    if of not in ("covariance", "correlation"):
        raise InvalidSettingError(f"Shrinkage is of covariance or correlation, not of {of!r}.")
    columns = np.asarray(returns, dtype=np.float64)
    if columns.ndim != 2 or not columns.shape[1]:
        raise StatisticsError(f"Returns are rows of bars and columns of symbols, not shape {columns.shape}.")
    columns = columns[np.isfinite(columns).all(axis=1)]
    n = len(columns)
    if n < _FEWEST:
        raise StatisticsError(
            f"Shrinkage needs at least {_FEWEST} bars that all symbols have; there are {n}."
        )
    if of == "correlation":
        flat = np.flatnonzero(np.ptp(columns, axis=0) == 0)
        if len(flat):
            raise StatisticsError(f"Column {flat[0]} does not move; it correlates with nothing.")
    centred = standardised(columns) if of == "correlation" else _centred(columns)
    product = centred.T @ centred / n
    sample: Array = (product + product.T) / 2.0
    shrinkage = shrinkage_of(centred, sample)
    mean = float(np.trace(sample)) / len(sample)
    matrix = (1.0 - shrinkage) * sample + shrinkage * mean * np.eye(len(sample))
    if of == "correlation":
        np.fill_diagonal(matrix, 1.0)
    return LedoitWolfResult(matrix, shrinkage, n)


def _centred(columns: Array) -> Array:
    shifted = columns - columns[0]
    centred: Array = shifted - shifted.mean(axis=0)
    return centred


def standardised(columns: Array) -> Array:
    """Return columns with mean 0 and variance 1 (divided by n); each must move."""
    centred = _centred(columns)
    scaled: Array = centred / np.sqrt((centred**2).mean(axis=0))
    return scaled


def shrinkage_of(centred: Array, sample: Array) -> float:
    """Return the share of the identity in the shrunk matrix, from centred columns and their covariance."""
    n, n_symbols = centred.shape
    off_target = sample - np.trace(sample) / n_symbols * np.eye(n_symbols)
    distance = float((off_target**2).sum())
    # sum over bars of |x x' - S|^2 is sum (x'x)^2 - n |S|^2: no matrix a bar has to be formed.
    noise = float(((centred**2).sum(axis=1) ** 2).sum() / n - (sample**2).sum()) / n
    return min(max(noise, 0.0) / distance, 1.0) if distance > 0 else 1.0
