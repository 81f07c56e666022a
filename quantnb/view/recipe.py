"""The kernel's half of "reproduce this number": a browser asks, and is sent lines of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantnb.view.message import sentence_of

if TYPE_CHECKING:
    from quantnb.session import Session
    from quantnb.view.protocol import Live

__all__ = ["send_recipe"]


def send_recipe(widget: Live, client: str, session: Session, what: str | int) -> None:
    """Send a browser the recipe of a tile or an alert, or the sentence why there is none."""
    try:
        answer = {"code": session.reproduce(what)}
    except Exception as error:
        answer = {"problem": sentence_of(error)}
    widget.send_to(client, {"kind": "recipe", "what": what, **answer})
