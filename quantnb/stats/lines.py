"""The ways to lay a line through two legs, by name; each takes many windows at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from quantnb.errors import InvalidSettingError, choices
from quantnb.stats.inputs import Array
from quantnb.stats.orthogonal import orthogonal_lines, standardised_lines
from quantnb.stats.regression import FitColumns, least_squares
from quantnb.stats.theil_sen import theil_sen_lines
from quantnb.stats.windows import centre, quietly, windows

__all__ = ["METHODS", "Line", "Method", "Prices", "line_of", "rolling_lines"]

Method = Literal["ols", "inverse", "tls", "theil_sen"]
Prices = Literal["level", "log"]
Line = Callable[[Array, Array], FitColumns]


def _ols(y: Array, x: Array) -> FitColumns:
    return least_squares(y, x, intercept=True)


def _inverse(y: Array, x: Array) -> FitColumns:
    """Fit x on y and solve for y: all of the noise is leg x's; the error is that of the delta method."""
    back = least_squares(x, y, intercept=True)
    with quietly():
        slope = 1.0 / back.hedge_ratio
        constant = centre(y)[1] - slope * centre(x)[1]
        columns = (slope, constant, back.stderr * slope**2, back.r_squared)
    is_fit = np.isfinite(slope)
    return FitColumns(*(np.where(is_fit, column, np.nan) for column in columns))


METHODS: Mapping[Method, str] = {
    "ols": "least squares, y on x",
    "inverse": "least squares, x on y",
    "tls": "total least squares",
    "theil_sen": "median of slopes",
}
_LINES: Mapping[Method, Mapping[Prices, Line]] = {
    "ols": {"level": _ols, "log": _ols},
    "inverse": {"level": _inverse, "log": _inverse},
    "tls": {"level": standardised_lines, "log": orthogonal_lines},
    "theil_sen": {"level": theil_sen_lines, "log": theil_sen_lines},
}


def line_of(method: Method, prices: Prices) -> Line:
    """Return the function that fits rows of y on rows of x; an unknown name is `InvalidSettingError`."""
    if method not in METHODS:
        raise InvalidSettingError(f"The method is {choices(METHODS)}, not {method!r}.")
    if prices not in ("level", "log"):
        raise InvalidSettingError(f"Prices are fitted as level or log, not {prices!r}.")
    return _LINES[method][prices]


def rolling_lines(line: Line, y: Array, x: Array, window: int) -> FitColumns:
    """Return the lines on the ``window`` bars up to and with each bar; NaN during warm-up."""
    fits = FitColumns(*(np.full(len(y), np.nan) for _ in FitColumns._fields))
    for rows, (block_y, block_x) in windows(window, y, x):
        for column, values in zip(fits, line(block_y, block_x), strict=True):
            column[rows] = values
    return fits
