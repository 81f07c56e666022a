"""A study of a pair as text: each number with the digits it deserves, each row with what it is.

The tooltips are docs/statistics.md in a sentence or two: what the number is, and when not to believe it.
"""

from __future__ import annotations

import math
from typing import Any

from quantnb.stats import HedgeRow, PairStudy
from quantnb.stats.compare import HEDGES
from quantnb.stats.pair_study import StudyRow

__all__ = ["significant", "study_data"]

_MOST_DIGITS = 12
_KPSS_TABLE_ENDS = {0.01: "≤ 0.010", 0.1: "≥ 0.100"}

_METHODS = {
    "ols": "The standard, and what Engle–Granger tests. It takes x as known: too small where x is noisy.",
    "inverse": "x on y, solved for y: too large by as much. The two directions bracket the symmetric ones.",
    "tls": "No leg is preferred. On plain prices it says nothing of how closely the legs move together.",
    "theil_sen": "Of the slopes between all pairs of bars: a wild bar in either leg does not move it.",
    "kalman": "A ratio that wanders; z is of its innovation. It never forgets a wild bar entirely.",
}
# Of each test: its name, how its critical value is to be read, and what it is.
_TESTS = {
    "engle_granger_y_on_x": (
        "Engle–Granger, y on x",
        "below ",
        "Null hypothesis: no cointegration. Do not believe one direction only, nor the best of many pairs.",
    ),
    "engle_granger_x_on_y": (
        "Engle–Granger, x on y",
        "below ",
        "Null hypothesis: no cointegration. Do not believe one direction only, nor the best of many pairs.",
    ),
    "johansen": (
        "Johansen, trace",
        "above ",
        "Null hypothesis: no relation; no leg is y. Do not believe two relations of a pair: it calls both "
        "prices stationary.",
    ),
    "kpss": (
        "KPSS of the fitted spread",
        "above ",
        "Null hypothesis: the spread keeps to its mean. Do not believe that it does because this does not "
        "reject: on a fitted spread it seldom does.",
    ),
    "variance_ratio": (
        "Variance ratio of the fitted spread",
        "beyond ±",
        "Null hypothesis: a random walk; below 0 moves are taken back. Do not believe it at short bars: the "
        "bounce between bid and ask does that, and cannot be traded.",
    ),
    "cusum": (
        "Break alarm, CUSUM",
        "above ",
        "Null hypothesis: one line held over both windows. Do not believe silence: a spread that merely "
        "stops coming back is not seen here.",
    ),
    "drift": (
        "Break alarm, drift",
        "beyond ±",
        "Newer half's ratio minus the older's, in standard errors. Do not believe an alarm that is looked "
        "for at every bar: it rings more often than in 5 % of days.",
    ),
}


def study_data(study: PairStudy) -> dict[str, Any]:
    """Return what the laboratory shows of a study, as JSON knows it."""
    hedges = study.hedges
    return {
        "prices": study.prices,
        "findings": [{"side": each.side, "text": _typeset(each.text)} for each in study.findings],
        "notes": study.notes,
        "signs_differ": not isinstance(hedges, str) and hedges.signs_differ,
        "methods": [] if isinstance(hedges, str) else [_method(*row) for row in hedges.rows.items()],
        "tests": [_test(row) for row in study.rows],
    }


def _method(name: str, row: HedgeRow) -> dict[str, Any]:
    words = HEDGES[name]
    return {
        "key": name,
        "name": words[0].upper() + words[1:],
        "title": _METHODS[name],
        "cells": [
            significant(row.hedge_ratio, 5),
            significant(row.stderr, 2),
            significant(row.intercept, 5),
            _fixed(row.zscore, 2, sign="+"),
            _fixed(row.half_life, 1),
        ],
        "sign": "up" if row.zscore > 0 else "down" if row.zscore < 0 else "none",
    }


def _test(row: StudyRow) -> dict[str, Any]:
    name, reading, title = _TESTS[row.name]
    critical = "—" if math.isnan(row.critical_value) else f"{reading}{_fixed(row.critical_value, 2)}"
    return {
        "key": row.name,
        "name": name,
        "title": title,
        "words": _typeset(row.verdict),
        "cells": [
            _fixed(row.statistic, 2),
            critical,
            _pvalue(row),
            "—" if row.nobs is None else f"{row.nobs:,}",
        ],
    }


def significant(value: float, n: int) -> str:
    """Return a number with ``n`` significant digits, never in powers of ten.

    >>> significant(-0.000012345, 3), significant(123456.7, 3), significant(float("nan"), 3)
    ('−0.0000123', '123,457', '—')
    """
    if not math.isfinite(value) or value == 0:
        return _fixed(value, 0)
    return _fixed(value, min(_MOST_DIGITS, max(0, n - 1 - math.floor(math.log10(abs(value))))))


def _fixed(value: float, digits: int, *, sign: str = "-") -> str:
    if math.isnan(value):
        return "—"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:{sign},.{digits}f}".replace("-", "−")


def _pvalue(row: StudyRow) -> str:
    if row.name == "kpss" and row.pvalue in _KPSS_TABLE_ENDS:
        return _KPSS_TABLE_ENDS[row.pvalue]
    return "< 0.001" if row.pvalue < 0.001 else _fixed(row.pvalue, 3)


def _typeset(text: str) -> str:
    return text.replace(" -", " −").replace("Engle-Granger", "Engle–Granger")
