"""The alerts panel: what it shows, and what it lets a browser do."""

from __future__ import annotations

import asyncio

import pytest

from quantnb.errors import InvalidSettingError
from quantnb.view.alerts import Alerts

RULE = {"kind": "price_change", "threshold": 0.5, "symbol": "ETHUSDT", "severity": "critical"}
RULE |= {"span_s": 30, "cooldown_s": 10}


@pytest.fixture
def panel(session, lease):
    return Alerts(session, lease=lease)


def test_a_browser_adds_a_rule(session, panel, browser):
    listener = browser(panel)
    listener.say("add_rule", rule=RULE)
    (rule,) = session.snapshot.rules
    assert (rule.kind, rule.threshold, rule.symbol, rule.severity) == (
        "price_change",
        0.5,
        "ETHUSDT",
        "critical",
    )
    assert (rule.span_s, rule.cooldown_s) == (30.0, 10.0)
    assert listener.take("said") == {"to": "browser", "kind": "said", "text": "Rule added.", "level": "info"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"threshold": None}, "threshold must be a number"),
        ({"threshold": "2"}, "threshold must be a number"),
        ({"threshold": True}, "threshold must be a number"),
        ({"threshold": -1}, "number above 0"),
        ({"kind": "volume"}, "A rule watches"),
        ({"severity": "<b>"}, "severity is"),
        ({"span_s": 0}, "looks back"),
        ({"cooldown_s": -1}, "cooldown"),
        ({"kind": ["zscore"]}, "A rule watches"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_words_to_the_one_who_asked(
    session, panel, browser, change, sentence
):
    listener = browser(panel)
    listener.say("add_rule", rule=RULE | change)
    said = listener.take("said")
    assert sentence in said["text"]
    assert said["level"] == "error"
    assert session.snapshot.rules == ()


def test_a_rule_in_the_list_is_said_in_words(session, panel):
    session.add_rule("zscore", 2.0)
    assert panel.frame(None).data["rules"][0]["text"] == "|z-score| of the pair reaches 2"


def test_a_browser_removes_a_rule_and_an_alert(session, panel, browser):
    rule = session.add_rule("zscore", 2.0)
    alert = session.fire(rule)
    listener = browser(panel)
    listener.say("remove_alert", id=alert.alert_id)
    assert session.snapshot.alerts == ()
    listener.say("remove_rule", id=rule.rule_id)
    assert session.snapshot.rules == ()


def test_alerts_come_newest_first_with_time_symbol_value_and_severity(session, panel):
    rule = session.add_rule("zscore", 2.0, severity="critical")
    session.fire(rule, 2.5)
    session.fire(rule, -3.5)
    first, second = panel.frame(None).data["alerts"]
    assert (first["value"], second["value"]) == (-3.5, 2.5)
    assert (first["symbol"], first["severity"]) == ("ETHUSDT/BTCUSDT", "critical")
    assert first["time"] == session.snapshot.alerts[0].time_ns // 1_000_000


def test_nothing_is_sent_while_rules_and_alerts_stay_the_same(session, panel):
    cursor = panel.frame(None).cursor
    session.tick()
    assert panel.frame(cursor) is None
    session.add_rule("zscore", 2.0)
    assert panel.frame(cursor) is not None


@pytest.mark.parametrize("content", [{}, {"id": "1"}, {"id": None}, {"rule": [1]}, {"id": [1]}])
@pytest.mark.parametrize("kind", ["remove_rule", "remove_alert", "add_rule", "eval"])
def test_what_makes_no_sense_changes_nothing(session, panel, browser, kind, content):
    session.fire(session.add_rule("zscore", 2.0))
    before = (session.snapshot.rules, session.snapshot.alerts)
    browser(panel).say(kind, **content)
    assert (session.snapshot.rules, session.snapshot.alerts) == before


def test_an_alert_says_what_caused_it_and_how_it_is_computed_again(session, panel, browser):
    alert = session.fire(session.add_rule("zscore", 2.0))
    assert panel.frame(None).data["alerts"][0]["cause"] == ""
    listener = browser(panel)
    listener.say("reproduce", what=alert.alert_id)
    assert listener.take("recipe")["code"] == f"session.{alert.alert_id}\n"
    listener.say("reproduce", what=99)
    assert listener.take("recipe")["problem"] == "There is no 99."


async def previewed(panel, listener, **rule):
    listener.say("preview", rule=RULE | rule, exit=0.5)
    await asyncio.gather(*panel._previews)


async def test_a_browser_sees_what_a_rule_would_have_done_before_it_is_saved(session, panel, browser):
    session.tick(5, 300)
    await previewed(panel, browser(panel), kind="zscore", threshold=0.5, symbol="")
    shown = panel.frame(None).data["preview"]
    assert shown["rule"] == "|z-score| of the pair reaches 0.5"
    assert shown["words"] == session.preview.words
    assert session.snapshot.rules == ()


async def test_a_rule_that_is_added_or_a_word_from_the_browser_clears_the_preview(session, panel, browser):
    session.tick(5, 300)
    listener = browser(panel)
    for content in ({"kind": "add_rule", "rule": RULE}, {"kind": "clear_preview"}):
        await previewed(panel, listener)
        assert panel.frame(None).data["preview"] is not None
        listener.say(**content)
        assert panel.frame(None).data["preview"] is None


@pytest.mark.parametrize(
    "content", [{"rule": RULE, "exit": "0.5"}, {"rule": RULE | {"kind": "x"}, "exit": 0.5}]
)
async def test_a_preview_that_cannot_be_is_refused_in_words(panel, browser, content):
    listener = browser(panel)
    listener.say("preview", **content)
    assert listener.take("said")["level"] == "error"


async def test_a_preview_that_fails_says_so_and_the_panel_goes_on(session, panel, browser, monkeypatch):
    def fail(_inputs):
        raise InvalidSettingError("The window is too short.")

    monkeypatch.setattr("quantnb.engine.preview.PreviewInputs.run", fail)
    listener = browser(panel)
    await previewed(panel, listener)
    assert listener.sent[-1][0] == {
        "to": "browser", "kind": "said", "text": "The window is too short.", "level": "error",
    }  # fmt: skip
