"""Some pairs with all digits: each from its own residual, by QR.

The Gram matrix squares what it is given; QR does not. So this is exact to rounding where the residual is a
millionth of its legs, which is where the best pairs are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quantnb.stats.inputs import Array
from quantnb.stats.windows import centre, quietly, row_sums

__all__ = ["ExactPairs", "exact_pairs"]

_BLOCK_VALUES = 1 << 20  # 8 MB
_ROUNDING = 1e-12  # as in `engle_granger`: a residual this small against its legs is rounding error


class ExactPairs(NamedTuple):
    """One element a pair; all but the ratio are NaN where the residual is nothing but rounding error."""

    statistic: Array
    hedge_ratio: Array
    slope: Array
    zscore: Array


def exact_pairs(values: Array, legs_y: NDArray[np.intp], legs_x: NDArray[np.intp], lags: int) -> ExactPairs:
    """Test pairs of rows of ``values``, shape (n_symbols, n); no leg may be flat."""
    columns = ExactPairs(*(np.full(len(legs_y), np.nan) for _ in ExactPairs._fields))
    step = max(1, _BLOCK_VALUES // (values.shape[1] * (lags + 2)))
    for first in range(0, len(legs_y), step):
        rows = slice(first, first + step)
        found = _test(values[legs_y[rows]], values[legs_x[rows]], lags)
        for column, part in zip(columns, found, strict=True):
            column[rows] = part
    return columns


def _test(y: Array, x: Array, lags: int) -> ExactPairs:
    (dy, _), (dx, _) = centre(y), centre(x)
    ratio = row_sums(dx, dy) / row_sums(dx, dx)
    residual = dy - ratio[:, None] * dx
    size = np.maximum(np.abs(y).max(axis=1), np.abs(ratio) * np.abs(x).max(axis=1))
    residual[np.abs(residual).max(axis=1) <= _ROUNDING * size] = np.nan
    n, changes = y.shape[1], np.diff(residual)
    lagged = [changes[:, lags - lag : n - 1 - lag] for lag in range(1, lags + 1)]
    regressors = np.stack([*lagged, residual[:, lags : n - 1], changes[:, lags:]], axis=2)
    with quietly():
        zscore = residual[:, -1] / np.sqrt(row_sums(residual, residual) / (n - 1))
        return ExactPairs(_t_value(regressors), ratio, _slope(residual[:, :-1], changes), zscore)


def _t_value(regressors: Array) -> Array:
    """Return the t value of the last column but one in the regression of the last on all others."""
    n_rows, size = regressors.shape[1:]
    triangle: Any = np.linalg.qr(regressors, mode="r")
    level, error = triangle[:, -2, -2:], np.abs(triangle[:, -1, -1])
    error[error <= _ROUNDING * np.abs(triangle[:, :, -1]).max(axis=1)] = np.nan
    # QR leaves the signs of its rows open.
    t_value: Array = np.sign(level[:, 0]) * level[:, 1] * np.sqrt(n_rows - size + 1) / error
    return t_value


def _slope(level: Array, change: Array) -> Array:
    (d_level, _), (d_change, _) = centre(np.ascontiguousarray(level)), centre(change)
    return row_sums(d_level, d_change) / row_sums(d_level, d_level)
