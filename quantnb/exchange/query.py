"""The parameters of a REST request, read with Binance's rules and refused in its words."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from quantnb.exchange.candles import INTERVALS
from quantnb.exchange.listings import Listing

__all__ = ["Query", "RestError"]

BEYOND = 10**15  # later than any time and any id of ours, and safe in 64 bits


class RestError(Exception):
    """A refusal: HTTP status, Binance's code and its message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Query:
    """Parameters by name, asked at ``now_ms``; each reader raises `RestError` for what it cannot accept."""

    def __init__(self, parameters: Mapping[str, str], listings: Mapping[str, Listing], now_ms: int) -> None:
        self.now_ms = now_ms
        self._parameters = parameters
        self._listings = listings

    def has(self, name: str) -> bool:
        """Return whether the parameter is there and not empty."""
        return bool(self._parameters.get(name))

    def text(self, name: str) -> str:
        """Return a mandatory parameter."""
        if not self.has(name):
            message = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
            raise RestError(400, -1102, message)
        return self._parameters[name]

    def listing(self) -> Listing:
        """Return the listing of the mandatory ``symbol``; lower case is tolerated."""
        listing = self._listings.get(self.text("symbol").upper())
        if listing is None:
            raise RestError(400, -1121, "Invalid symbol.")
        return listing

    def chosen_listings(self) -> tuple[Listing, ...]:
        """Return the listing of ``symbol``, or all of them without it."""
        return (self.listing(),) if self.has("symbol") else tuple(self._listings.values())

    def interval(self) -> str:
        """Return the mandatory ``interval``."""
        if self.text("interval") not in INTERVALS:
            raise RestError(400, -1120, "Invalid interval.")
        return self.text("interval")

    def integer(self, name: str) -> int | None:
        """Return a whole number, or None when it was not sent."""
        if not self.has(name):
            return None
        text = self._parameters[name]
        if not re.fullmatch(r"[0-9]{1,20}", text, re.ASCII):
            legal = "legal range is '^[0-9]{1,20}$'"
            raise RestError(400, -1100, f"Illegal characters found in parameter '{name}'; {legal}.")
        return min(int(text), BEYOND)

    def limit(self, default: int, largest: int) -> int:
        """Return ``limit`` between 1 and the largest allowed."""
        limit = self.integer("limit")
        if limit is not None and not 1 <= limit <= largest:
            raise RestError(400, -1130, "Data sent for parameter 'limit' is not valid.")
        return default if limit is None else limit

    def depth_limit(self, default: int, allowed: Container[int]) -> int:
        """Return ``limit`` as one of the sizes an order book comes in."""
        limit = self.integer("limit")
        if limit is not None and limit not in allowed:
            raise RestError(400, -4021, f"{limit} is not valid depth limit")
        return default if limit is None else limit
