"""What arrives well-formed and is left out by rule: each is an event, so that nothing is dropped in silence.

They are kinds of `Malformed` because to a consumer they mean the same: nothing to store, and here is why.
"""

from __future__ import annotations

from quantnb.events import Malformed, Trade

__all__ = ["Duplicate", "Ignored", "Late"]


class Ignored(Malformed, frozen=True, gc=False):
    """A well-formed message that is not for us: a COIN-M row, an event type that is not used here."""


class Duplicate(Malformed, frozen=True, gc=False):
    """A trade that was received before (an overlap, a replay)."""

    trade: Trade


class Late(Malformed, frozen=True, gc=False):
    """A trade that a `Gap` has already declared missing; the hole stays marked, the trade is counted."""

    trade: Trade
