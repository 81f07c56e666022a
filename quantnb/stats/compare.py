"""The pair laboratory: the hedge ratio by every method, and what each makes of the newest bar.

No method is the right one. Where they agree the choice does not matter; where they disagree on the side of
the spread, the z-score is a matter of taste and not of the market, and the comparison says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from quantnb.errors import InvalidSettingError, StatisticsError, choices
from quantnb.stats.adf import FEWEST_OBSERVATIONS, check_observed
from quantnb.stats.engle_granger import EngleGrangerResult, engle_granger
from quantnb.stats.half_life import half_life
from quantnb.stats.inputs import Array, check_window, pair_values
from quantnb.stats.kalman_hedge import kalman_columns
from quantnb.stats.lines import METHODS, Prices, line_of, rolling_lines
from quantnb.stats.returns import check_positive
from quantnb.stats.zscore import zscore

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HEDGES", "HedgeComparison", "HedgeRow", "compare_hedges"]

HEDGES: Mapping[str, str] = dict([*METHODS.items(), ("kalman", "Kalman filter")])


@dataclass(frozen=True, slots=True)
class HedgeRow:
    """One method, as it stood before the newest bar.

    Attributes
    ----------
    hedge_ratio, intercept, stderr : float
        Of the line on the ``window`` bars before the newest.
    zscore : float
        Of the newest bar's causal spread; NaN where there is none (a flat window).
    half_life : float
        Bars, of the last ``window`` bars' spread with this ratio throughout; biased short, NaN for none.
    """

    hedge_ratio: float
    intercept: float
    stderr: float
    zscore: float
    half_life: float


@dataclass(frozen=True, slots=True)
class HedgeComparison:
    """Hedge ratios side by side.

    Attributes
    ----------
    rows : mapping of str to HedgeRow
        By method, in this order: "ols", "inverse", "tls", "theil_sen", "kalman".
    y_on_x, x_on_y : EngleGrangerResult
        The test in both directions, on the last ``window`` bars. It fits its own ratio, by least squares.
    window : int
        Bars in each line, and in each mean and deviation.
    prices : {"level", "log"}
        What was compared.
    """

    rows: Mapping[str, HedgeRow]
    y_on_x: EngleGrangerResult
    x_on_y: EngleGrangerResult
    window: int
    prices: Prices

    @property
    def signs_differ(self) -> bool:
        """Whether the methods disagree on the side of the mean on which the spread stands."""
        scores = [row.zscore for row in self.rows.values()]
        return any(score > 0 for score in scores) and any(score < 0 for score in scores)

    @property
    def verdict(self) -> str:
        """Whether the methods agree on the sign of the z-score, in a sentence."""
        above = [name for name, row in self.rows.items() if row.zscore > 0]
        below = [name for name, row in self.rows.items() if row.zscore < 0]
        if self.signs_differ:
            return (
                f"The methods disagree on the sign of the z-score: above the mean by {', '.join(above)}, "
                f"below it by {', '.join(below)}."
            )
        if not above and not below:
            return "No method gives a z-score: the spread does not move, or stands at its mean."
        return f"All methods have the spread {'above' if above else 'below'} its mean."

    def to_frame(self) -> pd.DataFrame:
        """Return one row a method, with the p-values of both directions of the test beside it."""
        import pandas as pd

        names = HedgeRow.__slots__
        frame = pd.DataFrame(
            {name: [getattr(row, name) for row in self.rows.values()] for name in names},
            index=pd.Index(list(self.rows), name="method"),
        )
        return frame.assign(pvalue_y_on_x=self.y_on_x.pvalue, pvalue_x_on_y=self.x_on_y.pvalue)


def compare_hedges(
    y: Any,
    x: Any,
    window: int,
    *,
    prices: Prices = "level",
    lags: int = 1,
    methods: Collection[str] = tuple(HEDGES),
) -> HedgeComparison:
    """Compare the methods on the newest bars of a pair.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs, oldest first, on one index; the newest ``2 * window`` bars are used, none missing.
    window : int
        Bars in each line, and in each mean and deviation; at least 30. The row "ols" on levels is
        `causal_spread` with `zscore`, to the last digit.
    prices : {"level", "log"}
        Compare ratios of units, or of money.
    lags : int
        Lagged changes in the Engle-Granger tests.
    methods : collection of {"ols", "inverse", "tls", "theil_sen", "kalman"}
        Which to compare.

    Returns
    -------
    HedgeComparison

    Raises
    ------
    InvalidSettingError
        For an impossible window, prices or lags, or an unknown method.
    StatisticsError
        For too few bars, a gap among them, a leg that does not move, or legs that are the same line.

    Notes
    -----
    The Kalman filter warms up on the first ``window`` of the bars with delta = 1 / window^2, so that it
    forgets over about a window; its z-score is of the innovation. The median of slopes takes time with the
    cube of the window: 0.2 s at 200 bars, 3 s at 500.
    """
    check_window(window, at_least=FEWEST_OBSERVATIONS)
    line_of("ols", prices)
    for method in methods:
        if method not in HEDGES:
            raise InvalidSettingError(f"The method is {choices(HEDGES)}, not {method!r}.")
    leg_y, leg_x = (_newest(leg, 2 * window, name) for leg, name in zip(pair_values(y, x), "yx", strict=True))
    if prices == "log":
        check_positive(leg_y, "y")
        check_positive(leg_x, "x")
        leg_y, leg_x = np.log(leg_y), np.log(leg_x)
    recent = leg_y[window:], leg_x[window:]
    tests = engle_granger(*recent, lags=lags), engle_granger(*recent[::-1], lags=lags)
    rows = {name: _row_of(name, leg_y, leg_x, window, prices) for name in HEDGES if name in methods}
    return HedgeComparison(rows, *tests, window, prices)


def _newest(leg: Array, n: int, name: str) -> Array:
    if len(leg) < n:
        raise StatisticsError(f"The comparison needs 2 x window = {n} bars; leg {name} has {len(leg)}.")
    check_observed(leg[-n:], f"Leg {name}")
    return leg[-n:]


def _row_of(method: str, y: Array, x: Array, window: int, prices: Prices) -> HedgeRow:
    if method == "kalman":
        return _row_of_kalman(y, x, window)
    return _row_of_line(y, x, window, method, prices)


def _row_of_line(y: Array, x: Array, window: int, method: Any, prices: Prices) -> HedgeRow:
    fits = rolling_lines(line_of(method, prices), y[:-1], x[:-1], window)
    known = [column[window - 1 :] for column in fits]  # before each of the last ``window`` bars
    spreads = y[window:] - known[1] - known[0] * x[window:]
    score = float(zscore(spreads, window)[-1])
    ratio, constant, stderr = (float(column[-1]) for column in known[:3])
    return HedgeRow(ratio, constant, stderr, score, _half_life(y, x, ratio, window))


def _row_of_kalman(y: Array, x: Array, window: int) -> HedgeRow:
    columns, _ = kalman_columns(y, x, warm_up=window, delta=1.0 / window**2)
    names = ("hedge_ratio", "intercept", "stderr", "zscore")
    ratio, constant, stderr, score = (float(columns[name][-1]) for name in names)
    return HedgeRow(ratio, constant, stderr, score, _half_life(y, x, ratio, window))


def _half_life(y: Array, x: Array, ratio: float, window: int) -> float:
    try:
        return half_life(y[-window:] - ratio * x[-window:]).half_life
    except StatisticsError:
        return float("nan")
