"""The spread with given coefficients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import StatisticsError
from quantnb.stats import spread

Y, X = np.array([10.0, 11.0, np.nan]), np.array([4.0, 5.0, 6.0])


@pytest.mark.parametrize("ratio", [2, 2.0, np.float32(2), np.full(3, 2.0)])
def test_it_is_what_is_left_of_y(ratio: float) -> None:
    np.testing.assert_array_equal(spread(Y, X, ratio, 1.0), [1.0, 0.0, np.nan])


def test_each_bar_may_have_its_own_ratio_and_intercept() -> None:
    np.testing.assert_array_equal(spread(Y[:2], X[:2], [1.0, 2.0], [0.5, 0.0]), [5.5, 1.0])


def test_ratios_on_another_index_are_refused() -> None:
    with pytest.raises(StatisticsError, match="y and hedge_ratio have different indexes"):
        spread(pd.Series(Y), pd.Series(X), pd.Series(X, index=[7, 8, 9]))
