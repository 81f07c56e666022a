"""A function that others gave us: what it raises is shown once, and never reaches who calls it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

__all__ = ["Guarded"]

FAILURES = 10  # in a row; then it is not called any more

_log = logging.getLogger("quantnb")


class Guarded:
    """Calls a function and keeps what it raises; equal to the function, so that it can be found again.

    Parameters
    ----------
    function : callable
        Of somebody else.
    note : callable
        Gets a sentence for the screen, once in a row of failures and once when the function is given up.
    """

    def __init__(self, function: Callable[..., Any], note: Callable[[str], None]) -> None:
        self._function = function
        self._note = note
        self._n_failures = 0

    def __eq__(self, other: object) -> bool:
        return other is self or other == self._function

    def __hash__(self) -> int:
        return hash(self._function)

    def __call__(self, *arguments: Any) -> None:
        """Call the function, unless it has failed ten times in a row."""
        if self._n_failures >= FAILURES:
            return
        try:
            self._function(*arguments)
        except Exception as error:
            self._take_note(error)
        else:
            self._n_failures = 0

    def _take_note(self, error: Exception) -> None:
        self._n_failures += 1
        name = getattr(self._function, "__qualname__", repr(self._function))
        if self._n_failures == 1:
            _log.exception("%s raised; the feed goes on", name)
            self._note(f"{name} raised {type(error).__name__}: {error}. The feed goes on.")
        elif self._n_failures == FAILURES:
            self._note(f"{name} raised {FAILURES} times in a row and is not called any more.")
