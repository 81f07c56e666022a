"""What is said of a widget that raises: a short text on the page, and one entry in the log."""

from __future__ import annotations

import logging
import traceback

__all__ = ["Failures"]

MAX_CHARACTERS = 200

_log = logging.getLogger("quantnb.view")


class Failures:
    """The faults of one widget: each is logged once, by the line it comes from, however often it recurs."""

    def __init__(self) -> None:
        self._logged: set[tuple[str, int | None]] = set()

    def note(self, error: Exception) -> str:
        """Log an error that is new, and return what the panel is to say of it."""
        origin = traceback.extract_tb(error.__traceback__)[-1:]
        place = (origin[0].filename, origin[0].lineno) if origin else ("", None)
        if place not in self._logged:
            self._logged.add(place)
            _log.error("A panel of the dashboard failed; the feed goes on.", exc_info=error)
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        if len(what) > MAX_CHARACTERS:
            what = f"{what[:MAX_CHARACTERS]}…"
        return f"This panel failed: {what}; the feed goes on. The log has the details."
