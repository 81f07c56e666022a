from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.feed.routes import ROUTES, Route, streams
from quantnb.feed.shards import Shards
from quantnb.feed.subscribe import MAX_STREAMS


def names(n: int, first: int = 0) -> list[str]:
    return [f"S{k:04}USDT" for k in range(first, first + n)]


def test_few_symbols_share_one_connection() -> None:
    assert Shards("market").assign(names(3)) == (tuple(names(3)),)


def test_without_symbols_there_is_one_connection_all_the_same() -> None:
    assert Shards("public").assign([]) == ((),)


@pytest.mark.parametrize(("route", "sizes"), [("market", [512, 288]), ("public", [800])])
def test_more_streams_than_one_connection_carries_get_a_second_one(route: Route, sizes: list[int]) -> None:
    assert [len(each) for each in Shards(route).assign(names(800))] == sizes


def test_a_symbol_stays_where_it_is() -> None:
    shards = Shards("market")
    _, second = shards.assign(names(600))
    assert shards.assign(second) == ((), second)
    assert shards.symbols(1) == second
    assert shards.assign([*second, "NEW"]) == (("NEW",), second)


def test_a_symbol_named_twice_is_carried_once() -> None:
    assert Shards("market").assign(["A", "B", "A"]) == (("A", "B"),)


@pytest.mark.parametrize("route", ROUTES)
@given(desires=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 1_500)), min_size=1, max_size=5))
def test_whatever_is_watched_everything_is_carried_once_and_nothing_moves(
    route: Route, desires: list[tuple[int, int]]
) -> None:
    shards, before = Shards(route), {}
    for n, first in desires:
        assigned = shards.assign(names(n, first))
        carried = [name for shard in assigned for name in shard]
        assert sorted(carried) == names(n, first)
        assert all(len(streams(route, shard)) <= MAX_STREAMS for shard in assigned)
        place = {name: index for index, shard in enumerate(assigned) for name in shard}
        assert all(place[name] == before[name] for name in place.keys() & before.keys())
        before = place
