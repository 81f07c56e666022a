"""All pairs at once by the Gram matrix: no residual is ever formed.

The residual of a pair is linear in its columns, e = y - b x, and so are its changes and its lags. With Z_a
the columns of one regressor of the Dickey-Fuller regression (lagged changes, lagged level, change) of all
symbols, the entry (a, b) of the normal matrix of pair (i, j) is

    G_ab[i, i] - b (G_ab[i, j] + G_ab[j, i]) + b^2 G_ab[j, j]      with  G_ab = Z_a' Z_b

so one product of matrices serves every pair, and the rest is a Cholesky factor of lags + 2 rows, for many
pairs side by side. With the change as its last row, the factor's last two elements are the t value:
L[q, q-1] / L[q, q] times the square root of the degrees of freedom.

Where a residual is tiny against its legs the sum above cancels, and digits go: as many as ``loss`` says. Such
pairs are computed again from their residual (`scan_exact`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quantnb.stats.inputs import Array
from quantnb.stats.windows import centre, quietly, row_sums

__all__ = ["GramBlock", "Regressors", "gram_block", "regressors_of"]

_BARS_AT_ONCE, _LEGS_AT_ONCE = 128, 64  # times 32 legs y: the most that OpenBLAS leaves to one thread
_TILE = 256  # legs x whose planes, 32 x 256, are computed together: they stay in the processor's cache


class Regressors(NamedTuple):
    """The columns of all symbols, ready for products."""

    levels: Array  # (n_symbols, n), centred
    squares: Array  # (n_symbols,), the sums of their squares
    stacked: Array  # (lags + 2, n_symbols, n - 1 - lags): the lagged changes, the lagged level, the change
    own: Array  # (lags + 2, lags + 2, n_symbols), products of two of them within a symbol


class GramBlock(NamedTuple):
    """Tests of some legs y (rows) on all legs x (columns); the diagonal means nothing."""

    statistic: Array  # t value of the lagged level
    hedge_ratio: Array
    slope: Array  # of the residual's change on its level, with a constant: what half-life comes from
    zscore: Array  # of the newest residual
    loss: Array  # the legs' sum of squares over the residual's: 1e5 costs five digits


def regressors_of(values: Array, lags: int) -> Regressors:
    """Return the regressors of columns that have no gap, shape (n_symbols, n)."""
    levels, _ = centre(values)
    n, changes = values.shape[1], np.diff(values)
    lagged = [changes[:, lags - lag : n - 1 - lag] for lag in range(1, lags + 1)]
    stacked = np.stack([*lagged, levels[:, lags : n - 1], changes[:, lags:]])
    own = np.array([[row_sums(a, b) for b in stacked] for a in stacked])
    return Regressors(levels, row_sums(levels, levels), stacked, own)


def gram_block(regressors: Regressors, first: int, last: int) -> GramBlock:
    """Return the tests of legs y from ``first`` to before ``last``, each on every leg x."""
    # Over a wire arrays come at odd addresses, where numpy does not use BLAS and adds in another order.
    regressors = Regressors(*(np.require(each, requirements=("C", "A")) for each in regressors))
    n_symbols = len(regressors.levels)
    block = GramBlock(*(np.empty((last - first, n_symbols)) for _ in GramBlock._fields))
    for leg in range(0, n_symbols, _TILE):
        legs = slice(leg, leg + _TILE)
        with quietly():
            tile = _tile(regressors, slice(first, last), legs)
        for plane, part in zip(block, tile, strict=True):
            plane[:, legs] = part
    return block


def _tile(regressors: Regressors, y: slice, x: slice) -> GramBlock:
    levels, squares, stacked, _ = regressors
    cross = _products(levels[None, y], levels[None, x])[0, 0]
    ratio = cross / squares[x]
    error = squares[y, None] - ratio * cross
    zscore = _residual(levels, y, x, ratio, -1) / np.sqrt(error / (levels.shape[1] - 1))
    normal, legs = _normal_matrices(regressors, y, x, ratio)
    slope = _slope(levels, y, x, ratio, normal)
    _factor(normal)
    change = len(stacked) - 1
    n_free = stacked.shape[2] - change
    statistic = normal[change, change - 1] * np.sqrt(n_free) / normal[change, change]
    loss = np.maximum.reduce([plane / normal[a, a] ** 2 for a, plane in enumerate(legs)])
    return GramBlock(statistic, ratio, slope, zscore, loss)


def _products(legs_y: Array, legs_x: Array) -> Array:
    """Return the sums over bars a[i] . b[j] at [a, b, i, j], for each regressor a of legs y and b of legs x.

    BLAS adds in another order when it uses more threads. A product as small as these it never divides.
    """
    n_x, n_bars = legs_x.shape[1:]
    sums = np.zeros((len(legs_y), len(legs_x), legs_y.shape[1], n_x))
    for bar in range(0, n_bars, _BARS_AT_ONCE):
        bars = slice(bar, bar + _BARS_AT_ONCE)
        for leg in range(0, n_x, _LEGS_AT_ONCE):
            legs = slice(leg, leg + _LEGS_AT_ONCE)
            sums[..., legs] += legs_y[:, None, :, bars] @ legs_x[:, legs, bars].swapaxes(-1, -2)
    return sums


def _residual(levels: Array, y: slice, x: slice, ratio: Array, bar: int) -> Array:
    """Return every pair's residual at one bar."""
    residual: Array = levels[y, bar, None] - ratio * levels[x, bar]
    return residual


def _normal_matrices(
    regressors: Regressors, y: slice, x: slice, ratio: Array
) -> tuple[dict[tuple[int, int], Array], list[Array]]:
    """Return the lower halves of all pairs' normal matrices, element by element, and what cancels on them."""
    own, stacked = regressors.own, regressors.stacked
    products = _products(stacked[:, y], stacked[:, x])
    squared_ratio = ratio * ratio
    normal: dict[tuple[int, int], Array] = {}
    legs: list[Array] = []
    for a in range(len(own)):
        for b in range(a + 1):
            sums = own[a, b, y, None] + squared_ratio * own[a, b, x]
            normal[a, b] = sums - ratio * (products[a, b] + products[b, a])
        legs.append(sums)
    return normal, legs


def _factor(normal: dict[tuple[int, int], Array]) -> None:
    """Put Cholesky factors in the place of the normal matrices; NaN where one is singular."""
    for row, column in normal:
        value = normal[row, column]
        for before in range(column):
            value -= normal[row, before] * normal[column, before]
        if row == column:
            np.sqrt(value, out=value)
        else:
            value /= normal[column, column]


def _slope(levels: Array, y: slice, x: slice, ratio: Array, normal: dict[tuple[int, int], Array]) -> Array:
    """Return the slope of the residual's change on its level, with a constant, over all bars."""
    change, n_changes = max(normal)[0], levels.shape[1] - 1
    opening, newest = (_residual(levels, y, x, ratio, bar) for bar in (0, -1))
    squares, products = normal[change - 1, change - 1].copy(), normal[change, change - 1].copy()
    before = opening
    for bar in range(1, change):  # the bars that the lags cost
        residual = _residual(levels, y, x, ratio, bar)
        squares += before * before
        products += before * (residual - before)
        before = residual
    total = -newest  # of the lagged levels: all residuals add up to nothing
    slope: Array = (products - total * (newest - opening) / n_changes) / (squares - total * total / n_changes)
    return slope
