from __future__ import annotations

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quantnb.view.packing import Packer
from tests.view.browser_stub import unpack

FLOATS = arrays(np.float64, array_shapes(min_dims=1, max_dims=3, max_side=5), elements=st.floats(width=64))


@given(st.lists(FLOATS, max_size=4))
def test_arrays_come_back_bit_for_bit(values: list[np.ndarray]) -> None:
    packer = Packer()
    packed = json.loads(json.dumps(packer.pack({"values": values})))
    numbers = np.frombuffer(packer.buffers[0]) if packer.buffers else np.empty(0)
    for before, after in zip(values, unpack(packed, numbers)["values"], strict=True):
        np.testing.assert_array_equal(after, before)


def test_one_message_has_one_buffer() -> None:
    packer = Packer()
    packer.pack([np.ones(3), {"x": np.zeros((2, 2))}])
    assert [len(buffer) for buffer in packer.buffers] == [8 * 7]


def test_times_become_milliseconds_and_whole_numbers_floats() -> None:
    packer = Packer()
    packer.pack([np.array(["2026-01-01"], dtype="datetime64[s]"), np.array([2**40], dtype=np.int64)])
    assert list(np.frombuffer(packer.buffers[0])) == [1767225600000.0, 2.0**40]


def test_what_is_not_a_number_stays_json_and_nan_becomes_none() -> None:
    packer = Packer()
    packed = packer.pack({"a": math.nan, "b": np.float64(1.5), "c": ("x", True), "d": np.array(["p", "q"])})
    assert packed == {"a": None, "b": 1.5, "c": ["x", True], "d": ["p", "q"]}
    assert packer.buffers == []
