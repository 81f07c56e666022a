"""Rolling z-score: how far the newest value stands from its window, in standard deviations."""

from __future__ import annotations

import numpy as np

from quantnb.stats.inputs import Column, check_window, like, to_values
from quantnb.stats.windows import centre, quietly, row_sums, windows

__all__ = ["zscore"]


def zscore(series: Column, window: int, *, include_current: bool = True) -> Column:
    """Return (value - mean) / standard deviation over a rolling window (ddof = 1).

    Parameters
    ----------
    series : Series or array of shape (n,)
        Any series, oldest first; for a live signal the causal spread.
    window : int
        Values in each mean and standard deviation, at least 2.
    include_current : bool
        True: the window ends with the value itself, which so pulls mean and deviation towards it, and abs(z)
        cannot exceed (window - 1) / sqrt(window): 4.249 at 20, 6.930 at 50, 9.900 at 100, 14.071 at 200. An
        alert beyond that never fires. False: the window is the ``window`` values before; no bound.

    Returns
    -------
    Series or array of shape (n,)
        In the form of ``series``. NaN during warm-up, where a value in the window is missing, and where the
        window is flat (its highest equals its lowest); never infinite.

    Raises
    ------
    InvalidSettingError
        For an impossible window.
    """
    check_window(window, at_least=2)
    values = to_values(series, "series")
    scores = np.full(len(values), np.nan)
    with quietly():
        for rows, (block,) in windows(window if include_current else window + 1, values):
            deviations, _ = centre(block, window)
            within = deviations[:, :window]
            scores[rows] = deviations[:, -1] / np.sqrt(row_sums(within, within) / (window - 1))
    scores[~np.isfinite(scores)] = np.nan
    return like(series, scores, "zscore")
