"""What arrives and is not used, or is used with a doubt: each is an event, so that nothing is silent.

They are kinds of `Malformed` because to a consumer they mean the same: nothing to store, and here is why.
"""

from __future__ import annotations

from quantnb.events import Malformed, MarkPrice, Quote, Trade

__all__ = ["Duplicate", "Flagged", "Ignored", "Implausible", "Unasked"]


class Ignored(Malformed, frozen=True, gc=False):
    """A well-formed message that is not for us: a COIN-M row, an event type that is not used here."""


class Unasked(Ignored, frozen=True, gc=False):
    """A well-formed message of a symbol that nobody asked for, or no longer asks for."""

    event: Trade | Quote | MarkPrice


class Implausible(Malformed, frozen=True, gc=False):
    """A well-formed message that contradicts the others, and is rejected."""

    event: Trade | Quote | MarkPrice


class Flagged(Malformed, frozen=True, gc=False):
    """A doubt about the trade that follows in the stream and is stored all the same."""

    trade: Trade


class Duplicate(Malformed, frozen=True, gc=False):
    """A trade that was received before (an overlap, a replay)."""

    trade: Trade
