"""The variance ratio: against exact arithmetic, its words, and what is refused."""

from __future__ import annotations

import importlib
import math
import sys
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from statsmodels.datasets import macrodata

from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import variance_ratio

RNG = np.random.default_rng(3)
STEPS = RNG.normal(0, 1, 1_000)


@pytest.fixture
def arch() -> Any:
    return importlib.import_module("arch.unitroot")


def exact(values: np.ndarray, q: int) -> tuple[float, float]:
    """Return Lo and MacKinlay's ratio and robust statistic (Campbell, Lo, MacKinlay 1997, 2.4.37-44)."""
    prices = [Fraction(float(value)) for value in values]
    n = len(prices) - 1
    mean = (prices[-1] - prices[0]) / n
    one = [(b - a - mean) ** 2 for a, b in pairwise(prices)]
    many = [(b - a - q * mean) ** 2 for a, b in zip(prices[:-q], prices[q:], strict=True)]
    ratio = sum(many) / (q * (n - q + 1) * (1 - Fraction(q, n))) / (sum(one) / (n - 1))
    theta = Fraction()
    for k in range(1, q):
        delta = n * sum(a * b for a, b in zip(one[:-k], one[k:], strict=True)) / sum(one) ** 2
        theta += (2 * Fraction(q - k, q)) ** 2 * delta
    return float(ratio), math.sqrt(n) * float(ratio - 1) / math.sqrt(theta)


@pytest.mark.parametrize("periods", [2, 5, 24])
def test_it_is_that_of_exact_arithmetic_on_the_series_of_archs_own_tests(arch: Any, periods: int) -> None:
    """arch's tests check it by the same formula on US inflation (arch/tests/unitroot/test_unitroot.py)."""
    inflation = np.diff(np.log(macrodata.load_pandas().data["cpi"]))
    result = variance_ratio(inflation, periods=periods, prices="level")
    assert (result.ratio, result.statistic) == pytest.approx(exact(inflation, periods), rel=1e-9)
    assert result.pvalue == pytest.approx(
        math.erfc(abs(result.statistic) / math.sqrt(2)), rel=1e-6, abs=1e-12
    )


def test_a_walk_has_one_what_comes_back_has_less_and_what_goes_on_more(arch: Any) -> None:
    walk, back = np.cumsum(STEPS), STEPS
    on = np.cumsum(np.convolve(STEPS, [1, 0.5, 0.25], mode="valid"))
    verdicts = [variance_ratio(series, prices="level").verdict for series in (walk, back, on)]
    assert verdicts[0].startswith("Not distinguishable from a random walk at 10%: over 5 bars")
    assert verdicts[1].startswith("Takes its moves back: over 5 bars the variance is 0.19")
    assert verdicts[1].endswith("a random walk is rejected at 1%.")
    assert verdicts[2].startswith("Goes on as it went")


def test_a_price_is_tested_by_its_logarithm(arch: Any) -> None:
    price = 60_000 * np.exp(np.cumsum(STEPS) * 1e-4)
    by_price, by_log = variance_ratio(price), variance_ratio(np.log(price), prices="level")
    assert by_price.statistic == pytest.approx(by_log.statistic, rel=1e-6)
    assert (by_price.periods, by_price.nobs) == (5, 1_000)


def test_without_arch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arch", None)
    monkeypatch.setitem(sys.modules, "arch.unitroot", None)
    with pytest.raises(StatisticsError, match="pip install arch"):
        variance_ratio(np.cumsum(STEPS), prices="level")


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        (STEPS[:29], "has 29 values"),
        (np.full(50, 0.1), "constant"),
        (np.where(np.arange(1_000) == 7, np.nan, STEPS), "misses 1 of its 1000 values"),
        (STEPS, "must be above 0"),
        (np.full(1, 3.0), "has 1 values"),
    ],
)
def test_a_series_without_an_honest_answer_is_refused(series: np.ndarray, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        variance_ratio(series)


def test_a_straight_line_is_refused() -> None:
    with pytest.raises(StatisticsError, match="straight line"):
        variance_ratio(np.arange(50.0), prices="level")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"periods": 1}, "from 2 to 500, not 1"),
        ({"periods": 501}, "from 2 to 500, not 501"),
        ({"periods": 2.0}, "not 2.0"),
        ({"prices": "returns"}, "level or log, not 'returns'"),
    ],
)
def test_an_unknown_setting_is_told_the_valid_ones(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidSettingError, match=sentence):
        variance_ratio(STEPS, **arguments)  # type: ignore[arg-type]
