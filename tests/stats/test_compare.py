"""The pair laboratory: what each method makes of the newest bar."""

from __future__ import annotations

import math

import numpy as np
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import (
    HedgeComparison,
    HedgeRow,
    causal_spread,
    compare_hedges,
    engle_granger,
    half_life,
    zscore,
)

RNG = np.random.default_rng(4)
X = np.round(60_000 + np.cumsum(RNG.normal(0, 5, 150)), 1)
GAP = np.zeros(150)
for bar in range(1, 150):
    GAP[bar] = 0.8 * GAP[bar - 1] + RNG.normal(0, 0.3)
Y = np.round(0.05 * X + GAP, 2)


def test_the_row_of_least_squares_is_the_live_zscore_to_the_last_digit() -> None:
    frame = causal_spread(Y, X, 50)
    row = compare_hedges(Y, X, 50).rows["ols"]
    assert row.zscore == zscore(frame["spread"].to_numpy(), 50)[-1]
    assert (row.hedge_ratio, row.intercept) == (frame["hedge_ratio"].iloc[-1], frame["intercept"].iloc[-1])
    assert row.half_life == half_life(Y[-50:] - row.hedge_ratio * X[-50:]).half_life


@pytest.mark.parametrize("prices", ["level", "log"])
def test_all_methods_stand_side_by_side(prices: str) -> None:
    frame = compare_hedges(Y, X, 50, prices=prices).to_frame()  # type: ignore[arg-type]
    assert list(frame.index) == ["ols", "inverse", "tls", "theil_sen", "kalman"]
    assert np.isfinite(frame.to_numpy()).all()
    assert frame["hedge_ratio"].std() / frame["hedge_ratio"].mean() < 0.3


def test_the_test_is_shown_in_both_directions() -> None:
    result = compare_hedges(Y, X, 50)
    assert result.y_on_x == engle_granger(Y[-50:], X[-50:])
    assert result.x_on_y == engle_granger(X[-50:], Y[-50:])
    frame = result.to_frame()
    assert (frame["pvalue_y_on_x"] == result.y_on_x.pvalue).all()
    assert (frame["pvalue_x_on_y"] == result.x_on_y.pvalue).all()


def test_bars_before_the_two_windows_leave_no_trace() -> None:
    assert compare_hedges(Y, X, 50) == compare_hedges(Y[-100:], X[-100:], 50)


def said(**scores: float) -> HedgeComparison:
    test = engle_granger(Y, X)
    rows = {name: HedgeRow(1.0, 0.0, 0.1, score, 5.0) for name, score in scores.items()}
    return HedgeComparison(rows, test, test, 50, "level")


def test_where_the_methods_disagree_on_the_sign_it_is_said() -> None:
    result = said(ols=0.3, tls=-0.1, kalman=2.0)
    assert result.signs_differ
    assert result.verdict == (
        "The methods disagree on the sign of the z-score: above the mean by ols, kalman, below it by tls."
    )


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ({"ols": 0.3, "tls": math.nan}, "All methods have the spread above its mean."),
        ({"ols": -0.3, "tls": -2}, "All methods have the spread below its mean."),
        ({"ols": math.nan}, "No method gives a z-score: the spread does not move, or stands at its mean."),
    ],
)
def test_where_they_agree_too(scores: dict[str, float], sentence: str) -> None:
    assert not said(**scores).signs_differ
    assert said(**scores).verdict == sentence


def test_methods_do_disagree_on_some_real_stretch() -> None:
    """Two unrelated walks (seed 2): which leg is called y decides the side."""
    rng = np.random.default_rng(2)
    verdicts = [
        compare_hedges(*(100 + np.cumsum(rng.normal(0, 1, (2, 60)), axis=1)), 30).signs_differ
        for _ in range(20)
    ]
    assert any(verdicts)


@pytest.mark.parametrize(
    ("y", "x", "sentence"),
    [
        (Y[:99], X[:99], "needs 2 x window = 100 bars; leg y has 99"),
        (Y, np.where(np.arange(150) == 80, np.nan, X), "Leg x misses 1 of its 100 values"),
        (Y, np.full(150, 3.0), "Leg x is constant"),
        (2 * X, X, "straight line of leg x"),
    ],
)
def test_legs_without_an_honest_answer_are_refused(y: np.ndarray, x: np.ndarray, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        compare_hedges(y, x, 50)


def test_an_impossible_setting_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="at least 30"):
        compare_hedges(Y, X, 20)
    with pytest.raises(InvalidSettingError, match="level or log"):
        compare_hedges(Y, X, 50, prices="returns")  # type: ignore[arg-type]
