"""The matrix at a bar's close: shrunk where symbols outnumber returns, and the same as a batch makes it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantnb.engine import Engine, Settings
from quantnb.events import Gap
from quantnb.snapshot import CorrelationMatrix
from quantnb.stats import correlation_matrix, shrunk_correlation
from tests.engine.market import market
from tests.engine.test_engine import run, snapshot

SYMBOLS = tuple(f"S{i:02}USDT" for i in range(24))
MANY = Settings(SYMBOLS, SYMBOLS[:2], "1s", 20)


def matrix_of(engine: Engine) -> CorrelationMatrix:
    matrix = snapshot(engine).correlation
    assert matrix is not None
    return matrix


def returns_of(engine: Engine, n: int) -> np.ndarray:
    closes = np.column_stack([each.bars["close"][-n - 1 :] for each in engine.instruments.values()])
    return np.log(closes[1:] / closes[:-1])


def test_few_symbols_are_left_as_they_are() -> None:
    few = replace(MANY, symbols=SYMBOLS[:20])
    matrix = matrix_of(run(list(market(1, 30, few.symbols)), few))
    assert (matrix.shrinkage, matrix.shrunk) == (None, ())


def test_more_symbols_than_returns_are_shrunk_as_the_batch_over_the_same_bars_is() -> None:
    engine = run(list(market(1, 30, SYMBOLS)), MANY)
    matrix, batch = matrix_of(engine), shrunk_correlation(returns_of(engine, 20))
    assert matrix.shrunk == SYMBOLS
    assert matrix.shrinkage == batch.shrinkage
    assert matrix.shrinkage is not None
    assert 0 < matrix.shrinkage < 1
    np.testing.assert_array_equal(matrix.values, batch.values)
    np.testing.assert_array_equal(matrix.n, batch.n)


@pytest.mark.parametrize("n_bars", [5, 12])
def test_a_window_that_is_not_full_yet_is_shrunk_by_the_returns_there_are(n_bars: int) -> None:
    engine = run(list(market(2, n_bars + 2, SYMBOLS)), MANY)
    n = min(len(each.bars) for each in engine.instruments.values()) - 1
    matrix, batch = matrix_of(engine), shrunk_correlation(returns_of(engine, n))
    assert matrix.shrinkage is not None
    assert matrix.shrinkage == pytest.approx(batch.shrinkage, rel=1e-9)
    assert matrix.n.max() == n


def test_a_symbol_with_a_gap_is_left_as_it_is_and_does_not_cut_the_others() -> None:
    events = list(market(3, 30, SYMBOLS))
    lost = [event for event in events if event.symbol == SYMBOLS[5] and 100 <= event.trade_id < 104]
    at = events.index(lost[-1])
    gap = Gap(SYMBOLS[5], 100, 103, lost[0].event_ns, lost[-1].event_ns, "connection lost")
    holed = [event for event in events[:at] if event not in lost] + [gap] + events[at + 1 :]
    engine, whole = run(holed, MANY), run(events, MANY)
    matrix, before = matrix_of(engine), matrix_of(whole)
    assert matrix.shrunk == SYMBOLS[:5] + SYMBOLS[6:]
    plain, n = correlation_matrix(returns_of(engine, 20))
    np.testing.assert_array_equal(matrix.values[5], plain[5])
    assert n[5, 0] < 20
    assert (np.delete(np.delete(matrix.n, 5, 0), 5, 1) == 20).all()
    assert matrix.shrinkage == pytest.approx(before.shrinkage, rel=0.2)
