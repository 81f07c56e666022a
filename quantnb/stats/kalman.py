"""The hedge ratio as a random walk, followed by a Kalman filter.

Model, for y and x on their means over the warm-up:  y_t = intercept_t + hedge_ratio_t x_t + e_t, both
coefficients random walks. All noise is in units of the variance of e, which the filter estimates on the way,
so that nothing depends on the level or the units of prices: a step of the intercept has the variance
``delta``, and a step of the ratio moves y as much at one standard deviation of x. (The often copied
observation variance of 1e-3 is nonsense at BTC's price level.)

``delta`` is the memory: the filter forgets over about 1 / sqrt(delta) bars. Maximum likelihood may choose it,
but it explains a slow spread by a wandering intercept, and then the signal is gone: what a desk wants to
trade must be slower than the spread and so be said, not estimated.

One bar is one `step`, live and batch alike, on any number of pairs side by side. It has infinite memory: a
wild bar is felt for as long as ``delta`` lets it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quantnb.stats.inputs import Array
from quantnb.stats.regression import least_squares
from quantnb.stats.windows import centre, quietly, row_sums

__all__ = ["KalmanBar", "KalmanState", "likeliest_delta", "run", "start", "step"]

_DELTAS = np.logspace(-8.0, 0.0, 33)


class KalmanState(NamedTuple):
    """What is known after a bar, one element a pair; variances are in units of the noise's."""

    hedge_ratio: Array
    intercept: Array  # about the anchors
    var_ratio: Array
    covariance: Array
    var_intercept: Array
    squares: Array  # of the innovations so far, each over its variance
    weight: Array  # how many they count for
    anchor_y: Array
    anchor_x: Array
    var_x: Array  # of x over the warm-up, the scale of the ratio's steps


class KalmanBar(NamedTuple):
    """A bar judged by what was known before it, one element a pair."""

    spread: Array  # the innovation, in units of y
    hedge_ratio: Array
    intercept: Array
    stderr: Array  # of the hedge ratio
    deviation: Array  # standard deviation that was expected of the innovation
    surprise: Array  # ln of the innovation's variance in units of the noise's


def start(y: Array, x: Array) -> KalmanState:
    """Return the state after a warm-up of shape (n_pairs, n), ``n`` at least 3: least squares, its errors.

    That is what the filter gives from no knowledge at all if the coefficients stand still meanwhile.
    """
    n = y.shape[1]
    fit = least_squares(y, x, intercept=True)
    (_, mean_y), (dx, mean_x) = centre(y), centre(x)
    with quietly():
        sxx = row_sums(dx, dx)
        squares = fit.stderr**2 * sxx * (n - 2)
        return KalmanState(
            hedge_ratio=fit.hedge_ratio,
            intercept=np.zeros(len(y)),
            var_ratio=1.0 / sxx,
            covariance=np.zeros(len(y)),
            var_intercept=np.full(len(y), 1.0 / n),
            squares=squares,
            weight=np.full(len(y), n - 2.0),
            anchor_y=mean_y,
            anchor_x=mean_x,
            var_x=sxx / n,
        )


def step(
    state: KalmanState, y: Array, x: Array, delta: Array | float, n_bars: float = 1.0
) -> tuple[KalmanState, KalmanBar]:
    """Judge one bar, ``n_bars`` after the one before, then learn from it; prices of shape (n_pairs,)."""
    dy, dx = y - state.anchor_y, x - state.anchor_x
    with quietly():
        var_ratio = state.var_ratio + n_bars * delta / state.var_x
        var_intercept = state.var_intercept + n_bars * delta
        along_ratio = dx * var_ratio + state.covariance
        along_intercept = dx * state.covariance + var_intercept
        variance = 1.0 + dx * along_ratio + along_intercept
        innovation = dy - state.hedge_ratio * dx - state.intercept
        noise = state.squares / state.weight
        bar = KalmanBar(
            spread=innovation,
            hedge_ratio=state.hedge_ratio,
            intercept=state.anchor_y + state.intercept - state.hedge_ratio * state.anchor_x,
            stderr=np.sqrt(noise * var_ratio),
            deviation=np.sqrt(noise * variance),
            surprise=np.log(variance),
        )
        learnt = state._replace(
            hedge_ratio=state.hedge_ratio + along_ratio / variance * innovation,
            intercept=state.intercept + along_intercept / variance * innovation,
            var_ratio=var_ratio - along_ratio**2 / variance,
            covariance=state.covariance - along_ratio * along_intercept / variance,
            var_intercept=var_intercept - along_intercept**2 / variance,
            squares=state.squares + innovation**2 / variance,
            weight=state.weight + 1.0,
        )
    return learnt, bar


def run(
    y: Array, x: Array, *, warm_up: int, delta: Array | float, n_bars: Array | None = None
) -> tuple[KalmanState, KalmanBar]:
    """Filter pairs side by side.

    Parameters
    ----------
    y, x : array of shape (n_pairs, n)
        Prices without missing values.
    warm_up : int
        Bars of the first fit, at least 3 and at most n.
    delta : float or array of shape (n_pairs,)
        Variance of a step of the intercept, in units of the noise's.
    n_bars : array of shape (n,), optional
        Bars since the one before, where some were left out.

    Returns
    -------
    state : KalmanState
        After the newest bar.
    bars : KalmanBar
        Arrays of shape (n_pairs, n); NaN during the warm-up.
    """
    bars = KalmanBar(*(np.full(y.shape, np.nan) for _ in KalmanBar._fields))
    state = start(np.ascontiguousarray(y[:, :warm_up]), np.ascontiguousarray(x[:, :warm_up]))
    for t in range(warm_up, y.shape[1]):
        state, bar = step(state, y[:, t], x[:, t], delta, 1.0 if n_bars is None else float(n_bars[t]))
        for column, values in zip(bars, bar, strict=True):
            column[:, t] = values
    return state, bars


def likeliest_delta(y: Array, x: Array, *, warm_up: int, n_bars: Array | None = None) -> float:
    """Return the ``delta`` of the greatest likelihood among 33 from 1e-8 to 1; arrays of shape (n,).

    The noise's variance is concentrated out: -2 ln L = N ln(squares / N) + sum of ln(variance). It looks at
    the whole stretch.
    """
    many = (len(_DELTAS), len(y))
    state, bars = run(
        np.broadcast_to(y, many), np.broadcast_to(x, many), warm_up=warm_up, delta=_DELTAS, n_bars=n_bars
    )
    with quietly():
        deviance = state.weight * np.log(state.squares / state.weight)
        deviance = deviance + bars.surprise[:, warm_up:].sum(axis=1)
    return float(_DELTAS[np.argmin(np.where(np.isfinite(deviance), deviance, np.inf))])
