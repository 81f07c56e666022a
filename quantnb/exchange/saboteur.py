"""Does to one exchange what its faults ask for: strikes, and what befalls connections as time passes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from fnmatch import fnmatchcase

from quantnb.errors import InvalidSettingError
from quantnb.exchange.channel import Reset
from quantnb.exchange.faults import Fault
from quantnb.exchange.kinds import UNTRUSTED_TLS
from quantnb.exchange.link import Link
from quantnb.exchange.market import Market
from quantnb.exchange.protocol import Close
from quantnb.exchange.sabotage import Faults

__all__ = ["Saboteur"]


class Saboteur:
    """Lets the faults of one exchange begin, strike and end.

    Parameters
    ----------
    faults : Faults
        Those of the exchange.
    links : collection of Link
        Its connections, as they come and go.
    now_s : callable
        Seconds since the exchange opened.
    """

    def __init__(self, faults: Faults, links: Collection[Link], now_s: Callable[[], float]) -> None:
        self.faults = faults
        self._links = links
        self._now_s = now_s
        self._market: Market | None = None
        self._streams: tuple[str, ...] = ()

    def open(self, market: Market, streams: Collection[str]) -> None:
        """Learn what there is, and refuse the faults asked for so far that nothing could come of."""
        self._market, self._streams = market, tuple(streams)
        for fault in self.faults.all:
            self._check(fault)

    def inject(self, fault: Fault | str, at_s: float) -> None:
        """Ask for a fault that begins so many seconds from now."""
        chosen = Fault.parse(fault) if isinstance(fault, str) else fault
        self._check(chosen)
        if self._market is not None and chosen.name == UNTRUSTED_TLS:
            raise InvalidSettingError(
                "The certificate is chosen when the exchange starts: give untrusted-tls before that."
            )
        self.faults.inject(chosen, self._now_s() + at_s)
        self.apply()

    def heal(self, name: str | None) -> None:
        """End faults, and let the connections know."""
        self.faults.heal(name)
        self.apply()

    def drop(self, ending: Close | Reset, route: str = "any") -> None:
        """End the connections of a route, each for itself and now."""
        for link in tuple(self._links):
            if route in ("any", link.channel.route):
                link.end(ending)

    def apply(self) -> None:
        """Do what is due: in each slot while there are faults, and whenever one comes or goes."""
        if self._market is None:
            return
        now_s = self._now_s()
        for fault in self.faults.advance(now_s):
            self._strike(fault, self._market)
        for link in tuple(self._links):
            link.suffer(now_s)

    def _strike(self, fault: Fault, market: Market) -> None:
        match fault.name:
            case "burst":
                trading = (listing.symbol for listing in market.listings.values() if listing.is_trading)
                market.burst(fault.text("symbol") or next(trading), int(fault.number("n")))
            case "rst":
                self.drop(Reset(), fault.text("route"))
            case "drop":
                self.drop(Close(int(fault.text("code")), "closed on demand"), fault.text("route"))

    def _check(self, fault: Fault) -> None:
        """Refuse a fault that nothing could come of here."""
        if self._market is None:
            return
        pattern = fault.text("stream") if fault.has("stream") else "*"
        if not any(fnmatchcase(stream, pattern) for stream in self._streams):
            raise InvalidSettingError(
                f"The fault {fault} meets no stream of this exchange; one is called {self._streams[0]}."
            )
        symbol = fault.text("symbol") if fault.has("symbol") else ""
        trading = [each.symbol for each in self._market.listings.values() if each.is_trading]
        if fault.name == "burst" and (not trading or (symbol and symbol not in trading)):
            raise InvalidSettingError(f"The fault {fault} needs a symbol that trades on this exchange.")
