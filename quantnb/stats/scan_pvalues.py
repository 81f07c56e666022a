"""The p-values of many Engle-Granger tests at once: `engle_granger_pvalue`, for arrays.

Source: J. G. MacKinnon (1994), "Approximate Asymptotic Distribution Functions for Unit-Root and Cointegration
Tests", Journal of Business & Economic Statistics 12(2), 167-176, tables 3 and 4: two variables, constant, no
trend. The p-value is the normal distribution function of a polynomial in the statistic, one for the left tail
and one for the rest.
"""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np

from quantnb.stats.inputs import Array

__all__ = ["engle_granger_pvalues"]

_LEFT_TAIL = (2.92, 1.5012, 0.039796)  # coefficients of 1, t, t^2 up to _TAIL_ENDS
_REST = (2.1945, 0.64695, -0.29198, -0.042377)
_TAIL_ENDS = -2.62
_LOWEST, _HIGHEST = -18.86, 0.92  # beyond them the p-value is 0 and 1


def engle_granger_pvalues(statistics: Array) -> Array:
    """Return MacKinnon's (1994) asymptotic p-values for two variables and a constant; NaN for NaN."""
    is_tail = statistics <= _TAIL_ENDS
    argument = np.where(is_tail, _polynomial(_LEFT_TAIL, statistics), _polynomial(_REST, statistics))
    # numpy has no normal distribution, and scipy's takes longer to import than this loop to run.
    scaled = (argument / -sqrt(2.0)).tolist()
    pvalues = 0.5 * np.fromiter(map(erfc, scaled), np.float64, len(scaled))
    pvalues[statistics < _LOWEST] = 0.0
    pvalues[statistics > _HIGHEST] = 1.0
    return pvalues


def _polynomial(coefficients: tuple[float, ...], at: Array) -> Array:
    value = np.full(len(at), coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value * at + coefficient
    return value
