"""The words of the status panel's details."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.snapshot import Memory, StreamStatus
from quantnb.view.ledger import MAX_ROWS, coverage_words, details, memory_words
from tests.view.conftest import START_NS, hole


@given(held=st.integers(0, 10**9), missing=st.integers(1, 10**9))
def test_the_coverage_is_never_rounded_up(held, missing):
    words = coverage_words(held / (held + missing))
    assert words.endswith(" % of trades")
    assert float(words.split()[0]) <= 100 * held / (held + missing) + 1e-6
    assert not words.startswith("100 ")


def test_what_trades_take_is_said_with_what_they_may():
    said = memory_words(Memory(1_000_000, 33_000_000, 64_000_000))
    assert said == "1,000,000 trades kept take 33.0 of 64.0 MB; beyond that the oldest go"


@pytest.mark.parametrize(
    ("coverage", "words"),
    [(1.0, "100 % of trades"), (0.9998, "99.98 % of trades"), (0.0, "0.00 % of trades"), (None, "")],
)
def test_the_coverage_in_words(coverage, words):
    assert coverage_words(coverage) == words


@pytest.mark.parametrize(
    ("changes", "fate"),
    [
        ({"state": "open", "n_missing": 3}, "being fetched"),
        ({"state": "open", "n_missing": 2}, "being fetched, 2 left"),
        ({"state": "closed", "n_missing": 0}, "closed: all recovered"),
        ({"state": "lost", "why": "older than 48 h"}, "lost: older than 48 h"),
        ({"state": "lost", "why": "older than 48 h", "n_missing": 1}, "lost, 1 of 3: older than 48 h"),
        ({"state": "lost"}, "lost"),
        ({"state": "closed", "first_missing_id": 9, "last_missing_id": 8, "n_missing": 0}, "closed"),
    ],
)
def test_what_became_of_a_gap(session, changes, fate):
    session.set_state("live", holes=(hole(**changes),))
    assert details(session.snapshot.status)["ledger"]["rows"][0]["fate"] == fate


def test_a_gap_says_which_ids_and_when(session):
    session.set_state(
        "live", holes=(hole(), hole(first_missing_id=7, last_missing_id=7), hole(last_missing_id=1))
    )
    first, one, unknown = details(session.snapshot.status)["ledger"]["rows"]
    assert (first["symbol"], first["ids"], first["n"], first["cause"]) == (
        "BTCUSDT",
        "101–103",
        3,
        "connection lost",
    )
    assert (first["from"], first["to"]) == (START_NS // 10**6 + 10_000, START_NS // 10**6 + 10_500)
    assert (one["ids"], one["n"]) == ("7", 1)
    assert (unknown["ids"], unknown["n"]) == ("not known", 0)


def test_rows_are_bounded_and_the_newest_stay_on_top(session):
    holes = tuple(hole(first_missing_id=k, last_missing_id=k) for k in range(1_000, 0, -1))
    streams = tuple(StreamStatus(f"s{k}@aggTrade", "live", 0.1, 1.0) for k in range(500))
    session.set_state("live", holes=holes, streams=streams, notes=tuple(map(str, range(300))))
    told = details(session.snapshot.status)
    assert [row["ids"] for row in told["ledger"]["rows"]] == [
        str(k) for k in range(1_000, 1_000 - MAX_ROWS, -1)
    ]
    assert (told["ledger"]["n"], told["streams"]["n"]) == (1_000, 500)
    assert len(told["streams"]["rows"]) == len(told["notes"]) == MAX_ROWS


def test_streams_that_are_not_live_come_first(session):
    states = ("live", "waiting", "quiet", "stale", "silent", "live")
    streams = tuple(StreamStatus(f"{k}@aggTrade", state, None, 0.0) for k, state in enumerate(states))
    session.set_state("live", streams=streams)
    rows = details(session.snapshot.status)["streams"]["rows"]
    assert [state for _, state, _, _ in rows] == ["stale", "silent", "waiting", "quiet", "live", "live"]


def test_counts_that_do_not_add_up_are_said(session):
    counts = {"received": 100, "stored": 90, "duplicate": 4, "late": 3, "rejected": 2, "flagged": 7}
    session.set_state("live", counts=counts)
    told = details(session.snapshot.status)["counts"]
    assert (told["unaccounted"], told["flagged"], told["recovered"]) == (1, 7, 0)
    session.set_state("live", counts=counts | {"rejected": 3})
    assert details(session.snapshot.status)["counts"]["unaccounted"] == 0


def test_all_of_it_is_json(session):
    streams = (StreamStatus("btcusdt@aggTrade", "waiting", None, 0.0),)
    session.set_state("live", holes=(hole(),), streams=streams, notes=("The kernel was busy for 60 s.",))
    json.dumps(details(session.snapshot.status), allow_nan=False)
