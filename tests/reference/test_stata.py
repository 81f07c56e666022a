"""Stata's dfuller on statsmodels' macrodata (values as statsmodels' tests quote them)."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.datasets import macrodata

from quantnb.stats import adf_test

# (series, lags, regression): statistic, p-value (Stata gives none without a constant)
STATA = {
    ("realgdp", 4, "c"): (0.97505319, 0.99399563),
    ("realgdp", 4, "ct"): (-1.8566374, 0.67682968),
    ("realgdp", 4, "n"): (3.5227498, None),
    ("infl", 1, "c"): (-4.3346988, 0.00038661),
    ("infl", 1, "ct"): (-4.425093, 0.00199633),
    ("infl", 1, "n"): (-2.4511596, None),
}
# Stata's table for 1, 5 and 10 %, printed to three digits; its sample is 198 (realgdp) and 201 (infl).
STATA_CRITICAL = {"c": (-3.476, -2.883, -2.573), "n": (-2.587, -1.950, -1.617)}


@pytest.mark.parametrize("case", STATA, ids=str)
def test_statistic_and_p_value_are_those_of_stata(case: tuple[str, int, str]) -> None:
    name, lags, regression = case
    # Stata's own data are single precision; rounded so, ours meets its digits (else to 2e-6).
    series = macrodata.load_pandas().data[name].astype(np.float32)
    statistic, pvalue = STATA[case]
    result = adf_test(series, regression=regression, lags=lags)  # type: ignore[arg-type]
    assert result.statistic == pytest.approx(statistic, rel=5e-8)
    assert result.lags == lags
    if pvalue is not None:
        assert result.pvalue == pytest.approx(pvalue, abs=5e-6)


@pytest.mark.parametrize("regression", STATA_CRITICAL)
def test_critical_values_are_near_those_of_stata(regression: str) -> None:
    """Stata interpolates Fuller's table, we evaluate MacKinnon's polynomials: they agree to 0.02."""
    result = adf_test(macrodata.load_pandas().data["infl"], regression=regression)  # type: ignore[arg-type]
    assert list(result.critical_values.values()) == pytest.approx(STATA_CRITICAL[regression], abs=0.02)
