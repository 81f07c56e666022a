"""The control panel: the session is the truth, and what it refuses is said."""

from __future__ import annotations

import logging

import pytest

from quantnb.view.controls import ANALYTICS, Controls


@pytest.fixture
def controls(session):
    return Controls(session)


def find(widget, css_class):
    """Return the only widget below ``widget`` with a CSS class."""
    found, queue = [], [widget]
    while queue:
        child = queue.pop()
        queue.extend(getattr(child, "children", ()))
        if css_class in child._dom_classes:
            found.append(child)
    (only,) = found
    return only


def chips(controls):
    return {chip.description.split()[0]: chip for chip in find(controls, "qnb-chips").children}


def enter(controls, symbol):
    """Enter a symbol as a browser does."""
    find(controls, "qnb-symbol-entry")._handle_custom_msg(
        {"kind": "add", "client": "1", "symbol": symbol}, []
    )


def test_start_and_stop_follow_the_session(session, controls):
    button = find(controls, "qnb-start")
    assert button.description == "▶ Start"
    button.click()
    assert session.running
    assert button.description == "■ Stop"
    session.running = False
    assert button.description == "▶ Start"


def test_a_setting_chosen_reaches_the_session(session, controls):
    find(controls, "qnb-timeframe").value = "5m"
    find(controls, "qnb-window-choices").value = 100
    assert (session.timeframe, session.window) == ("5m", 100)


def test_a_setting_changed_from_code_shows(session, controls):
    session.timeframe, session.window, session.pair = "30s", 20, ("SOLUSDT", "BTCUSDT")
    assert find(controls, "qnb-timeframe").value == "30s"
    assert find(controls, "qnb-window-choices").value == find(controls, "qnb-window-entry").value == 20
    assert (find(controls, "qnb-pair-y").value, find(controls, "qnb-pair-x").value) == ("SOLUSDT", "BTCUSDT")


def test_any_window_can_be_typed_and_then_none_of_the_usual_ones_is_marked(session, controls):
    find(controls, "qnb-window-entry").value = 333
    assert session.window == 333
    assert find(controls, "qnb-window-choices").value is None


@pytest.mark.parametrize("window", [-1, 0, 19, 1001])
def test_a_window_out_of_range_is_refused_in_words_and_taken_back(session, controls, window):
    find(controls, "qnb-window-entry").value = window
    assert (session.window, find(controls, "qnb-window-entry").value) == (50, 50)
    assert "20 to 1000" in controls.settings_message.text
    assert controls.settings_message.level == "error"


def test_either_leg_can_be_y(session, controls):
    find(controls, "qnb-swap").click()
    assert session.pair == ("BTCUSDT", "ETHUSDT")
    find(controls, "qnb-pair-x").value = "SOLUSDT"
    assert session.pair == ("BTCUSDT", "SOLUSDT")


def test_choosing_the_other_leg_swaps(session, controls):
    find(controls, "qnb-pair-y").value = "BTCUSDT"
    assert session.pair == ("BTCUSDT", "ETHUSDT")


def test_a_symbol_is_added_however_it_is_typed(session, controls):
    enter(controls, " xrpusdt ")
    assert session.symbols[-1] == "XRPUSDT"
    assert "XRPUSDT" in chips(controls)
    assert "XRPUSDT" in find(controls, "qnb-pair-y").options


def test_completion_offers_what_the_exchange_lists_and_is_not_watched_yet(session, controls):
    assert set(find(controls, "qnb-symbol-entry").offered) == {"XRPUSDT", "1000PEPEUSDT"}
    session.known_symbols = (*session.known_symbols, "ADAUSDT")
    assert "ADAUSDT" in find(controls, "qnb-symbol-entry").offered


@pytest.mark.parametrize(("typed", "sentence"), [("ETHUSD", "did you mean ETHUSDT"), ("ETHUSDT", "already")])
def test_a_symbol_that_cannot_be_added_is_refused_near_its_field(session, controls, typed, sentence):
    enter(controls, typed)
    assert sentence in controls.symbols.message.text
    assert len(session.symbols) == 3


def test_a_chip_removes_its_symbol_and_the_others_stay_as_they_are(session, controls):
    before = chips(controls)
    before["SOLUSDT"].click()
    assert session.symbols == ("BTCUSDT", "ETHUSDT")
    assert chips(controls)["BTCUSDT"] is before["BTCUSDT"]


def test_a_leg_of_the_pair_is_not_removed(session, controls):
    chips(controls)["ETHUSDT"].click()
    assert "leg of the pair" in controls.symbols.message.text
    assert "ETHUSDT" in session.symbols


def test_the_analytics_types_are_the_four_of_the_page(controls):
    dropdown = find(controls, "qnb-analytics")
    assert dropdown.options == ANALYTICS
    dropdown.value = "Correlation Matrix"
    assert controls.analytics == "Correlation Matrix"
    controls.analytics = "Price & Volume"
    assert dropdown.value == "Price & Volume"


def test_adf_says_its_numbers_and_its_table(session, controls):
    session.tick(5, n_bars=60)
    find(controls, "qnb-adf").click()
    text = find(controls, "qnb-adf-result").text
    for part in ("−3.420", "0.0410", "n = 48", "5% −3.37", "Engle–Granger", "MacKinnon 2010", "Cointegrated"):
        assert part in text


def test_adf_without_enough_bars_says_why(controls):
    find(controls, "qnb-adf").click()
    assert find(controls, "qnb-adf-result").text.startswith("The test needs at least 25 bars")


def test_clear_asks_first(session, controls):
    session.tick(5)
    confirm = find(controls, "qnb-clear-confirm")
    assert confirm.layout.display == "none"
    find(controls, "qnb-clear").click()
    assert confirm.layout.display is None
    assert session.snapshot.tape
    find(controls, "qnb-clear-no").click()
    assert session.snapshot.tape
    assert confirm.layout.display == "none"
    find(controls, "qnb-clear").click()
    find(controls, "qnb-clear-yes").click()
    assert session.snapshot.tape == ()


def test_an_unforeseen_failure_is_said_once_and_its_traceback_logged(session, controls, caplog):
    def fail():
        raise ZeroDivisionError("no such clock")

    session.start = fail
    with caplog.at_level(logging.ERROR, "quantnb.view"):
        find(controls, "qnb-start").click()
    assert "no such clock" in controls.settings_message.text
    assert caplog.records[0].exc_info[0] is ZeroDivisionError
