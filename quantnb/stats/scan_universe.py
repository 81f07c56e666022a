"""What a scan tests: columns of closes that all have the same bars.

One sample for all. A test of a pair needs a stretch without gaps, and p-values from different samples do not
stand in one list; so a column that misses a bar is left out, and said to be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats.adf import FEWEST_OBSERVATIONS
from quantnb.stats.hedge import Prices
from quantnb.stats.inputs import Array

__all__ = ["Universe", "read_universe"]


@dataclass(frozen=True, slots=True, eq=False)
class Universe:
    """Columns of one length without gaps.

    Attributes
    ----------
    symbols : list
        Names of the columns that are tested.
    prices : array of shape (n_symbols, n)
        Or their logarithms; one contiguous row a symbol.
    is_flat : boolean array of shape (n_symbols,)
        Whose price does not move.
    left_out : mapping
        Bars missing, by the name of each column that was left out.
    """

    symbols: list[Any]
    prices: Array
    is_flat: NDArray[np.bool_]
    left_out: Mapping[Any, int]


def read_universe(closes: Any, names: Sequence[Any] | None, prices: Prices) -> Universe:
    """Take the columns of `closes` apart into those that can be tested and those that miss bars."""
    if prices not in ("level", "log"):
        raise InvalidSettingError(f"Prices are tested as level or log, not {prices!r}.")
    columns = _columns(closes)
    symbols = _names(closes, names, columns.shape[1])
    is_missing = ~np.isfinite(columns)
    n_missing = is_missing.sum(axis=0)
    left_out = {symbol: int(n) for symbol, n in zip(symbols, n_missing, strict=True) if n}
    kept = np.flatnonzero(n_missing == 0)
    if len(kept) < 2:
        raise StatisticsError(
            f"A scan needs at least 2 columns without a missing bar; {len(left_out)} of {len(symbols)} miss "
            "some. Leave out the bars or the symbols that miss most."
        )
    values = np.ascontiguousarray(columns[:, kept].T)
    symbols = [symbols[column] for column in kept]
    if prices == "log":
        _check_positive(values, symbols)
        values = np.log(values)
    return Universe(symbols, values, values.max(axis=1) == values.min(axis=1), left_out)


def _columns(closes: Any) -> Array:
    try:
        columns = np.asarray(closes, dtype=np.float64)
    except (TypeError, ValueError):
        raise StatisticsError("closes holds something that is not a number.") from None
    if columns.ndim != 2:
        raise StatisticsError(f"closes are rows of bars and columns of symbols, not shape {columns.shape}.")
    if len(columns) < FEWEST_OBSERVATIONS:
        raise StatisticsError(
            f"closes have {len(columns)} bars; the test needs at least {FEWEST_OBSERVATIONS}."
        )
    return columns


def _names(closes: Any, names: Sequence[Any] | None, n_columns: int) -> list[Any]:
    found = list(getattr(closes, "columns", range(n_columns)) if names is None else names)
    if len(found) != n_columns:
        raise StatisticsError(f"There are {len(found)} names for {n_columns} columns of closes.")
    if len(set(found)) < n_columns:
        twice = next(name for position, name in enumerate(found) if name in found[:position])
        raise StatisticsError(f"Two columns of closes are named {twice!r}; give each a name of its own.")
    return found


def _check_positive(values: Array, symbols: list[Any]) -> None:
    wrong = np.flatnonzero((values <= 0).any(axis=1))
    if len(wrong):
        raise StatisticsError(
            f"{symbols[wrong[0]]} has a price that is not above 0, and so no logarithm; leave it out, "
            'or scan prices="level".'
        )
