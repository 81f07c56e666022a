"""The table, and what statistic and p-value say together."""

from __future__ import annotations

import pytest

from quantnb.stats.mackinnon import engle_granger_critical_values, engle_granger_pvalue, rejects_at

CRITICAL = {"1%": -3.9, "5%": -3.3, "10%": -3.0}


@pytest.mark.parametrize(
    ("statistic", "pvalue", "level"),
    [(-4.0, 0.005, "1%"), (-3.5, 0.03, "5%"), (-3.1, 0.08, "10%"), (-2.0, 0.5, None), (-3.3, 0.08, "10%")],
)
def test_the_strictest_level_that_rejects_is_named(
    statistic: float, pvalue: float, level: str | None
) -> None:
    assert rejects_at(statistic, pvalue, CRITICAL) == (level, "")


def test_where_p_and_critical_value_disagree_the_critical_value_decides_and_it_is_said() -> None:
    level, note = rejects_at(-3.29, 0.0495, CRITICAL)
    assert level == "10%"
    assert "asymptotic p-value (0.0495) alone would say otherwise" in note


def test_short_samples_need_a_more_negative_statistic() -> None:
    short, long = engle_granger_critical_values(30), engle_granger_critical_values(100_000)
    assert all(short[level] < long[level] for level in CRITICAL)


@pytest.mark.parametrize(("level", "size"), [("1%", 0.01), ("5%", 0.05), ("10%", 0.10)])
def test_pvalues_of_the_asymptotic_critical_values_are_their_levels(level: str, size: float) -> None:
    asymptotic = engle_granger_critical_values(10**9)[level]
    assert engle_granger_pvalue(asymptotic) == pytest.approx(size, rel=0.03)
