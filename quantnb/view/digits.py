"""How many digits a number is shown with: as many as the exchange gives its prices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quantnb.session import Session

__all__ = ["price_digits", "price_format", "spread_digits"]


def price_digits(tick_size: float | None) -> int | None:
    """Return the digits after the point of a price: 0.010 has 2. None when the tick size is not known."""
    if tick_size is None:
        return None
    exponent = Decimal(repr(tick_size)).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def spread_digits(session: Session) -> int | None:
    """Return the digits of the pair's spread: two more than leg y's price, whose ticks it is made of."""
    digits = price_digits(session.tick_size(session.pair[0]))
    return None if digits is None else digits + 2


def price_format(digits: int | None) -> str:
    """Return d3's format for a number of so many digits, or of significant ones.

    >>> price_format(2), price_format(None)
    (',.2f', ',.6~g')
    """
    return ",.6~g" if digits is None else f",.{digits}f"
