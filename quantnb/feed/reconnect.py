"""When to try again after a failure, and in which words to say it.

Delays are exponential with full jitter (uniform between nothing and the ceiling, so that clients that were
dropped together do not come back together). Only ten seconds of data set the ceiling back: an exchange that
accepts and drops at once is not hammered. Some failures ask for more patience, some cannot be mended by
trying again; `RULES` says which.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from quantnb.events import Instant

__all__ = ["RULES", "Failure", "FailureKind", "Reconnect", "Rule", "rule_of"]

FIRST_CEILING_S = 0.5
LAST_CEILING_S = 30.0
PROOF_NS = 10_000_000_000  # of data, until a connection counts as good
RECENT_NS = 600_000_000_000

FailureKind = Literal["http", "close", "dns", "tls", "timeout", "unanswered", "network"]


class Failure(Struct, frozen=True):
    """Why a connection or a request did not succeed; ``code`` is an HTTP status or a close code."""

    kind: FailureKind
    code: int | None = None
    detail: str = ""
    retry_after_s: float | None = None


class Rule(Struct, frozen=True):
    """How to take a failure.

    ``least_s`` is the shortest wait, without the exchange's own ``Retry-After``; after ``tries`` failures of
    this kind within ten minutes we give up, at once where it is 1 and never where it is None.
    """

    sentence: str
    least_s: float = 0.0
    tries: int | None = None


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
    ("close", 1008): Rule("{exchange} refused us ({what}): too many requests or streams?", 5.0, tries=5),
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
    return Rule(rule.sentence.format(exchange=exchange, what=what), rule.least_s, rule.tries)


class Reconnect:
    """The patience of one route.

    Parameters
    ----------
    random : callable
        Gives numbers uniform in [0, 1).
    exchange : str
        How the exchange is called in sentences.
    """

    def __init__(self, random: Callable[[], float], exchange: str = "The exchange") -> None:
        self._random = random
        self._exchange = exchange
        self._n_failures = 0
        self._data_since_ns: int | None = None
        self._data_until_ns = 0
        self._recent: deque[tuple[int, str]] = deque(maxlen=100)

    def receive_data(self, now: Instant) -> None:
        """Take note that data flow; a handshake or an acknowledgement is none."""
        if self._data_since_ns is None:
            self._data_since_ns = now.monotonic_ns
        self._data_until_ns = now.monotonic_ns

    def fail(self, failure: Failure, now: Instant) -> tuple[float | None, str]:
        """Return the wait in seconds until the next attempt, None where none can help, and a sentence."""
        if self._data_since_ns is not None and self._data_until_ns - self._data_since_ns >= PROOF_NS:
            self._n_failures = 0
        self._data_since_ns = None
        rule = rule_of(failure, self._exchange)
        if rule.tries is not None and self._n_recent(failure, now) >= rule.tries:
            return None, rule.sentence
        ceiling_s = min(LAST_CEILING_S, FIRST_CEILING_S * 2.0 ** min(self._n_failures, 16))
        self._n_failures += 1
        least_s = rule.least_s if failure.retry_after_s is None else failure.retry_after_s
        return least_s + self._random() * ceiling_s, rule.sentence

    def _n_recent(self, failure: Failure, now: Instant) -> int:
        name = f"{failure.kind} {failure.code}"
        self._recent.append((now.monotonic_ns, name))
        return sum(
            1 for at_ns, each in self._recent if each == name and now.monotonic_ns - at_ns <= RECENT_NS
        )
