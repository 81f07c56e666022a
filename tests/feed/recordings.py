"""Recorded frames, where there are any: `QUANTNB_RECORDINGS`, else ``../shared/data``."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

BESIDE_THE_REPOSITORY = Path(__file__).parents[3] / "shared" / "data"


def recorded_frames(name: str) -> Iterator[tuple[int, bytes]]:
    """Yield receive time (ns) and frame; skips the test without recordings, fails it in CI."""
    folder = Path(os.environ.get("QUANTNB_RECORDINGS") or BESIDE_THE_REPOSITORY)
    path = folder / name
    if not path.exists():
        message = f"no recording {path}; set QUANTNB_RECORDINGS to the folder that holds it"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with gzip.open(path) as lines:
        for line in lines:
            stamp, _, frame = line.partition(b" ")
            yield _nanoseconds(stamp.rstrip(b":").decode()), frame.rstrip()


def _nanoseconds(stamp: str) -> int:
    return int(Decimal(stamp) * 10**9) if "." in stamp else int(stamp)
