"""The spread of a pair: what is left of leg y when its share of leg x is taken off."""

from __future__ import annotations

from typing import Any

import numpy as np

from quantnb.stats.inputs import Column, like, pair_values

__all__ = ["spread"]


def spread(y: Column, x: Column, hedge_ratio: Any, intercept: Any = 0.0) -> Column:
    """Return y - intercept - hedge_ratio x.

    With one hedge ratio for all bars this is the *fitted* spread, which changes as a whole when the ratio is
    estimated anew; for a signal use `causal_spread`, where each bar has the ratio known before it.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Prices of the legs on one index; logarithms if the ratio was fitted on logarithms.
    hedge_ratio, intercept : float, or Series or array of shape (n,)
        One for all bars, or each bar's own.

    Returns
    -------
    Series or array of shape (n,)
        In the form of ``y`` and in its units; NaN where anything is missing.

    Raises
    ------
    StatisticsError
        For columns that are not aligned.
    """
    leg_y, leg_x = pair_values(y, x)
    return like(
        y, leg_y - _each(intercept, y, "intercept") - _each(hedge_ratio, y, "hedge_ratio") * leg_x, "spread"
    )


def _each(value: Any, y: Any, name: str) -> Any:
    """Return a number as it is, or a column after checking that it stands beside y."""
    if np.ndim(value) == 0:
        return value
    return pair_values(y, value, ("y", name))[1]
