from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quantnb.feed.holes import Holes, Row

FIRST, LAST = 10, 40


def row() -> Row:
    return Row("BTCUSDT", FIRST, LAST, 1_000, 2_000, "for a test")


@given(
    st.lists(
        st.tuples(st.sampled_from(["fill", "give up"]), st.integers(0, 50), st.integers(0, 15)), max_size=40
    )
)
def test_ranges_say_what_a_set_of_ids_would(steps: list[tuple[str, int, int]]) -> None:
    holes, whole = Holes(), row()
    holes.open(whole, seen_ns=0)
    still_open, lost = set(range(FIRST, LAST + 1)), set[int]()
    for step, trade_id, length in steps:
        if step == "fill":
            assert holes.fill(trade_id, 1_500) == (trade_id in still_open | lost)
            still_open.discard(trade_id)
            lost.discard(trade_id)
        else:
            holes.give_up(trade_id, trade_id + length, "a reason")
            lost |= still_open & set(range(trade_id, trade_id + length + 1))
            still_open -= lost
        ranges = [(each.is_lost, set(range(each.first_id, each.last_id + 1))) for each in holes]
        assert set().union(*(ids for is_lost, ids in ranges if not is_lost)) == still_open
        assert set().union(*(ids for is_lost, ids in ranges if is_lost)) == lost
        assert sum(len(ids) for _, ids in ranges) == holes.n_missing == len(still_open | lost)
        assert (whole.n_open, whole.n_lost) == (len(still_open), len(lost))
        state = "open" if still_open else "lost" if lost else "closed"
        assert (whole.to_hole().state, whole.to_hole().n_missing) == (state, len(still_open | lost))


def test_ids_that_were_never_given_are_dropped_from_the_newest_hole_only() -> None:
    holes, whole = Holes(), row()
    holes.open(whole, seen_ns=0)
    holes.fill(20, 1_500)
    holes.drop_newest(15)
    assert holes.n_missing == 30
    holes.drop_newest(25)
    assert [(each.first_id, each.last_id) for each in holes] == [(10, 19), (21, 24)]
    assert holes.n_missing == whole.n_open == 14
