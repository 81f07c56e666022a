"""Alert rules as a fold over values in time: when to speak, and when to speak again.

A rule fires when the absolute value reaches its threshold while the rule is armed and its cooldown is over.
It is armed again only after the value has come back to `REARM_FRACTION` of the threshold, so a value that
hovers at the threshold speaks once. Each symbol of a rule has its own state.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Literal, get_args

from quantnb.errors import InvalidSettingError, choices
from quantnb.trigger import REARM_FRACTION, Trigger

__all__ = ["REARM_FRACTION", "Alert", "AlertBook", "AlertKind", "Rule", "Severity"]

AlertKind = Literal["zscore", "price_change", "break"]
Severity = Literal["info", "warning", "critical"]

MAX_RULES = 50
MAX_ACTIVE = 200
MAX_LOG = 10_000


@dataclass(frozen=True, slots=True)
class Rule:
    """When to speak.

    ``symbol`` is None for what is watched of the pair, and for a price rule that holds for each symbol.
    ``threshold`` is in standard deviations (zscore), in per cent (price_change, over ``span_s`` seconds) or
    in critical values at 5 % (break: of the hedge ratio, by CUSUM or drift), always positive and compared
    with the absolute value.
    """

    rule_id: int
    kind: AlertKind
    threshold: float
    symbol: str | None = None
    severity: Severity = "warning"
    span_s: float = 60.0
    cooldown_s: float = 30.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(AlertKind):
            raise InvalidSettingError(f"A rule watches {choices(get_args(AlertKind))}, not {self.kind!r}.")
        if self.severity not in get_args(Severity):
            raise InvalidSettingError(
                f"A rule's severity is {choices(get_args(Severity))}, not {self.severity!r}."
            )
        if not (math.isfinite(self.threshold) and self.threshold > 0):
            raise InvalidSettingError(f"A rule's threshold is a number above 0, not {self.threshold!r}.")
        if not 1 <= self.span_s <= 86_400:
            raise InvalidSettingError(f"A price rule looks back 1 to 86,400 seconds, not {self.span_s!r}.")
        if not 0 <= self.cooldown_s <= 86_400:
            raise InvalidSettingError(f"A rule's cooldown is 0 to 86,400 seconds, not {self.cooldown_s!r}.")

    def describe(self) -> str:
        """Return the rule as a person would say it."""
        if self.kind == "zscore":
            return f"|z-score| of the pair reaches {self.threshold:g}"
        if self.kind == "break":
            return f"hedge ratio of the pair breaks: CUSUM or drift at {self.threshold:g} × its 5 % value"
        whose = self.symbol or "any symbol"
        return f"price of {whose} moves {self.threshold:g} % within {self.span_s:g} s"


@dataclass(frozen=True, slots=True)
class Alert:
    """One firing of a rule."""

    alert_id: int
    rule_id: int
    kind: AlertKind
    symbol: str  # for the pair: "ETHUSDT/BTCUSDT"
    severity: Severity
    time_ns: int
    value: float
    threshold: float
    text: str  # one sentence
    doubt: str = ""  # why the value is not to be believed; empty where nothing speaks against it
    cause: str = ""  # what made the value what it is
    recipe: str = ""  # Python that computes the value again from the session's data


class AlertBook:
    """The rules, what they last did, the alerts not yet removed, and the log of all."""

    def __init__(self) -> None:
        self._rules: dict[int, Rule] = {}
        self._triggers: dict[tuple[int, str], Trigger] = {}
        self._active: dict[int, Alert] = {}
        self.log: deque[Alert] = deque(maxlen=MAX_LOG)
        self._rule_ids = count(1)
        self._alert_ids = count(1)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules, oldest first."""
        return tuple(self._rules.values())

    @property
    def active(self) -> tuple[Alert, ...]:
        """The alerts not yet removed, newest first."""
        return tuple(reversed(self._active.values()))

    def add_rule(
        self,
        kind: AlertKind,
        threshold: float,
        *,
        symbol: str | None = None,
        severity: Severity = "warning",
        span_s: float = 60.0,
        cooldown_s: float = 30.0,
    ) -> Rule:
        """Add a rule; an impossible one raises `InvalidSettingError`."""
        if len(self._rules) >= MAX_RULES:
            raise InvalidSettingError(f"There are {MAX_RULES} rules already; remove one first.")
        rule = Rule(next(self._rule_ids), kind, threshold, symbol, severity, span_s, cooldown_s)
        self._rules[rule.rule_id] = rule
        return rule

    def remove_rule(self, rule_id: int) -> None:
        """Remove a rule; its alerts and log entries stay."""
        self._rules.pop(rule_id, None)
        self._triggers = {key: trigger for key, trigger in self._triggers.items() if key[0] != rule_id}

    def remove_alert(self, alert_id: int) -> None:
        """Take an alert off the list; the log keeps it."""
        self._active.pop(alert_id, None)

    def rearm(self) -> None:
        """Forget what the rules last did: the values that follow are of another series."""
        self._triggers.clear()

    def observe(
        self,
        rule: Rule,
        symbol: str,
        value: float,
        time_ns: int,
        *,
        doubt: str = "",
        about: Callable[[], tuple[str, str]] = lambda: ("", ""),
    ) -> Alert | None:
        """Show a rule one value; return the alert if it fires. NaN is no value: nothing changes.

        A value that is in doubt fires all the same, and the alert says why. ``about`` is asked for cause and
        recipe if it does.
        """
        trigger = self._triggers.get((rule.rule_id, symbol))
        if trigger is None:
            trigger = self._triggers[rule.rule_id, symbol] = Trigger(rule.threshold, rule.cooldown_s)
        if not trigger.fires(value, time_ns):
            return None
        return self._fire(rule, symbol, value, time_ns, doubt, *about())

    def _fire(
        self, rule: Rule, symbol: str, value: float, time_ns: int, doubt: str, cause: str, recipe: str
    ) -> Alert:
        alert = Alert(
            alert_id=next(self._alert_ids),
            rule_id=rule.rule_id,
            kind=rule.kind,
            symbol=symbol,
            severity=rule.severity,
            time_ns=time_ns,
            value=value,
            threshold=rule.threshold,
            text=_sentence(rule, symbol, value) + (f"; not valid: {doubt}" if doubt else ""),
            doubt=doubt,
            cause=cause,
            recipe=recipe,
        )
        self.log.append(alert)
        self._active[alert.alert_id] = alert
        while len(self._active) > MAX_ACTIVE:
            del self._active[next(iter(self._active))]
        return alert


def _sentence(rule: Rule, symbol: str, value: float) -> str:
    if rule.kind == "zscore":
        return f"z-score of {symbol} is {value:+.2f} (threshold {rule.threshold:g})"
    if rule.kind == "break":
        return f"hedge ratio of {symbol} broke: {value:.2f} × its 5 % value (threshold {rule.threshold:g})"
    return f"{symbol} moved {value:+.2f} % in {rule.span_s:g} s (threshold {rule.threshold:g} %)"
