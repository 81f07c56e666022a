"""The status bar's frames."""

from __future__ import annotations

import pytest

from quantnb.view.protocol import MAX_CLIENTS
from quantnb.view.status import Status
from tests.view.conftest import hole


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
    session.set_state("reconnecting")
    assert listener.take("delta")["data"]["state"] == "reconnecting"


def test_a_later_frame_has_only_what_changed_and_an_empty_one_says_that_the_kernel_is_there(session, status):
    cursor = status.frame(None).cursor
    session.set_state("simulated", lag_ms=9.0)
    frame = status.frame(cursor)
    assert dict(frame.data) == {"lag": 9.0}
    session.set_state("simulated", lag_ms=9.0)
    assert dict(status.frame(frame.cursor).data) == {}


def test_coverage_and_history_stand_in_the_bar(session, status):
    session.set_state("live", coverage=0.99987, history="history: 3 of 7 requests")
    data = status.frame(None).data
    assert (data["coverage"], data["history"]) == ("99.98 % of trades", "history: 3 of 7 requests")
    session.set_state("live", coverage=None)
    assert status.frame(None).data["coverage"] == ""


DETAILS = {"ledger", "streams", "counts", "memory", "latency", "notes"}


@pytest.fixture
def reader(status, browser):
    """A browser that has had its first snapshot."""
    listener = browser(status)
    listener.say("hello")
    listener.say("ack", seq=listener.take("snapshot")["seq"])
    return listener


def test_details_are_sent_once_they_are_open_and_no_longer_than_that(session, reader):
    session.tick()
    delta = reader.take("delta")
    assert not DETAILS & delta["data"].keys()
    reader.say("ack", seq=delta["seq"])
    reader.say("details", open=True)
    delta = reader.take("delta")
    assert delta["data"].keys() == DETAILS
    reader.say("ack", seq=delta["seq"])
    reader.say("details", open=False)
    delta = reader.take("delta")
    reader.say("ack", seq=delta["seq"])
    session.holes = (hole(),)
    session.tick()
    assert not DETAILS & reader.take("delta")["data"].keys()


def test_of_open_details_only_the_sections_that_changed_are_sent(session, reader):
    reader.say("details", open=True)
    reader.say("ack", seq=reader.take("delta")["seq"])
    session.holes = (hole(),)
    session.tick(0)
    delta = reader.take("delta")
    assert DETAILS & delta["data"].keys() == {"ledger"}
    reader.say("ack", seq=delta["seq"])
    session.tick(5)
    assert DETAILS & reader.take("delta")["data"].keys() == {"counts", "latency"}  # it has answered since


def test_how_long_a_browser_takes_to_answer_is_counted_while_its_details_are_open(session, reader):
    session.tick()
    reader.say("ack", seq=reader.take("delta")["seq"])  # nobody reads it yet
    reader.say("details", open=True)
    delta = reader.take("delta")
    assert delta["data"]["latency"]["answered"] == [0, None, None, None]
    assert delta["data"]["latency"]["computed"] == [1_200, 130.0, 240.0, 255.0]
    reader.say("ack", seq=delta["seq"])  # to no new snapshot
    session.tick()
    delta = reader.take("delta")
    assert "latency" not in delta["data"]
    reader.say("ack", seq=delta["seq"] - 1)  # to another one
    reader.say("ack", seq=delta["seq"])
    session.tick()
    n, *shares = reader.take("delta")["data"]["latency"]["answered"]
    assert n == 1
    assert min(shares) == max(shares) >= 20  # as old as the stand-in says its snapshots are


def test_another_browser_s_details_are_its_own(session, status, reader, browser):
    other = browser(status, "other")
    other.say("hello")
    other.say("ack", seq=other.take("snapshot")["seq"])
    other.say("details", open=True)
    assert other.take("delta")["data"].keys() >= DETAILS
    session.tick()
    assert not DETAILS & reader.take("delta")["data"].keys()


def test_a_browser_that_says_hello_again_still_has_its_details_open(reader):
    reader.say("details", open=True)
    reader.sent.clear()
    reader.say("hello")
    assert reader.take("snapshot")["data"].keys() >= DETAILS


@pytest.mark.parametrize("content", [{}, {"open": 1}, {"open": "true"}, {"open": None}, {"open": [True]}])
def test_what_makes_no_sense_opens_nothing(session, reader, content):
    reader.say("details", **content)
    session.tick()
    assert not DETAILS & reader.take("delta")["data"].keys()


def test_readers_are_no_more_than_browsers(status, browser):
    for i in range(3 * MAX_CLIENTS):
        browser(status, f"page-{i}").say("details", open=True)
    assert len(status._readers) <= MAX_CLIENTS + 1


def test_a_closed_widget_no_longer_observes_the_session(session, status, browser):
    listener = browser(status)
    listener.say("hello")
    listener.say("ack", seq=listener.take("snapshot")["seq"])
    status.close()
    session.tick()
    assert listener.sent == []
