"""The KPSS test: whether it can be ruled out that a series keeps to its mean.

It turns the Dickey-Fuller question round. There the series wanders until shown otherwise, here it stays until
shown otherwise. Where both reject, or neither does, the sample does not say.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats.adf import check_observed
from quantnb.stats.inputs import to_values

__all__ = ["KpssResult", "kpss_test"]


@dataclass(frozen=True, slots=True)
class KpssResult:
    """KPSS test; the null hypothesis is that the series is stationary.

    Attributes
    ----------
    statistic : float
        The greater, the less the series keeps to its mean (or trend).
    pvalue : float
        Interpolated in the authors' table, which ends at 0.01 and 0.10: those two stand for "at most 0.01"
        and "at least 0.10".
    lags : int
        Autocovariances in the long-run variance.
    nobs : int
        Values in the series.
    critical_values : mapping
        At "10%", "5%", "2.5%" and "1%", asymptotic.
    regression : {"c", "ct"}
        Stationary about a constant, or about a trend.
    """

    statistic: float
    pvalue: float
    lags: int
    nobs: int
    critical_values: Mapping[str, float]
    regression: Literal["c", "ct"]

    @property
    def verdict(self) -> str:
        """What the test says, in a sentence."""
        about = "its mean" if self.regression == "c" else "a trend"
        rejected = [name for name, value in self.critical_values.items() if self.statistic > value]
        if not rejected:
            return f"May well keep to {about}: stationarity is not rejected at 10%."
        return f"Does not keep to {about}: stationarity is rejected at {rejected[-1]}."


def kpss_test(
    series: Any, *, regression: Literal["c", "ct"] = "c", lags: int | Literal["auto"] = "auto"
) -> KpssResult:
    """Test whether a series is stationary (statsmodels' `kpss`).

    For a series as it is given. On the residual of a fitted hedge ratio the table is wrong, as it is for
    `adf_test`: there it rejects too seldom.

    Parameters
    ----------
    series : Series or array of shape (n,)
        At least 30 values, none missing, oldest first.
    regression : {"c", "ct"}
        Stationary about a constant, or about a trend.
    lags : int or "auto"
        Autocovariances in the long-run variance (Bartlett's weights); "auto" after Hobijn, Franses and Ooms
        (2004). With too few, a series that comes back slowly is called a random walk.

    Returns
    -------
    KpssResult

    Raises
    ------
    InvalidSettingError
        For an unknown regression, or more lags than the series can bear.
    StatisticsError
        For fewer than 30 values, a missing value, or a series that is constant or a straight line.

    Notes
    -----
    D. Kwiatkowski, P. C. B. Phillips, P. Schmidt and Y. Shin (1992), Journal of Econometrics 54.
    """
    from statsmodels.tools.sm_exceptions import InterpolationWarning
    from statsmodels.tsa.stattools import kpss

    values = to_values(series, "The series")
    check_observed(values, "The series")
    if regression not in ("c", "ct"):
        raise InvalidSettingError(f"The regression is c or ct, not {regression!r}.")
    _check_lags(lags, len(values))
    changes = np.diff(values)
    if regression == "ct" and changes.max() == changes.min():
        raise StatisticsError("The series is a straight line; there is nothing to test.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterpolationWarning)  # the ends of the table are said above
        found: Any = kpss(values - values[0], regression, nlags=lags, result_object=True)
    return KpssResult(
        statistic=float(found.statistic),
        pvalue=float(found.pvalue),
        lags=int(found.lags),
        nobs=len(values),
        critical_values={level: float(found.critical_values[level]) for level in ("10%", "5%", "2.5%", "1%")},
        regression=regression,
    )


def _check_lags(lags: object, n: int) -> None:
    is_number = isinstance(lags, (int, np.integer)) and not isinstance(lags, bool)
    if lags != "auto" and not (is_number and 0 <= lags < n):  # type: ignore[operator]
        raise InvalidSettingError(
            f"With {n} values, lags is 'auto' or a whole number from 0 to {n - 1}, not {lags!r}."
        )
