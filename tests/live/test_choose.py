from __future__ import annotations

from typing import Any

import pytest

from quantnb.errors import InvalidSettingError
from quantnb.feed.routes import LIVE, TESTNET, Endpoints
from quantnb.live.ban import Ban
from quantnb.live.choose import Choice, check_feed, choose
from tests.live.clocks import ManualClock
from tests.live.server import FakeExchange, Refusal


def binance_at(exchange: FakeExchange) -> Endpoints:
    """Return a Binance that is really the test's exchange."""
    local = exchange.endpoints
    return Endpoints("live", local.websocket_base, local.rest_base)


@pytest.mark.parametrize("feed", ["auto", "live", "testnet", "sim", "ws://127.0.0.1:8765"])
def test_a_feed_that_exists_passes(feed: str) -> None:
    assert check_feed(feed) == feed


@pytest.mark.parametrize("feed", ["", "binance", "LIVE", "127.0.0.1:8765", None, 7, ["live"]])
def test_any_other_feed_is_refused_with_the_names(feed: Any) -> None:
    with pytest.raises(InvalidSettingError, match=r"auto, live, testnet, sim or .* ws://127"):
        check_feed(feed)


def test_an_address_elsewhere_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="refused"):
        check_feed("ws://10.0.0.1:80")


@pytest.mark.parametrize(
    ("feed", "endpoints"),
    [
        ("live", LIVE),
        ("testnet", TESTNET),
        ("sim", None),
        ("ws://127.0.0.1:8765", Endpoints.at("ws://127.0.0.1:8765")),
    ],
)
async def test_what_is_named_is_taken_without_asking(feed: str, endpoints: Endpoints | None) -> None:
    assert (await choose(feed)).endpoints == endpoints


async def test_auto_takes_binance_where_it_answers(exchange: FakeExchange) -> None:
    exchange.refusal = Refusal(200, b"{}")
    binance = binance_at(exchange)
    assert await choose("auto", binance=binance) == Choice(binance, "")


async def test_auto_takes_the_local_exchange_where_binance_refuses(exchange: FakeExchange) -> None:
    exchange.refusal = Refusal(451)
    choice = await choose("auto", binance=binance_at(exchange))
    assert choice == Choice(
        None,
        "Binance is not available from this location (HTTP 451). The local exchange takes its place.",
    )


async def test_auto_takes_the_local_exchange_where_nobody_answers(exchange: FakeExchange) -> None:
    await exchange.stop()
    choice = await choose("auto", binance=binance_at(exchange))
    assert choice.endpoints is None
    assert choice.reason.startswith("Binance cannot be reached (")


async def test_auto_remembers_that_it_was_asked_to_wait(exchange: FakeExchange) -> None:
    exchange.refusal = Refusal(418, Retry_After="720")
    ban = Ban(ManualClock())
    first = await choose("auto", binance=binance_at(exchange), ban=ban)
    second = await choose("auto", binance=binance_at(exchange), ban=ban)
    assert exchange.n_requests == 1
    assert ban.remaining_s() == 720.0
    assert first == second
    assert first.reason == (
        "This address is banned for too many requests (HTTP 418). The local exchange takes its place."
    )


async def test_a_feed_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidSettingError):
        await choose("binance")
