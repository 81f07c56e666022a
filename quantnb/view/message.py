"""A line under a control that says what happened, and the one way in which handlers fail: in words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import anywidget
from traitlets import Enum, TraitError, Unicode

from quantnb.errors import QuantnbError
from quantnb.view.assets import css, esm

__all__ = ["Message", "sentence_of"]

_log = logging.getLogger("quantnb.view")


def sentence_of(error: Exception) -> str:
    """Return what to tell a person about ``error``; the traceback of one we did not foresee is logged."""
    if isinstance(error, QuantnbError | TraitError):
        return str(error)
    _log.error("A dashboard control failed.", exc_info=error)
    return (
        f"This failed for a reason quantnb did not foresee ({type(error).__name__}: {error}). "
        "The log has the details."
    )


class Message(anywidget.AnyWidget):
    """One sentence; an empty one takes no room."""

    _esm = esm("dom.js", "message.js")
    _css = css("tokens.css", "controls.css")

    text = Unicode().tag(sync=True)
    level = Enum(("info", "error"), "info").tag(sync=True)

    def say(self, text: str, level: str = "info") -> None:
        """Show ``text`` in place of what stood there."""
        with self.hold_sync():
            self.text, self.level = text, level

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Clear the line, then show the sentence of whatever goes wrong in the block."""
        self.say("")
        try:
            yield
        except Exception as error:
            self.say(sentence_of(error), "error")
