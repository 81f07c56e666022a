"""How often the statistics see something where there is nothing: their size, by simulation.

Seeds are fixed and printed with the share (`pytest -s`), so a figure can be had again.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from quantnb.stats import correlation_matrix, engle_granger, firings, rolling_break, rolling_corr
from quantnb.stats.regression import least_squares

PAIRS = 2_000


def walks(seed: int, n: int) -> np.ndarray:
    """Return 2,000 pairs of independent Gaussian random walks, shape (2, 2000, n)."""
    return np.cumsum(np.random.default_rng(seed).normal(0, 1, (2, PAIRS, n)), axis=-1)


@pytest.mark.parametrize("seed", [2026, 7])
def test_engle_granger_at_5_percent_rejects_3_to_7_percent_of_independent_walks(seed: int) -> None:
    ys, xs = walks(seed, 100)
    found = [engle_granger(y, x) for y, x in zip(ys, xs, strict=True)]
    share = np.mean([result.statistic < result.critical_values["5%"] for result in found])
    print(f"Engle-Granger, n = 100, seed {seed}: {share:.2%} of {PAIRS} pairs rejected at 5 %")
    assert 0.03 <= share <= 0.07


@pytest.mark.parametrize("seed", [2026, 7])
def test_correlation_of_returns_is_above_one_half_in_fewer_than_1_percent_of_independent_walks(
    seed: int,
) -> None:
    a, b = walks(seed, 51)
    found = [correlation_matrix(np.column_stack(np.diff([p, q])))[0][0, 1] for p, q in zip(a, b, strict=True)]
    share = np.mean(np.abs(found) > 0.5)
    print(f"Correlation of returns, n = 50, seed {seed}: {share:.2%} of {PAIRS} pairs above 0.5")
    assert share < 0.01


def test_within_the_band_are_95_percent() -> None:
    a, b = walks(2026, 51)
    found = [correlation_matrix(np.column_stack(np.diff([p, q])))[0][0, 1] for p, q in zip(a, b, strict=True)]
    assert np.mean(np.abs(found) > 1.96 / np.sqrt(50)) == pytest.approx(0.05, abs=0.02)


def test_correlation_of_levels_is_above_one_half_in_some_40_percent() -> None:
    """The trap: why `rolling_corr` is of returns."""
    a, b = 1_000 + walks(2026, 50)
    found = [rolling_corr(p, q, 50, of="levels")[-1] for p, q in zip(a, b, strict=True)]
    share = np.mean(np.abs(found) > 0.5)
    print(f"Correlation of levels, n = 50, seed 2026: {share:.2%} of {PAIRS} pairs above 0.5")
    assert share == pytest.approx(0.4, abs=0.1)


@pytest.mark.parametrize("n", [50, 200])
def test_dickey_fullers_table_on_a_fitted_spread_rejects_12_to_20_percent(n: int) -> None:
    """The trap: why the dashboard tests a spread by Engle and Granger. One-variable table, constant, 5 %."""
    ys, xs = (np.ascontiguousarray(rows) for rows in walks(2026, n))
    fit = least_squares(ys, xs, intercept=True)
    residual = ys - fit.intercept[:, None] - fit.hedge_ratio[:, None] * xs
    changes, levels = np.ascontiguousarray(np.diff(residual)), np.ascontiguousarray(residual[:, :-1])
    found = least_squares(changes, levels, intercept=True)
    critical = -2.86154 - 2.8903 / (n - 1) - 4.234 / (n - 1) ** 2 - 40.040 / (n - 1) ** 3
    assert 0.12 <= np.mean(found.hedge_ratio / found.stderr < critical) <= 0.20


def test_a_break_rule_that_is_looked_at_every_bar_rings_seldom_only_at_a_higher_threshold() -> None:
    """Why the panel offers 1.5 critical values: a 5 % test of 300 windows in a row is no 5 % test."""
    rng = np.random.default_rng(2026)
    counts: dict[float, list[int]] = {1.0: [], 1.25: [], 1.5: []}
    for _ in range(40):
        x = np.cumsum(rng.normal(0, 1, 400))
        spread = lfilter([1.0], [1.0, -(2.0 ** (-1 / 5))], rng.normal(0, 1, 400))  # half-life 5 bars
        strengths = rolling_break(1.5 * x + spread, x, 100, n_newest=300)
        for threshold, found in counts.items():
            found.append(len(firings(strengths, np.arange(400) * 10**9, threshold, cooldown_s=0)))
    means = {threshold: float(np.mean(found)) for threshold, found in counts.items()}
    print(f"Break rule on ratios that hold, 300 windows of 100 bars, 40 pairs, seed 2026: {means}")
    assert means[1.0] > 1.5
    assert means[1.25] < means[1.0] / 2
    assert means[1.5] < 0.5
