from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quantnb.events import Event, Gap, Trade
from quantnb.feed.order import DISCONNECTED, HOLES_KEPT, RENUMBERED, SKIPPED, TradeOrder
from quantnb.feed.unused import Duplicate, Late
from tests.feed.frames import trade


def fold(order: TradeOrder, *ids: int, symbol: str = "BTCUSDT") -> list[Event]:
    return [event for trade_id in ids for event in order.receive(trade(trade_id, symbol=symbol))]


def test_consecutive_ids_pass_as_they_are() -> None:
    assert fold(TradeOrder(), 7, 8, 9) == [trade(7), trade(8), trade(9)]


def test_a_gap_stands_before_the_trade_that_reveals_it() -> None:
    order = TradeOrder()
    before, after = trade(9, event_ms=1791382992000), trade(12, event_ms=1791382993000)
    assert order.receive(before) == (before,)
    gap = Gap("BTCUSDT", 10, 11, before.event_ns, after.event_ns, SKIPPED)
    assert order.receive(after) == (gap, after)


def test_a_repeated_trade_is_a_duplicate() -> None:
    kinds = [type(event) for event in fold(TradeOrder(), 7, 8, 8, 7, 9)]
    assert kinds == [Trade, Trade, Duplicate, Duplicate, Trade]


def test_a_trade_out_of_a_declared_hole_is_late_once() -> None:
    kinds = [type(event) for event in fold(TradeOrder(), 7, 11, 9, 9, 8, 10, 10, 12)]
    assert kinds == [Trade, Gap, Trade, Late, Duplicate, Late, Late, Duplicate, Trade]


def test_a_trade_from_before_the_first_one_is_not_new() -> None:
    assert isinstance(fold(TradeOrder(), 7, 5)[1], Duplicate)


def test_symbols_have_ledgers_of_their_own() -> None:
    order = TradeOrder()
    assert fold(order, 7, 8) + fold(order, 100, 101, symbol="ETHUSDT") == [
        trade(7),
        trade(8),
        trade(100, symbol="ETHUSDT"),
        trade(101, symbol="ETHUSDT"),
    ]


def test_a_gap_after_a_lost_connection_names_it_and_the_next_does_not() -> None:
    order = TradeOrder()
    fold(order, 7)
    order.connection_lost()
    causes = [event.cause for event in fold(order, 10, 20) if isinstance(event, Gap)]
    assert causes == [DISCONNECTED, SKIPPED]


def test_a_lost_connection_that_missed_nothing_is_forgotten() -> None:
    order = TradeOrder()
    fold(order, 7)
    order.connection_lost()
    causes = [event.cause for event in fold(order, 8, 20) if isinstance(event, Gap)]
    assert causes == [SKIPPED]


def test_a_forgotten_symbol_starts_over() -> None:
    order = TradeOrder()
    fold(order, 7)
    order.forget("BTCUSDT")
    order.forget("NEVERSEEN")
    assert fold(order, 100) == [trade(100)]


def test_an_exchange_that_numbers_anew_is_not_all_duplicates() -> None:
    order = TradeOrder()
    before = trade(1_000_000, event_ms=1791382990000)
    order.receive(before)
    first, second = trade(5, event_ms=1791383050000), trade(6, event_ms=1791383050100)
    gap = Gap("BTCUSDT", 5, 4, before.event_ns, first.event_ns, RENUMBERED)
    assert order.receive(first) == (gap, first)  # what happened in between cannot be known
    assert order.receive(second) == (second,)


def test_one_wrong_id_does_not_silence_a_symbol() -> None:
    order = TradeOrder()
    times_ms = range(1791382990000, 1791382995000, 500)
    events = [
        type(event)
        for number, event_ms in enumerate(times_ms)
        for event in order.receive(trade(10**15 if number == 1 else number, event_ms=event_ms))
    ]
    assert events == [Trade, Gap, Trade, Late, Late, Gap] + [Trade] * 6


def test_holes_are_bounded() -> None:
    order = TradeOrder()
    fold(order, *range(0, 4 * HOLES_KEPT, 2))
    assert isinstance(fold(order, 1)[0], Duplicate)
    assert isinstance(fold(order, 4 * HOLES_KEPT - 3)[0], Late)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=120))
def test_every_trade_is_accounted_for_whatever_the_order(ids: list[int]) -> None:
    events = fold(TradeOrder(), *ids)
    stored = [event.trade_id for event in events if isinstance(event, Trade)]
    late = [event.trade.trade_id for event in events if isinstance(event, Late)]
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
