"""Johansen's test: how many relations tie several prices together, and which.

Unlike Engle and Granger's it takes no leg for y, and it finds more than one relation among three or more
symbols. Its table allows for a drift of the prices. On walks without one it finds some relation in about 12 %
of cases instead of 5 %, half of them "all come back by themselves": then believe neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats.adf import check_observed
from quantnb.stats.inputs import Array
from quantnb.stats.windows import quietly

__all__ = ["JohansenResult", "johansen"]

_LEVELS = ("10%", "5%", "1%")
_MOST_SYMBOLS = 12  # of which there are tables


@dataclass(frozen=True, slots=True)
class JohansenResult:
    """Johansen's test with a constant; element r of each tuple tests "at most r relations".

    Attributes
    ----------
    trace, trace_critical_values : tuple of float, tuple of mapping
        Statistic against any more relations; critical values at "10%", "5%" and "1%" (MacKinnon, Haug and
        Michelis 1999).
    max_eigenvalue, max_eigenvalue_critical_values : tuple of float, tuple of mapping
        Statistic against exactly one more.
    eigenvalues : tuple of float
        From the greatest; within [0, 1).
    relations : tuple of tuple of float
        Weights of the symbols in each relation, strongest first, in units of the first symbol's.
    lags : int
        Lagged changes in the model.
    nobs : int
        Bars in the regression.
    """

    trace: tuple[float, ...]
    trace_critical_values: tuple[Mapping[str, float], ...]
    max_eigenvalue: tuple[float, ...]
    max_eigenvalue_critical_values: tuple[Mapping[str, float], ...]
    eigenvalues: tuple[float, ...]
    relations: tuple[tuple[float, ...], ...]
    lags: int
    nobs: int

    def rank(self, level: str = "5%") -> int:
        """Return the number of relations that the trace test finds at a level."""
        for r, (statistic, critical) in enumerate(zip(self.trace, self.trace_critical_values, strict=True)):
            if statistic <= critical[level]:
                return r
        return len(self.trace)

    @property
    def hedge_ratio(self) -> float:
        """Units of the second symbol against one of the first, in the strongest relation."""
        return -self.relations[0][1]

    @property
    def verdict(self) -> str:
        """What the trace test says at 5 %, in a sentence."""
        n, rank = len(self.trace), self.rank()
        if rank == 0:
            return f"Not shown to be cointegrated: no relation among the {n} is found at 5%."
        if rank == n:
            return f"All {n} come back by themselves at 5%: they are stationary, and no pair is needed."
        return f"Cointegrated: {rank} relation{'s' if rank > 1 else ''} among the {n} at 5%."


def johansen(prices: Any, *, lags: int = 1) -> JohansenResult:
    """Test symbols for cointegration (statsmodels' `coint_johansen`, with a constant).

    Parameters
    ----------
    prices : DataFrame or array of shape (n_bars, n_symbols)
        Prices or their logarithms, oldest first; 2 to 12 symbols, at least 30 bars, none missing.
    lags : int
        Lagged changes in the model.

    Returns
    -------
    JohansenResult

    Raises
    ------
    InvalidSettingError
        For lags that the bars cannot bear.
    StatisticsError
        For another shape, too few bars, a gap among them, or symbols that are a straight line of each other.

    Notes
    -----
    S. Johansen (1991), "Estimation and Hypothesis Testing of Cointegration Vectors in Gaussian Vector
    Autoregressive Models", Econometrica 59.
    """
    from statsmodels.tsa.vector_ar.vecm import coint_johansen

    values = np.ascontiguousarray(prices, dtype=np.float64)
    if values.ndim != 2 or not 2 <= values.shape[1] <= _MOST_SYMBOLS:
        raise StatisticsError(
            f"Prices are rows of bars and 2 to {_MOST_SYMBOLS} columns of symbols, not shape {values.shape}."
        )
    for column in range(values.shape[1]):
        check_observed(values[:, column], f"Column {column}")
    n, n_symbols = values.shape
    most = (n - 2) // (n_symbols + 1) - n_symbols
    if not isinstance(lags, (int, np.integer)) or isinstance(lags, bool) or not 0 <= lags <= most:
        raise InvalidSettingError(
            f"With {n} bars of {n_symbols} symbols, lags is a whole number from 0 to {most}, not {lags!r}."
        )
    scale = np.ptp(values, axis=0)  # brings symbols of any price to one size; the statistics do not change
    try:
        with quietly():
            found = coint_johansen((values - values[0]) / scale, 0, int(lags))  # type: ignore[no-untyped-call]
    except LinAlgError:
        found = None
    if found is None or np.iscomplexobj(found.evec) or not np.isfinite(found.trace_stat).all():
        raise StatisticsError("The symbols are straight lines of each other; their relation is no finding.")
    return _result(found, scale, int(lags), n - int(lags) - 1)


def _result(found: Any, scale: Array, lags: int, nobs: int) -> JohansenResult:
    weights = found.evec.T / scale
    with quietly():
        weights = weights / weights[:, :1]
    return JohansenResult(
        trace=tuple(found.trace_stat.tolist()),
        trace_critical_values=_tables(found.trace_stat_crit_vals),
        max_eigenvalue=tuple(found.max_eig_stat.tolist()),
        max_eigenvalue_critical_values=_tables(found.max_eig_stat_crit_vals),
        eigenvalues=tuple(found.eig.tolist()),
        relations=tuple(tuple(row) for row in weights.tolist()),
        lags=lags,
        nobs=nobs,
    )


def _tables(rows: Array) -> tuple[Mapping[str, float], ...]:
    return tuple(dict(zip(_LEVELS, row, strict=True)) for row in rows.tolist())
