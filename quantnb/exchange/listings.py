"""What is traded on the local exchange: names, grids and temperaments, as data.

Tick and step sizes are those of Binance's own ``exchangeInfo``; prices are of a plausible day. The list holds
the oddities a client must survive: a symbol in Chinese, one that is being settled and never trades, one on
traditional finance, names with a multiplier, and a COIN-M contract that shows up in the all-market arrays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quantnb.errors import InvalidSettingError, choices

__all__ = ["COIN_M_SYMBOL", "DEFAULT_UNIVERSE", "Listing", "find_listings"]

COIN_M_SYMBOL = "BTCUSD_PERP"  # a row with st=2 in the arrays of this host since 2026-06-30


@dataclass(frozen=True, slots=True)
class Listing:
    """One contract and how it behaves.

    Attributes
    ----------
    tick, step : str
        Grid of prices and of quantities; their decimals are those of the texts on the wire.
    share : float
        Its trades as a fraction of those of BTCUSDT, ETHUSDT and SOLUSDT together.
    group : str
        Listings of one group follow the same random walks, so any two of them are cointegrated.
    beta : float
        Loading on those walks.
    half_life_s, swing_bp : float
        Half-life and standard deviation (basis points) of its own, mean-reverting part.
    """

    symbol: str
    price: float
    tick: str
    step: str
    share: float
    group: str
    beta: float
    half_life_s: float
    swing_bp: float
    contract_type: str = "PERPETUAL"
    underlying_type: str = "COIN"
    status: str = "TRADING"

    @property
    def base_asset(self) -> str:
        """The asset bought and sold."""
        return self.symbol.removesuffix("USDT")

    @property
    def is_trading(self) -> bool:
        """False for a contract that is listed but has no trades any more."""
        return self.status == "TRADING"

    @property
    def price_decimals(self) -> int:
        """Decimals of a price on the wire."""
        return len(self.tick.partition(".")[2])

    @property
    def quantity_decimals(self) -> int:
        """Decimals of a quantity on the wire."""
        return len(self.step.partition(".")[2])

    def price_text(self, ticks: int | float) -> str:
        """Return a price given in ticks as the decimal string of the wire."""
        return f"{ticks * float(self.tick):.{self.price_decimals}f}"

    def quantity_text(self, steps: int) -> str:
        """Return a quantity given in steps as the decimal string of the wire."""
        return f"{steps * float(self.step):.{self.quantity_decimals}f}"

    def quote_text(self, ticks_times_steps: int) -> str:
        """Return a turnover given in ticks times steps, in units of the quote asset."""
        decimals = self.price_decimals + self.quantity_decimals
        return f"{ticks_times_steps * float(self.tick) * float(self.step):.{decimals}f}"


UNIVERSE = (
    #       symbol          price      tick         step    share   group     beta  half-life  swing
    Listing("BTCUSDT", 83_000.0, "0.10", "0.001", 0.55, "majors", 1.00, 16, 1.0),
    Listing("ETHUSDT", 4_000.0, "0.01", "0.001", 0.32, "majors", 1.25, 16, 2.6),
    Listing("SOLUSDT", 150.0, "0.0100", "0.01", 0.13, "majors", 1.55, 20, 4.0),
    Listing("BNBUSDT", 900.0, "0.010", "0.01", 0.08, "majors", 0.90, 90, 4.0),
    Listing("XRPUSDT", 2.4, "0.0001", "0.1", 0.09, "payments", 1.30, 40, 4.5),
    Listing("LTCUSDT", 110.0, "0.01", "0.001", 0.04, "payments", 1.20, 70, 5.0),
    Listing("BCHUSDT", 520.0, "0.01", "0.001", 0.03, "payments", 1.15, 80, 5.0),
    Listing("TRXUSDT", 0.33, "0.00001", "1", 0.03, "payments", 0.60, 100, 4.0),
    Listing("DOGEUSDT", 0.21, "0.000010", "1", 0.08, "memes", 1.70, 35, 5.0),
    Listing("1000PEPEUSDT", 0.0102, "0.0000001", "1", 0.05, "memes", 2.00, 50, 7.0),
    Listing("1000SHIBUSDT", 0.0121, "0.000001", "1", 0.03, "memes", 1.75, 60, 6.0),
    Listing("币安人生USDT", 0.18, "0.0001", "1", 0.03, "memes", 2.10, 75, 9.0),
    Listing("ADAUSDT", 0.74, "0.00010", "1", 0.05, "platforms", 1.50, 55, 5.0),
    Listing("AVAXUSDT", 28.0, "0.0010", "1", 0.05, "platforms", 1.60, 65, 5.0),
    Listing("DOTUSDT", 4.1, "0.001", "0.1", 0.03, "platforms", 1.45, 85, 5.5),
    Listing("NEARUSDT", 2.9, "0.0010", "1", 0.03, "platforms", 1.65, 95, 6.0),
    Listing("SUIUSDT", 3.3, "0.000100", "0.1", 0.06, "platforms", 1.75, 45, 6.0),
    Listing("LINKUSDT", 21.0, "0.001", "0.01", 0.05, "finance", 1.45, 50, 5.0),
    Listing("UNIUSDT", 9.0, "0.0010", "1", 0.03, "finance", 1.60, 110, 6.0),
    Listing("AAVEUSDT", 270.0, "0.010", "0.1", 0.03, "finance", 1.55, 120, 6.0),
    Listing(
        "XAUUSDT", 4_050.0, "0.01", "0.001", 0.02, "metals", 0.25, 60, 1.5, "TRADIFI_PERPETUAL", "COMMODITY"
    ),
    Listing("OMGUSDT", 0.2, "0.0001", "0.1", 0.0, "payments", 1.2, 60, 5.0, status="SETTLING"),
)

DEFAULT_UNIVERSE = tuple(listing.symbol for listing in UNIVERSE)


def find_listings(symbols: Iterable[str]) -> tuple[Listing, ...]:
    """Return the listings of these symbols, in their order, each once.

    Raises
    ------
    InvalidSettingError
        If there is none, or one that this exchange does not list.
    """
    by_symbol = {listing.symbol: listing for listing in UNIVERSE}
    wanted = tuple(dict.fromkeys(symbols))
    unknown = [symbol for symbol in wanted if symbol not in by_symbol]
    if unknown or not wanted:
        subject = f"{', '.join(unknown)} is" if unknown else "No symbol is"
        raise InvalidSettingError(
            f"{subject} not listed on the local exchange; choose from {choices(by_symbol)}."
        )
    return tuple(by_symbol[symbol] for symbol in wanted)
