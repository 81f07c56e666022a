"""The scan of a universe: what it says of each pair, and of what it cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import quantnb as qn
from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats import ScanResult, engle_granger, half_life, scan

Array = NDArray[np.float64]


def market(n_symbols: int, n: int, seed: int) -> Array:
    """Return closes of walks and, every third, of a symbol whose distance from a common trend comes back."""
    rng = np.random.default_rng(seed)
    trends = np.cumsum(rng.normal(0, 1e-3, (n, 4)), axis=0)
    own = rng.normal(0, 5e-4, (n, n_symbols))
    own[:, 1::3] = np.cumsum(own[:, 1::3], axis=0)
    # einsum and not a product of matrices: BLAS rounds by how many threads it has.
    common = np.einsum("tk,ks->ts", trends, np.eye(4)[np.arange(n_symbols) % 4].T)
    return np.exp(rng.uniform(-3, 11, n_symbols) + common + own)


CLOSES = market(12, 120, seed=3)
NAMES = [f"S{i}USDT" for i in range(12)]


def row_of(result: ScanResult, y: Any, x: Any) -> pd.Series:
    [row] = [row for _, row in result.pairs.iterrows() if (row["y"], row["x"]) == (y, x)]
    return row


def test_each_row_is_what_the_single_tests_say() -> None:
    result = scan(CLOSES, n_best=132)
    logs = np.log(CLOSES)
    assert len(result.pairs) == result.n_tests == 132
    for row in result.pairs.itertuples():
        y, x = logs[:, row.y], logs[:, row.x]
        single = engle_granger(y, x)
        assert (row.hedge_ratio, row.intercept) == (single.hedge_ratio, single.intercept)
        assert row.statistic == pytest.approx(single.statistic, rel=1e-9)
        assert row.pvalue == pytest.approx(single.pvalue, rel=1e-8, abs=1e-14)
        residual = y - single.intercept - single.hedge_ratio * x
        assert row.zscore == pytest.approx((residual / residual.std(ddof=1))[-1], rel=1e-9, abs=1e-10)
        assert row.half_life == pytest.approx(half_life(residual).half_life, rel=1e-8)
        assert row.n == single.nobs == result.n
    assert result.critical_values == single.critical_values


@pytest.mark.parametrize("lags", [0, 1, 2, 5])
def test_without_qr_it_says_the_same(lags: int) -> None:
    exact, quick = scan(CLOSES, lags, n_best=132).pairs, scan(CLOSES, lags, n_best=0).pairs
    assert exact["is_exact"].all()
    assert not quick["is_exact"].any()
    columns = ["statistic", "pvalue", "qvalue", "hedge_ratio", "intercept", "half_life", "zscore"]
    merged = exact.merge(quick, on=["y", "x"], suffixes=("", "_quick"))
    for name in columns:
        np.testing.assert_allclose(merged[f"{name}_quick"], merged[name], rtol=1e-9, atol=1e-10)


def test_the_best_come_first_and_are_exact() -> None:
    pairs = scan(CLOSES, n_best=7).pairs
    assert pairs["is_exact"].tolist() == [True] * 7 + [False] * 125
    assert pairs["statistic"].is_monotonic_increasing
    assert (pairs["qvalue"] >= pairs["pvalue"]).all()
    assert pairs["qvalue"][:20].is_monotonic_increasing


def test_the_number_of_tests_is_said_aloud() -> None:
    result = scan(np.exp(np.cumsum(np.random.default_rng(1).normal(0, 1e-3, (100, 40)), axis=0)))
    assert result.words.startswith("1,560 tests at 5 %: 78 expected by chance, ")
    assert result.words.endswith("0 remain at a false-discovery rate of 5 % (Benjamini-Hochberg).")
    assert result.n_expected_false == pytest.approx(78)


def test_of_pairs_that_come_back_many_remain() -> None:
    kept = scan(market(40, 300, seed=3)).pairs.query("qvalue < 0.05")
    is_true = (kept["y"] % 4 == kept["x"] % 4) & (kept["y"] % 3 != 1) & (kept["x"] % 3 != 1)
    assert is_true.sum() > 100
    assert is_true.mean() > 0.95


def test_pandas_and_numpy_agree_and_names_are_kept() -> None:
    frame = pd.DataFrame(CLOSES, columns=NAMES)
    by_frame, by_array = scan(frame).pairs, qn.scan(CLOSES, names=NAMES).pairs
    pd.testing.assert_frame_equal(by_frame, by_array)
    assert by_frame["y"].isin(NAMES).all()
    assert set(scan(CLOSES).pairs["y"]) == set(range(12))


def test_labels_may_be_tuples() -> None:
    labels = [("binance", name) for name in NAMES]
    assert scan(CLOSES, names=labels).pairs["y"].isin(labels).all()


def test_liquidity_is_that_of_the_less_liquid_leg() -> None:
    volume = {name: float(i) for i, name in enumerate(NAMES[:-1])}
    for given in (volume, pd.Series(volume)):
        result = scan(CLOSES, names=NAMES, liquidity=given)
        assert row_of(result, "S3USDT", "S7USDT")["liquidity"] == 3.0
        assert np.isnan(row_of(result, "S11USDT", "S7USDT")["liquidity"])
    assert "liquidity" not in scan(CLOSES).pairs


def test_levels_give_a_ratio_of_units() -> None:
    result = scan(CLOSES, prices="level", n_best=132)
    single = engle_granger(CLOSES[:, 2], CLOSES[:, 5])
    row = row_of(result, 2, 5)
    assert (row["hedge_ratio"], row["intercept"]) == (single.hedge_ratio, single.intercept)
    assert row["statistic"] == pytest.approx(single.statistic, rel=1e-9)
    assert result.prices == "level"


def test_a_column_that_misses_a_bar_is_left_out_and_said_to_be() -> None:
    holed = CLOSES.copy()
    holed[5, 2], holed[[7, 9], 4] = np.nan, np.inf
    result = scan(holed, names=NAMES)
    assert result.left_out == {"S2USDT": 1, "S4USDT": 2}
    assert "Left out for missing bars: S2USDT, S4USDT." in result.words
    kept = [i for i in range(12) if i not in (2, 4)]
    alone = scan(CLOSES[:, kept], names=[NAMES[i] for i in kept])
    pd.testing.assert_frame_equal(result.pairs, alone.pairs)


def test_a_flat_leg_gives_nan_everywhere_and_changes_no_other_row() -> None:
    flat = np.column_stack([CLOSES, np.full(120, 0.1)])
    result = scan(flat, n_best=10)
    touches = (result.pairs["y"] == 12) | (result.pairs["x"] == 12)
    numbers = ["statistic", "pvalue", "qvalue", "hedge_ratio", "intercept", "half_life", "zscore"]
    assert result.pairs.loc[touches, numbers].isna().all(axis=None)
    assert touches[-24:].all()
    assert (result.n_tests, result.flat) == (132, (12,))
    assert "Without movement: 12." in result.words
    np.testing.assert_allclose(
        result.pairs.loc[~touches, "statistic"], scan(CLOSES, n_best=10).pairs["statistic"], rtol=1e-10
    )


def test_columns_that_are_one_line_are_not_tested() -> None:
    twins = np.column_stack([CLOSES, CLOSES[:, 0], 1_000 * CLOSES[:, 0], CLOSES[:, 0] ** 2])
    result = scan(twins)
    same = result.pairs["y"].isin([0, 12, 13, 14]) & result.pairs["x"].isin([0, 12, 13, 14])
    assert same.sum() == 12
    assert (
        result.pairs.loc[same, ["statistic", "pvalue", "qvalue", "zscore", "half_life"]].isna().all(axis=None)
    )
    np.testing.assert_allclose(row_of(result, 14, 13)["hedge_ratio"], 2.0)
    assert result.n_tests == 15 * 14 - 12
    assert result.words.endswith("Not tested, for their spread is only rounding error: 12.")


def test_pairs_a_millionth_apart_are_redone_by_qr() -> None:
    """Here sums of the Gram matrix cancel to nothing, and statsmodels gives up; the single test does not."""
    near = CLOSES[:, 0] * np.exp(1e-8 * np.random.default_rng(4).normal(0, 1, 120))
    result = scan(np.column_stack([CLOSES, near]), n_best=0)
    for y, x in ((0, 12), (12, 0)):
        row = row_of(result, y, x)
        assert row["is_exact"]
        single = engle_granger(*np.log([CLOSES[:, 0], near])[:: 1 if y == 0 else -1])
        assert row["statistic"] == pytest.approx(single.statistic, rel=1e-8)


def test_a_residual_without_error_is_not_tested() -> None:
    x = 100 + np.cumsum(np.random.default_rng(2).normal(0, 1, 60))
    zigzag = x + np.where(np.arange(60) % 2, 1.0, -1.0)
    result = scan(np.column_stack([np.arange(60.0), np.arange(60.0) ** 2, x, zigzag]), prices="level")
    assert np.isfinite(result.pairs["statistic"].dropna()).all()


def test_long_lists_are_cut() -> None:
    holed = np.column_stack([CLOSES, np.full((120, 8), np.nan)])
    assert "missing bars: 12, 13, 14, 15, 16 and 3 more." in scan(holed).words


@pytest.mark.parametrize(
    ("closes", "settings", "sentence"),
    [
        (CLOSES[:29], {}, "closes have 29 bars; the test needs at least 30"),
        (CLOSES[:, 0], {}, r"not shape \(120,\)"),
        (CLOSES[:, :1], {}, "at least 2 columns"),
        (np.where(np.arange(12) > 0, np.nan, CLOSES), {}, "11 of 12 miss"),
        (CLOSES - 1e3, {}, "0 has a price that is not above 0"),
        ([["a", "b"]] * 40, {}, "not a number"),
        (CLOSES, {"names": NAMES[1:]}, "11 names for 12 columns"),
        (CLOSES, {"names": NAMES[1:] + NAMES[1:2]}, "named 'S1USDT'"),
    ],
)
def test_what_cannot_be_scanned_is_refused(closes: Any, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        scan(closes, **settings)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"lags": -1}, "from 0 to 58, not -1"),
        ({"lags": 59}, "from 0 to 58, not 59"),
        ({"lags": True}, "not True"),
        ({"n_best": 1.5}, "n_best is a whole number"),
        ({"prices": "returns"}, "level or log, not 'returns'"),
        ({"client": "tcp://10.0.0.1:8786"}, r"a dask.distributed.Client, not str"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSettingError, match=sentence):
        scan(CLOSES, **settings)


def test_the_most_lags_that_are_allowed_still_give_numbers() -> None:
    assert np.isfinite(scan(CLOSES[:31], 14).pairs["statistic"]).all()
