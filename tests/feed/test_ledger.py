from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.events import Event, Gap, Recovered, Trade
from quantnb.feed.holes import HOLES_KEPT, TOO_MANY
from quantnb.feed.ledger import (
    DISCONNECTED,
    NOT_WATCHED,
    NUMBERED_ANEW,
    RENUMBERED,
    ROWS_KEPT,
    SILENT,
    SKIPPED,
    Ledger,
    Span,
    Wanted,
)
from quantnb.feed.unused import Duplicate
from tests.feed.frames import RECEIVE_NS, trade

SYMBOL = "BTCUSDT"
START_MS = 1791382990000


def at(trade_id: int) -> Trade:
    """Return the trade that the exchange numbered so: ten a second."""
    return trade(trade_id, event_ms=START_MS + 100 * trade_id)


def fold(ledger: Ledger, *ids: int, symbol: str = SYMBOL) -> list[Event]:
    return [event for trade_id in ids for event in ledger.receive(trade(trade_id, symbol=symbol))]


def stream(ledger: Ledger, *ids: int) -> list[Event]:
    return [event for trade_id in ids for event in ledger.receive(at(trade_id))]


def page(ledger: Ledger, *ids: int) -> list[int]:
    """Recover a page, and return the ids that had been missing."""
    events = ledger.recover(SYMBOL, [at(trade_id) for trade_id in ids])
    assert all(isinstance(event, Recovered) and event.source == "rest" for event in events)
    return [each.trade_id for event in events if isinstance(event, Recovered) for each in event.trades]


def missing(ledger: Ledger) -> list[tuple[int, int]]:
    return [(hole.first_missing_id, hole.last_missing_id) for hole in ledger.holes()]


# The stream ---------------------------------------------------------------------------------------------


def test_consecutive_ids_pass_as_they_are() -> None:
    assert fold(Ledger(), 7, 8, 9) == [trade(7), trade(8), trade(9)]


def test_a_gap_stands_before_the_trade_that_reveals_it() -> None:
    ledger = Ledger()
    before, after = trade(9, event_ms=1791382992000), trade(12, event_ms=1791382993000)
    assert ledger.receive(before) == (before,)
    gap = Gap("BTCUSDT", 10, 11, before.event_ns, after.event_ns, SKIPPED)
    assert ledger.receive(after) == (gap, after)


def test_a_repeated_trade_is_a_duplicate() -> None:
    kinds = [type(event) for event in fold(Ledger(), 7, 8, 8, 7, 9)]
    assert kinds == [Trade, Trade, Duplicate, Duplicate, Trade]


def test_a_trade_out_of_a_declared_hole_is_recovered_once() -> None:
    ledger = Ledger()
    events = fold(ledger, 7, 11, 9, 9, 8, 10, 10, 12)
    kinds = [type(event) for event in events]
    assert kinds == [
        Trade,
        Gap,
        Trade,
        Recovered,
        Duplicate,
        Recovered,
        Recovered,
        Duplicate,
        Trade,
    ]
    assert events[3] == Recovered(SYMBOL, (trade(9),), "stream")
    assert (ledger.holes(), ledger.coverage()) == ((), 1.0)


def test_a_trade_from_before_the_first_one_is_not_new() -> None:
    assert isinstance(fold(Ledger(), 7, 5)[1], Duplicate)


def test_symbols_have_ledgers_of_their_own() -> None:
    ledger = Ledger()
    assert fold(ledger, 7, 8) + fold(ledger, 100, 101, symbol="ETHUSDT") == [
        trade(7),
        trade(8),
        trade(100, symbol="ETHUSDT"),
        trade(101, symbol="ETHUSDT"),
    ]


def test_a_gap_after_a_lost_connection_names_it_and_the_next_does_not() -> None:
    ledger = Ledger()
    fold(ledger, 7)
    ledger.connection_lost()
    causes = [event.cause for event in fold(ledger, 10, 20) if isinstance(event, Gap)]
    assert causes == [DISCONNECTED, SKIPPED]


def test_a_lost_connection_that_missed_nothing_is_forgotten() -> None:
    ledger = Ledger()
    fold(ledger, 7)
    ledger.connection_lost()
    causes = [event.cause for event in fold(ledger, 8, 20) if isinstance(event, Gap)]
    assert causes == [SKIPPED]


def test_a_forgotten_symbol_starts_over() -> None:
    ledger = Ledger()
    fold(ledger, 7)
    ledger.forget("BTCUSDT")
    ledger.forget("NEVERSEEN")
    assert fold(ledger, 100) == [trade(100)]


