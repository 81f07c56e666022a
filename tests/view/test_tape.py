"""The tape's frames: each browser gets each row once, in order, and everything when it cannot follow."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.view.lease import Lease
from quantnb.view.tape import Tape


@pytest.fixture
def tape(session, lease):
    return Tape(session, lease=lease)


def sequences(frame):
    return frame.data["rows"]["sequence"]


def test_the_first_frame_has_every_row_newest_first(session, tape):
    session.tick(3)
    frame = tape.frame(None)
    assert frame.data["reset"] is True
    assert sequences(frame) == [3, 2, 1]


def test_a_later_frame_has_only_what_is_new(session, tape):
    session.tick(3)
    cursor = tape.frame(None).cursor
    session.tick(2)
    frame = tape.frame(cursor)
    assert (frame.data["reset"], sequences(frame)) == (False, [5, 4])
    assert tape.frame(frame.cursor) is None


def test_after_clear_the_browser_starts_over_although_sequence_numbers_repeat(session, tape, make_session):
    session.tick(3)
    cursor = tape.frame(None).cursor
    cleared = make_session(first_trade_id=77_000)
    cleared.tick(4)
    session.snapshot = cleared.snapshot
    frame = tape.frame(cursor)
    assert (frame.data["reset"], sequences(frame)) == (True, [4, 3, 2, 1])


def test_an_emptied_tape_empties_the_browser(session, tape):
    session.tick(3)
    cursor = tape.frame(None).cursor
    session.clear()
    frame = tape.frame(cursor)
    assert (frame.data["reset"], sequences(frame)) == (True, [])


def test_a_browser_that_fell_behind_the_tape_starts_over(session, tape):
    session.tick(3)
    cursor = tape.frame(None).cursor
    session.tick(400)
    assert tape.frame(cursor).data["reset"] is True


def test_a_symbol_no_longer_watched_is_told_even_when_nothing_traded(session, tape):
    session.tick(3)
    cursor = tape.frame(None).cursor
    session.symbols = ("BTCUSDT", "ETHUSDT")
    session.tick(0)
    assert set(tape.frame(cursor).data["digits"]) == {"BTCUSDT", "ETHUSDT"}


def test_warming_up_is_none_and_never_nan(session, tape):
    session.tick(2)
    rows = tape.frame(None).data["rows"]
    assert rows["spread"] == rows["zscore"] == rows["change"] == [None, None]
    json.dumps(rows, allow_nan=False)


def test_refresh_sends_the_browser_everything_anew(session, tape, browser):
    session.tick(3)
    listener = browser(tape)
    listener.say("hello")
    listener.say("ack", seq=listener.take("snapshot")["seq"])
    listener.say("refresh")
    assert listener.take("snapshot")["data"]["rows"]["sequence"] == [3, 2, 1]


@settings(deadline=None)
@given(ticks=st.lists(st.integers(0, 30), min_size=1, max_size=8), data=st.data())
def test_whatever_frames_a_browser_is_sent_it_holds_the_tape(make_session, ticks, data):
    """However many snapshots pass between two frames, the rows put together are the session's."""
    session = make_session()
    tape = Tape(session, lease=Lease(clock=lambda: 0.0))
    cursor, held = None, []
    for n_trades in ticks:
        session.tick(n_trades)
        if not data.draw(st.booleans()):
            continue
        frame = tape.frame(cursor)
        if frame is not None:
            cursor = frame.cursor
            held = sequences(frame) + ([] if frame.data["reset"] else held)
        assert held == [row.sequence for row in session.snapshot.tape]
