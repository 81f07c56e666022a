"""A local exchange with a seeded market that speaks Binance USD-M Futures' protocol on one port."""

from quantnb.exchange.faults import Fault, fault_table
from quantnb.exchange.listings import DEFAULT_UNIVERSE
from quantnb.exchange.protocol import Limits
from quantnb.exchange.server import LocalExchange

__all__ = ["DEFAULT_UNIVERSE", "Fault", "Limits", "LocalExchange", "fault_table"]
