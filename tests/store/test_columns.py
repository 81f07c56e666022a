"""Columns keep the newest rows, and what was handed out never changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.store import Columns


def columns(capacity: int = 100) -> Columns:
    return Columns({"a": np.int64, "b": np.float64}, capacity)


def add(store: Columns, a: int, b: float) -> None:
    store.extend({"a": np.array([a]), "b": np.array([b])})


def test_a_row_comes_back_in_its_column() -> None:
    store = columns()
    add(store, 1, 0.5)
    assert store["a"].tolist() == [1]
    assert store["b"].tolist() == [0.5]


def test_a_view_cannot_be_written() -> None:
    store = columns()
    add(store, 1, 0.5)
    with pytest.raises(ValueError, match="read-only"):
        store["a"][0] = 2


@given(chunks=st.lists(st.integers(1, 40), max_size=20), capacity=st.integers(1, 64))
def test_any_chunks_leave_the_newest_rows_with_their_absolute_indices(
    chunks: list[int], capacity: int
) -> None:
    store = columns(capacity)
    total = 0
    for size in chunks:
        values = np.arange(total, total + size)
        store.extend({"a": values, "b": values.astype(float)})
        total += size
    assert len(store) <= capacity
    assert store.first + len(store) == total
    assert store["a"].tolist() == list(range(store.first, total))
    assert len(store) >= min(total, capacity - capacity // 4)


@given(n_before=st.integers(1, 50), start=st.integers(0, 50), n_after=st.integers(1, 200))
def test_rewriting_and_growing_leave_old_views_as_they_were(n_before: int, start: int, n_after: int) -> None:
    start = min(start, n_before)
    store = columns()
    for value in range(n_before):
        add(store, value, 0.0)
    seen, generation = store["a"], store.generation
    new = np.arange(1000, 1000 + n_after)
    store.rewrite(start, {"a": new, "b": new.astype(float)})
    for value in range(n_after):
        add(store, value, 0.0)
    assert seen.tolist() == list(range(n_before))
    assert store.generation > generation


def test_a_rewrite_keeps_the_rows_before_it() -> None:
    store = columns()
    for value in range(5):
        add(store, value, 0.0)
    store.rewrite(3, {"a": np.array([30, 40, 50]), "b": np.zeros(3)})
    assert store["a"].tolist() == [0, 1, 2, 30, 40, 50]


def test_clearing_forgets_rows_and_begins_a_generation() -> None:
    store = columns()
    add(store, 1, 0.5)
    generation = store.generation
    store.clear()
    assert len(store) == 0
    assert store.first == 0
    assert store.generation > generation


def test_memory_stays_within_the_capacity() -> None:
    store = columns(capacity=2000)
    for value in range(10_000):
        add(store, value, 0.0)
    assert store.nbytes <= 2000 * 16


def test_a_store_that_takes_anothers_place_is_told_from_it() -> None:
    assert columns().generation != columns().generation


@given(
    known=st.lists(st.integers(0, 200), unique=True, max_size=60).map(sorted),
    new=st.lists(st.integers(0, 200), unique=True, min_size=1, max_size=60).map(sorted),
    capacity=st.integers(1, 100),
)
def test_inserted_rows_stand_in_order_and_the_newest_are_kept(
    known: list[int], new: list[int], capacity: int
) -> None:
    known = known[-capacity:]
    store = columns(capacity)
    if known:
        store.extend({"a": np.array(known), "b": np.array(known, float)})
    seen, generation = store["a"], store.generation
    rows = {"a": np.array(new), "b": np.array(new, float)}
    store.insert(np.searchsorted(store["a"], new), rows)
    whole = sorted([*known, *new])
    assert store["a"].tolist() == whole[-capacity:] == store["b"].tolist()
    assert store.first + len(store) == len(whole)
    assert store.generation != generation
    assert seen.tolist() == known
    add(store, 999, 1.0)
    assert store["a"][-1] == 999
