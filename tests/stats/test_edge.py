"""Is it worth it: each part alone, and what is refused."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import pytest

from quantnb.errors import StatisticsError
from quantnb.stats import Leg, expected_edge

Y = Leg(bid=2_999.0, ask=3_001.0)
X = Leg(bid=59_990.0, ask=60_010.0)
TRADE = {"hedge_ratio": 0.05, "deviation": 12.0, "half_life_s": 3_600.0, "taker_fee_bp": 0.0}


def test_the_reversion_is_half_of_the_deviation_over_both_legs() -> None:
    edge = expected_edge(Y, X, **TRADE)
    assert edge.gross == 6_000
    assert edge.reversion_bp == pytest.approx(1e4 * 6 / 6_000)


def test_fees_are_paid_on_both_legs_in_and_out() -> None:
    """5 bp of the whole position to go in, 5 bp to go out."""
    assert expected_edge(Y, X, **TRADE | {"taker_fee_bp": 5.0}).fees_bp == 10


def test_half_the_bid_ask_spread_is_crossed_four_times() -> None:
    """1 in and 1 out on y; 10 in and 10 out on x, of 0.05 units: 3 of 6,000."""
    assert expected_edge(Y, X, **TRADE).bid_ask_bp == pytest.approx(1e4 * 3 / 6_000)


def test_funding_is_that_of_a_short_y_and_a_long_x_above_the_mean_and_the_other_way_below() -> None:
    """An hour of eight at 1 bp on y of 3,000, received; at 3 bp on x of 3,000, paid."""
    y, x = (dataclasses.replace(leg, funding_rate=rate) for leg, rate in ((Y, 1e-4), (X, 3e-4)))
    above, below = (expected_edge(y, x, **TRADE | {"deviation": d}) for d in (12.0, -12.0))
    assert above.funding_bp == pytest.approx(1e4 * (3_000 * 3e-4 - 3_000 * 1e-4) / 8 / 6_000)
    assert below.funding_bp == -above.funding_bp
    assert expected_edge(y, x, **TRADE | {"deviation": 0.0}).funding_bp == 0
    hourly = dataclasses.replace(x, funding_interval_s=3_600.0)
    assert expected_edge(y, hourly, **TRADE).funding_bp > 7 * above.funding_bp


def test_a_negative_ratio_is_two_legs_on_the_same_side() -> None:
    y, x = (dataclasses.replace(leg, funding_rate=1e-4) for leg in (Y, X))
    edge = expected_edge(y, x, **TRADE | {"hedge_ratio": -0.05})
    assert edge.gross == 6_000
    assert edge.funding_bp == pytest.approx(-1 / 8)


def test_the_edge_is_the_reversion_minus_the_parts_in_exact_arithmetic() -> None:
    y, x = dataclasses.replace(Y, funding_rate=1e-4), dataclasses.replace(X, funding_rate=-2e-4)
    edge = expected_edge(y, x, **TRADE | {"taker_fee_bp": 4.5})
    gross = Fraction(6_000)
    beta, funding = Fraction(0.05), (-Fraction(1e-4) * 3_000 + Fraction(0.05) * 60_000 * Fraction(-2e-4)) / 8
    exact = 10_000 * (Fraction(6) - (2 + beta * 20) - funding) / gross - 9
    assert edge.edge_bp == pytest.approx(float(exact), rel=1e-9)
    assert edge.edge_bp == edge.reversion_bp - edge.fees_bp - edge.bid_ask_bp - edge.funding_bp


@pytest.mark.parametrize(
    ("fee", "sentence"),
    [
        (0.5, "Worth it: 4.00 bp expected = 10.00 of reversion - 1.00 fees - 5.00 bid-ask spreads, "),
        (4.5, "Not worth it: -4.00 bp expected = "),
    ],
)
def test_the_verdict_is_the_sum_in_words(fee: float, sentence: str) -> None:
    assert expected_edge(Y, X, **TRADE | {"taker_fee_bp": fee}).verdict.startswith(sentence)


@pytest.mark.parametrize(
    ("moved", "sentence"),
    [
        ({"half_life_s": math.inf}, "not expected back: its half-life is inf s"),
        ({"half_life_s": math.nan}, "not expected back"),
        ({"hedge_ratio": math.nan}, "The hedge ratio is not known"),
        ({"deviation": math.nan}, "The deviation is not known"),
        ({"taker_fee_bp": math.inf}, "The fee is not known"),
    ],
)
def test_a_trade_without_an_honest_answer_is_refused(moved: dict[str, float], sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        expected_edge(Y, X, **TRADE | moved)


@pytest.mark.parametrize(
    ("leg", "sentence"),
    [
        (Leg(bid=2.0, ask=1.0), "leg x must be 0 < bid <= ask, not 2.0, 1.0"),
        (Leg(bid=0.0, ask=1.0), "must be 0 < bid"),
        (Leg(bid=math.nan, ask=1.0), "must be 0 < bid"),
        (Leg(bid=1.0, ask=1.0, funding_rate=math.nan), "funding of leg x is not known"),
        (Leg(bid=1.0, ask=1.0, funding_interval_s=0.0), "funding of leg x is not known"),
    ],
)
def test_quotes_that_are_none_are_refused(leg: Leg, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        expected_edge(Y, leg, **TRADE)
