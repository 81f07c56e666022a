"""The scan against statsmodels, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.adfvalues import mackinnonp
from statsmodels.tsa.stattools import coint

from quantnb.stats import scan
from quantnb.stats.scan_pvalues import engle_granger_pvalues
from tests.stats.test_scan import market


@pytest.mark.parametrize("lags", [0, 1, 2])
@pytest.mark.parametrize(("n_symbols", "n"), [(20, 150), (9, 40), (8, 1_000)])
@pytest.mark.parametrize("n_best", [0, 1_000])
def test_every_statistic_is_that_of_statsmodels_coint(n_symbols: int, n: int, lags: int, n_best: int) -> None:
    closes = market(n_symbols, n, seed=11)
    result = scan(closes, lags, n_best=n_best)
    assert result.n_tests == n_symbols * (n_symbols - 1)
    logs = np.log(closes)
    for row in result.pairs.itertuples():
        statistic, pvalue, _ = coint(logs[:, row.y], logs[:, row.x], maxlag=lags, autolag=None)
        assert row.statistic == pytest.approx(statistic, rel=1e-8)
        assert row.pvalue == pytest.approx(pvalue, rel=1e-7, abs=1e-14)


def test_the_pvalues_are_mackinnons() -> None:
    statistics = np.concatenate([np.linspace(-25, 3, 1_001), [-18.86, -2.62, 0.92]])
    expected = [mackinnonp(statistic, regression="c", N=2) for statistic in statistics]
    np.testing.assert_allclose(engle_granger_pvalues(statistics), expected, rtol=1e-12, atol=1e-300)


def test_no_statistic_has_no_pvalue() -> None:
    assert np.isnan(engle_granger_pvalues(np.array([np.nan]))).all()
