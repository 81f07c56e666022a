"""Johansen's test: the Spatial Econometrics Toolbox (Matlab, J. P. LeSage) on the data of its own example.

The values are those of statsmodels' test_coint.py, which quotes the toolbox; the data come with statsmodels.
"""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from quantnb.stats import johansen

# "res.lr1" and "res.lr2" of johansen(x, 0, 9): eight series, a constant, nine lags.
TRACE = (
    307.6888935095814,
    205.3839229398245,
    129.1330243009336,
    83.3101865760208,
    52.51955460357912,
    30.20027050520502,
    13.84158157562689,
    0.4117390188204866,
)
MAX_EIGENVALUE = (
    102.3049705697569,
    76.25089863889085,
    45.82283772491284,
    30.7906319724417,
    22.31928409837409,
    16.35868892957814,
    13.4298425568064,
    0.4117390188204866,
)
# MacKinnon, Haug and Michelis: at most r of n relations, n - r = 8 ... 1; 10, 5, 1 %.
CRITICAL = {
    8: (153.6341, 159.529, 171.0905),
    7: (120.3673, 125.6185, 135.9825),
    2: (13.4294, 15.4943, 19.9349),
    1: (2.7055, 3.8415, 6.6349),
}
MAX_EIGENVALUE_CRITICAL = {8: (49.2855, 52.3622, 58.6634), 2: (12.2971, 14.2639, 18.52)}


@pytest.fixture(scope="module")
def series() -> np.ndarray:
    path = resources.files("statsmodels") / "tsa/vector_ar/tests/Matlab_results/test_coint.csv"
    if not path.is_file():
        pytest.skip("this build of statsmodels comes without its tests' data")
    return np.loadtxt(path.read_text().splitlines())


def test_the_statistics_are_those_of_the_toolbox(series: np.ndarray) -> None:
    result = johansen(series, lags=9)
    assert result.trace == pytest.approx(TRACE, rel=1e-7)
    assert result.max_eigenvalue == pytest.approx(MAX_EIGENVALUE, rel=1e-7)
    assert result.nobs == len(series) - 10
    assert result.rank() == 6


def test_the_critical_values_are_those_of_the_table(series: np.ndarray) -> None:
    result = johansen(series, lags=9)
    for left, values in CRITICAL.items():
        assert tuple(result.trace_critical_values[8 - left].values()) == values
    for left, values in MAX_EIGENVALUE_CRITICAL.items():
        assert tuple(result.max_eigenvalue_critical_values[8 - left].values()) == values
