"""Which exchange a session uses: Binance where it can be reached, else the local one, and why."""

from __future__ import annotations

from dataclasses import dataclass

from quantnb.errors import FeedError, InvalidSettingError
from quantnb.feed.routes import LIVE, TESTNET, Endpoints
from quantnb.live.ban import Ban
from quantnb.live.clock import SystemClock
from quantnb.live.rest import Rest

__all__ = ["FEEDS", "Choice", "check_feed", "choose"]

FEEDS = ("auto", "live", "testnet", "sim")
PROBE_WITHIN_S = 3.0

_IN_ITS_PLACE = "The local exchange takes its place."


@dataclass(frozen=True, slots=True)
class Choice:
    """An exchange, or None for the local one that the session starts; and a sentence that says why."""

    endpoints: Endpoints | None
    reason: str


def check_feed(feed: str) -> str:
    """Return the name of a feed, checked.

    Raises
    ------
    InvalidSettingError
        The message names the valid ones.
    """
    if feed in FEEDS:
        return feed
    if isinstance(feed, str) and "://" in feed:
        Endpoints.at(feed)
        return feed
    raise InvalidSettingError(
        f"The feed is {', '.join(FEEDS)} or an exchange's own address such as ws://127.0.0.1:8765, "
        f"not {feed!r}."
    )


async def choose(
    feed: str,
    *,
    binance: Endpoints = LIVE,
    probe_timeout_s: float = PROBE_WITHIN_S,
    ban: Ban | None = None,
) -> Choice:
    """Return the exchange for a feed; only ``"auto"`` asks the network, and not while Binance forbids it.

    Raises
    ------
    InvalidSettingError
        For a feed that does not exist.
    """
    match check_feed(feed):
        case "auto":
            return await _probe(binance, probe_timeout_s, ban or Ban.of(binance, SystemClock()))
        case "live":
            return Choice(LIVE, "")
        case "testnet":
            return Choice(TESTNET, "Binance's testnet: its prices are not the market's.")
        case "sim":
            return Choice(None, "Local exchange, as asked for.")
        case address:
            return Choice(Endpoints.at(address), "")


async def _probe(binance: Endpoints, timeout_s: float, ban: Ban) -> Choice:
    try:
        async with Rest(binance, timeout_s=timeout_s, ban=ban) as rest:
            await rest.ping()
    except FeedError as error:
        return Choice(None, f"{error} {_IN_ITS_PLACE}")
    return Choice(binance, "")
