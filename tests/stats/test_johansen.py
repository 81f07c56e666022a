"""Johansen's test: how many relations it finds, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import hedge_ratio, johansen

RNG = np.random.default_rng(3)
X = 60_000 + np.cumsum(RNG.normal(0, 5, 400))
Y = 0.05 * X + RNG.normal(0, 0.3, 400)
PAIR = np.column_stack([Y, X])
WALKS = 100 + np.cumsum(RNG.normal(0, 1, (400, 3)), axis=0)


def test_a_pair_has_one_relation_and_it_is_the_hedge_ratio() -> None:
    result = johansen(PAIR)
    assert result.rank() == 1
    assert result.verdict == "Cointegrated: 1 relation among the 2 at 5%."
    assert result.hedge_ratio == pytest.approx(hedge_ratio(Y, X).hedge_ratio, rel=0.02)
    assert (result.lags, result.nobs) == (1, 398)


def test_walks_have_none_and_noise_is_stationary_by_itself() -> None:
    assert johansen(WALKS).verdict == "Not shown to be cointegrated: no relation among the 3 is found at 5%."
    noise = np.random.default_rng(1).normal(0, 1, (400, 2))
    assert johansen(noise).rank() == 2
    assert johansen(noise).verdict.startswith("All 2 come back by themselves")


def test_three_symbols_on_one_trend_have_two_relations() -> None:
    three = np.column_stack([PAIR, 2 * X + RNG.normal(0, 3, 400)])
    assert johansen(three).verdict == "Cointegrated: 2 relations among the 3 at 5%."


def test_units_and_levels_change_no_statistic_and_scale_the_relation() -> None:
    plain, scaled = johansen(PAIR), johansen(PAIR * [1024, 0.25] + [1e6, 0])
    assert scaled.trace == pytest.approx(plain.trace, rel=1e-6)
    assert scaled.hedge_ratio == pytest.approx(plain.hedge_ratio * 4096, rel=1e-6)


def test_a_frame_is_taken_as_it_is() -> None:
    assert johansen(pd.DataFrame(PAIR, columns=["y", "x"])) == johansen(PAIR)


def test_walks_without_drift_are_called_a_pair_as_seldom_as_the_level_says_but_stationary_too_often() -> None:
    """400 pairs of walks of 200 bars (seed 5), at 5 %: what the module's head says of its table."""
    walks = np.cumsum(np.random.default_rng(5).normal(0, 1, (400, 200, 2)), axis=1)
    ranks = np.array([johansen(pair).rank() for pair in walks])
    assert 0.03 < np.mean(ranks == 1) < 0.08
    assert 0.08 < np.mean(ranks > 0) < 0.16


@pytest.mark.parametrize(
    ("prices", "sentence"),
    [
        (Y, r"not shape \(400,\)"),
        (PAIR[:, :1], r"2 to 12 columns of symbols, not shape \(400, 1\)"),
        (PAIR[:29], "Column 0 has 29 values; the test needs at least 30"),
        (np.where(np.arange(800).reshape(400, 2) == 7, np.nan, PAIR), "Column 1 misses 1 of its 400"),
        (np.column_stack([Y, np.full(400, 0.1)]), "Column 1 is constant"),
        (np.column_stack([X, 2 * X]), "straight lines of each other"),
    ],
)
def test_symbols_without_an_honest_answer_are_refused(prices: np.ndarray, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        johansen(prices)


@pytest.mark.parametrize("lags", [-1, 131, True, None])
def test_lags_that_the_bars_cannot_bear_are_refused(lags: object) -> None:
    with pytest.raises(InvalidSettingError, match="from 0 to 130, not"):
        johansen(PAIR, lags=lags)  # type: ignore[arg-type]
