"""The status bar's frames."""

from __future__ import annotations

import pytest

from quantnb.view.status import Status


@pytest.fixture
def status(session, lease):
    return Status(session, lease=lease)


def test_a_frame_says_how_the_feed_is(session, status):
    session.set_state("reconnecting", retry_in_s=3.5, last_trade_age_s=12.0, lag_ms=None)
    data = status.frame(None).data
    assert (data["state"], data["retry"], data["age"], data["lag"]) == ("reconnecting", 3.5, 12.0, None)
    assert data["reason"].startswith("Binance cannot be reached")


def test_a_simulated_market_is_named_in_every_state(session, status):
    for state in ("connecting", "stale", "blocked", "stopped", "simulated"):
        session.set_state(state)
        assert status.frame(None).data["simulated"] is True


def test_the_same_snapshot_is_told_once(session, status):
    cursor = status.frame(None).cursor
    assert status.frame(cursor) is None
    session.tick()
    assert status.frame(cursor) is not None


def test_a_browser_that_says_hello_is_told_at_once_and_again_after_each_snapshot(session, status, browser):
    listener = browser(status)
    listener.say("hello")
    first = listener.take("snapshot")
    listener.say("ack", seq=first["seq"])
    session.tick()
    assert listener.take("delta")["data"]["counts"]["received"] == 5


def test_a_closed_widget_no_longer_observes_the_session(session, status, browser):
    listener = browser(status)
    listener.say("hello")
    listener.say("ack", seq=listener.take("snapshot")["seq"])
    status.close()
    session.tick()
    assert listener.sent == []
