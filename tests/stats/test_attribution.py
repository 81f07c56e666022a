"""Who moved: each cause alone, and the parts as a whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import InvalidSettingError
from quantnb.stats import (
    ZscoreState,
    attribute_zscore,
    causal_spread,
    zscore,
    zscore_attribution,
    zscore_states,
)

STATE = ZscoreState(y=3_010.0, x=60_000.0, hedge_ratio=0.05, intercept=5.0, mean=1.0, deviation=2.0)
RNG = np.random.default_rng(1)
X = np.round(60_000 + np.cumsum(RNG.normal(0, 5, 90)), 1)
Y = np.round(0.05 * X + np.cumsum(RNG.normal(0, 0.3, 90)), 2)


@pytest.mark.parametrize(
    ("moved", "part", "change"),
    [
        ({"y": 3_011.0}, "leg_y", 0.5),
        ({"x": 60_100.0}, "leg_x", -2.5),
        ({"hedge_ratio": 0.0501}, "hedge_ratio", -3.0),
        ({"intercept": 6.0}, "hedge_ratio", -0.5),
        ({"mean": 3.0}, "mean", -1.0),
        ({"deviation": 1.0}, "deviation", 2.0),
    ],
)
def test_what_moves_alone_is_the_whole_change(moved: dict[str, float], part: str, change: float) -> None:
    parts = attribute_zscore(STATE, STATE._replace(**moved))._asdict()
    assert parts.pop(part) == pytest.approx(change, rel=1e-9)
    assert set(parts.values()) == {0.0}


def test_a_line_that_turns_about_the_price_moves_nothing() -> None:
    """The ratio and the intercept move against each other: together they are one cause."""
    turned = STATE._replace(hedge_ratio=0.06, intercept=5.0 - 0.01 * 60_000)
    assert attribute_zscore(STATE, turned).hedge_ratio == pytest.approx(0, abs=1e-10)


def test_backwards_each_part_changes_its_sign() -> None:
    after = ZscoreState(3_020.0, 59_900.0, 0.0503, 1.0, -2.0, 3.0)
    there, back = attribute_zscore(STATE, after), attribute_zscore(after, STATE)
    assert list(there) == [-part for part in back]


def test_the_states_make_the_live_zscore() -> None:
    expected = zscore(causal_spread(Y, X, 20)["spread"].to_numpy(), 20)
    np.testing.assert_allclose(zscore_states(Y, X, 20).zscore, expected, rtol=1e-9, atol=1e-12)


def test_the_columns_are_the_parts_of_each_change() -> None:
    frame = zscore_attribution(Y, X, 20)
    assert list(frame) == ["leg_y", "leg_x", "hedge_ratio", "mean", "deviation", "change"]
    states = zscore_states(Y, X, 20)
    before, after = (ZscoreState(*(float(column[t]) for column in states)) for t in (59, 60))
    assert tuple(frame.iloc[60]) == (*attribute_zscore(before, after), after.zscore - before.zscore)
    assert frame.iloc[:40].isna().all(axis=None)
    assert frame.iloc[40:].notna().all(axis=None)


def test_around_a_missing_bar_and_a_flat_window_there_are_no_parts() -> None:
    holed, still = X.copy(), X.copy()
    holed[50] = np.nan
    still[30:60] = 60_000.1
    assert zscore_attribution(Y, holed, 10)[50:71].isna().all(axis=None)
    for frame in (zscore_attribution(Y, holed, 10), zscore_attribution(Y, still, 10)):
        assert not np.isinf(frame).any(axis=None)


def test_series_keep_their_index_and_nothing_gives_nothing() -> None:
    index = pd.date_range("2026-01-01", periods=90, freq="1s", tz="UTC")
    frame = zscore_attribution(pd.Series(Y, index=index), pd.Series(X, index=index), 20)
    assert frame.index.equals(index)
    assert len(zscore_attribution([], [], 20)) == 0


def test_a_window_of_two_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="at least 3"):
        zscore_attribution(Y, X, 2)
