"""All pairs of a universe, against a loop over ``statsmodels.tsa.stattools.coint``.

300 symbols of 200 bars: 44,850 pairs, 89,700 tests. The loop is measured on a sample of the same pairs, whose
statistics must be the scan's to 1e-8, like those of the scan's best. Then 500 symbols of 1,000 bars. With
``--client`` also on a Dask cluster of two processes, to see from what size that pays.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from statsmodels.tsa.stattools import coint

from quantnb.stats import ScanResult, scan

N_SAMPLE, ROUNDS = 400, 5
SIZES = ((300, 200), (500, 1_000), (500, 5_000), (1_000, 1_000), (1_000, 2_000), (2_000, 1_000))


def market(n_symbols: int, n: int, seed: int) -> NDArray[np.float64]:
    """Return closes of walks and, every third, of a symbol whose distance from a common trend comes back."""
    rng = np.random.default_rng(seed)
    trends = np.cumsum(rng.normal(0, 1e-3, (n, 8)), axis=0)
    own = rng.normal(0, 5e-4, (n, n_symbols))
    own[:, 1::3] = np.cumsum(own[:, 1::3], axis=0)
    loads = np.eye(8)[np.arange(n_symbols) % 8].T * rng.uniform(0.5, 2, n_symbols)
    return np.exp(rng.uniform(-3, 11, n_symbols) + np.einsum("tk,ks->ts", trends, loads) + own)


def best_s(run: Callable[[], Any], rounds: int = ROUNDS) -> float:
    taken = []
    for _ in range(rounds):
        start_s = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start_s)
    return min(taken)


def loop(logs: NDArray[np.float64], pairs: list[tuple[int, int]]) -> list[float]:
    return [coint(logs[:, y], logs[:, x], maxlag=1, autolag=None)[0] for y, x in pairs]


def check(result: ScanResult, closes: NDArray[np.float64], pairs: list[tuple[int, int]]) -> float:
    """Return the largest difference between the scan's statistics and the loop's."""
    found = result.pairs.set_index(["y", "x"])["statistic"].loc[pairs].to_numpy()
    logs = np.log(closes)
    expected = np.array(loop(logs - logs[0], pairs))  # at the level of prices statsmodels loses digits
    worst = float(np.abs(found - expected).max())
    assert worst < 1e-8, f"statistics differ by {worst}"
    return worst


def against_statsmodels() -> None:
    closes = market(300, 200, seed=1)
    result = scan(closes)
    rng = np.random.default_rng(2)
    rows = rng.choice(len(result.pairs), N_SAMPLE, replace=False)
    sample = [(int(y), int(x)) for y, x in result.pairs[["y", "x"]].to_numpy()[rows]]
    best = [(int(y), int(x)) for y, x in result.pairs[["y", "x"]].to_numpy()[:N_SAMPLE]]
    differences = check(result, closes, sample), check(result, closes, best)
    theirs_s = best_s(lambda: loop(np.log(closes), sample), 3) / N_SAMPLE
    ours_s = best_s(lambda: scan(closes)) / result.n_tests
    print(result.words)
    print(f"largest difference in t: {differences[0]:.1e} in the sample, {differences[1]:.1e} of the best")
    print(f"statsmodels coint, a loop         {1e6 * theirs_s:10,.2f} us a test")
    print(
        f"scan, 300 symbols x 200 bars      {1e6 * ours_s:10,.2f} us a test   ratio {theirs_s / ours_s:,.0f}"
    )
    print(f"                                  {1e3 * ours_s * result.n_tests:10,.0f} ms in all")


def large() -> None:
    closes = market(500, 1_000, seed=3)
    result = scan(closes)
    check(result, closes, [(int(y), int(x)) for y, x in result.pairs[["y", "x"]].to_numpy()[:100]])
    print(f"scan, 500 symbols x 1,000 bars    {1e3 * best_s(lambda: scan(closes)):10,.0f} ms in all")


def on_a_cluster() -> None:
    from distributed import Client, LocalCluster

    print("symbols    bars       tests    here   two processes")
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, direct_to_workers=True) as client,
    ):
        for n_symbols, n in SIZES:
            compare(market(n_symbols, n, seed=4), client)


def compare(closes: NDArray[np.float64], client: Any) -> None:
    n, n_symbols = closes.shape
    here, there = scan(closes), scan(closes, client=client)
    assert here.pairs.equals(there.pairs), "the same bits on a cluster"
    taken = [
        (best_s(lambda: scan(closes), 1), best_s(lambda: scan(closes, client=client), 1))
        for _ in range(ROUNDS)
    ]
    here_s, there_s = (min(each) for each in zip(*taken, strict=True))
    seconds = f"{here_s:6.2f} s {there_s:6.2f} s   ratio {here_s / there_s:.2f}"
    print(f"{n_symbols:7,} {n:7,} {here.n_tests:11,} {seconds}")


def main() -> None:
    against_statsmodels()
    large()
    if "--client" in sys.argv[1:]:
        on_a_cluster()


if __name__ == "__main__":
    main()
