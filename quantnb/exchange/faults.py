"""A fault as a value: ``Fault.parse("half-open:5")`` reads what stands on the command line.

Written ``NAME``, ``NAME:VALUE`` or ``NAME:VALUE,name=value,...``; the value without a name is that of the
first argument. Times are seconds. Every fault takes ``at=S`` (it begins S seconds after it was asked for) and
``for=S`` (it heals by itself S seconds later). Names of streams and REST paths may hold ``*`` and ``?``.
"""

from __future__ import annotations

import difflib
import math
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from quantnb.errors import InvalidSettingError, choices
from quantnb.exchange.kinds import KINDS, Parameter

__all__ = ["Fault", "check_name", "fault_table"]

Value = float | str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, with all its arguments.

    Attributes
    ----------
    name : str
        One of `KINDS`.
    args : mapping
        Every argument of that kind; None where it was left out and has no default.
    """

    name: str
    args: Mapping[str, Value] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        parameters = {parameter.name: parameter for parameter in KINDS[self.name].parameters}
        for name in self.args:
            if name not in parameters:
                raise InvalidSettingError(
                    f"The fault {self.name} has no argument {name!r}{_guess(name, parameters)}; "
                    f"it takes {choices(parameters) or 'none'}."
                )
        given = {name: self._checked(each, self.args.get(name)) for name, each in parameters.items()}
        object.__setattr__(self, "args", MappingProxyType(given))

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Return the fault that a text such as ``"drop:1012,every=5"`` asks for.

        Raises
        ------
        InvalidSettingError
            For a name, an argument or a value that does not exist; the message names those that do.
        """
        name, _, rest = text.strip().partition(":")
        check_name(name)
        args: dict[str, Value] = {}
        for place, part in enumerate(part.strip() for part in rest.split(",") if part.strip()):
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if not equals:
                if place or not KINDS[name].parameters:
                    raise InvalidSettingError(f"{text!r}: write {part!r} as name=value; {_usage(name)}.")
                key, value = KINDS[name].parameters[0].name, part
            if key in args:
                raise InvalidSettingError(f"{text!r} gives {key!r} twice.")
            args[key] = value
        return cls(name, args)

    def number(self, name: str) -> float:
        """Return an argument that is a number; infinite where it was left out or this kind has none."""
        value = self.args.get(name)
        return value if isinstance(value, float) else math.inf

    def text(self, name: str) -> str:
        """Return an argument that is a text; left out, it is empty."""
        return str(self.args[name] or "")

    def has(self, name: str) -> bool:
        """Return whether an argument was given, or has a default."""
        return self.args.get(name) is not None

    def __str__(self) -> str:
        given = [
            f"{each.name}={str(value).removesuffix('.0')}"
            for each in KINDS[self.name].parameters
            if (value := self.args[each.name]) != each.default
        ]
        return f"{self.name}:{','.join(given)}" if given else self.name

    def _checked(self, parameter: Parameter, value: Value) -> Value:
        what = f"The argument {parameter.name} of the fault {self.name}"
        if value is None or value == "":
            if parameter.is_needed:
                raise InvalidSettingError(f"{what} is needed; {_usage(self.name)}.")
            return parameter.default
        if parameter.bounds is not None:
            return _number(what, value, *parameter.bounds)
        value = f"{value:g}" if isinstance(value, int | float) else value
        if parameter.choices and value not in parameter.choices:
            guess = _guess(value, parameter.choices)
            raise InvalidSettingError(f"{what} is {choices(parameter.choices)}, not {value!r}{guess}.")
        return value


def check_name(name: str) -> None:
    """Raise `InvalidSettingError` for what is no fault's name."""
    if name not in KINDS:
        raise InvalidSettingError(
            f"No fault is called {name!r}{_guess(name, KINDS)}; the faults are {choices(KINDS)}."
        )


def fault_table() -> str:
    """Return every fault with its arguments and what it does, as a text for a terminal."""
    head = (
        "faults (NAME[:ARGS]; the first argument needs no name, e.g. half-open:5; times in seconds;\n"
        "at=S: begins S seconds later; for=S: heals by itself; names may hold * and ?):"
    )
    rows = [head]
    for name, kind in KINDS.items():
        # Every fault has at and for; only where one of them comes first it needs to be said.
        forms = [
            each.form for k, each in enumerate(kind.parameters) if not k or each.name not in ("at", "for")
        ]
        rows.append(f"  {name}:{','.join(forms)}" if forms else f"  {name}")
        rows.append(textwrap.fill(kind.does, 100, initial_indent=" " * 6, subsequent_indent=" " * 6))
    return "\n".join(rows)


def _number(what: str, value: float | str, lowest: float, highest: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and lowest <= number <= highest):
        upto = f" to {highest:g}" if math.isfinite(highest) else " on"
        raise InvalidSettingError(f"{what} is a number from {lowest:g}{upto}, not {value!r}.")
    return number


def _usage(name: str) -> str:
    return f"its form is {name}:{','.join(each.form for each in KINDS[name].parameters)}"


def _guess(word: str, words: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(words), n=1)
    return f" (did you mean {choices(close)}?)" if close else ""
