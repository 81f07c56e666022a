"""Ledoit and Wolf's shrinkage: the formula, its limits, and what it is for."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import correlation_matrix, ledoit_wolf

RNG = np.random.default_rng(2)
RETURNS = RNG.normal(0, 1e-4, (40, 5)) * [1, 2, 3, 4, 5] + RNG.normal(0, 1e-4, (40, 1))


def test_the_formula_of_the_paper_in_exact_arithmetic() -> None:
    """Written out as the paper has it, one matrix a bar."""
    rows = [[Fraction(float(value)) for value in row] for row in RETURNS]
    n, p = len(rows), len(rows[0])
    means = [sum(column, Fraction()) / n for column in zip(*rows, strict=True)]
    rows = [[value - mean for value, mean in zip(row, means, strict=True)] for row in rows]
    cells = [(i, j) for i in range(p) for j in range(p)]
    sample = {(i, j): sum(row[i] * row[j] for row in rows) / n for i, j in cells}
    mean = sum(sample[i, i] for i in range(p)) / p
    d2 = sum((sample[i, j] - mean * (i == j)) ** 2 for i, j in cells)
    b2 = sum((row[i] * row[j] - sample[i, j]) ** 2 for row in rows for i, j in cells) / n**2
    shrinkage = min(b2, d2) / d2
    result = ledoit_wolf(RETURNS)
    assert result.shrinkage == pytest.approx(float(shrinkage), rel=1e-9)
    for i, j in cells:
        expected = (1 - shrinkage) * sample[i, j] + shrinkage * mean * (i == j)
        assert result.matrix[i, j] == pytest.approx(float(expected), rel=1e-9)


def test_symbols_that_outnumber_the_bars_still_give_full_rank() -> None:
    wide = RNG.normal(0, 1, (50, 120))
    result = ledoit_wolf(wide)
    assert np.linalg.eigvalsh(np.cov(wide.T)).min() < 1e-10
    assert np.linalg.eigvalsh(result.matrix).min() > 0.1
    assert 0 < result.shrinkage <= 1


def test_it_is_closer_to_the_truth_than_the_sample() -> None:
    """Independent symbols of one variance: the truth is the identity (seed 6)."""
    sample = np.random.default_rng(6).normal(0, 1, (60, 40))
    error, error_of_sample = (
        np.linalg.norm(matrix - np.eye(40)) for matrix in (ledoit_wolf(sample).matrix, np.cov(sample.T))
    )
    assert error < error_of_sample / 3


def test_long_samples_are_left_nearly_as_they_are() -> None:
    long = RNG.normal(0, 1, (20_000, 3)) + RNG.normal(0, 1, (20_000, 1))
    assert ledoit_wolf(long).shrinkage < 0.001


def test_of_a_correlation_each_element_is_drawn_to_none_by_the_same_share() -> None:
    result = ledoit_wolf(RETURNS, of="correlation")
    plain, _ = correlation_matrix(RETURNS)
    off = ~np.eye(5, dtype=bool)
    np.testing.assert_allclose(result.matrix[off], (1 - result.shrinkage) * plain[off], rtol=1e-9)
    np.testing.assert_array_equal(result.matrix.diagonal(), 1.0)
    np.testing.assert_array_equal(result.matrix, result.matrix.T)


def test_bars_that_a_symbol_misses_are_left_out_and_counted() -> None:
    holed = RETURNS.copy()
    holed[3, 1] = holed[7, 4] = np.nan
    kept = np.setdiff1d(np.arange(40), [3, 7])
    result = ledoit_wolf(pd.DataFrame(holed))
    assert result.n == 38
    np.testing.assert_array_equal(result.matrix, ledoit_wolf(RETURNS[kept]).matrix)


def test_symbols_that_all_stand_still_have_no_variance_and_no_error() -> None:
    result = ledoit_wolf(np.zeros((10, 3)))
    assert (result.matrix == 0).all()
    assert result.shrinkage == 1


@pytest.mark.parametrize(
    ("returns", "of", "sentence"),
    [
        (RETURNS[:, 0], "covariance", r"not shape \(40,\)"),
        (RETURNS[:1], "covariance", "at least 2 bars that all symbols have; there are 1"),
        (RETURNS * [1, 0, 1, 1, 1], "correlation", "Column 1 does not move"),
    ],
)
def test_returns_without_an_honest_answer_are_refused(returns: np.ndarray, of: str, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        ledoit_wolf(returns, of=of)  # type: ignore[arg-type]


def test_an_unknown_matrix_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="covariance or correlation, not of 'precision'"):
        ledoit_wolf(RETURNS, of="precision")  # type: ignore[arg-type]
