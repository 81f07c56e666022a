from __future__ import annotations

import numpy as np

from quantnb.exchange.climate import SLOTS_PER_MINUTE, Climates, climate_history


def test_levels_run_on_from_minute_to_minute() -> None:
    climates = Climates(7, ["majors", "memes"])
    first, second = climates.generate(100), climates.generate(101)
    step = abs(second.level["majors"][0] - first.level["majors"][-1])
    assert step < 10 * np.abs(np.diff(first.level["majors"])).max()
    assert len(first.volatility) == SLOTS_PER_MINUTE


def test_volatility_changes_within_an_hour() -> None:
    climates = Climates(7, ["majors"])
    per_minute = np.array([np.median(climates.generate(minute).volatility) for minute in range(60)])
    assert per_minute.max() > 1.5 * per_minute.min()


def test_activity_has_a_mean_near_one_and_bursts() -> None:
    activity = np.array(
        [[Climates(seed, ["majors"]).generate(minute).activity for minute in range(3)] for seed in range(60)]
    )
    assert 0.8 < activity.mean() < 1.25
    assert activity.max() > 20


def test_a_group_does_not_depend_on_which_others_there_are() -> None:
    alone, together = Climates(7, ["majors"]), Climates(7, ["finance", "majors"])
    np.testing.assert_array_equal(alone.generate(5).level["majors"], together.generate(5).level["majors"])


def test_history_ends_where_the_first_minute_begins() -> None:
    history = climate_history(7, ["majors"], 500)
    assert len(history.level["majors"]) == len(history.volatility) == 500
    assert history.level["majors"][-1] == 0.0
