"""The field of symbols: what cannot be watched goes back to the browser that asked."""

from __future__ import annotations

import pytest

from quantnb.view.symbols import SymbolEntry


@pytest.fixture
def entered():
    return []


@pytest.fixture
def entry(entered):
    return SymbolEntry(lambda symbol: entered.append(symbol) or symbol.startswith("X"))


def test_what_is_entered_while_the_last_one_is_under_way_is_not_lost(entry, entered, browser):
    listener = browser(entry)
    for symbol in ("XRPUSDT", "XLMUSDT"):
        listener.say("add", symbol=symbol)
    assert entered == ["XRPUSDT", "XLMUSDT"]
    assert listener.sent == []


def test_what_is_refused_goes_back_into_the_field(entry, browser):
    listener = browser(entry)
    listener.say("add", symbol="ETHUSD")
    assert listener.take("refused")["symbol"] == "ETHUSD"


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        {"kind": "add"},
        {"kind": "add", "client": "1", "symbol": ["X"]},
        {"kind": "add", "symbol": "X"},
    ],
)
def test_a_message_that_makes_no_sense_adds_nothing(entry, entered, content):
    entry._handle_custom_msg(content, [])
    assert entered == []
