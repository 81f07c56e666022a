"""When to speak, and when to speak again: the one fold behind alerts and behind the preview of a rule."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["REARM_FRACTION", "Trigger"]

REARM_FRACTION = 0.8
_NS_PER_S = 1_000_000_000


@dataclass(slots=True)
class Trigger:
    """Fires when the absolute value reaches the threshold while it is armed and its cooldown is over.

    It is armed again only by a value at or below ``rearm`` times the threshold, so a value that hovers at the
    threshold fires once.
    """

    threshold: float
    cooldown_s: float
    rearm: float = REARM_FRACTION
    is_armed: bool = True
    quiet_until_ns: int = 0

    def fires(self, value: float, time_ns: int) -> bool:
        """Take values in order of time; tell whether it fires. What is not finite is no value."""
        if not math.isfinite(value):
            return False
        if abs(value) <= self.threshold * self.rearm:
            self.is_armed = True
        if abs(value) < self.threshold or not self.is_armed or time_ns < self.quiet_until_ns:
            return False
        self.is_armed = False
        self.quiet_until_ns = time_ns + int(self.cooldown_s * _NS_PER_S)
        return True
