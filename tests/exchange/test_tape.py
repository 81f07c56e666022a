from __future__ import annotations

import numpy as np
import pytest

from quantnb.exchange.instrument import TRADE, Trades
from quantnb.exchange.tape import Tape


def block(first_id: int, *times_ms: int) -> Trades:
    trades = np.zeros(len(times_ms), TRADE)
    trades["trade_id"] = first_id + np.arange(len(times_ms))
    trades["time_ms"] = times_ms
    return trades


@pytest.fixture
def tape() -> Tape:
    #   minute   0            60          120 s (empty)   180
    #   ids      1 2 3        4 5                         6 7
    tape = Tape(capacity=100)
    tape.append(0, block(1, 10_000, 10_000, 59_999))
    tape.append(60_000, block(4, 60_000, 100_000))
    tape.append(120_000, block(6))
    tape.append(180_000, block(6, 180_500, 190_000))
    return tape


def ids(trades: Trades) -> list[int]:
    return trades["trade_id"].tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "limit", "expected"),
    [
        (0, 10_000, None, []),
        (0, 10_001, None, [1, 2]),
        (10_000, 60_000, None, [1, 2, 3]),
        (10_001, 60_001, None, [3, 4]),
        (-5, 999_999, 3, [1, 2, 3]),
        (61_000, 999_999, None, [5, 6, 7]),
        (120_000, 180_000, None, []),
        (999_999, 1_000_000, None, []),
    ],
)
def test_between_includes_its_start_and_not_its_end(
    tape: Tape, start_ms: int, end_ms: int, limit: int | None, expected: list[int]
) -> None:
    assert ids(tape.between(start_ms, end_ms, limit)) == expected


@pytest.mark.parametrize(
    ("trade_id", "end_ms", "limit", "expected"),
    [
        (2, 999_999, 100, [2, 3, 4, 5, 6, 7]),
        (3, 999_999, 2, [3, 4]),
        (4, 60_001, 100, [4]),
        (6, 180_500, 100, []),
        (8, 999_999, 100, []),
    ],
)
def test_from_id_is_inclusive_and_sees_no_future(
    tape: Tape, trade_id: int, end_ms: int, limit: int, expected: list[int]
) -> None:
    assert ids(tape.from_id(trade_id, end_ms, limit)) == expected


def test_newest_are_the_last_visible_ones_ascending(tape: Tape) -> None:
    assert ids(tape.newest(190_000, 3)) == [4, 5, 6]
    assert ids(tape.newest(5, 3)) == []


def test_a_full_tape_drops_its_oldest_minutes() -> None:
    tape = Tape(capacity=4)
    for minute in range(5):
        tape.append(minute * 60_000, block(1 + 2 * minute, minute * 60_000, minute * 60_000 + 1))
    assert tape.first_id == 7
    assert tape.start_ms == 180_000
    assert ids(tape.between(0, 999_999)) == [7, 8, 9, 10]


def test_what_is_put_in_moves_the_ids_of_what_comes_later(tape: Tape) -> None:
    tape.insert(block(8, 100_000, 100_000))
    assert ids(tape.between(0, 999_999)) == list(range(1, 10))
    assert ids(tape.between(100_000, 100_001)) == [5, 6, 7]
    assert ids(tape.from_id(7, 999_999, 100)) == [7, 8, 9]
    tape.insert(block(10, 150_000))
    assert ids(tape.between(120_000, 180_000)) == [8]
    assert ids(tape.newest(999_999, 2)) == [9, 10]
