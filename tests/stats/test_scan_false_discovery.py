"""Benjamini and Hochberg's q-values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from quantnb.errors import StatisticsError
from quantnb.stats import benjamini_hochberg

PVALUES = [  # Benjamini and Hochberg (1995), section 4.1: of 15 tests four are rejected
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
]
probabilities = st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=40)


def test_of_the_papers_fifteen_tests_four_are_rejected() -> None:
    q = benjamini_hochberg(PVALUES)
    assert (q <= 0.05).tolist() == [True] * 4 + [False] * 11
    assert q[3] == pytest.approx(0.0095 * 15 / 4)


@given(p=probabilities)
def test_they_are_scipys(p: list[float]) -> None:
    q = benjamini_hochberg(p)
    given_p = np.asarray(p)
    is_test = ~np.isnan(given_p)
    np.testing.assert_array_equal(np.isnan(q), ~is_test)
    if is_test.any():
        np.testing.assert_allclose(q[is_test], false_discovery_control(given_p[is_test]), rtol=1e-14)


@given(p=probabilities)
def test_none_is_below_its_pvalue_or_above_one(p: list[float]) -> None:
    q = benjamini_hochberg(p)
    given_p = np.asarray(p)
    is_test = ~np.isnan(given_p)
    assert (q[is_test] >= given_p[is_test]).all()
    assert (q[is_test] <= 1).all()


@pytest.mark.parametrize("p", [[0.5, 1.1], [-0.1], [[0.1]]])
def test_what_is_no_pvalue_is_refused(p: list[float]) -> None:
    with pytest.raises(StatisticsError, match="from 0 to 1"):
        benjamini_hochberg(p)
