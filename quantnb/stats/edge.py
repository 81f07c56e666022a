"""Is it worth it? What a reversion is expected to bring, minus what it costs to take.

All in basis points of the gross position: one unit of y against ``hedge_ratio`` units of x, both at today's
prices. Held for one half-life, the spread is expected to have come half of the way back; in that time the
position pays or earns funding, and going in and out pays the taker's fee and crosses the bid-ask spread on
either leg, twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from quantnb.errors import StatisticsError

__all__ = ["FUNDING_INTERVAL_S", "EdgeResult", "Leg", "expected_edge"]

_BP = 1e4
FUNDING_INTERVAL_S = 8 * 3600.0


@dataclass(frozen=True, slots=True)
class Leg:
    """What trading one leg costs.

    Attributes
    ----------
    bid, ask : float
        The best quotes, in quote currency.
    funding_rate : float
        Share of the position that a long pays a short per ``funding_interval_s`` (Binance's ``r``).
    funding_interval_s : float
        Seconds between two payments; 8 hours for most symbols, 4 or 1 for some.
    """

    bid: float
    ask: float
    funding_rate: float = 0.0
    funding_interval_s: float = FUNDING_INTERVAL_S

    @property
    def price(self) -> float:
        """Midway between the quotes."""
        return (self.bid + self.ask) / 2.0


@dataclass(frozen=True, slots=True)
class EdgeResult:
    """What is expected of a reversion over one half-life, in basis points of the gross position.

    Attributes
    ----------
    reversion_bp : float
        Half of the deviation.
    fees_bp : float
        Taker fees: both legs, in and out.
    bid_ask_bp : float
        Half the bid-ask spread of both legs, in and out.
    funding_bp : float
        Expected funding paid; negative where the position earns it.
    gross : float
        Value of both legs, in quote currency, for one unit of y.
    """

    reversion_bp: float
    fees_bp: float
    bid_ask_bp: float
    funding_bp: float
    gross: float

    @property
    def edge_bp(self) -> float:
        """The reversion minus all costs."""
        return self.reversion_bp - self.fees_bp - self.bid_ask_bp - self.funding_bp

    @property
    def parts(self) -> tuple[str, ...]:
        """The summands in words, one each."""
        funding = "paid" if self.funding_bp >= 0 else "earned"
        return (
            f"half of the deviation: {self.reversion_bp:.2f} bp",
            f"taker fees, both legs in and out: {self.fees_bp:.2f} bp",
            f"half the bid-ask spread, both legs in and out: {self.bid_ask_bp:.2f} bp",
            f"funding {funding} over one half-life: {abs(self.funding_bp):.3f} bp",
        )

    @property
    def verdict(self) -> str:
        """The sum in words."""
        funding = "paid" if self.funding_bp >= 0 else "earned"
        return (
            f"{'Worth it' if self.edge_bp > 0 else 'Not worth it'}: {self.edge_bp:.2f} bp expected = "
            f"{self.reversion_bp:.2f} of reversion - {self.fees_bp:.2f} fees - {self.bid_ask_bp:.2f} bid-ask "
            f"spreads, {abs(self.funding_bp):.2f} funding {funding}."
        )


def expected_edge(
    y: Leg, x: Leg, *, hedge_ratio: float, deviation: float, half_life_s: float, taker_fee_bp: float
) -> EdgeResult:
    """Weigh the expected reversion of a spread against its costs.

    Parameters
    ----------
    y, x : Leg
        Quotes and funding of the legs.
    hedge_ratio : float
        Units of x against one unit of y (of levels, not of logarithms).
    deviation : float
        Distance of the spread from its mean, in quote currency: z-score times standard deviation. Above 0 the
        position is short y and long ``hedge_ratio`` x, below 0 the other way.
    half_life_s : float
        Half-life of the spread in seconds (bars times their length).
    taker_fee_bp : float
        Fee of a taker order in basis points of its value.

    Returns
    -------
    EdgeResult

    Raises
    ------
    StatisticsError
        For quotes that are not above 0 or crossed, an infinite or unknown half-life, or another input that is
        no number.

    Notes
    -----
    An expectation if the spread is an AR(1) about its mean: it says nothing of the risk. The half-life reads
    short (see `half_life`), which makes the edge look quicker and its funding smaller than they are. Funding
    is taken in proportion to the time, as an average over the moment of entry.
    """
    for name, leg in (("y", y), ("x", x)):
        if not 0 < leg.bid <= leg.ask < math.inf:
            raise StatisticsError(
                f"The quotes of leg {name} must be 0 < bid <= ask, not {leg.bid}, {leg.ask}."
            )
        if not (math.isfinite(leg.funding_rate) and 0 < leg.funding_interval_s < math.inf):
            raise StatisticsError(f"The funding of leg {name} is not known.")
    if not 0 <= half_life_s < math.inf:
        raise StatisticsError(f"The spread is not expected back: its half-life is {half_life_s} s.")
    for name, value in (("hedge ratio", hedge_ratio), ("deviation", deviation), ("fee", taker_fee_bp)):
        if not math.isfinite(value):
            raise StatisticsError(f"The {name} is not known.")
    units_x = abs(hedge_ratio)
    gross = y.price + units_x * x.price
    return EdgeResult(
        reversion_bp=_BP * abs(deviation) / 2.0 / gross,
        fees_bp=2.0 * taker_fee_bp,
        bid_ask_bp=_BP * ((y.ask - y.bid) + units_x * (x.ask - x.bid)) / gross,
        funding_bp=_BP * _funding(y, x, hedge_ratio, deviation, half_life_s) / gross,
        gross=gross,
    )


def _funding(y: Leg, x: Leg, hedge_ratio: float, deviation: float, seconds: float) -> float:
    """Return what the position pays in funding, in quote currency; no deviation, no position."""
    side = int(deviation < 0) - int(deviation > 0)
    paid_y = y.price * y.funding_rate * seconds / y.funding_interval_s
    paid_x = x.price * x.funding_rate * seconds / x.funding_interval_s
    return side * (paid_y - hedge_ratio * paid_x)
