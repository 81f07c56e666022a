"""Settings are checked together, and what is refused names what is valid."""

from __future__ import annotations

import pytest

from quantnb.engine import Settings
from quantnb.errors import InvalidSettingError

GOOD = {"symbols": ("BTCUSDT", "ETHUSDT"), "pair": ("ETHUSDT", "BTCUSDT"), "timeframe": "1s", "window": 50}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"timeframe": "2s"}, "1s, 5s, 30s, 1m, 5m or 15m"),
        ({"window": 19}, "from 20 to 1000"),
        ({"window": 1001}, "from 20 to 1000"),
        ({"window": 50.0}, "whole number"),
        ({"window": True}, "whole number"),
        ({"memory_mb": 0.5}, "is 1 to 65536 MB .* not 0.5"),
        ({"memory_mb": float("nan")}, "not nan"),
        ({"memory_mb": "64"}, "not '64'"),
        ({"memory_mb": True}, "not True"),
        ({"symbols": ("BTCUSDT",), "pair": ("BTCUSDT", "BTCUSDT")}, "2 to 100 symbols"),
        ({"symbols": ("BTCUSDT", "BTCUSDT")}, "more than once"),
        ({"symbols": ("btcusdt", "ETHUSDT")}, "looks like BTCUSDT"),
        ({"symbols": ("BTC USDT", "ETHUSDT")}, "looks like BTCUSDT"),
        ({"symbols": ("<b>X</b>", "ETHUSDT")}, "looks like BTCUSDT"),
        ({"symbols": ("BTCUSDT", "SOLUSDT")}, "ETHUSDT is a leg of the pair"),
        ({"pair": ("ETHUSDT", "ETHUSDT")}, "two different symbols"),
        ({"pair": ("ETHUSDT",)}, "two different symbols"),
    ],
)
def test_an_impossible_setting_is_a_sentence(changes: dict, words: str) -> None:
    with pytest.raises(InvalidSettingError, match=words):
        Settings(**(GOOD | changes))


@pytest.mark.parametrize("symbol", ["1000PEPEUSDT", "BTCUSDT_261225", "币安人生USDT"])
def test_every_spelling_of_the_exchange_is_a_symbol(symbol: str) -> None:
    assert Settings(**(GOOD | {"symbols": (*GOOD["symbols"], symbol)})).symbols[-1] == symbol


def test_the_timeframe_is_known_in_nanoseconds() -> None:
    assert Settings(**(GOOD | {"timeframe": "5m"})).timeframe_ns == 300_000_000_000
