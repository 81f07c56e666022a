"""What the statistics accept, and how a result takes the form of its input.

A pandas Series gives a Series on the same index; an array, or anything `numpy.asarray` makes one of, gives an
array. pandas is imported only where something other than an array comes in: the engine calls with arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from quantnb.errors import InvalidSettingError, StatisticsError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Array", "Column", "check_window", "is_series", "like", "pair_values", "to_values"]

Array = NDArray[np.float64]
Column = TypeVar("Column", "pd.Series[Any]", NDArray[Any])


def is_series(column: object) -> bool:
    """Tell whether a column is a pandas Series."""
    if isinstance(column, np.ndarray):
        return False
    import pandas as pd

    return isinstance(column, pd.Series)


def to_values(column: Any, name: str) -> Array:
    """Return a column's values as float64; an infinite value counts as missing (NaN), like NaN itself."""
    try:
        values = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        raise StatisticsError(f"{name} holds something that is not a number.") from None
    if values.ndim != 1:
        raise StatisticsError(f"{name} is one column of numbers, not an array of shape {values.shape}.")
    is_infinite = np.isinf(values)
    return np.where(is_infinite, np.nan, values) if is_infinite.any() else values


def pair_values(y: Any, x: Any, names: tuple[str, str] = ("y", "x")) -> tuple[Array, Array]:
    """Return both legs' values; legs that do not stand side by side raise `StatisticsError`."""
    first, second = to_values(y, names[0]), to_values(x, names[1])
    if len(first) != len(second):
        raise StatisticsError(
            f"{names[0]} has {len(first)} values and {names[1]} has {len(second)}; align them first."
        )
    if is_series(y) and is_series(x) and not y.index.equals(x.index):
        raise StatisticsError(
            f'{names[0]} and {names[1]} have different indexes; align them first (y.align(x, join="inner")).'
        )
    return first, second


def like(column: Column, values: Array, name: str) -> Column:
    """Return a result in the form of the column it was computed from."""
    result: Any = values
    if is_series(column):
        import pandas as pd

        source: Any = column
        result = pd.Series(values, index=source.index, name=name)
    return cast("Column", result)


def check_window(window: int, at_least: int) -> None:
    """Raise `InvalidSettingError` where a window is not a whole number of bars, or too short."""
    is_integer = isinstance(window, (int, np.integer)) and not isinstance(window, bool)
    if not is_integer or window < at_least:
        raise InvalidSettingError(
            f"The window is a whole number of bars, here at least {at_least}, not {window!r}."
        )
