"""Recorded frames, where there are any: `QUANTNB_RECORDINGS`, else ``../shared/data``."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quantnb.feed.wire import AggTrade, Combined

LARGE = ["btcusdt-usdm-20240808-100s.ndjson.gz", "ethusdt-usdm-20240808-100s.ndjson.gz"]
SMALL = "smallcaps-usdm-20210722-30s.ndjson.gz"

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


def fields_of(frame: bytes) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(frame).get("data", {})
    return data


def agg_trades(name: str) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Group raw trades as the exchange does: same price and side, within 100 ms of the first."""
    group: list[dict[str, Any]] = []
    received_ns = 0
    for receive_ns, frame in recorded_frames(name):
        fields = fields_of(frame)
        if fields.get("e") != "trade":
            continue
        if group and (
            (fields["p"], fields["m"]) != (group[0]["p"], group[0]["m"]) or fields["T"] - group[0]["T"] >= 100
        ):
            yield received_ns, group
            group = []
        group.append(fields)
        received_ns = receive_ns
    yield received_ns, group


def encode(trade_id: int, group: list[dict[str, Any]]) -> bytes:
    first, last = group[0], group[-1]
    wire = AggTrade(
        push_ms=last["E"],
        symbol=last["s"],
        trade_id=trade_id,
        price=first["p"],
        quantity=str(sum(Decimal(each["q"]) for each in group)),
        event_ms=last["T"],
        is_buyer_maker=first["m"],
        first_raw_id=first["t"],
        last_raw_id=last["t"],
    )
    return msgspec.json.encode(Combined(f"{last['s'].lower()}@aggTrade", wire))
