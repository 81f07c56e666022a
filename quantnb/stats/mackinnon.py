"""Critical values and p-values of Engle and Granger's test, and what they say together.

Source: J. G. MacKinnon (2010), "Critical Values for Cointegration Tests", Queen's Economics Department
Working Paper 1227, table 2: two variables, constant, no trend. A critical value is the polynomial
b0 + b1/T + b2/T^2 in the sample size T. statsmodels 0.15 has -33.527 where the paper prints -22.527
(statsmodels#10271), so the table stands here.

p-values are MacKinnon's (1994) and asymptotic, critical values are for the sample at hand. Near the border
the two may disagree; then the critical value decides, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quantnb.stats.scan_pvalues import engle_granger_pvalues

__all__ = ["LEVELS", "engle_granger_critical_values", "engle_granger_pvalue", "rejects_at"]

LEVELS = {"1%": 0.01, "5%": 0.05, "10%": 0.10}

_TWO_VARIABLES_CONSTANT = {
    "1%": (-3.89644, -10.9519, -22.527),
    "5%": (-3.33613, -6.1101, -6.823),
    "10%": (-3.04445, -4.2412, -2.720),
}


def engle_granger_critical_values(n: int) -> dict[str, float]:
    """Return the critical values at 1, 5 and 10 % for a pair of ``n`` bars; T = n - 1, as in Stata."""
    t = n - 1
    return {level: b0 + b1 / t + b2 / t**2 for level, (b0, b1, b2) in _TWO_VARIABLES_CONSTANT.items()}


def engle_granger_pvalue(statistic: float) -> float:
    """Return MacKinnon's (1994) asymptotic p-value for two variables and a constant."""
    return float(engle_granger_pvalues(np.array([statistic]))[0])


def rejects_at(
    statistic: float, pvalue: float, critical_values: Mapping[str, float]
) -> tuple[str | None, str]:
    """Return the strictest level that rejects the null, None if none does, and a note where p disagrees."""
    level = next((name for name in LEVELS if statistic < critical_values[name]), None)
    level_of_p = next((name for name, size in LEVELS.items() if pvalue < size), None)
    if level == level_of_p:
        return level, ""
    return level, (
        f" The asymptotic p-value ({pvalue:.4f}) alone would say otherwise; "
        "the critical value for this sample size decides."
    )
