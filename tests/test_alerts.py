"""A rule speaks when its threshold is reached, once, and again only after the value has come back."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.alerts import REARM_FRACTION, AlertBook, Rule
from quantnb.errors import InvalidSettingError

S = 1_000_000_000


def firings(values: list[float], *, threshold: float = 2.0, cooldown_s: float = 0.0) -> list[int]:
    """Return the positions at which a z-score rule fires, one value a second."""
    book = AlertBook()
    rule = book.add_rule("zscore", threshold, cooldown_s=cooldown_s)
    return [i for i, value in enumerate(values) if book.observe(rule, "Y/X", value, i * S)]


def test_a_rule_fires_when_the_threshold_is_reached() -> None:
    assert firings([1.0, 1.99, 2.0]) == [2]


def test_a_rule_watches_both_signs() -> None:
    assert firings([1.0, -2.5]) == [1]


def test_a_value_that_hovers_at_the_threshold_speaks_once() -> None:
    assert firings([2.1, 1.9, 2.1, 1.9, 2.1]) == [0]


def test_a_rule_fires_again_after_the_value_came_back() -> None:
    assert firings([2.1, 1.6, 2.1]) == [0, 2]


def test_a_rule_is_quiet_within_its_cooldown() -> None:
    assert firings([2.1, 0.0, 2.1, 0.0, 2.1], cooldown_s=4.0) == [0, 4]


def test_no_value_changes_nothing() -> None:
    assert firings([2.1, math.nan, 2.1]) == [0]


def test_each_symbol_has_its_own_state() -> None:
    book = AlertBook()
    rule = book.add_rule("price_change", 1.0)
    assert book.observe(rule, "BTCUSDT", 1.5, 0)
    assert book.observe(rule, "ETHUSDT", 1.5, 0)
    assert not book.observe(rule, "BTCUSDT", 1.5, S)


@given(st.lists(st.floats(-5, 5), max_size=60), st.floats(0.5, 4), st.floats(0, 10))
def test_between_two_firings_the_value_came_back_and_the_cooldown_passed(
    values: list[float], threshold: float, cooldown_s: float
) -> None:
    fired = firings(values, threshold=threshold, cooldown_s=cooldown_s)
    for first, second in pairwise(fired):
        assert second - first >= cooldown_s
        assert any(abs(value) <= threshold * REARM_FRACTION for value in values[first : second + 1])


def test_a_removed_alert_leaves_the_list_and_stays_in_the_log() -> None:
    book = AlertBook()
    rule = book.add_rule("zscore", 2.0)
    alert = book.observe(rule, "Y/X", 3.0, 0)
    assert alert is not None
    book.remove_alert(alert.alert_id)
    assert book.active == ()
    assert list(book.log) == [alert]


def test_alerts_come_newest_first() -> None:
    book = AlertBook()
    rule = book.add_rule("price_change", 1.0, severity="critical")
    book.observe(rule, "A", 1.5, 0)
    book.observe(rule, "B", -1.5, S)
    assert [alert.symbol for alert in book.active] == ["B", "A"]
    assert book.active[0].text == "B moved -1.50 % in 60 s (threshold 1 %)"


def test_removing_a_rule_silences_it_and_keeps_its_alerts() -> None:
    book = AlertBook()
    rule = book.add_rule("zscore", 2.0)
    book.observe(rule, "Y/X", 3.0, 0)
    book.remove_rule(rule.rule_id)
    assert book.rules == ()
    assert len(book.active) == 1


def test_the_list_of_alerts_is_bounded_and_drops_the_oldest() -> None:
    book = AlertBook()
    rule = book.add_rule("zscore", 1.0, cooldown_s=0)
    for i in range(500):
        book.observe(rule, "Y/X", 2.0 * (i % 2), i * S)
    assert len(book.active) == 200
    assert book.active[0].time_ns == 499 * S
    assert len(book.log) == 250


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "volume"}, "zscore, price_change or break"),
        ({"threshold": 0.0}, "above 0"),
        ({"threshold": math.nan}, "above 0"),
        ({"severity": "loud"}, "info, warning or critical"),
        ({"span_s": 0.0}, "1 to 86,400"),
        ({"cooldown_s": -1.0}, "0 to 86,400"),
    ],
)
def test_an_impossible_rule_is_refused_with_the_valid_choices(changes: dict, words: str) -> None:
    with pytest.raises(InvalidSettingError, match=words):
        Rule(**({"rule_id": 1, "kind": "zscore", "threshold": 2.0} | changes))


def test_cause_and_recipe_are_asked_for_only_when_a_rule_fires() -> None:
    asked = []

    def about() -> tuple[str, str]:
        asked.append(True)
        return "leg y", "1 + 1"

    book = AlertBook()
    rule = book.add_rule("zscore", 2.0)
    assert book.observe(rule, "Y/X", 1.0, 0, about=about) is None
    assert not asked
    alert = book.observe(rule, "Y/X", 3.0, S, about=about)
    assert alert is not None
    assert (alert.cause, alert.recipe) == ("leg y", "1 + 1")
    assert book.observe(rule, "Y/X", 3.0, 2 * S, about=about) is None
    assert len(asked) == 1
