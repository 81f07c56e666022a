"""When to try again after a failure, and in which words to say it.

Every wait has full jitter, so that clients that were dropped together do not come back together, and grows
with the age of the outage, so that a short one ends at once and a long one costs the exchange little. Which
ceiling holds depends on what the last connection came to:

proved
    Ten seconds of data, then an end: uniform between 0 and 0.5 s; all that was before is forgotten.
refused
    It did not open (nobody listens, no network, HTTP 503, no answer): uniform between 0 and a fifth of the
    outage's age, at least 1 s and at most 30 s. Back within 1 s after an outage of up to five seconds, within
    2 s after one of ten.
unproved
    It opened, and ended before it had proved anything: uniform below 0.5 s, then below 1 s, then the latest
    of three draws below 1.5 s for six seconds, and from then on below the age of this trouble, at most 480 s.
    An hour of accept-then-close costs 24 attempts in the mean and less than 30 (5,000 seeds); two sockets
    stay below 60. The latest of three, because the number of attempts must not depend on luck.

Neither a handshake nor an acknowledgement sets anything back: an exchange that accepts and drops is not
hammered. Some failures ask for more patience, which is added to the jitter, and some cannot be mended by
trying again; `RULES` says which. ``Retry-After`` is always waited for, by all that ask this exchange
(`ban_s`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

import msgspec
from msgspec import Struct

from quantnb.events import Instant

__all__ = ["RULES", "Failure", "FailureKind", "Reconnect", "Rule", "Trial", "ban_s", "rule_of"]

PROOF_NS = 10_000_000_000  # of data, until a connection counts as good
RECENT_NS = 600_000_000_000

PROVED_CEILING_S = 0.5
REFUSED_FIRST_CEILING_S, REFUSED_LAST_CEILING_S = 1.0, 30.0
REFUSED_SHARE = 0.2  # of the outage's age
UNPROVED_CEILINGS_S = (0.5, 1.0)  # of the first ones
UNPROVED_QUICK_CEILING_S, UNPROVED_LAST_CEILING_S = 1.5, 480.0
UNPROVED_QUICK_S = 6.0

FailureKind = Literal["http", "close", "dns", "tls", "timeout", "unanswered", "network"]


class Failure(Struct, frozen=True):
    """Why a connection or a request did not succeed; ``code`` is an HTTP status or a close code."""

    kind: FailureKind
    code: int | None = None
    detail: str = ""
    retry_after_s: float | None = None


class Rule(Struct, frozen=True):
    """How to take a failure.

    ``least_s`` is the shortest wait, without the exchange's own ``Retry-After``, and grows by ``growth`` with
    each failure of this kind within ten minutes; after ``tries`` of them we give up, at once where it is 1
    and never where it is None.
    """

    sentence: str
    least_s: float = 0.0
    tries: int | None = None
    growth: float = 1.0


_ANY = None  # any code of that kind
_UNAVAILABLE = Rule("{exchange} is not available at the moment ({what}).")

RULES: dict[tuple[FailureKind, int | None], Rule] = {
    ("http", 403): Rule("{exchange}'s firewall refuses this address ({what}).", 60.0, tries=3),
    ("http", 408): _UNAVAILABLE,
    ("http", 418): Rule("This address is banned for too many requests ({what}).", 120.0),
    ("http", 429): Rule("Too many requests; the exchange asks us to wait ({what}).", 10.0),
    ("http", 451): Rule("{exchange} is not available from this location ({what}).", tries=1),
    ("http", _ANY): Rule("This address does not answer as the exchange does ({what}).", tries=1),
    ("close", 1000): Rule("{exchange} closed the connection ({what})."),
    ("close", 1001): Rule("{exchange} is going away ({what})."),
    ("close", 1006): Rule("The connection was lost."),
    ("close", 1008): Rule("{exchange} refused us ({what}): too many requests or streams?", 5.0, 5, 2.0),
    ("close", 1009): Rule("A message was too big ({what})."),
    ("close", 1011): Rule("{exchange} had an error of its own ({what})."),
    ("close", 1012): Rule("{exchange} restarts ({what}).", 5.0),
    ("close", 1013): Rule("{exchange} is overloaded ({what}).", 5.0),
    ("close", _ANY): Rule("The connection was closed ({what})."),
    ("dns", _ANY): Rule("{exchange} cannot be reached (name not resolved: no network?)."),
    ("tls", _ANY): Rule("{exchange}'s certificate is not trusted ({what}).", tries=1),
    ("timeout", _ANY): Rule("{exchange} did not answer in time."),
    ("unanswered", _ANY): Rule("The connection was silent: neither data nor an answer to a ping."),
    ("network", _ANY): Rule("{exchange} cannot be reached ({what})."),
}


def rule_of(failure: Failure, exchange: str) -> Rule:
    """Return how to take a failure; its sentence names the exchange and what happened."""
    if failure.kind == "http" and failure.code is not None and failure.code >= 500:
        rule = _UNAVAILABLE
    else:
        rule = RULES.get((failure.kind, failure.code)) or RULES[failure.kind, _ANY]
    name = {"http": "HTTP", "close": "close code"}.get(failure.kind)
    words = [f"{name} {failure.code}" if name else "", failure.detail]
    what = " – ".join(filter(None, words)) or "no details"
    return msgspec.structs.replace(rule, sentence=rule.sentence.format(exchange=exchange, what=what))


def ban_s(failure: Failure) -> float | None:
    """Return for how long nothing at all may be asked of this exchange, sockets and REST alike; None: ask."""
    if failure.kind != "http":
        return None
    if failure.retry_after_s is not None:
        return failure.retry_after_s
    return RULES["http", failure.code].least_s if failure.code in (418, 429) else None


class Trial:
    """What one connection has proved so far."""

    def __init__(self) -> None:
        self.is_open = False
        self._since_ns: int | None = None
        self._until_ns = 0

    @property
    def is_proved(self) -> bool:
        """Whether ten seconds of data have come."""
        return self._since_ns is not None and self._until_ns - self._since_ns >= PROOF_NS

    def open(self) -> None:
        """Take note of a handshake that succeeded."""
        self.is_open = True

    def receive_data(self, now: Instant) -> None:
        """Take note that data flow; an acknowledgement is none."""
        if self._since_ns is None:
            self._since_ns = now.monotonic_ns
        self._until_ns = now.monotonic_ns


class Reconnect:
    """The patience of one socket.

    Parameters
    ----------
    random : callable
        Gives numbers uniform in [0, 1).
    exchange : str
        How the exchange is called in sentences.
    """

    def __init__(self, random: Callable[[], float], exchange: str = "The exchange") -> None:
        self.is_told_to_wait = False  # by the last failure: this wait must not be cut short
        self._random = random
        self._exchange = exchange
        self._failed_ns: int | None = None  # when this outage began
        self._unproved = _Unproved()
        self._recent: deque[tuple[int, str]] = deque(maxlen=100)

    def fail(self, failure: Failure, now: Instant, trial: Trial | None = None) -> tuple[float | None, str]:
        """Return the wait in seconds until the next attempt, None where none can help, and a sentence.

        ``trial`` is that of the connection that failed; one that never opened needs none.
        """
        rule = rule_of(failure, self._exchange)
        n_recent = self._n_recent(failure, now)
        least_s = rule.least_s * rule.growth ** (n_recent - 1)
        if failure.retry_after_s is not None:
            least_s = failure.retry_after_s
        self.is_told_to_wait = least_s > 0
        jitter_s = self._jitter_s(trial or Trial(), now.monotonic_ns)
        if rule.tries is not None and n_recent >= rule.tries:
            return None, rule.sentence
        return least_s + jitter_s, rule.sentence

    def forget(self) -> None:
        """Start over as at the first failure: the network is another one, or the computer was asleep."""
        self._failed_ns = None
        self._unproved = _Unproved()

    def _jitter_s(self, trial: Trial, now_ns: int) -> float:
        chance = self._random()
        if trial.is_proved:
            self.forget()
            self._failed_ns = now_ns
            return chance * PROVED_CEILING_S
        if self._failed_ns is None:
            self._failed_ns = now_ns
        if trial.is_open:
            return self._unproved.jitter_s(chance, now_ns)
        share_s = REFUSED_SHARE * (now_ns - self._failed_ns) / 1e9
        return chance * min(max(share_s, REFUSED_FIRST_CEILING_S), REFUSED_LAST_CEILING_S)

    def _n_recent(self, failure: Failure, now: Instant) -> int:
        name = f"{failure.kind} {failure.code}"
        self._recent.append((now.monotonic_ns, name))
        return sum(
            1 for at_ns, each in self._recent if each == name and now.monotonic_ns - at_ns <= RECENT_NS
        )


class _Unproved:
    """The connections that opened and ended before they had proved anything."""

    def __init__(self) -> None:
        self._n = 0
        self._first_ns = self._last_ns = 0

    def jitter_s(self, chance: float, now_ns: int) -> float:
        if now_ns - self._last_ns > RECENT_NS:
            self._n = 0
        if self._n == 0:
            self._first_ns = now_ns
        self._n, self._last_ns = self._n + 1, now_ns
        if self._n <= len(UNPROVED_CEILINGS_S):
            return chance * UNPROVED_CEILINGS_S[self._n - 1]
        latest_of_three = float(chance ** (1 / 3))  # has the same distribution
        age_s = (now_ns - self._first_ns) / 1e9
        if age_s < UNPROVED_QUICK_S:
            return latest_of_three * UNPROVED_QUICK_CEILING_S
        return latest_of_three * min(age_s, UNPROVED_LAST_CEILING_S)
