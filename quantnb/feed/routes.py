"""Which exchange, which socket, which stream.

Since 2026-04-23 each stream is delivered on one route only; the others acknowledge it and stay silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from quantnb.errors import InvalidSettingError

__all__ = ["LIVE", "MARKET", "PUBLIC", "ROUTES", "TESTNET", "Endpoints", "Route", "stream_name", "streams"]

Route = Literal["market", "public"]
MARKET: Final = "market"
PUBLIC: Final = "public"

STREAM_KINDS: dict[Route, tuple[str, ...]] = {
    MARKET: ("aggTrade", "markPrice@1s"),  # the mark price comes every second and so proves the route alive
    PUBLIC: ("bookTicker",),
}
ROUTES: tuple[Route, ...] = tuple(STREAM_KINDS)

_ADDRESS = re.compile(r"(wss?)://(\[[0-9a-f:.]+\]|[^\s/?#@:\[\]]+)(?::(\d{1,5}))?/?", re.IGNORECASE)
_LOOPBACK = re.compile(r"127(\.\d{1,3}){3}|localhost|\[::1\]", re.IGNORECASE)


class Endpoints(Struct, frozen=True):
    """One exchange: how it is called on the screen, and where it listens."""

    name: str
    websocket_base: str
    rest_base: str
    is_simulated: bool = False  # not Binance's own

    @classmethod
    def at(cls, address: str) -> Endpoints:
        """Return the exchange at an address such as ``ws://127.0.0.1:8765``; REST is on the same port.

        Raises
        ------
        InvalidSettingError
            For anything but this machine or Binance's own hosts: a notebook that was handed on must not
            make its reader's machine call addresses inside the reader's network.
        """
        parts = _ADDRESS.fullmatch(address)
        if parts is None or not 0 < int(parts[3] or 443) < 65_536:
            raise InvalidSettingError(
                f"{address!r} is not the address of an exchange; one looks like ws://127.0.0.1:8765 "
                "(ws or wss, a host and a port; no user, path or query)."
            )
        scheme, host, port = parts[1].lower(), parts[2].lower(), parts[3]
        if _LOOPBACK.fullmatch(host):
            authority = f"{host}:{port}" if port else host
            rest_scheme = "https" if scheme == "wss" else "http"
            base = f"{scheme}://{authority}"
            return cls(base, base, f"{rest_scheme}://{authority}", is_simulated=True)
        for known in (LIVE, TESTNET):
            if f"{scheme}://{host}" == known.websocket_base and port in (None, "443"):
                return known
        raise InvalidSettingError(
            f"{address!r} is refused: an exchange is on this machine (127.0.0.1, localhost or [::1]) or one "
            f"of Binance's own, {LIVE.websocket_base} and {TESTNET.websocket_base}."
        )

    @property
    def title(self) -> str:
        """How to call it at the beginning of a sentence."""
        return "The exchange" if self.is_simulated else "Binance"

    def socket_url(self, route: Route, *, is_unrouted: bool = False) -> str:
        """Return where a combined socket of this route opens; streams are subscribed to afterwards.

        The unrouted path is the one of before 2026-04-23: worth a try where the routed one stays silent.
        """
        # Names in the address would be limited to 8 KB and could not change later.
        return f"{self.websocket_base}/stream" if is_unrouted else f"{self.websocket_base}/{route}/stream"


LIVE = Endpoints("live", "wss://fstream.binance.com", "https://fapi.binance.com")
TESTNET = Endpoints("testnet", "wss://fstream.binancefuture.com", "https://demo-fapi.binance.com")


def stream_name(symbol: str, kind: str) -> str:
    """Return ``btcusdt@aggTrade``: ASCII letters in lower case, others as they are."""
    lower = "".join(letter.lower() if letter.isascii() else letter for letter in symbol)
    return f"{lower}@{kind}"


def streams(route: Route, symbols: Iterable[str]) -> tuple[str, ...]:
    """Return the streams of these symbols on one route."""
    return tuple(stream_name(symbol, kind) for symbol in symbols for kind in STREAM_KINDS[route])
