"""What each part of a pair's study says for or against the pair, in a sentence.

A test that does not reject has shown nothing. Of cointegration that counts against the pair here, because
the pair is what has to be shown; "unknown" is what could not be computed, or says nothing of the pair.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from quantnb.stats.break_alarm import BreakAlarm
from quantnb.stats.compare import HEDGES, HedgeComparison
from quantnb.stats.half_life import HalfLifeResult
from quantnb.stats.johansen import JohansenResult
from quantnb.stats.kpss import KpssResult
from quantnb.stats.variance_ratio import VarianceRatioResult

__all__ = [
    "Finding",
    "Side",
    "of_break",
    "of_directions",
    "of_half_life",
    "of_johansen",
    "of_kpss",
    "of_signs",
    "of_variance_ratio",
]

Side = Literal["against", "for", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about a pair, and on which side it stands."""

    side: Side
    text: str


def of_signs(hedges: HedgeComparison) -> Finding:
    """Judge whether every method has the spread on one side of its mean."""
    above = [HEDGES[name] for name, row in hedges.rows.items() if row.zscore > 0]
    below = [HEDGES[name] for name, row in hedges.rows.items() if row.zscore < 0]
    if not above and not below:
        return Finding("unknown", hedges.verdict)
    if not above or not below:
        side = "above" if above else "below"
        return Finding("for", f"All methods agree on the sign of the z-score: the spread is {side} its mean.")
    return Finding(
        "against",
        "The methods disagree on the sign of the z-score, so it is no signal of the market. "
        f"Above the mean: {'; '.join(above)}. Below it: {'; '.join(below)}.",
    )


def of_directions(hedges: HedgeComparison) -> Finding:
    """Judge Engle and Granger's test in both directions, by the critical values for the sample."""
    tests = {"y on x": hedges.y_on_x, "x on y": hedges.x_on_y}
    shown = [name for name, test in tests.items() if test.statistic < test.critical_values["5%"]]
    numbers = " and ".join(f"{_p(test.pvalue)} for {name}" for name, test in tests.items())
    numbers = f"{numbers}, n = {hedges.window}"
    if len(shown) == 2:
        return Finding("for", f"Engle-Granger finds cointegration at 5% in both directions: {numbers}.")
    if shown:
        return Finding("against", f"Engle-Granger finds cointegration at 5% only for {shown[0]}: {numbers}.")
    return Finding("against", f"Engle-Granger finds no cointegration at 5% in either direction: {numbers}.")


def of_half_life(life: HalfLifeResult, window: int) -> Finding:
    """Judge whether the window has seen two half-lives, as `zscore_evidence` does."""
    if math.isinf(life.corrected):
        sample = f"corrected for the short sample of {life.nobs} changes"
        return Finding("against", f"The half-life of the fitted spread is infinite, {sample}.")
    bars = f"The half-life of the fitted spread is {life.corrected:.1f} bars, corrected for the short sample"
    if life.corrected > window / 2:
        return Finding("against", f"{bars}; the window of {window} is shorter than two of them.")
    return Finding("for", f"{bars}; the window of {window} holds at least two of them.")


def of_johansen(result: JohansenResult) -> Finding:
    """Judge the number of relations: of a pair it is to be one."""
    n = f"n = {result.nobs}"
    match result.rank():
        case 0:
            return Finding("against", f"Johansen's test finds no relation between the legs at 5% ({n}).")
        case 1:
            return Finding("for", f"Johansen's test finds one relation between the legs at 5% ({n}).")
    text = f"Johansen's test calls both legs stationary at 5% ({n}), which prices seldom are"
    return Finding("unknown", f"{text}: it says nothing of the pair.")


def of_kpss(result: KpssResult) -> Finding:
    """Judge whether the fitted spread may keep to its mean."""
    n = f"n = {result.nobs}"
    if result.statistic > result.critical_values["5%"]:
        return Finding("against", f"KPSS rejects at 5% that the fitted spread keeps to its mean ({n}).")
    text = f"KPSS does not reject at 5% that the fitted spread keeps to its mean ({n})"
    return Finding("for", f"{text}; on a fitted spread it seldom does.")


def of_variance_ratio(result: VarianceRatioResult) -> Finding:
    """Judge whether moves of the fitted spread are taken back."""
    numbers = f"ratio {result.ratio:.2f} over {result.periods} bars, {_p(result.pvalue)}, n = {result.nobs}"
    if result.pvalue >= 0.05:
        return Finding(
            "against",
            f"The variance ratio does not tell the fitted spread from a random walk at 5%: {numbers}.",
        )
    if result.ratio > 1:
        return Finding("against", f"Moves of the fitted spread go on rather than come back: {numbers}.")
    return Finding("for", f"Moves of the fitted spread are taken back: {numbers}.")


def of_break(alarm: BreakAlarm) -> Finding:
    """Judge whether one ratio held."""
    return Finding("against" if alarm.is_broken else "for", alarm.verdict)


def _p(pvalue: float) -> str:
    return f"p = {pvalue:.3f}" if pvalue >= 0.001 else "p < 0.001"
