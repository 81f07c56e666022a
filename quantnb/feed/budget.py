"""Request weight: Binance counts it per address and per minute of the UTC clock, and bans who goes on above.

What is left of a minute's weight is ours but for a reserve: the same address may serve other programs, too.
The exchange's own count (``X-MBX-USED-WEIGHT-1M``, in every answer) is believed more than ours.
"""

from __future__ import annotations

from quantnb.events import Instant

__all__ = ["AGG_TRADES_WEIGHT", "WEIGHT_PER_MINUTE", "Budget", "klines_weight"]

WEIGHT_PER_MINUTE = 2_400
RESERVE = 400
AGG_TRADES_WEIGHT = 20  # whatever the limit
MINUTE_NS = 60_000_000_000


def klines_weight(limit: int) -> int:
    """Return what a request for so many bars costs."""
    for below, weight in ((100, 1), (500, 2), (1_001, 5)):
        if limit < below:
            return weight
    return 10


class Budget:
    """When the next request may be sent.

    Parameters
    ----------
    limit : int
        Weight in one minute.
    reserve : int
        How much of it is never touched.
    """

    def __init__(self, limit: int = WEIGHT_PER_MINUTE, reserve: int = RESERVE) -> None:
        self._ceiling = limit - reserve
        self._minute = 0
        self._used = 0
        self._newest_weight = 0

    def delay_s(self, weight: int, now: Instant, *, spare: int = 0) -> float:
        """Return for how long a request of this weight has to wait; one that leaves ``spare`` to others."""
        used = self._used if now.wall_ns // MINUTE_NS == self._minute else 0
        if used + weight <= self._ceiling - spare:
            return 0.0
        return (MINUTE_NS - now.wall_ns % MINUTE_NS) / 1e9

    def spend(self, weight: int, now: Instant) -> None:
        """Take note that a request is sent."""
        self._turn(now)
        self._used += weight
        self._newest_weight = weight

    def learn(self, used: int, now: Instant) -> None:
        """Take over the exchange's count of the current minute, as the newest answer gives it."""
        if now.wall_ns // MINUTE_NS == self._minute:
            self._used = used
        else:  # the minute has turned since it was asked, and which of the two was counted is not known
            self._turn(now)
            self._used = self._newest_weight

    def _turn(self, now: Instant) -> None:
        if now.wall_ns // MINUTE_NS != self._minute:
            self._minute, self._used = now.wall_ns // MINUTE_NS, 0
