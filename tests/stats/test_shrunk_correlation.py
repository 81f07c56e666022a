"""The matrix of many symbols: plain while it can be, shrunk where symbols outnumber the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.errors import StatisticsError
from quantnb.stats import correlation_matrix, ledoit_wolf, shrunk_correlation

RNG = np.random.default_rng(4)


def returns(n_bars: int, n_symbols: int) -> np.ndarray:
    return RNG.normal(0, 1e-4, (n_bars, n_symbols)) + RNG.normal(0, 1e-4, (n_bars, 1))


def test_as_many_rows_as_symbols_are_left_as_they_are() -> None:
    columns = returns(20, 20)
    found = shrunk_correlation(columns)
    assert found.shrinkage is None
    assert not found.is_shrunk.any()
    np.testing.assert_array_equal(found.values, correlation_matrix(columns)[0])


def test_one_symbol_more_and_the_matrix_is_that_of_ledoit_and_wolf() -> None:
    columns = returns(20, 21)
    found, expected = shrunk_correlation(columns), ledoit_wolf(columns, of="correlation")
    assert found.shrinkage == pytest.approx(expected.shrinkage, rel=1e-9)
    np.testing.assert_allclose(found.values, expected.matrix, rtol=1e-9, atol=1e-15)
    assert found.is_shrunk.all()
    assert (found.n == 20).all()
    assert np.linalg.eigvalsh(correlation_matrix(columns)[0]).min() < 1e-9
    assert np.linalg.eigvalsh(found.values).min() > 0.01


def test_each_element_is_one_share_of_what_it_was() -> None:
    columns = returns(20, 30)
    found, (plain, _) = shrunk_correlation(columns), correlation_matrix(columns)
    off = ~np.eye(30, dtype=bool)
    assert found.shrinkage is not None
    np.testing.assert_array_equal(found.values[off], ((1.0 - found.shrinkage) * plain)[off])
    np.testing.assert_array_equal(found.values.diagonal(), 1.0)


def test_symbols_with_rows_of_their_own_stay_as_they_are_and_cut_nobodys_window() -> None:
    """One was just added, one has a gap, one does not move."""
    columns = returns(20, 33)
    columns[:17, 3], columns[5, 8], columns[:, 11] = np.nan, np.nan, 0.0
    others = np.setdiff1d(np.arange(33), [3, 8, 11])
    found, (plain, n) = shrunk_correlation(columns), correlation_matrix(columns)
    alone = shrunk_correlation(columns[:, others])
    assert np.flatnonzero(found.is_shrunk).tolist() == others.tolist()
    np.testing.assert_array_equal(found.values[np.ix_(others, others)], alone.values)
    for symbol in (3, 8, 11):
        np.testing.assert_array_equal(found.values[symbol], plain[symbol])
        np.testing.assert_array_equal(found.values[:, symbol], plain[symbol])
    assert np.isnan(found.values[11]).all()
    np.testing.assert_array_equal(found.n, n)


def test_a_gap_that_all_symbols_share_is_only_a_shorter_window() -> None:
    columns = returns(25, 24)
    columns[4:8] = np.nan
    found = shrunk_correlation(columns)
    expected = shrunk_correlation(np.delete(columns, slice(4, 8), axis=0))
    assert found.shrinkage == expected.shrinkage
    np.testing.assert_array_equal(found.values, expected.values)
    assert (found.n == 21).all()


@given(n_bars=st.integers(0, 12), n_symbols=st.integers(0, 15), seed=st.integers(0, 10_000))
def test_whatever_is_missing_it_is_symmetric_and_bounded_and_known_where_the_plain_one_is(
    n_bars: int, n_symbols: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    columns = np.where(rng.random((n_bars, n_symbols)) < 0.1, np.nan, rng.normal(size=(n_bars, n_symbols)))
    columns[:, rng.random(n_symbols) < 0.1] = 0.0
    found, (plain, _) = shrunk_correlation(columns), correlation_matrix(columns)
    np.testing.assert_array_equal(found.values, found.values.T)
    np.testing.assert_array_equal(np.isfinite(found.values), np.isfinite(plain))
    known = np.isfinite(plain)
    assert (np.abs(found.values[known]) <= np.abs(plain[known])).all()
    assert (found.shrinkage is None) == (not found.is_shrunk.any())
    assert found.is_shrunk.sum() > found.n[found.is_shrunk].max(initial=-1) or found.shrinkage is None


def test_another_shape_is_refused() -> None:
    with pytest.raises(StatisticsError, match="rows of bars and columns of symbols"):
        shrunk_correlation(np.zeros(5))


@pytest.mark.parametrize(
    ("correlation", "share", "gain"),
    [(0.0, 0.95, 17.0), (0.3, 0.42, 1.17), (0.5, 0.21, 0.97), (0.7, 0.13, 0.83)],
)
def test_it_is_closer_to_the_truth_unless_all_symbols_move_together(
    correlation: float, share: float, gain: float
) -> None:
    """One factor, 40 symbols, 20 returns, 200 samples (seed 12); the gain is the sample's error over ours."""
    rng = np.random.default_rng(12)
    truth = np.where(np.eye(40, dtype=bool), 1.0, correlation)
    shares, ours, samples = [], [], []
    for _ in range(200):
        common, own = rng.normal(size=(20, 1)), rng.normal(size=(20, 40))
        columns = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
        found = shrunk_correlation(columns)
        shares.append(found.shrinkage)
        ours.append(np.linalg.norm(found.values - truth))
        samples.append(np.linalg.norm(correlation_matrix(columns)[0] - truth))
    assert np.median(shares) == pytest.approx(share, abs=0.02)
    assert np.mean(samples) / np.mean(ours) == pytest.approx(gain, rel=0.05)
