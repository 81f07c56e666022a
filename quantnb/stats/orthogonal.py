"""Lines that treat both legs alike: total least squares, and its form that no unit changes.

Ordinary least squares takes leg x as known and puts all of the noise into leg y, which pulls the ratio
towards zero; which leg is called y then decides the ratio. Here the two directions give one line.
"""

from __future__ import annotations

import numpy as np

from quantnb.stats.inputs import Array
from quantnb.stats.regression import FitColumns
from quantnb.stats.windows import centre, quietly, row_sums

__all__ = ["orthogonal_lines", "standardised_lines"]


def orthogonal_lines(y: Array, x: Array) -> FitColumns:
    """Fit each row of ``y`` on the same row of ``x`` by total least squares.

    The line has the least squared distance from the points at right angles, so it depends on the units of
    the legs; hence it is for logarithms, where a move of either leg is a share of its price.

    Parameters
    ----------
    y, x : array of shape (n_windows, n)
        Logarithms of prices; contiguous, ``n`` at least 3.

    Returns
    -------
    FitColumns
        NaN where a row misses a value, and where the legs do not correlate at all. ``r_squared`` is the
        squared correlation of the legs.

    Notes
    -----
    The direction is the first principal component of the two; its standard error is the asymptotic one of
    T. W. Anderson (1963), "Asymptotic Theory for Principal Component Analysis", for independent points.
    """
    n = y.shape[1]
    with quietly():
        mean_y, mean_x, syy, sxx, sxy, error = _moments(y, x)
        half = (syy - sxx) / 2.0
        root = np.hypot(half, sxy)  # half the distance of the eigenvalues
        slope = np.where(half >= 0, (half + root) / sxy, sxy / (root - half))
        stderr = (1.0 + slope**2) * np.sqrt(sxx * error / (n - 1)) / (2.0 * root)
        return _columns(slope, mean_y - slope * mean_x, stderr, 1.0 - error / syy)


def standardised_lines(y: Array, x: Array) -> FitColumns:
    """Fit each row by total least squares on legs in units of their own standard deviation.

    That is the reduced major axis, sd(y) / sd(x) with the sign of the correlation: it holds for prices in any
    units, and it says nothing of how closely the legs move together, which is for ``r_squared`` to say.

    Parameters
    ----------
    y, x : array of shape (n_windows, n)
        Prices; contiguous, ``n`` at least 3.

    Returns
    -------
    FitColumns
        NaN where a row misses a value or either leg does not move. The standard error is that of ordinary
        least squares, to which it is equal in the first order.
    """
    n = y.shape[1]
    with quietly():
        mean_y, mean_x, syy, sxx, sxy, error = _moments(y, x)
        sign = np.where(sxy == 0, np.nan, np.sign(sxy))
        slope = sign * np.sqrt(syy) / np.sqrt(sxx)
        stderr = np.sqrt(error / (n - 2) / sxx)
        return _columns(slope, mean_y - slope * mean_x, stderr, 1.0 - error / syy)


def _moments(y: Array, x: Array) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Return both means, the centred sums, and the squared error of ordinary least squares."""
    (dy, mean_y), (dx, mean_x) = centre(y), centre(x)
    syy, sxx, sxy = row_sums(dy, dy), row_sums(dx, dx), row_sums(dx, dy)
    residual = dy - (sxy / sxx)[:, None] * dx
    return mean_y, mean_x, syy, sxx, sxy, row_sums(residual, residual)


def _columns(slope: Array, constant: Array, stderr: Array, r_squared: Array) -> FitColumns:
    is_fit = np.isfinite(slope) & np.isfinite(stderr)
    columns = (slope, constant, stderr, np.maximum(r_squared, 0.0))
    return FitColumns(*(np.where(is_fit, column, np.nan) for column in columns))