def test_an_exchange_that_numbers_anew_is_not_all_duplicates() -> None:
    ledger = Ledger()
    before = trade(1_000_000, event_ms=1791382990000)
    ledger.receive(before)
    first, second = trade(5, event_ms=1791383050000), trade(6, event_ms=1791383050100)
    gap = Gap("BTCUSDT", 5, 4, before.event_ns, first.event_ns, RENUMBERED)
    assert ledger.receive(first) == (gap, first)  # what happened in between cannot be known
    assert ledger.receive(second) == (second,)


def test_one_wrong_id_does_not_silence_a_symbol() -> None:
    ledger = Ledger()
    times_ms = range(1791382990000, 1791382995000, 500)
    events = [
        type(event)
        for number, event_ms in enumerate(times_ms)
        for event in ledger.receive(trade(10**15 if number == 1 else number, event_ms=event_ms))
    ]
    assert events == [Trade, Gap, Trade, Recovered, Recovered, Gap] + [Trade] * 6
    assert ledger.coverage() == 10 / 11  # id 1 is missing: its trade came under the wrong one
    assert not ledger.holes()


def test_what_was_missing_before_a_new_numbering_is_lost() -> None:
    ledger = Ledger()
    stream(ledger, 1_000_000, 1_000_003)
    ledger.receive(trade(5, event_ms=START_MS + 100 * 1_000_003 + 2_000))
    assert ledger.holes() == ()
    newest, older = ledger.rows()
    assert (newest.cause, newest.state, newest.n_missing) == (RENUMBERED, "lost", 0)
    assert (older.state, older.n_missing, older.why) == ("lost", 2, NUMBERED_ANEW)
    assert ledger.coverage() == 3 / 5


def test_a_lost_connection_may_concern_some_symbols_only() -> None:
    ledger = Ledger()
    for symbol in ("BTCUSDT", "ETHUSDT"):
        fold(ledger, 7, symbol=symbol)
    ledger.connection_lost(["ETHUSDT", "NEVERSEEN"])
    gaps = [fold(ledger, 10, symbol=symbol)[0] for symbol in ("BTCUSDT", "ETHUSDT")]
    assert [gap.cause for gap in gaps if isinstance(gap, Gap)] == [SKIPPED, DISCONNECTED]


# Pages from REST ----------------------------------------------------------------------------------------


def test_a_page_gives_what_was_missing_and_passes_over_what_was_known() -> None:
    ledger = Ledger()
    stream(ledger, 1, 2, 6, 7)
    assert page(ledger, *range(1, 8)) == [3, 4, 5]
    assert page(ledger, *range(1, 8)) == []
    (row,) = ledger.rows()
    assert (row.state, row.n_missing, row.why) == ("closed", 0, "")


def test_a_hole_splits_and_shrinks_and_keeps_the_times_on_both_sides() -> None:
    ledger = Ledger()
    stream(ledger, 10, 20)
    assert page(ledger, 14) == [14]
    assert page(ledger, 11, 19) == [11, 19]
    assert missing(ledger) == [(12, 13), (15, 18)]
    assert [(hole.start_ns, hole.end_ns) for hole in ledger.holes()] == [
        (at(11).event_ns, at(14).event_ns),
        (at(14).event_ns, at(19).event_ns),
    ]
    (row,) = ledger.rows()
    assert (row.first_missing_id, row.last_missing_id, row.state, row.n_missing) == (11, 19, "open", 6)


def test_a_trade_with_a_time_of_its_own_does_not_fill_a_hole() -> None:
    ledger = Ledger()
    stream(ledger, 10, 12)
    other = trade(11, event_ms=START_MS - 3_600_000)
    assert ledger.recover(SYMBOL, [other]) == ()
    assert missing(ledger) == [(11, 11)]


def test_a_page_of_a_symbol_that_nobody_watches_is_nothing() -> None:
    assert Ledger().recover(SYMBOL, [at(1)]) == ()


def test_what_follows_the_newest_trade_is_recovered_from_a_silent_stream() -> None:
    ledger = Ledger()
    stream(ledger, 1, 2)
    assert page(ledger, 2, 3, 4) == [3, 4]
    assert page(ledger, 5, 6) == [5, 6]
    assert page(ledger, 9) == []  # 7 and 8 are not known
    assert [type(event) for event in stream(ledger, 4, 7)] == [Duplicate, Trade]
    (row,) = ledger.rows()
    assert (row.first_missing_id, row.last_missing_id, row.cause, row.state) == (3, 6, SILENT, "closed")
    assert ledger.coverage() == 1.0


