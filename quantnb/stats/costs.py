"""What a pair's trade makes and costs from entry to exit, in basis points of the gross position at entry.

The position is ``side`` times one unit of y and minus ``hedge_ratio`` units of x: side +1 is long the spread,
-1 short of it. Its gross is the value of both legs at the prices of entry, G = y + abs(hedge_ratio) x. The
costs are those of `expected_edge`, at the prices at which the legs are really bought and sold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from quantnb.errors import InvalidSettingError
from quantnb.stats.edge import FUNDING_INTERVAL_S, Leg

__all__ = ["Costs", "LegPrices", "RoundTrip", "round_trip"]

_BP = 10_000  # a whole number, so that fractions stay fractions


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What trading a pair costs.

    Attributes
    ----------
    taker_fee_bp : float
        Fee of a taker order in basis points of its value.
    bid_ask_y_bp, bid_ask_x_bp : float
        Bid-ask spread of each leg in basis points of its price; half of it is crossed by each order.
    funding_rate_y, funding_rate_x : float
        Share of the position that a long pays a short per ``funding_interval_s`` (Binance's ``r``).
    funding_interval_s : float
        Seconds between two payments, of both rates: one that is paid every 4 hours counts twice per 8.

    Raises
    ------
    InvalidSettingError
        For a fee or bid-ask spread below 0, an interval that is not above 0, or what is no number.
    """

    taker_fee_bp: float
    bid_ask_y_bp: float
    bid_ask_x_bp: float
    funding_rate_y: float = 0.0
    funding_rate_x: float = 0.0
    funding_interval_s: float = FUNDING_INTERVAL_S

    def __post_init__(self) -> None:
        for field in fields(self):
            value, name = getattr(self, field.name), field.name.replace("_", " ")
            if not math.isfinite(value):
                raise InvalidSettingError(f"The {name} is a number, not {value!r}.")
            if field.name.endswith("_bp") and value < 0:
                raise InvalidSettingError(f"The {name} is 0 or more, not {value!r}.")
        if self.funding_interval_s <= 0:
            raise InvalidSettingError(
                f"The funding interval is a number of seconds above 0, not {self.funding_interval_s!r}."
            )

    @classmethod
    def of_legs(cls, y: Leg, x: Leg, *, taker_fee_bp: float) -> Costs:
        """Return the costs as the legs are quoted now, both funding rates brought to 8 hours."""
        return cls(
            taker_fee_bp=taker_fee_bp,
            bid_ask_y_bp=_BP * (y.ask - y.bid) / y.price,
            bid_ask_x_bp=_BP * (x.ask - x.bid) / x.price,
            funding_rate_y=y.funding_rate * FUNDING_INTERVAL_S / y.funding_interval_s,
            funding_rate_x=x.funding_rate * FUNDING_INTERVAL_S / x.funding_interval_s,
        )


class LegPrices(NamedTuple):
    """LegPrices of both legs at one moment: numbers, or arrays of one shape."""

    y: Any
    x: Any


class RoundTrip(NamedTuple):
    """What a trade made and cost, in basis points of the gross position at entry."""

    gross_bp: Any
    fees_bp: Any
    bid_ask_bp: Any
    funding_bp: Any  # negative where the position earned it

    @property
    def costs_bp(self) -> Any:
        """Fees, bid-ask spreads and funding."""
        return self.fees_bp + self.bid_ask_bp + self.funding_bp

    @property
    def net_bp(self) -> Any:
        """What is left after the costs."""
        return self.gross_bp - self.costs_bp


def round_trip(
    costs: Costs, side: Any, hedge_ratio: Any, entry: LegPrices, exit: LegPrices, seconds: Any
) -> RoundTrip:
    """Return what a trade made from its entry to its exit.

    Parameters
    ----------
    costs : Costs
        Fees, bid-ask spreads and funding.
    side : int
        +1 long y and short x, -1 the other way; with a ratio below 0 both legs are on the same side.
    hedge_ratio : float
        Units of x against one unit of y.
    entry, exit : LegPrices
        At which the orders were filled, without the half bid-ask spread.
    seconds : float
        Between them.

    Returns
    -------
    RoundTrip
        All arguments but ``costs`` may be arrays of one shape, and so are the results. The arithmetic is also
        that of `fractions.Fraction`, in which the parts add up exactly.

    Notes
    -----
    Funding is taken in proportion to the time and on the value at entry; the exchange takes it at fixed hours
    on the mark price. A long pays a short where the rate is above 0.
    """
    units_x = abs(hedge_ratio)
    gross = entry.y + units_x * entry.x
    made = side * ((exit.y - entry.y) - hedge_ratio * (exit.x - entry.x))
    traded_y, traded_x = entry.y + exit.y, units_x * (entry.x + exit.x)
    paid = side * (costs.funding_rate_y * entry.y - costs.funding_rate_x * hedge_ratio * entry.x)
    return RoundTrip(
        gross_bp=_BP * made / gross,
        fees_bp=costs.taker_fee_bp * (traded_y + traded_x) / gross,
        bid_ask_bp=(costs.bid_ask_y_bp * traded_y + costs.bid_ask_x_bp * traded_x) / 2 / gross,
        funding_bp=_BP * paid * seconds / costs.funding_interval_s / gross,
    )
