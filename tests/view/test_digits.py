from __future__ import annotations

import pytest

from quantnb.view.digits import price_digits, price_format, spread_digits
from tests.view.conftest import StandInSession


@pytest.mark.parametrize(
    ("tick_size", "digits"), [(0.1, 1), (0.01, 2), (1e-7, 7), (1.0, 0), (10.0, 0), (0.5, 1), (None, None)]
)
def test_a_price_has_the_digits_of_its_tick_size(tick_size: float | None, digits: int | None) -> None:
    assert price_digits(tick_size) == digits


def test_a_spread_has_two_digits_more_than_the_price_it_is_a_rest_of(session: StandInSession) -> None:
    session.pair = ("SOLUSDT", "BTCUSDT")  # SOLUSDT's ticks are 0.001
    assert spread_digits(session) == 5


def test_without_a_tick_size_the_digits_are_significant_ones() -> None:
    assert price_format(None) == ",.6~g"
