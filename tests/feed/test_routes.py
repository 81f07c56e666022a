from __future__ import annotations

import pytest

from quantnb.errors import InvalidSettingError
from quantnb.feed.routes import LIVE, TESTNET, Endpoints, stream_name, streams


@pytest.mark.parametrize(
    ("address", "websocket_base", "rest_base"),
    [
        ("ws://127.0.0.1:8765", "ws://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("ws://127.0.0.1:8765/", "ws://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("WS://LocalHost:80", "ws://localhost:80", "http://localhost:80"),
        ("wss://localhost:8443", "wss://localhost:8443", "https://localhost:8443"),
        ("ws://[::1]:8765", "ws://[::1]:8765", "http://[::1]:8765"),
        ("ws://localhost", "ws://localhost", "http://localhost"),
    ],
)
def test_an_exchange_on_this_machine_has_rest_on_the_same_port(
    address: str, websocket_base: str, rest_base: str
) -> None:
    endpoints = Endpoints.at(address)
    assert endpoints == Endpoints(websocket_base, websocket_base, rest_base, is_simulated=True)


def test_binance_by_its_address_is_binance() -> None:
    assert Endpoints.at("wss://fstream.binance.com") is LIVE
    assert Endpoints.at("wss://fstream.binance.com:443/") is LIVE
    assert Endpoints.at("wss://fstream.binancefuture.com") is TESTNET
    assert not LIVE.is_simulated
    assert not TESTNET.is_simulated


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1:8765",
        "http://127.0.0.1:8765",
        "ws://",
        "ws://127.0.0.1:0",
        "ws://127.0.0.1:70000",
        "ws://127.0.0.1:8765/market",
        "ws://127.0.0.1:8765?x=1",
        "ws://127.0.0.1:8765#x",
        "ws://user:secret@127.0.0.1:8765",
        "ws://127.0.0.1 :8765",
        "ws://127.0.0.1:8765\n",
        "ws://127.0.0.1:8765\\@evil.example",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(InvalidSettingError, match=r"looks like ws://127\.0\.0\.1:8765"):
        Endpoints.at(address)


@pytest.mark.parametrize(
    "address",
    [
        "ws://fstream.binance.com",  # plain text across the internet
        "wss://fstream.binance.com:8443",
        "wss://binance.com.evil.example",
        "wss://stream.binance.com",  # spot
        "ws://10.0.0.1:80",
        "wss://192.168.1.1",
        "ws://169.254.169.254:80",
        "ws://[fd00::1]:80",
        "ws://127.0.0.1.evil.example:80",
        "ws://localhost.evil.example:80",
        "wss://0.0.0.0:80",
    ],
)
def test_other_hosts_are_refused_with_the_allowed_ones(address: str) -> None:
    with pytest.raises(InvalidSettingError, match=r"refused.*localhost.*fstream\.binance\.com"):
        Endpoints.at(address)


def test_stream_names_are_in_lower_case_for_ascii_only() -> None:
    assert stream_name("BTCUSDT", "aggTrade") == "btcusdt@aggTrade"
    assert stream_name("1000SHIBUSDT", "markPrice@1s") == "1000shibusdt@markPrice@1s"
    assert stream_name("BTCUSDT_261225", "bookTicker") == "btcusdt_261225@bookTicker"
    assert stream_name("币安人生USDT", "aggTrade") == "币安人生usdt@aggTrade"
    assert stream_name("ΩUSDT", "aggTrade") == "Ωusdt@aggTrade"


def test_each_stream_goes_to_the_route_that_delivers_it() -> None:
    symbols = ("BTCUSDT", "ETHUSDT")
    assert streams("market", symbols) == (
        "btcusdt@aggTrade",
        "btcusdt@markPrice@1s",
        "ethusdt@aggTrade",
        "ethusdt@markPrice@1s",
    )
    assert streams("public", symbols) == ("btcusdt@bookTicker", "ethusdt@bookTicker")


def test_a_socket_opens_bare_and_combined() -> None:
    assert LIVE.socket_url("market") == "wss://fstream.binance.com/market/stream"
    assert LIVE.socket_url("public") == "wss://fstream.binance.com/public/stream"


def test_the_path_of_before_the_split_has_no_route() -> None:
    assert LIVE.socket_url("market", is_unrouted=True) == "wss://fstream.binance.com/stream"


def test_a_sentence_names_binance_only_where_it_is_binance() -> None:
    assert LIVE.title == TESTNET.title == "Binance"
    assert Endpoints.at("ws://127.0.0.1:1").title == "The exchange"
