"""How long a request to REST waits after one that failed, and after one that brought nothing.

A failure (no network, HTTP 503) stops everything, with exponential delays of which half is jitter; the next
answer ends it. An answer without what was asked for makes only that request wait, doubling from one
second.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from quantnb.events import Instant

__all__ = ["Patience"]

FIRST_CEILING_S = 0.5
LAST_CEILING_S = 30.0
FIRST_FRUITLESS_S = 1.0
REQUESTS_KEPT = 1_000


class Patience:
    """Counts what was in vain.

    Parameters
    ----------
    random : callable
        Uniform in [0, 1).

    Attributes
    ----------
    trouble : str
        Why the newest request failed, in a sentence; empty after one that did not.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self.trouble = ""
        self._random = random
        self._n_failures = 0
        self._blocked_until_ns = 0  # monotonic
        self._fruitless: dict[Hashable, tuple[int, int]] = {}  # by request: how often, and not before

    def blocked_s(self, now: Instant) -> float:
        """Return for how long nothing is asked."""
        return max(0, self._blocked_until_ns - now.monotonic_ns) / 1e9

    def fail(self, why: str, now: Instant, least_s: float = 0.0) -> None:
        """Wait, as nothing could be asked."""
        ceiling_s = min(LAST_CEILING_S, FIRST_CEILING_S * 2.0 ** min(self._n_failures, 16))
        self._n_failures += 1
        self.trouble = why
        wait_s = max(least_s, ceiling_s * (0.5 + 0.5 * self._random()))
        self._blocked_until_ns = now.monotonic_ns + round(wait_s * 1e9)

    def succeed(self) -> None:
        """Take note of an answer."""
        self._n_failures = 0
        self.trouble = ""

    def fruitless(self, request: Hashable, now: Instant) -> int:
        """Make a request wait, as its answer was of no use; return how often that was so."""
        n_tries = self.n_tries(request) + 1
        self._fruitless.pop(request, None)
        wait_ns = round(FIRST_FRUITLESS_S * 2.0 ** (n_tries - 1) * 1e9)
        self._fruitless[request] = (n_tries, now.monotonic_ns + wait_ns)
        if len(self._fruitless) > REQUESTS_KEPT:
            del self._fruitless[next(iter(self._fruitless))]
        return n_tries

    def n_tries(self, request: Hashable) -> int:
        """Return how often an answer to it was of no use."""
        return self._fruitless.get(request, (0, 0))[0]

    def delay_s(self, request: Hashable, now: Instant) -> float:
        """Return for how long a request waits."""
        return max(0, self._fruitless.get(request, (0, 0))[1] - now.monotonic_ns) / 1e9
