from __future__ import annotations

from quantnb.feed.notes import KEPT, LONGEST, Notes

S = 1_000_000_000


def test_a_note_is_shown_from_the_next_look_for_ten_seconds() -> None:
    notes = Notes()
    notes.add("The computer slept.")
    assert notes.shown(0) == []
    notes.look(100 * S)
    assert notes.shown(109 * S) == ["The computer slept."]
    assert notes.shown(110 * S) == []
    assert notes.kept() == ("The computer slept.",)


def test_the_newest_comes_first_and_twenty_are_kept() -> None:
    notes = Notes()
    for number in range(3 * KEPT):
        notes.add(f"note {number}")
        if number % 7 == 0:
            notes.look(number * S)
    notes.look(60 * S)
    assert notes.kept() == tuple(f"note {number}" for number in range(3 * KEPT - 1, 2 * KEPT - 1, -1))


def test_the_same_note_again_is_one_note_that_stays_longer() -> None:
    notes = Notes()
    notes.add("again")
    notes.look(0)
    notes.add("again")
    notes.look(8 * S)
    assert notes.kept() == ("again",)
    assert notes.shown(15 * S) == ["again"]


def test_a_long_note_is_cut() -> None:
    notes = Notes()
    notes.add("x" * 10_000)
    notes.look(0)
    (text,) = notes.kept()
    assert len(text) == LONGEST
    assert text.endswith("…")
