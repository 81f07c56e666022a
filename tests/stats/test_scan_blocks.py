"""The scan in other places: on a cluster of two processes, and with other numbers of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from distributed import Client, LocalCluster

from quantnb.stats import scan
from tests.stats.test_scan import market

SHAPES = [(3, 40), (33, 150), (65, 300), (100, 1_000)]  # blocks of 32 legs, the last of them down to one leg


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.mark.parametrize(("n_symbols", "n"), SHAPES)
@pytest.mark.parametrize("lags", [0, 2])
def test_a_cluster_of_two_processes_gives_the_same_bits(
    client: Client, n_symbols: int, n: int, lags: int
) -> None:
    closes = market(n_symbols, n, seed=5)
    here, there = scan(closes, lags), scan(closes, lags, client=client)
    pd.testing.assert_frame_equal(there.pairs, here.pairs, check_exact=True)
    assert there.words == here.words


def test_both_processes_work(client: Client) -> None:
    def executed() -> dict[str, int]:
        return client.run(lambda dask_worker: dask_worker.state.executed_count)

    assert len(set(client.run(os.getpid).values()) - {os.getpid()}) == 2
    before = executed()
    scan(market(128, 100, seed=6), client=client)
    done = [count - before[worker] for worker, count in executed().items()]
    assert sum(done) == 4
    assert min(done) > 0


FINGERPRINT = """
import hashlib
from quantnb.stats import scan
from tests.stats.test_scan import market
for n_symbols, n in {shapes}:
    pairs = scan(market(n_symbols, n, seed=5)).pairs
    print(*(hashlib.sha256(pairs[name].to_numpy().tobytes()).hexdigest() for name in pairs))
"""


def fingerprint(n_threads: int) -> str:
    """Return what a scan gives where BLAS has so many threads; it takes their number when it is loaded."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    threads = dict.fromkeys(names, str(n_threads))
    return subprocess.run(
        [sys.executable, "-c", FINGERPRINT.format(shapes=[*SHAPES, (301, 777)])],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | threads,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_number_of_threads_changes_no_bit() -> None:
    one = fingerprint(1)
    assert one
    assert fingerprint(2) == one
    assert fingerprint(4) == one
