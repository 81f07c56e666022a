"""The study of a pair: what it takes from which function, how it speaks, and what a fault leaves of it."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import (
    HedgeRow,
    PairStudy,
    break_alarm,
    compare_hedges,
    engle_granger,
    half_life,
    johansen,
    kpss_test,
    study_pair,
    variance_ratio,
)
from tests.stats.pairs import pair

Y, X = pair(2, 0.5)
TESTS = [
    "engle_granger_y_on_x",
    "engle_granger_x_on_y",
    "johansen",
    "kpss",
    "variance_ratio",
    "cusum",
    "drift",
]


@pytest.fixture(scope="module")
def good() -> PairStudy:
    return study_pair(Y, X, 200)


@pytest.fixture(scope="module")
def bad() -> PairStudy:
    return study_pair(*pair(3, 1.0), 100)


@pytest.mark.parametrize("prices", ["level", "log"])
def test_every_part_is_what_the_function_of_its_name_says(prices: Any) -> None:
    study = study_pair(Y, X, 50, prices=prices, lags=2)
    y, x = (np.log(leg) if prices == "log" else leg for leg in (Y, X))
    test = engle_granger(y[-50:], x[-50:], lags=2)
    spread = y[-50:] - test.intercept - test.hedge_ratio * x[-50:]
    assert study.hedges == compare_hedges(Y, X, 50, prices=prices, lags=2)
    assert study.half_life == half_life(spread)
    assert study.johansen == johansen(np.column_stack([y[-50:], x[-50:]]), lags=2)
    assert study.kpss == kpss_test(spread)
    assert study.variance_ratio == variance_ratio(spread, periods=5, prices="level")
    assert study.break_alarm == break_alarm(y[-100:], x[-100:])
    assert (study.window, study.prices, study.notes) == (50, prices, ())


def test_series_and_arrays_give_the_same(good: PairStudy) -> None:
    assert study_pair(pd.Series(Y), pd.Series(X), 200) == good


def test_bars_before_the_two_windows_leave_no_trace() -> None:
    before = [np.nan, 1e12, -1.0]
    assert study_pair(Y[-100:], X[-100:], 50) == study_pair([*before, *Y], [*before, *X], 50)


def test_a_window_too_short_for_the_tests_is_made_longer_and_that_is_said() -> None:
    study = study_pair(Y, X, 20)
    assert study == replace(study_pair(Y, X, 30), notes=study.notes)
    assert study.notes == ("A window of 20 bars is too short for these tests; 30 are taken.",)
    assert study.verdict.endswith(study.notes[0])
    assert isinstance(study.variance_ratio, type(variance_ratio(Y)))
    assert study.variance_ratio.periods == 3  # no longer than a tenth of the series


@pytest.mark.parametrize(("window", "has_median"), [(300, True), (301, False)])
def test_the_median_of_slopes_is_left_out_where_it_takes_too_long(window: int, has_median: bool) -> None:
    study = study_pair(*pair(1, 0.5, 700), window)
    assert not isinstance(study.hedges, str)
    assert ("theil_sen" in study.hedges.rows) is has_median
    assert any("median of slopes is left out" in note for note in study.notes) is not has_median


def test_what_speaks_against_the_pair_comes_first(bad: PairStudy) -> None:
    sides = [finding.side for finding in bad.findings]
    assert sides == sorted(sides, key=["against", "for", "unknown"].index)
    assert bad.verdict.startswith("Against the pair: The hedge has broken")
    assert bad.verdict.index("Against the pair:") < bad.verdict.index("In its favour:")
    assert (
        "Engle-Granger finds no cointegration at 5% in either direction: p = 0.903 for y on x" in bad.verdict
    )
    assert "half-life of the fitted spread is infinite" in bad.verdict


def test_where_nothing_speaks_against_it_that_is_said_and_nothing_is_promised(good: PairStudy) -> None:
    assert good.verdict.startswith(
        "Nothing that could be tested speaks against the pair, which is no promise"
    )
    assert "cointegration at 5% in both directions: p < 0.001 for y on x" in good.verdict
    assert {finding.side for finding in good.findings} == {"for"}


def with_scores(study: PairStudy, **scores: float) -> PairStudy:
    assert not isinstance(study.hedges, str)
    rows = {name: HedgeRow(1.0, 0.0, 0.1, score, 5.0) for name, score in scores.items()}
    return replace(study, hedges=replace(study.hedges, rows=rows))


def test_a_disagreement_on_the_sign_comes_before_everything_else(bad: PairStudy) -> None:
    first = with_scores(bad, ols=0.3, kalman=1.0, tls=-0.1).findings[0]
    assert first.side == "against"
    assert first.text == (
        "The methods disagree on the sign of the z-score, so it is no signal of the market. "
        "Above the mean: least squares, y on x; Kalman filter. Below it: total least squares."
    )


def test_where_no_method_gives_a_score_nothing_is_known_of_the_sign(good: PairStudy) -> None:
    assert with_scores(good, ols=math.nan).findings[-1].side == "unknown"


def test_one_direction_alone_speaks_against_the_pair(good: PairStudy, bad: PairStudy) -> None:
    assert not isinstance(good.hedges, str)
    assert not isinstance(bad.hedges, str)
    study = replace(good, hedges=replace(good.hedges, x_on_y=bad.hedges.x_on_y))
    assert study.verdict.startswith(
        "Against the pair: Engle-Granger finds cointegration at 5% only for y on x"
    )


def test_a_half_life_beyond_half_the_window_speaks_against_the_pair(good: PairStudy) -> None:
    assert not isinstance(good.half_life, str)
    study = replace(good, half_life=replace(good.half_life, corrected=100.1))
    assert study.findings[0].text.endswith("the window of 200 is shorter than two of them.")
    study = replace(good, half_life=replace(good.half_life, corrected=100.0))
    assert study.findings[0].side == "for"


def test_two_relations_of_a_pair_are_not_believed(good: PairStudy) -> None:
    assert not isinstance(good.johansen, str)
    last = replace(good, johansen=replace(good.johansen, trace=(99.0, 99.0))).findings[-1]
    assert (last.side, "it says nothing of the pair" in last.text) == ("unknown", True)


def test_moves_that_go_on_speak_against_the_pair(good: PairStudy) -> None:
    assert not isinstance(good.variance_ratio, str)
    study = replace(good, variance_ratio=replace(good.variance_ratio, ratio=1.4))
    assert study.findings[0].text.startswith(
        "Moves of the fitted spread go on rather than come back: ratio 1.40"
    )


def test_a_gap_takes_away_only_what_rests_on_it() -> None:
    y = Y.copy()
    y[-80] = np.nan
    study = study_pair(y, X, 50)
    sentence = "Leg y misses 1 of its 100 values; the test needs a stretch without gaps."
    assert (study.hedges, study.break_alarm) == (sentence, sentence)
    assert study.kpss == study_pair(Y, X, 50).kpss
    assert study.johansen == study_pair(Y, X, 50).johansen
    assert f"Not known: Hedge ratios: {sentence}" in study.verdict
    assert list(study.to_frame().loc["cusum", ["verdict"]]) == [sentence]


def test_legs_that_are_one_line_give_no_number_of_rounding_errors() -> None:
    study = study_pair(2 * X, X, 50)
    assert {finding.side for finding in study.findings} == {"unknown"}
    assert study.verdict.startswith("Not known:")
    assert study.to_frame()["statistic"].isna().all()


def test_without_the_optional_package_the_rest_is_there(
    monkeypatch: pytest.MonkeyPatch, good: PairStudy
) -> None:
    monkeypatch.setitem(sys.modules, "arch.unitroot", None)
    study = study_pair(Y, X, 200)
    assert study.variance_ratio == "The variance ratio needs the package arch: pip install arch"
    assert study == replace(good, variance_ratio=study.variance_ratio)


def test_the_frame_has_a_row_a_test(good: PairStudy) -> None:
    frame = good.to_frame()
    assert list(frame.index) == TESTS
    assert list(frame.columns) == ["statistic", "critical_value", "pvalue", "nobs", "verdict"]
    assert list(frame["nobs"]) == [200, 200, 198, 200, 200, 400, 400]
    assert frame.loc["engle_granger_y_on_x", "statistic"] == engle_granger(Y[-200:], X[-200:]).statistic
    assert frame["verdict"].str.endswith(".").all()


@pytest.mark.parametrize(
    ("y", "x", "sentence"),
    [
        (Y[:99], X[:99], r"The study needs 100 bars \(2 × 50\), 99 so far"),
        ([], [], "0 so far"),
        (Y, X[1:], "align"),
    ],
)
def test_too_few_bars_or_crooked_legs_are_no_study(y: Any, x: Any, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        study_pair(y, x, 50)


def test_a_price_without_a_logarithm_is_no_study_of_logarithms() -> None:
    y = Y.copy()
    y[-3] = 0.0
    with pytest.raises(StatisticsError, match="y must be above 0"):
        study_pair(y, X, 50, prices="log")


@pytest.mark.parametrize(
    ("window", "settings", "sentence"),
    [
        (2, {}, "at least 3"),
        (50.0, {}, "whole number of bars"),
        (50, {"prices": "returns"}, "level or log"),
        (50, {"lags": -1}, "lags"),
    ],
)
def test_an_impossible_setting_is_refused(window: Any, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSettingError, match=sentence):
        study_pair(Y, X, window, **settings)


@given(
    st.lists(st.tuples(*[st.one_of(st.just(math.nan), st.floats(1, 1e6))] * 2), min_size=60, max_size=60),
    st.sampled_from(["level", "log"]),
)
def test_whatever_the_bars_are_each_part_is_a_result_or_a_sentence(bars: Any, prices: Any) -> None:
    study = study_pair(*np.array(bars).T, 30, prices=prices)
    assert len(study.findings) == 7
    assert all(finding.text.endswith((".", "arch")) for finding in study.findings)
    assert len(study.to_frame()) == len(TESTS)
