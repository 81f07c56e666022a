"""Ledoit-Wolf: the values that scikit-learn's documentation prints for `sklearn.covariance.ledoit_wolf`."""

from __future__ import annotations

import numpy as np
import pytest

from quantnb.stats import ledoit_wolf

# scikit-learn.org/stable, "sklearn.covariance.ledoit_wolf", Examples: printed to two digits.
SHRINKAGE = 0.23
COVARIANCE = [[0.44, 0.16], [0.16, 0.80]]


def test_the_example_of_scikit_learn() -> None:
    rng = np.random.RandomState(0)
    sample = rng.multivariate_normal(mean=[0, 0], cov=[[0.4, 0.2], [0.2, 0.8]], size=50)
    result = ledoit_wolf(sample)
    assert result.shrinkage == pytest.approx(SHRINKAGE, abs=0.005)
    np.testing.assert_allclose(result.matrix, COVARIANCE, atol=0.005)
