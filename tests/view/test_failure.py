"""A panel that raises: told once where it stands, logged once, and nobody else's trouble."""

from __future__ import annotations

import pytest

from quantnb.view.failure import MAX_CHARACTERS, Failures
from quantnb.view.price import PriceChart
from quantnb.view.tape import Tape
from quantnb.view.tiles import Tiles
from tests.view.browser_stub import Browser

SENTENCE = (
    "This panel failed: ZeroDivisionError: division by zero; the feed goes on. The log has the details."
)


def fail(*_: object) -> None:
    raise ZeroDivisionError("division by zero")


def show(widget: object, name: str = "page") -> Browser:
    return Browser(widget, name).hello()


def kinds(browser: Browser) -> list[str]:
    return [content["kind"] for content in browser.take()]


def test_it_is_told_once_in_place_of_a_frame_and_logged_once(session, lease, monkeypatch, caplog):
    tiles = Tiles(session, lease=lease)
    monkeypatch.setattr(tiles, "frame", fail)
    browser = show(tiles)
    for _ in range(5):
        session.tick()
    assert browser.take() == [{"to": "page", "kind": "failed", "text": SENTENCE}]
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is not None


def test_the_session_and_the_other_panels_go_on(session, lease, monkeypatch):
    broken, tape = Tiles(session, lease=lease), Tape(session, lease=lease)
    monkeypatch.setattr(broken, "frame", fail)
    show(broken)
    browser = show(tape).acknowledge()
    browser.take()
    session.tick()
    assert kinds(browser) == ["delta"]


def test_it_recovers_by_itself_with_the_next_frame(session, lease, monkeypatch):
    tiles = Tiles(session, lease=lease)
    browser = show(tiles).acknowledge()
    with monkeypatch.context() as patch:
        patch.setattr(tiles, "frame", fail)
        session.tick()
        browser.take()
    session.tick()
    assert kinds(browser) == ["delta"]


def test_words_that_no_longer_hold_are_taken_back_though_there_is_nothing_new(session, lease, monkeypatch):
    tiles = Tiles(session, lease=lease)
    browser = show(tiles).acknowledge()
    with monkeypatch.context() as patch:
        patch.setattr(tiles, "frame", fail)
        tiles.publish()
        browser.take()
    tiles.publish()
    tiles.publish()
    assert browser.take() == [{"to": "page", "kind": "failed", "text": ""}]


def test_every_browser_is_told(session, lease, monkeypatch):
    chart = PriceChart(session, lease=lease)
    monkeypatch.setattr(chart, "draw", fail)
    session.tick()
    first, second = show(chart.figure), show(chart.figure, "other")
    session.tick()
    assert kinds(first) == kinds(second) == ["failed"]


def test_a_chart_that_fails_does_not_keep_the_page_from_appearing(session, lease, monkeypatch):
    chart = PriceChart(session, lease=lease)
    monkeypatch.setattr(chart, "draw", fail)
    assert "PriceChart" in repr(chart)


def test_a_message_that_cannot_be_sent_is_no_one_else_s_trouble(session, lease):
    tiles = Tiles(session, lease=lease)
    tiles.send = fail
    tiles._handle_custom_msg({"kind": "hello", "client": "page"}, [])
    session.tick()
    assert session.snapshot.status.counts["received"] == 5


def test_a_request_that_makes_a_panel_fail_is_logged(session, lease, monkeypatch, caplog):
    tape = Tape(session, lease=lease)
    monkeypatch.setattr(tape, "receive", fail)
    show(tape).say("refresh")
    assert "division by zero" in caplog.text


@pytest.mark.parametrize("error", [ValueError("x" * 10_000), ValueError()])
def test_the_words_are_short(error):
    words = Failures().note(error)
    assert words.startswith("This panel failed: ValueError")
    assert len(words) < MAX_CHARACTERS + 80
