"""A line that a bad print does not move: the median of the slopes between all pairs of bars.

Why this one among the robust: a Huber fit (statsmodels' RLM) forgives a wild y but follows a wild x, and on a
pair either leg may be wrong; this one bears up to 29 % of wild bars in either. It has no tuning constant, no
iteration that may not end, and exact arithmetic can check it. The price is time: the square of the window.
"""

from __future__ import annotations

import numpy as np

from quantnb.errors import StatisticsError
from quantnb.stats.inputs import Array
from quantnb.stats.regression import FitColumns
from quantnb.stats.windows import centre, quietly, row_sums

__all__ = ["theil_sen_lines"]

_MOST = 2_000  # bars; their two million slopes take about 30 ms and 50 MB
_95_PERCENT = 1.959963984540054


def theil_sen_lines(y: Array, x: Array) -> FitColumns:
    """Fit each row of ``y`` on the same row of ``x`` by Theil and Sen's median of slopes.

    Parameters
    ----------
    y, x : array of shape (n_windows, n)
        Prices or their logarithms; ``n`` from 3 to 2,000.

    Returns
    -------
    FitColumns
        NaN where a row misses a value or its x does not move. The intercept is the median of what the ratio
        leaves. The standard error is the width of Sen's 95 % interval over twice 1.96.
        ``r_squared`` is the squared correlation of the legs (which a wild bar does move).

    Raises
    ------
    StatisticsError
        For rows of more than 2,000 bars.

    Notes
    -----
    P. K. Sen (1968), "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63; pairs of bars
    with the same x have no slope and are left out.
    """
    n = y.shape[1]
    if n > _MOST:
        raise StatisticsError(f"Theil-Sen compares all pairs of bars; of {n} take the newest {_MOST}.")
    fits = FitColumns(*(np.full(len(y), np.nan) for _ in FitColumns._fields))
    first, second = np.triu_indices(n, 1)
    for row, (leg_y, leg_x) in enumerate(zip(y, x, strict=True)):
        run = leg_x[second] - leg_x[first]
        if np.isfinite(leg_y).all() and np.isfinite(run).all() and run.any():
            rise = leg_y[second] - leg_y[first]
            fits.hedge_ratio[row], fits.stderr[row] = _median_slope(rise[run != 0] / run[run != 0], n)
            fits.intercept[row] = np.median(leg_y - fits.hedge_ratio[row] * leg_x)
    fits.r_squared[:] = np.where(np.isfinite(fits.hedge_ratio), _squared_correlation(y, x), np.nan)
    return fits


def _median_slope(slopes: Array, n: int) -> tuple[float, float]:
    """Return the median, and the standard error that Sen's interval of ranks amounts to."""
    half = _95_PERCENT * np.sqrt(n * (n - 1) * (2 * n + 5) / 18.0) / 2.0
    low = max(round(len(slopes) / 2.0 - half) - 1, 0)
    high = min(round(len(slopes) / 2.0 + half), len(slopes) - 1)
    middle = len(slopes) // 2
    ranked = np.partition(slopes, sorted({low, high, middle, max(middle - 1, 0)}))
    median = ranked[middle] if len(slopes) % 2 else (ranked[middle - 1] + ranked[middle]) / 2.0
    return float(median), float((ranked[high] - ranked[low]) / (2.0 * _95_PERCENT))


def _squared_correlation(y: Array, x: Array) -> Array:
    with quietly():
        (dy, _), (dx, _) = centre(y), centre(x)
        squared = row_sums(dx, dy) ** 2 / (row_sums(dx, dx) * row_sums(dy, dy))
    return np.where(np.isfinite(squared), np.minimum(squared, 1.0), np.nan)