def test_what_cannot_be_had_stays_missing_with_its_reason() -> None:
    ledger = Ledger()
    stream(ledger, 1, 11)
    ledger.give_up(SYMBOL, 2, 4, "too old")
    assert missing(ledger) == [(5, 10)]
    assert [(row.state, row.n_missing, row.why) for row in ledger.rows()] == [("open", 9, "")]
    assert page(ledger, *range(5, 11)) == list(range(5, 11))
    assert [(row.state, row.n_missing, row.why) for row in ledger.rows()] == [("lost", 3, "too old")]
    assert ledger.coverage() == 8 / 11


def test_what_was_given_up_and_comes_all_the_same_is_no_duplicate() -> None:
    ledger = Ledger()
    stream(ledger, 1, 4)
    ledger.give_up(SYMBOL, 2, 3, "the exchange has none")
    assert isinstance(stream(ledger, 2)[0], Recovered)
    assert page(ledger, 3) == [3]
    assert ledger.rows()[0].state == "closed"
    assert ledger.rows()[0].why == ""


def test_a_hole_just_found_may_be_left_to_the_stream() -> None:
    ledger = Ledger()
    fold(ledger, 1, 3)  # received at the same moment
    received_ns = trade(3).receive_ns
    assert ledger.holes(received_ns + 999_999_999) == ()
    assert len(ledger.holes(received_ns + 1_000_000_000)) == 1
    assert len(ledger.holes(received_ns - 3_600_000_000_000)) == 1  # the clock was set back


def test_the_holes_and_the_log_are_bounded() -> None:
    ledger = Ledger()
    fold(ledger, *range(0, 4 * HOLES_KEPT, 2))
    assert len(ledger.holes()) == HOLES_KEPT
    assert isinstance(fold(ledger, 1)[0], Duplicate)
    assert isinstance(fold(ledger, 4 * HOLES_KEPT - 3)[0], Recovered)
    assert len(ledger.rows()) == ROWS_KEPT
    assert ledger.rows()[0].first_missing_id == 4 * HOLES_KEPT - 3
    fold(ledger, 4 * HOLES_KEPT)
    held = 2 * HOLES_KEPT + 2
    assert ledger.coverage() == held / (4 * HOLES_KEPT + 1)


def test_of_too_many_ranges_the_oldest_is_lost() -> None:
    ledger = Ledger()
    fold(ledger, 0, *range(10, 10 + 2 * HOLES_KEPT - 2, 2))  # 1-9, 11, 13, ...
    ledger.recover(SYMBOL, [trade(3), trade(6)])
    assert missing(ledger)[:3] == [(4, 5), (7, 9), (11, 11)]
    ledger.recover(SYMBOL, [trade(4), trade(5), trade(7), trade(8), trade(9)])
    oldest = ledger.rows()[-1]
    assert (oldest.first_missing_id, oldest.last_missing_id) == (1, 9)
    assert (oldest.state, oldest.n_missing, oldest.why) == ("lost", 2, TOO_MANY)


# History ------------------------------------------------------------------------------------------------


def test_history_is_recovered_backwards_until_a_trade_before_the_wanted_time() -> None:
    ledger = Ledger()
    ledger.want(SYMBOL, 0)  # before its first trade nothing can be wanted
    assert ledger.wanted(SYMBOL) is None
    stream(ledger, 100)
    assert page(ledger, 98, 99) == []  # nobody wanted it
    ledger.want(SYMBOL, at(95).event_ns)
    assert ledger.wanted(SYMBOL) == Wanted(SYMBOL, 100, at(100).event_ns, at(95).event_ns)
    assert page(ledger, 97, 98, 99, 100) == [97, 98, 99]
    assert page(ledger, 90, 91) == []  # a hole would be between
    assert page(ledger, 95, 96) == [95, 96]
    assert ledger.wanted(SYMBOL) is not None  # others of the same time may lie before
    assert page(ledger, 94) == [94]
    assert ledger.wanted(SYMBOL) is None


def test_history_is_neither_a_loss_nor_covered() -> None:
    ledger = Ledger()
    stream(ledger, 100, 102)
    ledger.want(SYMBOL, at(50).event_ns)
    assert ledger.coverage() == 2 / 3
    page(ledger, *range(90, 100))
    assert ledger.coverage() == 2 / 3
    assert missing(ledger) == [(101, 101)]
    assert len(ledger.rows()) == 1


def test_history_that_ended_is_wanted_no_more() -> None:
    ledger = Ledger()
    stream(ledger, 100)
    ledger.want(SYMBOL, at(50).event_ns)
    ledger.end_history(SYMBOL, "there is none")
    assert ledger.wanted(SYMBOL) is None
    ledger.want(SYMBOL, at(10).event_ns)
    assert ledger.wanted(SYMBOL) is None
    assert page(ledger, 99) == []


