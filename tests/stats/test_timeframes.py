"""Timeframes: their lengths, and how many make a year."""

from __future__ import annotations

import math

import pytest

from quantnb.errors import InvalidSettingError
from quantnb.stats.timeframes import TIMEFRAME_NS, bars_per_year, timeframe_ns


def test_every_timeframe_divides_the_day() -> None:
    assert list(TIMEFRAME_NS) == ["1s", "5s", "30s", "1m", "5m", "15m"]
    assert all(86_400_000_000_000 % length == 0 for length in TIMEFRAME_NS.values())


@pytest.mark.parametrize(
    ("timeframe", "factor"), [("1s", 5615.69), ("1m", 724.98), ("5m", 324.22), ("15m", 187.19)]
)
def test_a_year_has_365_days_because_the_market_never_closes(timeframe: str, factor: float) -> None:
    assert math.sqrt(bars_per_year(timeframe)) == pytest.approx(factor, abs=0.005)


def test_an_unknown_timeframe_is_told_the_valid_ones() -> None:
    with pytest.raises(InvalidSettingError, match="1s, 5s, 30s, 1m, 5m or 15m, not '1h'"):
        timeframe_ns("1h")
