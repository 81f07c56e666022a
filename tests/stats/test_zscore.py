"""The z-score: both kinds, its bound, flat windows."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from quantnb.stats import zscore

VALUES = np.random.default_rng(7).normal(100, 1, 80)


@pytest.mark.parametrize("include_current", [True, False])
def test_it_is_the_distance_from_the_mean_in_sample_standard_deviations(include_current: bool) -> None:
    window = VALUES[-20:] if include_current else VALUES[-21:-1]
    expected = (VALUES[-1] - statistics.fmean(window)) / statistics.stdev(window.tolist())
    z = zscore(VALUES, 20, include_current=include_current)
    assert z[-1] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("include_current", "warm_up"), [(True, 19), (False, 20)])
def test_warm_up_is_nan(include_current: bool, warm_up: int) -> None:
    z = zscore(VALUES, 20, include_current=include_current)
    assert np.isnan(z).sum() == warm_up
    assert np.isfinite(z[warm_up:]).all()


@pytest.mark.parametrize(("n", "bound"), [(20, 4.249), (50, 6.930), (100, 9.900), (200, 14.071)])
def test_one_outlier_reaches_the_documented_bound_and_no_more(n: int, bound: float) -> None:
    values = np.zeros(n)
    values[-1] = 1e6
    assert zscore(values, n)[-1] == pytest.approx(bound, abs=5e-4)
    assert zscore(values, n)[-1] <= (n - 1) / np.sqrt(n) * (1 + 1e-15)


def test_without_the_current_value_there_is_no_bound() -> None:
    values = np.append(VALUES[:20], 1e9)
    assert zscore(values, 20, include_current=False)[-1] > 1e8


@pytest.mark.parametrize("include_current", [True, False])
@pytest.mark.parametrize("level", [0.0, 0.1, 60_000.1, 1e-12])
def test_a_flat_window_has_no_zscore_at_any_level(level: float, include_current: bool) -> None:
    z = zscore(
        np.append(np.full(40, level), level + 1.0)[: 40 if include_current else 41],
        20,
        include_current=include_current,
    )
    assert np.isnan(z).all()


def test_a_window_flat_but_for_the_last_digit_still_has_its_exact_score() -> None:
    values = np.full(20, 60_000.1)
    values[-1] = np.nextafter(values[-1], np.inf)
    assert zscore(values, 20)[-1] == pytest.approx(19 / np.sqrt(20), rel=1e-12)


@pytest.mark.parametrize(("include_current", "n_missing"), [(True, 20), (False, 21)])
def test_a_missing_value_is_felt_for_a_window_and_then_forgotten(
    include_current: bool, n_missing: int
) -> None:
    values = VALUES.copy()
    values[40] = np.nan
    z = zscore(values, 20, include_current=include_current)
    assert np.flatnonzero(np.isnan(z[25:])).tolist() == list(range(15, 15 + n_missing))
