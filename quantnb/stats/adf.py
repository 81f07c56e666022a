"""The augmented Dickey-Fuller test: whether a given series comes back or wanders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from quantnb.errors import InvalidSettingError, StatisticsError, choices
from quantnb.stats.inputs import Array, to_values
from quantnb.stats.mackinnon import rejects_at

__all__ = ["FEWEST_OBSERVATIONS", "AdfResult", "adf_test", "check_lags", "check_observed", "dickey_fuller"]

Regression = Literal["c", "ct", "ctt", "n"]
AutoLag = Literal["AIC", "BIC", "t-stat"]

FEWEST_OBSERVATIONS = 30
_TERMS = {
    "n": "no constant",
    "c": "constant",
    "ct": "constant and trend",
    "ctt": "constant and quadratic trend",
}


@dataclass(frozen=True, slots=True)
class AdfResult:
    """Augmented Dickey-Fuller test; the null hypothesis is a unit root.

    Attributes
    ----------
    statistic : float
        t value of the lagged level; the more negative, the less a unit root fits.
    pvalue : float
        MacKinnon (1994), asymptotic.
    lags : int
        Lagged changes in the regression.
    nobs : int
        Observations in the regression, ``lags + 1`` fewer than the series has.
    critical_values : mapping
        MacKinnon (2010), at "1%", "5%" and "10%", for ``nobs`` observations.
    regression : {"c", "ct", "ctt", "n"}
        Deterministic terms.
    """

    statistic: float
    pvalue: float
    lags: int
    nobs: int
    critical_values: Mapping[str, float]
    regression: Regression

    @property
    def verdict(self) -> str:
        """What the test says, in a sentence."""
        level, note = rejects_at(self.statistic, self.pvalue, self.critical_values)
        if level is None:
            return f"Not distinguishable from a random walk: a unit root is not rejected at 10%.{note}"
        return f"Stationary: a unit root is rejected at {level}.{note}"


def adf_test(
    series: Any, *, regression: Regression = "c", lags: int = 1, autolag: AutoLag | None = None
) -> AdfResult:
    """Test a series for a unit root (statsmodels' `adfuller`).

    For a series as it is given, or a spread whose hedge ratio was fixed beforehand. Where the ratio was
    estimated from the same data this table rejects far too often (12 to 20 % instead of 5 %): use
    `engle_granger`.

    Parameters
    ----------
    series : Series or array of shape (n,)
        At least 30 values, none missing, oldest first.
    regression : {"c", "ct", "ctt", "n"}
        Constant; constant and trend; constant, trend and its square; nothing.
    lags : int
        Lagged changes in the regression; with ``autolag`` the most that are tried.
    autolag : {"AIC", "BIC", "t-stat"}, optional
        Choose the lags by this criterion. On short samples that rejects too often (AIC at n = 20: 17 %
        instead of 5 %), so the default is a fixed lag.

    Returns
    -------
    AdfResult

    Raises
    ------
    InvalidSettingError
        For an unknown regression or autolag, or more lags than the series can bear.
    StatisticsError
        For fewer than 30 values, a missing value, or a series that is constant or a straight line.
    """
    values = to_values(series, "The series")
    check_observed(values, "The series")
    if regression not in _TERMS:
        raise InvalidSettingError(f"The regression is {choices(_TERMS)}, not {regression!r}.")
    if regression != "n":
        # The constant absorbs any level; taking it off first saves the digits that the level would cost.
        values = values - values[0]
    return dickey_fuller(values, regression=regression, lags=lags, autolag=autolag)


def check_observed(values: Array, name: str) -> None:
    """Raise `StatisticsError` where a test of these values would give a number without meaning."""
    if len(values) < FEWEST_OBSERVATIONS:
        raise StatisticsError(
            f"{name} has {len(values)} values; the test needs at least {FEWEST_OBSERVATIONS}."
        )
    n_missing = int(np.count_nonzero(~np.isfinite(values)))
    if n_missing:
        raise StatisticsError(
            f"{name} misses {n_missing} of its {len(values)} values; the test needs a stretch without gaps."
        )
    if values.max() == values.min():
        raise StatisticsError(f"{name} is constant ({values[0]:g}); there is nothing to test.")


def dickey_fuller(values: Array, *, regression: Regression, lags: int, autolag: AutoLag | None) -> AdfResult:
    """Run the test on checked values; statsmodels is imported here, on first use."""
    from statsmodels.tsa.stattools import adfuller

    check_lags(lags, autolag, len(values), regression)
    with np.errstate(all="ignore"):  # a perfect fit divides by zero; it is refused below
        found = adfuller(values, maxlag=lags, regression=regression, autolag=autolag, result_object=True)
    changes = np.diff(values)
    if not np.isfinite(found.statistic) or changes.max() == changes.min():
        raise StatisticsError("The series is a straight line or follows from its own past without error.")
    return AdfResult(
        statistic=float(found.statistic),
        pvalue=float(found.pvalue),
        lags=int(found.lags),
        nobs=int(found.nobs),
        critical_values={level: float(value) for level, value in found.critical_values.items()},
        regression=regression,
    )


def check_lags(lags: int, autolag: AutoLag | None, n: int, regression: Regression) -> None:
    """Raise `InvalidSettingError` for lags that ``n`` values cannot bear, or an unknown criterion."""
    n_terms = 0 if regression == "n" else len(regression)
    most = n // 2 - n_terms - 1
    if not isinstance(lags, (int, np.integer)) or isinstance(lags, bool) or not 0 <= lags <= most:
        raise InvalidSettingError(f"With {n} values, lags is a whole number from 0 to {most}, not {lags!r}.")
    if autolag not in ("AIC", "BIC", "t-stat", None):
        raise InvalidSettingError(f"autolag is AIC, BIC, t-stat or None, not {autolag!r}.")
