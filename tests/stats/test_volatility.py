"""Rolling volatility: scale, warm-up, standing still."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from quantnb.errors import InvalidSettingError
from quantnb.stats import log_returns, rolling_volatility

CLOSE = np.round(60_000 + np.cumsum(np.random.default_rng(5).normal(0, 5, 60)), 1)


@pytest.mark.parametrize(("timeframe", "factor"), [("1s", 5615.692299), ("15m", 187.189743)])
def test_it_is_the_sample_standard_deviation_of_returns_times_the_root_of_a_year(
    timeframe: str, factor: float
) -> None:
    expected = statistics.stdev(log_returns(CLOSE)[-20:].tolist()) * factor
    assert rolling_volatility(CLOSE, 20, timeframe)[-1] == pytest.approx(expected, rel=1e-8)


def test_the_first_value_needs_a_window_of_returns_and_so_one_more_close() -> None:
    assert np.isnan(rolling_volatility(CLOSE, 20, "1s")).tolist() == [True] * 20 + [False] * 40


def test_a_price_that_stood_still_has_volatility_zero_exactly() -> None:
    close = np.concatenate([CLOSE, np.full(21, 60_000.1)])
    assert rolling_volatility(close, 20, "1s")[-1] == 0.0


def test_constant_growth_has_no_volatility_either() -> None:
    assert rolling_volatility(2.0 ** np.arange(30), 20, "1s")[-1] == 0.0


def test_a_missing_close_is_felt_until_both_its_returns_have_left_the_window() -> None:
    close = CLOSE.copy()
    close[30] = math.nan
    missing = np.flatnonzero(np.isnan(rolling_volatility(close, 20, "1s")))
    assert missing.tolist() == [*range(20), *range(30, 51)]


def test_an_unknown_timeframe_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="timeframe"):
        rolling_volatility(CLOSE, 20, "2s")
