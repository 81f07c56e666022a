"""Which faults are in force when: begun, healed and struck by the time that is handed in.

Chance is a function of the seed and of what it is asked about (the n-th connection of a route, a stream, a
trade), so the same seed gives the same faults however the connections' frames happen to interleave.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random

from quantnb.exchange.faults import Fault, check_name
from quantnb.exchange.kinds import UNTRUSTED_TLS

__all__ = ["Faults", "Running"]

STRIKING = ("drop", "rst", "burst")  # they do something at a moment, rather than during a time


@dataclass(slots=True, eq=False)
class Running:
    """A fault that was asked for, until it is over; ``connections`` were opened before it began."""

    fault: Fault
    seed: str
    begins_s: float
    connections: dict[str, int] = field(default_factory=dict)
    n_hits: int = 0
    _strikes_s: float = field(init=False)
    _chances: dict[str, Random] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        has_moment = self.fault.name in STRIKING and not self._has("after")
        self._strikes_s = self.begins_s if has_moment else math.inf

    def hits(self, about: str = "") -> bool:
        """Return whether chance, of its own for each ``about``, lets it happen this time; that is counted."""
        chance = self._chances.get(about)
        if chance is None:
            chance = self._chances[about] = Random(f"{self.seed} {about}")
        is_hit = not self._has("p") or chance.random() < self.fault.number("p")
        self.n_hits += is_hit
        return is_hit

    def hits_all(self, about: str) -> bool:
        """Return whether it happens to ``about``, the same for whoever asks; that is counted, too."""
        is_hit = zlib.crc32(f"{self.seed} {about}".encode()) < self.fault.number("p") * 2**32
        self.n_hits += is_hit
        return is_hit

    def chance(self, about: str) -> Random:
        """Return the chance that `hits` has been asked for."""
        return self._chances[about]

    def strikes(self, now_s: float) -> bool:
        """Return whether its moment has come, and set the next one."""
        if now_s < self._strikes_s:
            return False
        every_s = self.fault.number("every")  # infinite where it was left out
        missed = (now_s - self._strikes_s) // every_s if every_s < math.inf else 0
        self._strikes_s += every_s * (missed + 1)
        return True

    def is_over(self, now_s: float) -> bool:
        """Return whether it has ended by its time, or has done all it was asked for."""
        lasts_s = self.fault.number("for")
        is_done = self.fault.name in STRIKING and not self._has("after") and self._strikes_s == math.inf
        return now_s >= self.begins_s + lasts_s or is_done or self.is_spent

    @property
    def is_spent(self) -> bool:
        """Whether it has happened as often as it was asked to."""
        return self._has("times") and self.n_hits >= self.fault.number("times")

    def forget(self, about: str) -> None:
        """Drop the chances of everything that begins with ``about``."""
        for each in [each for each in self._chances if each.startswith(about)]:
            del self._chances[each]

    def concerns(self, route: str) -> bool:
        """Return whether it concerns connections of this route."""
        return self.fault.text("route") in ("any", route)

    def matches(self, parameter: str, name: str) -> bool:
        """Return whether a stream's name or a path fits the pattern it was given."""
        return fnmatchcase(name, self.fault.text(parameter))

    def _has(self, parameter: str) -> bool:
        return self.fault.has(parameter)


class Faults:
    """The faults of one exchange; times are seconds since it started."""

    def __init__(self, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        self.seed = seed
        self._n_injected = 0
        self._n_connections: dict[str, int] = {}
        self._waiting: list[Running] = []
        self._running: dict[str, list[Running]] = {}
        for fault in faults:
            self.inject(fault, 0.0)

    @property
    def is_idle(self) -> bool:
        """Whether no fault is in force."""
        return not self._running

    @property
    def has_plans(self) -> bool:
        """Whether a fault is in force or will be."""
        return bool(self._running or self._waiting)

    @property
    def all(self) -> tuple[Fault, ...]:
        """The faults in force, and then those that wait for their time."""
        running = [each.fault for same in self._running.values() for each in same]
        return (*running, *(each.fault for each in self._waiting))

    def active(self, name: str) -> list[Running]:
        """Return the faults of this name that are in force."""
        return [each for each in self._running.get(name, ()) if not each.is_spent]

    def inject(self, fault: Fault, now_s: float) -> None:
        """Ask for a fault; it begins with the next `advance` that has reached its time."""
        self._n_injected += 1
        begins_s = now_s + (fault.number("at") if fault.has("at") else 0.0)
        self._waiting.append(Running(fault, f"{self.seed} {self._n_injected} {fault}", begins_s))

    def heal(self, name: str | None = None) -> None:
        """End the faults of a name, or all of them, those that have not begun too."""
        if name is None:
            self._running, self._waiting = {}, []
            return
        check_name(name)
        self._running.pop(name, None)
        self._waiting = [each for each in self._waiting if each.fault.name != name]

    def begin(self, now_s: float) -> None:
        """Put in force what has waited for this time."""
        due = [each for each in self._waiting if each.begins_s <= now_s]
        self._waiting = [each for each in self._waiting if each.begins_s > now_s]
        for each in due:
            each.connections = dict(self._n_connections)
            self._running.setdefault(each.fault.name, []).append(each)

    def advance(self, now_s: float) -> list[Fault]:
        """Let faults begin and end, and return those that strike now."""
        self.begin(now_s)
        strikes = [each.fault for same in self._running.values() for each in same if each.strikes(now_s)]
        for name, same in tuple(self._running.items()):
            same[:] = [each for each in same if not each.is_over(now_s)]
            if not same:
                del self._running[name]
        return strikes

    def number(self, route: str) -> int:
        """Return the number of a new connection of a route, from 1."""
        self._n_connections[route] = self._n_connections.get(route, 0) + 1
        return self._n_connections[route]

    def forget(self, about: str) -> None:
        """Drop what is remembered of a connection that has ended."""
        for same in self._running.values():
            for each in same:
                each.forget(about)

    @property
    def clock_offset_ms(self) -> int:
        """By how much the exchange's clock is wrong."""
        return self._offset_ms("clock")

    @property
    def push_offset_ms(self) -> int:
        """By how much only the time of its messages is wrong."""
        return self._offset_ms("push-clock")

    @property
    def has_untrusted_certificate(self) -> bool:
        """Whether TLS with an untrusted certificate was asked for."""
        return any(fault.name == UNTRUSTED_TLS for fault in self.all)

    def _offset_ms(self, name: str) -> int:
        return round(sum(each.fault.number("seconds") for each in self.active(name)) * 1000)
