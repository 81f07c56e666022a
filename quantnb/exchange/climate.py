"""What all symbols share: the walks that groups follow, the volatility regime, the bursts of activity.

The log of volatility is the sum of a fast and a slow mean-reverting part, so volatility clusters over
minutes and over hours. Bursts strike every half minute or so, with heavy-tailed strength, and fade within
a second; they raise volatility and trading at once, as in the recorded data. A minute is one block of 600
slots of 100 ms; coarse history runs from the first block *backwards*, which is exact for a random walk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from quantnb.exchange.processes import Floats, ar1, keyed_rng

__all__ = ["MINUTE_MS", "SLOTS_PER_MINUTE", "SLOT_MS", "Climate", "Climates"]

SLOT_MS = 100
MINUTE_MS = 60_000
SLOTS_PER_MINUTE = MINUTE_MS // SLOT_MS
SECONDS_PER_YEAR = 365 * 86_400

MARKET_VOLATILITY = 0.30  # annualised, of the walk that everything follows
GROUP_VOLATILITY = 0.20  # annualised, of the walk of each group
FAST_HALF_LIFE_S, FAST_SD = 90.0, 0.30
SLOW_HALF_LIFE_S, SLOW_SD = 5_400.0, 0.25
BURST_PROBABILITY = 1 / 300  # a slot; one every 30 s
BURST_DECAY = 0.5 ** (SLOT_MS / 300)
BURST_CAP = 40.0


@dataclass(frozen=True, slots=True)
class Climate:
    """One minute of it, at the end of each slot (or, as history, at the end of each minute).

    ``level`` is the log walk of each group, ``volatility`` a factor around 1, ``activity`` the factor on the
    rate of trades, with mean near 1, ``shock`` the market's standardised return.
    """

    level: dict[str, Floats]
    volatility: Floats
    activity: Floats
    shock: Floats


class Climates:
    """Generates the climate minute by minute; each minute starts where the one before ended."""

    def __init__(self, seed: int, groups: Iterable[str]) -> None:
        self._seed = seed
        self._levels = dict.fromkeys(groups, 0.0)
        start = keyed_rng(seed, "climate", 0)
        self._fast = start.normal(0.0, FAST_SD)
        self._slow = start.normal(0.0, SLOW_SD)
        self._burst = 0.0

    def generate(self, minute: int) -> Climate:
        """Return the climate of the next minute."""
        rng = keyed_rng(self._seed, "climate", minute)
        log_volatility = self._log_volatility(rng)
        burst = self._bursts(rng)
        shock = rng.standard_normal(SLOTS_PER_MINUTE)
        # A burst of strength 10 trades eleven-fold, and moves prices by about the root of that.
        volatility = np.exp(log_volatility) * np.sqrt(1.0 + burst)
        activity = np.exp(0.8 * log_volatility) * (1.0 + burst) * (0.5 + 0.5 * shock**2)
        slot_s = SLOT_MS / 1000
        market = volatility * shock * MARKET_VOLATILITY * np.sqrt(slot_s / SECONDS_PER_YEAR)
        own_scale = volatility * GROUP_VOLATILITY * np.sqrt(slot_s / SECONDS_PER_YEAR)
        level = {}
        for group in self._levels:
            own = keyed_rng(self._seed, f"group {group}", minute).standard_normal(SLOTS_PER_MINUTE)
            level[group] = self._levels[group] + np.cumsum(market + own_scale * own)
            self._levels[group] = float(level[group][-1])
        return Climate(level, volatility, activity, shock)

    def _log_volatility(self, rng: np.random.Generator) -> Floats:
        parts = []
        for start, half_life_s, sd in (
            (self._fast, FAST_HALF_LIFE_S, FAST_SD),
            (self._slow, SLOW_HALF_LIFE_S, SLOW_SD),
        ):
            decay = 0.5 ** (SLOT_MS / 1000 / half_life_s)
            shocks = rng.standard_normal(SLOTS_PER_MINUTE) * sd * np.sqrt(1 - decay**2)
            parts.append(ar1(start, shocks, decay))
        self._fast, self._slow = float(parts[0][-1]), float(parts[1][-1])
        return parts[0] + parts[1]

    def _bursts(self, rng: np.random.Generator) -> Floats:
        strikes = rng.random(SLOTS_PER_MINUTE) < BURST_PROBABILITY
        strength = np.minimum(3.0 * (1.0 + rng.pareto(1.5, SLOTS_PER_MINUTE)), BURST_CAP)
        burst = ar1(self._burst, np.where(strikes, strength, 0.0), BURST_DECAY)
        self._burst = float(burst[-1])
        return burst


def climate_history(seed: int, groups: Iterable[str], n_minutes: int) -> Climate:
    """Return the ``n_minutes`` before the first generated one, oldest first; the last level is 0."""
    rng = keyed_rng(seed, "climate history", 0)
    decay = 0.5 ** (60 / SLOW_HALF_LIFE_S)
    spread = np.hypot(SLOW_SD, FAST_SD)
    shocks = rng.standard_normal(n_minutes) * spread * np.sqrt(1 - decay**2)
    volatility = np.exp(ar1(0.0, shocks, decay))[::-1]
    shock = rng.standard_normal(n_minutes)
    minute = np.sqrt(60 / SECONDS_PER_YEAR)
    level = {}
    for group in groups:
        own = keyed_rng(seed, f"group {group} history", 0).standard_normal(n_minutes)
        steps = volatility * minute * (MARKET_VOLATILITY * shock + GROUP_VOLATILITY * own)
        level[group] = np.concatenate((-np.cumsum(steps[::-1])[::-1][1:], [0.0]))
    activity = volatility**0.8 * (0.5 + 0.5 * shock**2)
    return Climate(level, volatility, activity, shock)
