"""What a trade makes and costs, each part by hand, and what is no cost."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from quantnb.errors import InvalidSettingError
from quantnb.stats import Costs, Leg, expected_edge
from quantnb.stats.costs import LegPrices, RoundTrip, round_trip

FREE = {"taker_fee_bp": 0.0, "bid_ask_y_bp": 0.0, "bid_ask_x_bp": 0.0}
AT = LegPrices(3_000.0, 60_000.0)  # with 0.05 units of x: 3,000 + 3,000
LATER = LegPrices(3_030.0, 60_300.0)  # both 30 higher, of which x 15 at 0.05 units
HOUR = 3_600.0


def trip(side: int = 1, ratio: float = 0.05, exit: LegPrices = LATER, **costs: float) -> RoundTrip:
    return round_trip(Costs(**FREE | costs), side, ratio, AT, exit, HOUR)


def test_a_long_spread_makes_what_y_gains_over_its_x() -> None:
    """30 on y minus 15 on x, of 6,000; a short one loses as much."""
    assert trip().gross_bp == 25.0
    assert trip(side=-1).gross_bp == -25.0


def test_a_negative_ratio_holds_both_legs_on_the_same_side() -> None:
    assert trip(ratio=-0.05).gross_bp == 75.0


def test_fees_are_paid_on_what_each_leg_is_worth_at_each_order() -> None:
    """5 bp of 3,000 + 3,000 in and of 3,030 + 3,015 out."""
    assert trip(taker_fee_bp=5.0).fees_bp == pytest.approx(5 * (6_000 + 6_045) / 6_000, rel=1e-14)
    assert trip(taker_fee_bp=5.0, side=-1).fees_bp == trip(taker_fee_bp=5.0).fees_bp


def test_half_a_bid_ask_spread_is_crossed_by_each_of_the_four_orders() -> None:
    assert trip(bid_ask_y_bp=2.0).bid_ask_bp == pytest.approx((3_000 + 3_030) / 6_000, rel=1e-14)
    assert trip(bid_ask_x_bp=2.0).bid_ask_bp == pytest.approx((3_000 + 3_015) / 6_000, rel=1e-14)


@pytest.mark.parametrize(("side", "paid_bp"), [(1, 1), (-1, -1)])
def test_a_long_leg_pays_its_funding_and_a_short_one_gets_it(side: int, paid_bp: int) -> None:
    """1 h of 8 at 16 bp: 2 bp of the leg, which is half of the position."""
    assert trip(side, funding_rate_y=16e-4).funding_bp == pytest.approx(paid_bp)
    assert trip(side, funding_rate_x=16e-4).funding_bp == pytest.approx(-paid_bp)
    assert trip(side, -0.05, funding_rate_x=16e-4).funding_bp == pytest.approx(paid_bp)
    assert trip(side, funding_rate_y=16e-4, funding_interval_s=HOUR).funding_bp == pytest.approx(8 * paid_bp)


def test_without_a_move_the_costs_are_those_of_the_expected_edge() -> None:
    y, x = Leg(2_999.0, 3_001.0, 1e-4), Leg(59_990.0, 60_010.0, -3e-4, 4 * HOUR)
    costs = Costs.of_legs(y, x, taker_fee_bp=5.0)
    for side in (1, -1):
        found = round_trip(costs, side, 0.05, AT, AT, HOUR)
        edge = expected_edge(
            y, x, hedge_ratio=0.05, deviation=-12.0 * side, half_life_s=HOUR, taker_fee_bp=5.0
        )
        assert found.fees_bp == pytest.approx(edge.fees_bp, rel=1e-14)
        assert found.bid_ask_bp == pytest.approx(edge.bid_ask_bp, rel=1e-12)
        assert found.funding_bp == pytest.approx(edge.funding_bp, rel=1e-12)


def test_the_net_is_the_gross_minus_the_parts() -> None:
    found = RoundTrip(Fraction(10), Fraction(1, 3), Fraction(1, 7), Fraction(-1, 5))
    assert found.costs_bp == Fraction(1, 3) + Fraction(1, 7) - Fraction(1, 5)
    assert found.net_bp == 10 - found.costs_bp


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"taker_fee_bp": -1.0}, "The taker fee bp is 0 or more, not -1.0"),
        ({"bid_ask_x_bp": -0.1}, "The bid ask x bp is 0 or more"),
        ({"bid_ask_y_bp": math.inf}, "The bid ask y bp is a number, not inf"),
        ({"funding_rate_y": math.nan}, "The funding rate y is a number, not nan"),
        ({"funding_interval_s": 0.0}, "The funding interval is a number of seconds above 0, not 0.0"),
    ],
)
def test_costs_that_are_none_are_refused(wrong: dict[str, float], sentence: str) -> None:
    with pytest.raises(InvalidSettingError, match=sentence):
        Costs(**FREE | wrong)
