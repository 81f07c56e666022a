"""The lengths a bar may have, and what a year is in a market that never closes."""

from __future__ import annotations

from quantnb.errors import InvalidSettingError, choices

__all__ = ["TIMEFRAME_NS", "bars_per_year", "timeframe_ns"]

_NS_PER_S = 1_000_000_000
_NS_PER_YEAR = 365 * 86_400 * _NS_PER_S

TIMEFRAME_NS = {
    "1s": _NS_PER_S,
    "5s": 5 * _NS_PER_S,
    "30s": 30 * _NS_PER_S,
    "1m": 60 * _NS_PER_S,
    "5m": 300 * _NS_PER_S,
    "15m": 900 * _NS_PER_S,
}


def timeframe_ns(timeframe: str) -> int:
    """Return the length of a bar in nanoseconds; an unknown timeframe raises `InvalidSettingError`."""
    if timeframe not in TIMEFRAME_NS:
        raise InvalidSettingError(f"The timeframe is {choices(TIMEFRAME_NS)}, not {timeframe!r}.")
    return TIMEFRAME_NS[timeframe]


def bars_per_year(timeframe: str) -> float:
    """Return how many bars a year of 365 days holds; its square root annualises a standard deviation."""
    return _NS_PER_YEAR / timeframe_ns(timeframe)
