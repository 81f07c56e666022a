"""Is it worth it? The expected edge of the pair as it stands, from what the engine holds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from quantnb.engine.instrument import Instrument
from quantnb.engine.pair import PairAnalytics
from quantnb.errors import StatisticsError
from quantnb.stats.edge import EdgeResult, Leg, expected_edge
from quantnb.stats.evidence import ZscoreEvidence

__all__ = ["EdgeInputs", "edge_inputs", "leg_of"]


@dataclass(frozen=True, slots=True)
class EdgeInputs:
    """What `expected_edge` is called with, so that anyone can call it again."""

    y: Leg
    x: Leg
    hedge_ratio: float
    deviation: float
    half_life_s: float
    taker_fee_bp: float

    def result(self) -> EdgeResult:
        """Weigh the reversion against its costs; `StatisticsError` where the spread is not expected back."""
        return expected_edge(
            self.y,
            self.x,
            hedge_ratio=self.hedge_ratio,
            deviation=self.deviation,
            half_life_s=self.half_life_s,
            taker_fee_bp=self.taker_fee_bp,
        )


def edge_inputs(
    y: Instrument,
    x: Instrument,
    analytics: PairAnalytics,
    evidence: ZscoreEvidence | None,
    *,
    timeframe_s: float,
    taker_fee_bp: float,
) -> EdgeInputs:
    """Collect what the edge is made of.

    The half-life is that of the evidence after Kendall's correction: as estimated it reads too short, and the
    edge would look quicker than it is.

    Raises
    ------
    StatisticsError
        With the sentence that says what is missing.
    """
    columns = analytics.columns
    if evidence is None or not len(columns) or not math.isfinite(columns["zscore"][-1]):
        raise StatisticsError("no z-score yet")
    if evidence.half_life is None:
        raise StatisticsError("the half-life is not known")
    life_bars = evidence.half_life.corrected
    if math.isinf(life_bars):
        raise StatisticsError("half-life infinite: the spread is not expected back")
    distance = columns["spread"][-1] - columns["spread_mean"][-1]
    return EdgeInputs(
        y=leg_of(y),
        x=leg_of(x),
        hedge_ratio=float(columns["hedge_ratio"][-1]),
        deviation=float(distance),
        half_life_s=life_bars * timeframe_s,
        taker_fee_bp=taker_fee_bp,
    )


def leg_of(instrument: Instrument) -> Leg:
    """Return what trading a symbol costs now; `StatisticsError` says what is missing."""
    quote, mark = instrument.quote, instrument.mark
    if quote is None:
        raise StatisticsError(f"no quote of {instrument.symbol} yet")
    if mark is None:
        raise StatisticsError(f"no funding rate of {instrument.symbol} yet")
    return Leg(quote.bid_price, quote.ask_price, mark.funding_rate, instrument.funding_interval_s)
