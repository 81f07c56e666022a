"""Log returns: first bar, gaps, and prices that have no logarithm."""

from __future__ import annotations

import numpy as np
import pytest

from quantnb.errors import StatisticsError
from quantnb.stats import log_returns


def test_a_return_is_the_logarithm_of_the_ratio() -> None:
    np.testing.assert_allclose(log_returns(np.array([1.0, np.e, 1.0])), [np.nan, 1.0, -1.0], rtol=1e-15)


def test_returns_add_up_over_time() -> None:
    close = np.random.default_rng(3).uniform(1, 2, 200)
    assert np.nansum(log_returns(close)) == pytest.approx(np.log(close[-1] / close[0]), rel=1e-12)


def test_a_missing_close_leaves_no_return_on_either_side() -> None:
    returns = log_returns(np.array([1.0, 1.0, np.nan, 1.0, 1.0]))
    np.testing.assert_array_equal(returns, [np.nan, 0.0, np.nan, np.nan, 0.0])


@pytest.mark.parametrize("price", [0.0, -3.0])
def test_a_close_not_above_zero_is_refused_with_its_position(price: float) -> None:
    with pytest.raises(StatisticsError, match=f"close must be above 0 .* at position 1 it is {price:g}"):
        log_returns(np.array([1.0, price]))
