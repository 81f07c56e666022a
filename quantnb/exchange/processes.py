"""The random processes the market is made of, each vectorised over one block of time."""

from __future__ import annotations

import math
import zlib
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Integers", "PowerLaw", "ar1", "keyed_rng", "rank_within"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def keyed_rng(seed: int, name: str, minute: int) -> np.random.Generator:
    """Return the generator of one thing in one minute.

    What a symbol does then depends neither on which others are listed nor on when anybody asks.
    """
    return np.random.default_rng((seed, zlib.crc32(name.encode()), minute))


def ar1(start: float, shocks: Floats, decay: float) -> Floats:
    """Return ``x[t] = decay * x[t-1] + shocks[t]`` with ``x[-1] = start``.

    Solved in closed form, ``decay**t`` times a cumulative sum, in pieces short enough for float64.
    """
    piece = max(1, int(-200.0 / math.log(decay)))
    result = np.empty_like(shocks)
    for begin in range(0, len(shocks), piece):
        shock = shocks[begin : begin + piece]
        growth = decay ** np.arange(1, len(shock) + 1)
        result[begin : begin + piece] = growth * (start + np.cumsum(shock / growth))
        start = float(result[begin + len(shock) - 1])
    return result


class PowerLaw:
    """Integers from 1 to ``largest`` with probability proportional to ``k ** -exponent``."""

    def __init__(self, exponent: float, largest: int) -> None:
        values = np.arange(1, largest + 1, dtype=np.float64)
        probability = values**-exponent
        probability /= probability.sum()
        self._cumulative: Final = np.cumsum(probability)
        self.mean: Final = float(values @ probability)

    def draw(self, rng: np.random.Generator, size: int) -> Integers:
        """Return ``size`` draws."""
        below = np.searchsorted(self._cumulative[:-1], rng.random(size), side="right")
        return below.astype(np.int64) + 1


def rank_within(keys: Integers) -> Integers:
    """Return for each element how many equal ones stand before it."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    is_first = np.concatenate(([True], ordered[1:] != ordered[:-1])) if len(keys) else np.empty(0, np.bool_)
    position = np.arange(len(keys))
    ranks = np.empty(len(keys), np.int64)
    ranks[order] = position - np.maximum.accumulate(np.where(is_first, position, 0))
    return ranks
