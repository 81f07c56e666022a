"""The study of a pair: everything that speaks for and against it on the newest bars, at one request.

Each part stands by itself: where one cannot be computed, its place is taken by the sentence why, and the
others remain. What speaks against the pair is said first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from quantnb.errors import StatisticsError
from quantnb.stats.adf import FEWEST_OBSERVATIONS
from quantnb.stats.break_alarm import BreakAlarm, break_alarm
from quantnb.stats.compare import HEDGES, HedgeComparison, compare_hedges
from quantnb.stats.engle_granger import engle_granger
from quantnb.stats.findings import (
    Finding,
    Side,
    of_break,
    of_directions,
    of_half_life,
    of_johansen,
    of_kpss,
    of_signs,
    of_variance_ratio,
)
from quantnb.stats.half_life import HalfLifeResult, half_life
from quantnb.stats.inputs import Array, check_window, pair_values
from quantnb.stats.johansen import JohansenResult, johansen
from quantnb.stats.kpss import KpssResult, kpss_test
from quantnb.stats.lines import Prices, line_of
from quantnb.stats.returns import check_positive
from quantnb.stats.variance_ratio import VarianceRatioResult, variance_ratio

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PairStudy", "StudyRow", "study_pair"]

_MOST_FOR_THEIL_SEN = 300  # bars; its time grows with their cube, and is 3 s at 500
_HEADINGS: Mapping[Side, str] = {
    "against": "Against the pair:",
    "for": "In its favour:",
    "unknown": "Not known:",
}
_NOTHING_AGAINST = (
    "Nothing that could be tested speaks against the pair, which is no promise that it comes back."
)

_P = ParamSpec("_P")
_Result = TypeVar("_Result")
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One test of a study as a row of a table; NaN where there is no such number.

    ``critical_value`` is at 5 % (of the break alarm: of both its tests together), ``nobs`` the bars or
    observations used, ``verdict`` what the test says, or why it could not be run.
    """

    name: str
    statistic: float
    critical_value: float
    pvalue: float
    nobs: int | None
    verdict: str


