"""KPSS: R's tseries, SAS's lags, and the table of arch's tests, on the data that come with statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.datasets import macrodata, nile, sunspots

from quantnb.stats import kpss_test

# R tseries kpss.stat(macrodata$realgdp), truncation lag 3, as statsmodels' tests quote it.
TSERIES = {"c": 5.0169, "ct": 1.1828}
# arch/tests/unitroot/test_unitroot.py: US inflation, diff(log(cpi)), 12 lags.
ARCH = {"c": 0.3276290340191141, "ct": 0.235581902996454}


@pytest.mark.parametrize("regression", TSERIES)
def test_the_statistic_is_that_of_r(regression: str) -> None:
    result = kpss_test(macrodata.load_pandas().data["realgdp"], regression=regression, lags=3)  # type: ignore[arg-type]
    assert result.statistic == pytest.approx(TSERIES[regression], abs=5e-5)
    assert result.pvalue == 0.01


@pytest.mark.parametrize("regression", ARCH)
def test_the_statistic_is_that_of_archs_table(regression: str) -> None:
    inflation = np.diff(np.log(macrodata.load_pandas().data["cpi"]))
    result = kpss_test(inflation, regression=regression, lags=12)  # type: ignore[arg-type]
    assert result.statistic == pytest.approx(ARCH[regression], abs=5e-5)


@pytest.mark.parametrize(
    ("series", "lags"),
    [
        (macrodata.load_pandas().data["realgdp"], 9),
        (sunspots.load_pandas().data["SUNACTIVITY"], 7),
        (nile.load_pandas().data["volume"], 5),
    ],
    ids=["realgdp", "sunspots", "nile"],
)
def test_the_automatic_lags_are_those_of_sas(series: object, lags: int) -> None:
    """SAS 9.3, as statsmodels' tests quote it."""
    assert kpss_test(series).lags == lags


def test_the_critical_values_are_those_of_the_paper() -> None:
    """Kwiatkowski et al. (1992), table 1."""
    noise = np.random.default_rng(1).normal(0, 1, 100)
    level, trend = kpss_test(noise).critical_values, kpss_test(noise, regression="ct").critical_values
    assert list(level.values()) == [0.347, 0.463, 0.574, 0.739]
    assert list(trend.values()) == [0.119, 0.146, 0.176, 0.216]
