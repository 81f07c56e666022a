"""Numbers travel as one float64 buffer, everything else as JSON that points into it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Packer"]


class Packer:
    """Collects the arrays of one message.

    An array in the JSON stands as ``{"f8": [start, *shape]}``: where it begins in the buffer, in numbers, and
    its shape. ``static/live_figure.js`` unpacks.
    """

    def __init__(self) -> None:
        self._parts: list[NDArray[np.float64]] = []
        self._n = 0

    @property
    def buffers(self) -> list[bytes]:
        """The buffers to send along: one, or none if there were no arrays."""
        return [np.concatenate(self._parts).tobytes()] if self._parts else []

    def pack(self, value: Any) -> Any:
        """Return ``value`` as JSON can hold it, its numeric arrays moved to the buffer.

        Times (datetime64) become milliseconds since the epoch, as plotly counts on a date axis; a number
        that is not finite becomes None outside of arrays.
        """
        if isinstance(value, np.ndarray):
            return self._pack_array(value)
        if isinstance(value, Mapping):
            return {str(key): self.pack(item) for key, item in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return [self.pack(item) for item in value]
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value

    def _pack_array(self, array: NDArray[Any]) -> Any:
        if array.dtype.kind == "M":
            array = array.astype("datetime64[ns]").astype(np.int64) / 1e6
        if array.dtype.kind not in "fiub":
            return self.pack(array.tolist())
        flat = np.ravel(array).astype(np.float64, copy=False)
        start, self._n = self._n, self._n + flat.size
        self._parts.append(flat)
        return {"f8": [start, *array.shape]}
