"""Lead and lag: who is first, and who is not."""

from __future__ import annotations

import numpy as np
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import lead_lag

RNG = np.random.default_rng(7)
MOVES = RNG.normal(0, 1e-4, 400)


def closes(moves: np.ndarray, noise: float = 0.5e-4) -> np.ndarray:
    return 100 * np.exp(np.cumsum(moves + RNG.normal(0, noise, len(moves))))


A, B_LATER = closes(MOVES), closes(np.concatenate([np.zeros(3), MOVES[:-3]]))


def test_the_one_that_moves_first_leads() -> None:
    result = lead_lag(A, B_LATER, 5)
    assert result.lead == 3
    assert result.lags.tolist() == list(range(-5, 6))
    assert result.verdict.startswith("a leads b by 3 bars: correlation 0.")
    assert lead_lag(B_LATER, A, 5).lead == -3
    assert lead_lag(B_LATER, A, 5).verdict.startswith("b leads a by 3 bars")


@pytest.mark.parametrize("lag", [-4, 0, 3])
def test_a_lag_is_the_correlation_of_a_with_b_that_many_bars_later(lag: int) -> None:
    result = lead_lag(A, B_LATER, 5)
    a, b = np.diff(np.log(A)), np.diff(np.log(B_LATER))
    earlier, later = (a[: 399 - lag], b[lag:]) if lag >= 0 else (a[-lag:], b[: 399 + lag])
    row = result.to_frame().loc[lag]
    assert row["correlation"] == pytest.approx(np.corrcoef(earlier, later)[0, 1], rel=1e-9)
    assert (row["n"], row["band"]) == (399 - abs(lag), pytest.approx(1.96 / np.sqrt(399 - abs(lag))))


def test_turned_round_the_legs_turn_the_lags_round() -> None:
    there, back = lead_lag(A, B_LATER, 5), lead_lag(B_LATER, A, 5)
    np.testing.assert_array_equal(there.correlations, back.correlations[::-1])


def test_moving_together_is_not_leading() -> None:
    result = lead_lag(closes(MOVES), closes(MOVES), 10)
    assert result.lead is None
    assert result.verdict == "Neither leads: no lag of up to 10 bars goes beyond the band of all lags."


def test_unrelated_legs_seldom_lead_though_one_lag_of_many_is_often_beyond_its_band() -> None:
    """300 pairs of walks of 200 bars (seed 8), 21 lags."""
    rng = np.random.default_rng(8)
    results = [lead_lag(*np.exp(np.cumsum(rng.normal(0, 1e-4, (2, 200)), axis=1))) for _ in range(300)]
    beyond = [(np.abs(result.correlations) > result.band).any() for result in results]
    assert np.mean([result.lead is not None for result in results]) < 0.08
    assert np.mean(beyond) > 0.4


def test_a_missing_close_costs_the_returns_beside_it() -> None:
    holed = A.copy()
    holed[100] = np.nan
    assert lead_lag(holed, B_LATER, 1).n.tolist() == [396, 397, 396]


def test_fewer_bars_than_lags_are_no_error() -> None:
    result = lead_lag(A[:4], B_LATER[:4], 10)
    assert np.isnan(result.correlations[[0, -1]]).all()
    assert result.n.tolist() == [0] * 8 + [1, 2, 3, 2, 1] + [0] * 8
    assert result.lead is None or abs(result.correlations).max() == 1


@pytest.mark.parametrize("max_lag", [0, -1, 2.0, True])
def test_an_impossible_lag_is_refused(max_lag: object) -> None:
    with pytest.raises(InvalidSettingError, match="max_lag is a whole number"):
        lead_lag(A, B_LATER, max_lag)  # type: ignore[arg-type]


def test_legs_that_do_not_stand_side_by_side_are_refused() -> None:
    with pytest.raises(StatisticsError, match="align"):
        lead_lag(A, B_LATER[1:])
