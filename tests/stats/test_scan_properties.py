"""What holds for every scan: order, names and units of the columns change nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quantnb.stats import scan

Array = NDArray[np.float64]
NUMBERS = ["statistic", "pvalue", "hedge_ratio", "intercept", "half_life", "zscore"]
KINDS = ("walk", "returns", "flat", "missing", "twin")


@st.composite
def universes(draw: st.DrawFn, kinds: tuple[str, ...] = KINDS) -> Array:
    """Return closes on their ticks, with flat columns, gaps, near twins and twins among them."""
    n, n_symbols = draw(st.integers(30, 80)), draw(st.integers(2, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    trend = np.cumsum(rng.integers(-5, 6, n))
    columns = []
    for _ in range(n_symbols):
        level = draw(st.sampled_from([3.0, 2_500.0, 60_000.0]))
        kind = draw(st.sampled_from(kinds))
        moves = np.cumsum(rng.integers(-5, 6, n)) if kind in ("walk", "missing") else rng.integers(-3, 4, n)
        ticks = trend * (kind != "flat") + moves * (kind not in ("flat", "twin"))
        column = np.round(level + 0.01 * ticks, 2)
        column[n // 2] = np.nan if kind == "missing" else column[n // 2]
        columns.append(column)
    steady = np.round(500 + 0.1 * np.cumsum(rng.integers(-5, 6, (n, 2)), axis=0), 1)
    return np.column_stack([*columns, steady])


def by_legs(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs.set_index(["y", "x"]).sort_index()


@settings(max_examples=60, deadline=None)
@given(closes=universes(), lags=st.integers(0, 2), n_best=st.sampled_from([0, 5]), data=st.data())
def test_the_order_of_the_columns_changes_nothing(
    closes: Array, lags: int, n_best: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(closes.shape[1])))
    straight = by_legs(scan(closes, lags, n_best=n_best).pairs)
    mixed = by_legs(scan(closes[:, order], lags, n_best=n_best, names=order).pairs)
    assert straight.index.equals(mixed.index)
    np.testing.assert_allclose(mixed[NUMBERS], straight[NUMBERS], rtol=1e-8, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(closes=universes(), lags=st.integers(0, 2), n_best=st.sampled_from([0, 5]), data=st.data())
def test_the_unit_of_a_price_changes_no_statistic(
    closes: Array, lags: int, n_best: int, data: st.DataObject
) -> None:
    """By powers of two, so that the scaling itself is exact: then every bit but the ratio's unit stays."""
    power = data.draw(st.lists(st.integers(-20, 20), min_size=closes.shape[1], max_size=closes.shape[1]))
    unit = 2.0 ** np.array(power)
    plain = by_legs(scan(closes, lags, prices="level", n_best=n_best).pairs)
    scaled = by_legs(scan(closes * unit, lags, prices="level", n_best=n_best).pairs)
    unit_y, unit_x = (unit[plain.index.get_level_values(leg)] for leg in ("y", "x"))
    same = ["statistic", "pvalue", "qvalue", "half_life", "zscore", "is_exact"]
    pd.testing.assert_frame_equal(scaled[same], plain[same], check_exact=True)
    np.testing.assert_array_equal(scaled["hedge_ratio"], plain["hedge_ratio"] * unit_y / unit_x)
    np.testing.assert_array_equal(scaled["intercept"], plain["intercept"] * unit_y)


@settings(max_examples=60, deadline=None)
@given(closes=universes(KINDS[:4]), lags=st.integers(0, 2), cents=st.sampled_from([100.0, 1e-3]))
def test_no_unit_changes_a_ratio_of_money(closes: Array, lags: int, cents: float) -> None:
    """Without twins: what is left between these is about as large as the rounding of their new unit."""
    rescaled = closes.copy()
    rescaled[:, 0] *= cents
    columns = ["statistic", "hedge_ratio", "half_life", "zscore"]
    plain, scaled = (by_legs(scan(each, lags).pairs)[columns] for each in (closes, rescaled))
    np.testing.assert_allclose(scaled, plain, rtol=1e-6, atol=1e-8)


@settings(max_examples=60, deadline=None)
@given(closes=universes(), lags=st.integers(0, 2))
def test_both_directions_share_one_fit_and_nothing_is_infinite_but_a_half_life(
    closes: Array, lags: int
) -> None:
    pairs = by_legs(scan(closes, lags).pairs)
    finite = pairs[NUMBERS].drop(columns="half_life")
    assert not np.isinf(finite).any(axis=None)
    back = pairs.reindex([(x, y) for y, x in pairs.index])
    r_squared = pairs["hedge_ratio"].to_numpy() * back["hedge_ratio"].to_numpy()
    assert (r_squared[~np.isnan(r_squared)] <= 1 + 1e-12).all()
    assert (r_squared[~np.isnan(r_squared)] >= 0).all()
