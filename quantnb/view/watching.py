"""Observing a session for as long as a widget is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Watching"]


class Watching:
    """Mixed into a widget that reads a session; it may be closed twice, as when it is collected later."""

    session: Any

    def watch(self, handler: Callable[[Any], None], name: str) -> None:
        """Call ``handler`` when a trait of the session changes, until the widget is closed."""
        self.session.observe(handler, name)
        self.__dict__.setdefault("_watched", []).append((handler, name))

    def close(self) -> None:
        """Stop observing the session and close the widget."""
        watched = self.__dict__.get("_watched", [])
        while watched:
            self.session.unobserve(*watched.pop())
        super().close()  # type: ignore[misc]
