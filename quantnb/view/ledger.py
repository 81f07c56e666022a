"""What the status panel's details say: gaps, streams, counts and notes, in words and in few enough rows."""

from __future__ import annotations

import math
from typing import Any

from quantnb.latency import Percentiles
from quantnb.snapshot import Hole, Memory, Status, StreamStatus

__all__ = [
    "MAX_ROWS",
    "count_rows",
    "coverage_words",
    "details",
    "latency_row",
    "ledger_row",
    "memory_words",
]

MAX_ROWS = 100

_NS_PER_MS = 1_000_000
_PARTS = ("stored", "duplicate", "late", "rejected")  # of what was received
_BESIDE = ("ignored", "flagged", "recovered", "gaps", "missing")
_WORST_FIRST = ("stale", "silent", "waiting", "quiet", "live")


def details(status: Status, memory: Memory | None = None) -> dict[str, Any]:
    """Return the sections of the details as JSON; each is sent again, whole, when it changes."""
    streams = sorted(status.streams, key=_urgency)
    return {
        "ledger": {"rows": [ledger_row(hole) for hole in status.holes[:MAX_ROWS]], "n": len(status.holes)},
        "streams": {"rows": [_stream_row(stream) for stream in streams[:MAX_ROWS]], "n": len(streams)},
        "counts": count_rows(status),
        "memory": memory_words(memory) if memory else "",
        "notes": list(status.notes[:MAX_ROWS]),
    }


def coverage_words(coverage: float | None) -> str:
    """Say how much of the trades is held, rounded down: 100 % is said only where none is missing.

    >>> coverage_words(0.99987), coverage_words(0.9999999), coverage_words(1.0)
    ('99.98 % of trades', '99.99 % of trades', '100 % of trades')
    """
    if coverage is None or not math.isfinite(coverage):
        return ""
    if coverage >= 1:
        return "100 % of trades"
    hundredths = min(9_999, math.floor(round(coverage * 10_000, 6)))
    return f"{max(0, hundredths) / 100:.2f} % of trades"


def memory_words(memory: Memory) -> str:
    """Say what the trades kept take, and what they may.

    >>> memory_words(Memory(1_000_000, 33_000_000, 64_000_000))
    '1,000,000 trades kept take 33.0 of 64.0 MB; beyond that the oldest go'
    """
    taken = f"{memory.n_bytes / 1e6:.1f} of {memory.n_bytes_allowed / 1e6:.1f} MB"
    return f"{memory.n_trades:,} trades kept take {taken}; beyond that the oldest go"


def ledger_row(hole: Hole) -> dict[str, Any]:
    """Return one gap as JSON, and in words what became of it."""
    return {
        "symbol": hole.symbol,
        "ids": _ids(hole),
        "n": max(0, hole.last_missing_id - hole.first_missing_id + 1),
        "from": hole.start_ns // _NS_PER_MS,
        "to": hole.end_ns // _NS_PER_MS,
        "cause": hole.cause,
        "state": hole.state,
        "fate": _fate(hole),
    }


def _ids(hole: Hole) -> str:
    first, last = hole.first_missing_id, hole.last_missing_id
    if first > last:  # the numbering started over: nobody knows which ids are missing
        return "not known"
    return str(first) if first == last else f"{first}–{last}"


def _fate(hole: Hole) -> str:
    n = hole.last_missing_id - hole.first_missing_id + 1
    is_partly = 0 < hole.n_missing < n
    if hole.state == "closed":
        return "closed: all recovered" if n > 0 else "closed"
    if hole.state == "open":
        return f"being fetched, {hole.n_missing:,} left" if is_partly else "being fetched"
    lost = f"lost, {hole.n_missing:,} of {n:,}" if is_partly else "lost"
    return f"{lost}: {hole.why}" if hole.why else lost


def _urgency(stream: StreamStatus) -> tuple[int, str]:
    """Return what sorts the streams that are not live to the top."""
    rank = _WORST_FIRST.index(stream.state) if stream.state in _WORST_FIRST else 0
    return rank, stream.name


def latency_row(found: Percentiles) -> list[float | None]:
    """Return n, p50, p95 and p99 in ms.

    >>> latency_row(Percentiles(3, 4.0, 7.04, 7.04))
    [3, 4.0, 7.0, 7.0]
    """
    shares = (found.p50, found.p95, found.p99)
    return [found.n, *(None if each is None else round(each, 1) for each in shares)]


def _stream_row(stream: StreamStatus) -> list[Any]:
    age_s = None if stream.age_s is None else round(stream.age_s, 1)
    return [stream.name, stream.state, age_s, round(stream.per_s, 1)]


def count_rows(status: Status) -> dict[str, int]:
    """Return the counts in a fixed order, and how many received rows they do not account for."""
    known = status.counts
    counts = {name: int(known.get(name, 0)) for name in ("received", *_PARTS, *_BESIDE)}
    counts["unaccounted"] = counts["received"] - sum(counts[name] for name in _PARTS)
    return counts