def test_a_symbol_watched_again_starts_anew() -> None:
    ledger = Ledger()
    stream(ledger, 10, 12)
    ledger.want(SYMBOL, 0)
    ledger.forget(SYMBOL)
    ledger.forget("NEVERSEEN")
    assert page(ledger, 9, 11) == []
    assert [(row.state, row.why) for row in ledger.rows()] == [("lost", NOT_WATCHED)]
    assert ledger.span(SYMBOL) is None
    stream(ledger, 50, 51)
    assert ledger.span(SYMBOL) == Span(50, at(50).event_ns, 51, at(51).event_ns)
    assert page(ledger, 11, 49) == []
    assert ledger.coverage() == 4 / 5


def test_before_any_trade_nothing_is_covered() -> None:
    assert Ledger().coverage() is None


# Whatever happens ---------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 60), min_size=1, max_size=120))
def test_every_trade_is_accounted_for_whatever_the_order(ids: list[int]) -> None:
    ledger = Ledger()
    events = fold(ledger, *ids)
    stored = [event.trade_id for event in events if isinstance(event, Trade)]
    late = [each.trade_id for event in events if isinstance(event, Recovered) for each in event.trades]
    n_duplicates = sum(isinstance(event, Duplicate) for event in events)
    missing = {
        trade_id
        for event in events
        if isinstance(event, Gap)
        for trade_id in range(event.first_missing_id, event.last_missing_id + 1)
    }
    assert len(ids) == len(stored) + len(late) + n_duplicates
    assert stored == sorted(set(stored))
    assert sorted(missing | set(stored)) == list(range(stored[0], stored[-1] + 1))
    assert not missing & set(stored)
    assert set(late) == missing & set(ids)
    assert len(late) == len(set(late))


@given(
    ids=st.lists(st.integers(0, 80), min_size=1, max_size=120),
    given_up=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 20)), max_size=5),
    pages=st.lists(st.tuples(st.integers(0, 80), st.integers(1, 30)), max_size=60),
    wants_history=st.booleans(),
    data=st.data(),
)
def test_after_any_loss_and_any_pages_each_trade_is_there_once(
    ids: list[int],
    given_up: list[tuple[int, int]],
    pages: list[tuple[int, int]],
    wants_history: bool,
    data: st.DataObject,
) -> None:
    ledger = Ledger()
    if wants_history:
        # The stream's ids lie above 80; those below are history.
        ids = [trade_id + 81 for trade_id in ids]
    held: list[int] = []

    def take(events: list[Event] | tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, Recovered):
                recovered = [each.trade_id for each in event.trades]
                assert recovered == sorted(recovered)
                held.extend(recovered)
            elif isinstance(event, Trade):
                held.append(event.trade_id)
        first, newest = ids[0], max(held)
        holes = [(hole.first_missing_id, hole.last_missing_id) for hole in ledger.holes()]
        assert all(low <= high for low, high in holes)
        assert all(high + 1 < low for (_, high), (low, _) in pairwise(holes))
        mine = [trade_id for trade_id in held if trade_id >= first]
        assert len(held) == len(set(held))
        assert ledger.coverage() == len(mine) / (newest - first + 1)

    half = data.draw(st.integers(0, len(ids)))
    for trade_id in ids[:half]:
        take(ledger.receive(trade(trade_id)))
    if half and wants_history:
        ledger.want(SYMBOL, 0)
    for first, length in pages:
        if half:
            take(ledger.recover(SYMBOL, [trade(k) for k in range(first, first + length)]))
    for trade_id in ids[half:]:
        take(ledger.receive(trade(trade_id)))
    for first, length in given_up:
        ledger.give_up(SYMBOL, first, first + length, "for a test")
    for hole in reversed(ledger.holes()):
        for start in range(hole.first_missing_id, hole.last_missing_id + 1, 7):
            take(ledger.recover(SYMBOL, [trade(k) for k in range(start, start + 7)]))
    is_lost = any(row.state == "lost" for row in ledger.rows())
    everything = set(range(ids[0], max(held) + 1))
    assert everything == {trade_id for trade_id in held if trade_id >= ids[0]} or is_lost
    assert ledger.holes() == ()


@pytest.mark.parametrize("first_id", [0, 5])
def test_the_receive_time_of_pages_is_not_looked_at(first_id: int) -> None:
    ledger = Ledger()
    stream(ledger, first_id, first_id + 2)
    between = at(first_id + 1)
    late = Trade(*(getattr(between, name) for name in between.__struct_fields__[:-1]), RECEIVE_NS + 10**15)
    assert ledger.recover(SYMBOL, [late]) == (Recovered(SYMBOL, (late,), "rest"),)
