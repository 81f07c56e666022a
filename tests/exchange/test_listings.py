from __future__ import annotations

import pytest

from quantnb.errors import InvalidSettingError
from quantnb.exchange.listings import DEFAULT_UNIVERSE, UNIVERSE, find_listings

BITCOIN = UNIVERSE[0]


def test_texts_have_the_decimals_of_the_grid() -> None:
    assert BITCOIN.price_text(830_001) == "83000.10"
    assert BITCOIN.quantity_text(20) == "0.020"
    assert BITCOIN.quote_text(830_001 * 20) == "1660.00200"


def test_the_universe_holds_the_oddities_of_the_real_one() -> None:
    assert any(not symbol.isascii() for symbol in DEFAULT_UNIVERSE)
    assert any(listing.status == "SETTLING" for listing in UNIVERSE)
    assert any(listing.contract_type == "TRADIFI_PERPETUAL" for listing in UNIVERSE)


def test_the_three_busiest_have_all_of_the_rate_between_them() -> None:
    assert sum(listing.share for listing in UNIVERSE[:3]) == pytest.approx(1.0)
    assert max(listing.share for listing in UNIVERSE[3:]) < UNIVERSE[2].share


def test_listings_come_in_the_order_asked_for_and_once() -> None:
    found = find_listings(["SOLUSDT", "BTCUSDT", "SOLUSDT"])
    assert [listing.symbol for listing in found] == ["SOLUSDT", "BTCUSDT"]


@pytest.mark.parametrize(("symbols", "subject"), [(["FOOUSDT"], "FOOUSDT is"), ([], "No symbol is")])
def test_an_unknown_symbol_is_an_error_that_names_the_valid_ones(symbols: list[str], subject: str) -> None:
    with pytest.raises(InvalidSettingError, match=f"{subject} not listed.*BTCUSDT, ETHUSDT"):
        find_listings(symbols)