@dataclass(frozen=True, slots=True)
class PairStudy:
    """All that is known of a pair on its newest bars; a part that is a str says why there is none.

    Attributes
    ----------
    hedges : HedgeComparison or str
        The hedge ratio by every method, and Engle-Granger in both directions.
    half_life : HalfLifeResult or str
        Of the fitted spread: one line, by least squares of y on x, over the newest ``window`` bars.
    johansen : JohansenResult or str
        Of both legs over the newest ``window`` bars.
    kpss : KpssResult or str
        Of the fitted spread.
    variance_ratio : VarianceRatioResult or str
        Of the fitted spread, over 5 bars, or a tenth of the window where that is less.
    break_alarm : BreakAlarm or str
        Of the newest ``2 * window`` bars.
    window : int
        Bars in each line and test; at least 30.
    prices : {"level", "log"}
        What was studied.
    notes : tuple of str
        What was done otherwise than asked, in words.
    """

    hedges: HedgeComparison | str
    half_life: HalfLifeResult | str
    johansen: JohansenResult | str
    kpss: KpssResult | str
    variance_ratio: VarianceRatioResult | str
    break_alarm: BreakAlarm | str
    window: int
    prices: Prices
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What each part says: first what speaks against the pair, last what is not known."""
        found = (
            _weighed("Hedge ratios", self.hedges, of_signs),
            _weighed("Break alarm", self.break_alarm, of_break),
            _weighed("Engle-Granger", self.hedges, of_directions),
            _weighed("Half-life", self.half_life, lambda life: of_half_life(life, self.window)),
            _weighed("Johansen", self.johansen, of_johansen),
            _weighed("KPSS", self.kpss, of_kpss),
            _weighed("Variance ratio", self.variance_ratio, of_variance_ratio),
        )
        return tuple(sorted(found, key=lambda finding: list(_HEADINGS).index(finding.side)))

    @property
    def verdict(self) -> str:
        """What speaks against the pair, then what speaks for it, then what is not known, in words."""
        findings = self.findings
        parts = []
        if findings[0].side == "for":
            parts.append(_NOTHING_AGAINST)
        for side, heading in _HEADINGS.items():
            texts = [finding.text for finding in findings if finding.side == side]
            parts += [heading, *texts] if texts else []
        return " ".join([*parts, *self.notes])

    @property
    def rows(self) -> tuple[StudyRow, ...]:
        """The tests, one a row."""
        return tuple(_rows(self))

    def to_frame(self) -> pd.DataFrame:
        """Return the tests, one a row; the hedge ratios are ``hedges.to_frame()``."""
        import pandas as pd

        names = [name for name in StudyRow.__slots__ if name != "name"]
        frame = pd.DataFrame(
            {name: [getattr(row, name) for row in self.rows] for name in names},
            index=pd.Index([row.name for row in self.rows], name="test"),
        )
        return frame.astype({"nobs": "Int64"})


def study_pair(y: Any, x: Any, window: int, *, prices: Prices = "level", lags: int = 1) -> PairStudy:
    """Study a pair on its newest bars: the hedge ratio by every method, and every test of the spread.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs, oldest first, on one index; the newest ``2 * window`` bars are used.
    window : int
        Bars in each line and test. The tests need 30: for a shorter window 30 are taken, and it is noted.
    prices : {"level", "log"}
        Study the prices, a ratio of units, or their logarithms, a ratio of money.
    lags : int
        Lagged changes in the tests of Engle-Granger and Johansen.

    Returns
    -------
    PairStudy

    Raises
    ------
    InvalidSettingError
        For an impossible window, prices or lags.
    StatisticsError
        For legs that are not aligned, too few bars, or a logarithm of a price that is not above 0. What
        befalls one part alone, a gap among its bars or a package that is not installed, stands in its place.

    Notes
    -----
    Above a window of 300 bars the median of slopes is left out, because its time grows with the cube of the
    window. The rest takes some 0.1 s at 200 bars, after the second or two in which statsmodels is loaded.
    """
    check_window(window, at_least=3)
    line_of("ols", prices)
    n = max(window, FEWEST_OBSERVATIONS)
    leg_y, leg_x = (leg[-2 * n :] for leg in pair_values(y, x))
    if len(leg_y) < 2 * n:
        raise StatisticsError(f"The study needs {2 * n} bars (2 × {n}), {len(leg_y)} so far.")
    methods = [name for name in HEDGES if name != "theil_sen" or n <= _MOST_FOR_THEIL_SEN]
    hedges = _or_why(compare_hedges, leg_y, leg_x, n, prices=prices, lags=lags, methods=methods)
    if prices == "log":
        check_positive(leg_y, "y")
        check_positive(leg_x, "x")
        leg_y, leg_x = np.log(leg_y), np.log(leg_x)
    newest = leg_y[-n:], leg_x[-n:]
    spread = _or_why(_fitted_spread, *newest, lags)

    def of_spread(test: Callable[[Array], _Result]) -> _Result | str:
        return spread if isinstance(spread, str) else _or_why(test, spread)

    return PairStudy(
        hedges,
        of_spread(half_life),
        _or_why(johansen, np.column_stack(newest), lags=lags),
        of_spread(kpss_test),
        of_spread(lambda spread: variance_ratio(spread, periods=min(5, n // 10), prices="level")),
        _or_why(break_alarm, leg_y, leg_x),
        n,
        prices,
        tuple(_notes(window)),
    )


def _or_why(compute: Callable[_P, _Result], *args: _P.args, **kwargs: _P.kwargs) -> _Result | str:
    """Return the result, or the sentence why there is none."""
    try:
        return compute(*args, **kwargs)
    except StatisticsError as error:
        return str(error)


def _fitted_spread(y: Array, x: Array, lags: int) -> Array:
    """Return the residual that Engle-Granger tests; what it refuses to test is no spread."""
    test = engle_granger(y, x, lags=lags)
    return y - test.intercept - test.hedge_ratio * x


def _notes(window: int) -> Iterator[str]:
    if window < FEWEST_OBSERVATIONS:
        yield f"A window of {window} bars is too short for these tests; {FEWEST_OBSERVATIONS} are taken."
    if window > _MOST_FOR_THEIL_SEN:
        yield (
            f"The median of slopes is left out above a window of {_MOST_FOR_THEIL_SEN} bars: its time grows "
            "with the cube of the window."
        )


def _weighed(name: str, part: _Part | str, judge: Callable[[_Part], Finding]) -> Finding:
    return Finding("unknown", f"{name}: {part}") if isinstance(part, str) else judge(part)


def _rows(study: PairStudy) -> Iterator[StudyRow]:
    nan = math.nan
    for name in ("y_on_x", "x_on_y"):
        yield _row(
            f"engle_granger_{name}",
            study.hedges if isinstance(study.hedges, str) else getattr(study.hedges, name),
            lambda test: (test.statistic, test.critical_values["5%"], test.pvalue),
        )
    yield _row(
        "johansen", study.johansen, lambda test: (test.trace[0], test.trace_critical_values[0]["5%"], nan)
    )
    yield _row("kpss", study.kpss, lambda test: (test.statistic, test.critical_values["5%"], test.pvalue))
    yield _row("variance_ratio", study.variance_ratio, lambda test: (test.statistic, 1.96, test.pvalue))
    yield _row("cusum", study.break_alarm, lambda alarm: (alarm.cusum, alarm.cusum_threshold, nan))
    yield _row("drift", study.break_alarm, lambda alarm: (alarm.drift, alarm.drift_threshold, nan))


def _row(name: str, part: Any, numbers: Callable[[Any], tuple[float, float, float]]) -> StudyRow:
    if isinstance(part, str):
        return StudyRow(name, math.nan, math.nan, math.nan, None, part)
    return StudyRow(name, *numbers(part), part.nobs, part.verdict)
