"""Ordinary least squares of one leg on the other, many windows at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quantnb.stats.inputs import Array
from quantnb.stats.windows import centre, quietly, row_sums

__all__ = ["FitColumns", "least_squares"]


class FitColumns(NamedTuple):
    """Fits y = intercept + hedge_ratio x, one element a window; all NaN where there is no fit."""

    hedge_ratio: Array
    intercept: Array
    stderr: Array  # of the hedge ratio
    r_squared: Array


def least_squares(y: Array, x: Array, *, intercept: bool) -> FitColumns:
    """Fit each row of ``y`` on the same row of ``x``.

    Parameters
    ----------
    y, x : array of shape (n_windows, n)
        Contiguous, ``n`` at least 3.
    intercept : bool
        With it the sums are centred. Without, they are not, and neither is the total in R squared, which
        then is 1 - sum e^2 / sum y^2 (as NIST's NoInt1 has it) and not comparable with the other.

    Returns
    -------
    FitColumns
        NaN where a row misses a value or its x does not move (without intercept: is 0). R squared alone is
        NaN where y does not move.
    """
    n = y.shape[1]
    with quietly():
        (dy, mean_y), (dx, mean_x) = (centre(y), centre(x)) if intercept else ((y, 0.0), (x, 0.0))
        sxx = row_sums(dx, dx)
        slope = row_sums(dx, dy) / sxx
        residual = dy - slope[:, None] * dx
        error = row_sums(residual, residual)
        stderr = np.sqrt(error / (n - 1 - intercept) / sxx)
        r_squared = np.maximum(1.0 - error / row_sums(dy, dy), 0.0)
        constant = mean_y - slope * mean_x
    is_fit = np.isfinite(slope)
    r_squared[~np.isfinite(r_squared)] = np.nan
    return FitColumns(*(np.where(is_fit, column, np.nan) for column in (slope, constant, stderr, r_squared)))
