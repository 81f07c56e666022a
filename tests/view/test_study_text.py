"""A study as text: digits, signs and words."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from quantnb.stats import HedgeRow, PairStudy, study_pair
from quantnb.view.study_text import significant, study_data

RNG = np.random.default_rng(4)
X = 60_000 + np.cumsum(RNG.normal(0, 5, 120))
Y = 0.05 * X + RNG.normal(0, 0.3, 120)


@pytest.fixture(scope="module")
def study() -> PairStudy:
    return study_pair(Y, X, 50)


def with_rows(study: PairStudy, **rows: HedgeRow) -> PairStudy:
    assert not isinstance(study.hedges, str)
    return replace(study, hedges=replace(study.hedges, rows=rows))


def row(study: PairStudy, key: str) -> dict[str, object]:
    return next(test for test in study_data(study)["tests"] if test["key"] == key)


def test_json_knows_everything_in_it(study: PairStudy) -> None:
    assert json.loads(json.dumps(study_data(study), allow_nan=False))["prices"] == "level"


def test_every_method_and_every_test_has_its_name_in_words_and_a_warning(study: PairStudy) -> None:
    data = study_data(study)
    assert [method["name"] for method in data["methods"]] == [
        "Least squares, y on x",
        "Least squares, x on y",
        "Total least squares",
        "Median of slopes",
        "Kalman filter",
    ]
    assert all(each["title"].endswith(".") for each in (*data["methods"], *data["tests"]))
    assert all(len(method["cells"]) == 5 for method in data["methods"])
    assert all(len(test["cells"]) == 4 for test in data["tests"])


def test_the_digits_of_a_method_are_those_that_its_numbers_deserve(study: PairStudy) -> None:
    found = with_rows(study, ols=HedgeRow(0.0511234, -57.251234, 0.00123456, -1.2345, math.inf))
    (method,) = study_data(found)["methods"]
    assert method["cells"] == ["0.051123", "0.0012", "−57.251", "−1.23", "∞"]
    assert method["sign"] == "down"


def test_a_score_that_is_not_known_is_a_dash_without_a_sign(study: PairStudy) -> None:
    (method,) = study_data(with_rows(study, tls=HedgeRow(1.0, 0.0, 0.1, math.nan, math.nan)))["methods"]
    assert method["cells"][3:] == ["—", "—"]
    assert method["sign"] == "none"


def test_a_disagreement_on_the_sign_is_marked(study: PairStudy) -> None:
    above, below = (HedgeRow(1.0, 0.0, 0.1, score, 5.0) for score in (1.0, -1.0))
    assert study_data(with_rows(study, ols=above, tls=below))["signs_differ"]
    assert not study_data(with_rows(study, ols=above, tls=above))["signs_differ"]


def test_a_critical_value_says_on_which_side_it_rejects(study: PairStudy) -> None:
    critical = {test["key"]: test["cells"][1] for test in study_data(study)["tests"]}
    assert critical == {
        "engle_granger_y_on_x": "below −3.46",
        "engle_granger_x_on_y": "below −3.46",
        "johansen": "above 15.49",
        "kpss": "above 0.46",
        "variance_ratio": "beyond ±1.96",
        "cusum": "above 1.04",
        "drift": "beyond ±2.24",
    }


@pytest.mark.parametrize(
    ("test", "pvalue", "text"),
    [
        ("kpss", 0.01, "≤ 0.010"),
        ("kpss", 0.1, "≥ 0.100"),
        ("kpss", 0.034, "0.034"),
        ("variance_ratio", 0.01, "0.010"),
        ("variance_ratio", 1e-9, "< 0.001"),
    ],
)
def test_a_p_value_says_where_its_table_ends(study: PairStudy, test: str, pvalue: float, text: str) -> None:
    found = replace(study, **{test: replace(getattr(study, test), pvalue=pvalue)})
    assert row(found, test)["cells"][2] == text  # type: ignore[index]


def test_a_test_that_could_not_be_run_says_why_in_its_row(study: PairStudy) -> None:
    found = row(replace(study, variance_ratio="It needs the package arch."), "variance_ratio")
    assert (found["words"], found["cells"]) == ("It needs the package arch.", ["—", "—", "—", "—"])


def test_without_a_comparison_there_are_no_methods_and_no_disagreement(study: PairStudy) -> None:
    data = study_data(replace(study, hedges="Leg x is constant."))
    assert (data["methods"], data["signs_differ"]) == ([], False)
    assert {"side": "unknown", "text": "Hedge ratios: Leg x is constant."} in data["findings"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (9.1e-8, "0.000000091000"),
        (1e-20, "0.000000000000"),
        (-12.3456, "−12.346"),
        (1234567.8, "1,234,568"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_a_number_of_any_size_is_written_out(value: float, text: str) -> None:
    assert significant(value, 5) == text
