"""MacKinnon (2010), Queen's Economics Department Working Paper 1227: the paper's critical values."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.adfvalues import mackinnoncrit

from quantnb.stats import adf_test, engle_granger
from quantnb.stats.mackinnon import engle_granger_critical_values

# Constant, no trend: b0, b1, b2, b3 of b0 + b1/T + b2/T^2 + b3/T^3.
ONE_VARIABLE = {
    "1%": (-3.43035, -6.5393, -16.786, -79.433),
    "5%": (-2.86154, -2.8903, -4.234, -40.040),
    "10%": (-2.56677, -1.5384, -2.809, 0.0),
}
TWO_VARIABLES = {
    "1%": (-3.89644, -10.9519, -22.527, 0.0),
    "5%": (-3.33613, -6.1101, -6.823, 0.0),
    "10%": (-3.04445, -4.2412, -2.720, 0.0),
}
WALKS = np.cumsum(np.random.default_rng(1).normal(0, 1, (2, 250)), axis=1)


def surface(table: dict[str, tuple[float, ...]], t: int) -> dict[str, float]:
    return {level: sum(b / t**k for k, b in enumerate(row)) for level, row in table.items()}


@pytest.mark.parametrize("n", [30, 50, 250])
def test_adf_uses_the_table_of_one_variable_at_the_observations_of_the_regression(n: int) -> None:
    result = adf_test(WALKS[0, :n])
    assert result.nobs == n - 2
    assert dict(result.critical_values) == pytest.approx(surface(ONE_VARIABLE, n - 2), rel=1e-12)


@pytest.mark.parametrize("n", [30, 50, 250])
def test_engle_granger_uses_the_table_of_two_variables_at_t_one_less_than_the_bars(n: int) -> None:
    result = engle_granger(*WALKS[:, :n])
    assert dict(result.critical_values) == pytest.approx(surface(TWO_VARIABLES, n - 1), rel=1e-12)


def test_the_paper_prints_22_527_where_statsmodels_has_33_527() -> None:
    ours = engle_granger_critical_values(51)
    theirs = dict(zip(ours, mackinnoncrit(N=2, regression="c", nobs=50), strict=True))
    assert ours["5%"] == pytest.approx(theirs["5%"], rel=1e-12)
    assert ours["10%"] == pytest.approx(theirs["10%"], rel=1e-12)
    # When this fails statsmodels has corrected its table (statsmodels#10271), and ours may go.
    assert ours["1%"] - theirs["1%"] == pytest.approx(11 / 50**2, rel=1e-9)
