"""A pair of made-up prices whose spread comes back, or does not."""

from __future__ import annotations

import numpy as np


def pair(seed: int, persistence: float, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Return y and x; y is 0.05 x and a spread of which ``persistence`` is left from bar to bar."""
    rng = np.random.default_rng(seed)
    x = 60_000 + np.cumsum(rng.normal(0, 5, n))
    gap = np.zeros(n)
    for t in range(1, n):
        gap[t] = persistence * gap[t - 1] + rng.normal(0, 0.3)
    return 0.05 * x + gap, x
