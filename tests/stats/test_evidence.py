"""What a z-score rests on, and the words in which it is doubted."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import causal_spread, engle_granger, half_life, zscore, zscore_evidence
from tests.stats.pairs import pair

Y, X = pair(2, 0.5)


def test_a_pair_that_comes_back_within_the_window_is_believed() -> None:
    found = zscore_evidence(Y, X, 100)
    assert found.is_valid
    assert found.reasons == ()
    assert (found.n, found.coverage, found.window) == (200, 1.0, 100)
    assert math.isnan(found.share_filled)
    assert found.verdict == f"Valid: n = 200, Engle-Granger p = {found.pvalue:.3f}."


def test_the_numbers_are_those_of_the_other_functions_to_the_last_digit() -> None:
    found = zscore_evidence(Y, X, 100)
    assert found.zscore == zscore(causal_spread(Y, X, 100)["spread"].to_numpy(), 100)[-1]
    test = engle_granger(Y[-100:], X[-100:])
    assert found.engle_granger == test
    assert found.half_life == half_life(Y[-100:] - test.intercept - test.hedge_ratio * X[-100:])


def test_a_window_below_thirty_is_tested_on_thirty_bars_as_the_sessions_test_is() -> None:
    found = zscore_evidence(Y, X, 20)
    assert found.engle_granger == engle_granger(Y[-30:], X[-30:])


def test_a_half_life_longer_than_half_the_window_is_said_in_words() -> None:
    found = zscore_evidence(*pair(3, 0.99), 50)
    assert not found.is_valid
    assert found.half_life is not None
    bars = "infinite" if math.isinf(found.half_life.corrected) else f"{found.half_life.corrected:.0f} bars"
    assert f"half-life {bars}, window 50: the mean is not observed" in found.reasons


def test_unrelated_walks_are_not_shown_to_come_back() -> None:
    found = zscore_evidence(*pair(3, 1.0), 50)
    p = found.pvalue
    assert f"Engle-Granger p = {p:.2f}, n = 50: the spread is not shown to come back" in found.reasons
    assert found.verdict.startswith("Not valid: Engle-Granger p = ")


def test_few_unrelated_walks_pass() -> None:
    """Of 300 pairs of walks (seeds 0 to 299), as many as a test at 10 % lets through, and no more."""
    passed = [zscore_evidence(*pair(seed, 1.0, 200), 100).is_valid for seed in range(300)]
    assert np.mean(passed) < 0.15


@pytest.mark.parametrize(
    ("half_life", "window", "share"), [(2, 100, 0.95), (5, 200, 0.96), (5, 100, 0.47), (10, 50, 0.11)]
)
def test_of_pairs_that_come_back_as_many_are_believed_as_the_page_says(
    half_life: float, window: int, share: float
) -> None:
    """docs/statistics.md; 150 pairs each (seeds 0 to 149)."""
    persistence = 2 ** (-1 / half_life)
    valid = [zscore_evidence(*pair(seed, persistence, 2 * window), window).is_valid for seed in range(150)]
    assert np.mean(valid) == pytest.approx(share, abs=0.1)


def test_too_few_bars_are_counted() -> None:
    found = zscore_evidence(Y[:73], X[:73], 50)
    assert found.reasons == ("73 of 100 bars",)
    assert math.isnan(found.zscore)
    assert (found.n, found.coverage) == (73, 0.73)
    assert found.engle_granger is None
    assert math.isnan(found.pvalue)


def test_no_bars_at_all_are_no_error() -> None:
    assert zscore_evidence([], [], 50).reasons == ("0 of 100 bars",)


def test_missing_bars_are_counted_and_no_test_is_run_over_them() -> None:
    y = Y.copy()
    y[[-3, -40, -150]] = np.nan
    found = zscore_evidence(y, X, 50)
    assert found.reasons == ("2 of the last 100 bars are missing",)
    assert (found.n, found.coverage, found.engle_granger) == (98, 0.98, None)


def test_bars_that_nobody_traded_are_counted_and_doubted() -> None:
    filled = np.arange(400) % 3 == 0
    found = zscore_evidence(Y, X, 100, filled=filled)
    assert found.share_filled == filled[-200:].mean()
    assert found.reasons == ("34% of the bars have no trade and repeat an old price",)
    assert zscore_evidence(Y, X, 100, filled=filled, most_filled=0.5).is_valid


@pytest.mark.parametrize(
    ("y", "x", "reason"),
    [
        (Y, np.where(np.arange(400) > 300, 60_000.1, X), "leg x did not move in the window"),
        (np.full(400, 0.1), X, "leg y did not move in the window"),
    ],
)
def test_a_leg_that_stands_still_is_named(y: np.ndarray, x: np.ndarray, reason: str) -> None:
    assert reason in zscore_evidence(y, x, 50).reasons


def test_legs_that_are_one_line_are_no_pair() -> None:
    assert not zscore_evidence(2 * X, X, 50).is_valid


def test_an_old_leg_is_named_with_its_age() -> None:
    assert zscore_evidence(Y, X, 100, ages_s=(0.5, 4.9)).is_valid
    found = zscore_evidence(Y, X, 100, ages_s=(12.34, math.nan))
    assert found.reasons == ("leg y has not traded for 12.3 s", "leg x has not traded for nan s")


def test_bars_before_the_two_windows_leave_no_trace() -> None:
    assert zscore_evidence(Y[-200:], X[-200:], 100, filled=np.zeros(200)) == zscore_evidence(
        np.concatenate([[1e12, np.nan, 3.0], Y]),
        np.concatenate([[np.nan, 1.0, 1e12], X]),
        100,
        filled=np.concatenate([[1, 1, 1], np.zeros(400)]),
    )


def test_columns_that_do_not_stand_side_by_side_are_refused() -> None:
    with pytest.raises(StatisticsError, match="align"):
        zscore_evidence(Y, X[1:], 50)
    with pytest.raises(StatisticsError, match="filled has 3"):
        zscore_evidence(Y, X, 50, filled=[True, False, True])
    index = pd.RangeIndex(1, 401)
    with pytest.raises(StatisticsError, match="different indexes"):
        zscore_evidence(pd.Series(Y), pd.Series(X), 50, filled=pd.Series(False, index=index))


def test_an_impossible_setting_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="at least 3"):
        zscore_evidence(Y, X, 2)
    with pytest.raises(InvalidSettingError, match="1%, 5% or 10%, not '20%'"):
        zscore_evidence(Y, X, 50, level="20%")
