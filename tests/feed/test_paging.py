from __future__ import annotations

import doctest

from hypothesis import given
from hypothesis import strategies as st

from quantnb.feed import paging
from quantnb.feed.paging import PAGE, page_up_to


def test_its_examples_hold() -> None:
    assert doctest.testmod(paging).failed == 0


@given(st.integers(0, 10**12), st.integers(0, 5_000), st.integers(0, 3_000))
def test_pages_end_exactly_where_ids_are_refused(last_id: int, n_missing: int, n_refused: int) -> None:
    lowest_id = max(0, last_id - n_missing)
    oldest_id = lowest_id + n_refused  # what lies below it, the exchange refuses
    floor, fetched, n_requests = -1, set[int](), 0
    end_id = last_id
    while end_id >= lowest_id and end_id > floor:
        n_requests += 1
        from_id, limit = page_up_to(end_id, lowest_id, floor)
        assert floor < from_id <= end_id
        assert 1 <= limit <= PAGE
        assert from_id + limit - 1 == end_id or limit == PAGE
        if from_id < oldest_id:
            floor = from_id
        else:
            fetched |= set(range(from_id, from_id + limit))
            end_id = from_id - 1
    assert fetched == set(range(max(lowest_id, oldest_id), last_id + 1))
    assert n_requests <= n_missing / PAGE + 25
