"""Gaps on the charts: which spans are marked, in which words, and how seldom that is sent."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.view.gaps import MAX_SPANS, POINTS_TO_HOVER, gap_spans
from quantnb.view.price import PriceChart
from quantnb.view.spread import SpreadChart
from tests.view.browser_stub import Screen, quiet_lease
from tests.view.conftest import SECOND_NS, START_NS, hole

PRICE_GAPS, SPREAD_GAPS, ZSCORE_GAPS = 2, 2, 3


def spans_of(*holes, symbols=("BTCUSDT", "ETHUSDT"), shown_from_s=0):
    spans = gap_spans(holes, symbols, SECOND_NS, START_NS + shown_from_s * SECOND_NS)
    return [((s.start_ns - START_NS) / SECOND_NS, (s.end_ns - START_NS) / SECOND_NS) for s in spans]


def test_a_span_is_of_whole_bars():
    assert spans_of(hole(start_s=10.2, end_s=12.7)) == [(10, 13)]
    assert spans_of(hole(start_s=10.0, end_s=10.0)) == [(10, 11)]


def test_what_is_closed_or_of_another_symbol_is_not_marked():
    assert spans_of(hole(state="closed"), hole("SOLUSDT"), hole("ETHUSDT", state="lost")) == [(10, 11)]


def test_spans_that_touch_are_one():
    assert spans_of(hole(start_s=11, end_s=11.5), hole("ETHUSDT"), hole(start_s=30, end_s=31)) == [
        (10, 12),
        (30, 32),
    ]


def test_nothing_is_marked_before_the_first_bar_shown():
    holes = hole(start_s=10, end_s=12), hole(start_s=20, end_s=29.5)
    assert spans_of(*holes, shown_from_s=25) == [(25, 30)]


@given(starts=st.lists(st.integers(0, 5_000), max_size=300))
def test_spans_are_few_in_order_apart_and_cover_every_hole(starts):
    spans = spans_of(*(hole(start_s=start, end_s=start) for start in starts))
    assert len(spans) <= MAX_SPANS
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert all(any(a <= start and start + 1 <= b for a, b in spans) for start in starts)


def test_a_span_says_how_many_trades_of_what_and_why():
    holes = hole(), hole("ETHUSDT", cause="ids <b>skipped</b>", n_missing=1)
    (span,) = gap_spans(holes, ("BTCUSDT", "ETHUSDT"), SECOND_NS, START_NS)
    assert (
        span.words(with_symbols=False)
        == "gap: 4 trades missing (connection lost; ids &lt;b&gt;skipped&lt;/b&gt;)"
    )
    assert span.words(with_symbols=True).startswith(
        "gap: 4 trades missing (BTCUSDT, ETHUSDT: connection lost;"
    )


def test_a_single_trade_is_one_and_a_number_that_is_not_known_is_no_number():
    (one,) = gap_spans([hole(n_missing=1)], ("BTCUSDT",), SECOND_NS, START_NS)
    (unknown,) = gap_spans([hole(n_missing=0)], ("BTCUSDT",), SECOND_NS, START_NS)
    assert one.words(with_symbols=False) == "gap: 1 trade missing (connection lost)"
    assert unknown.words(with_symbols=False) == "gap: unknown number of trades missing (connection lost)"


@pytest.fixture
def price(session):
    return PriceChart(session, lease=quiet_lease())


def marked_s(trace):
    """Return the spans that a trace fills, in seconds after the first bar."""
    if not trace["visible"]:
        return []
    seconds = np.asarray(trace["x"]) / 1e3 - START_NS / 1e9
    rises = np.flatnonzero(np.diff(trace["y"]) > 0)
    falls = np.flatnonzero(np.diff(trace["y"]) < 0)
    return [(round(seconds[a]), round(seconds[b])) for a, b in zip(rises, falls, strict=True)]


def test_the_price_chart_marks_the_symbols_that_are_shown(session, price):
    session.holes = (hole("SOLUSDT", 20, 21), hole("BTCUSDT", 10, 11))
    session.tick(5, 60)
    screen = Screen(price.figure).hello()
    assert marked_s(screen.traces[PRICE_GAPS]) == [(10, 12), (20, 22)]
    assert "gap: 3 trades missing (SOLUSDT: connection lost)" in screen.traces[PRICE_GAPS]["text"]
    price.style_choice.value = "candles"
    assert marked_s(screen.look().traces[PRICE_GAPS]) == [(10, 12)]
    assert set(screen.traces[PRICE_GAPS]["text"]) == {"gap: 3 trades missing (connection lost)"}


def test_a_gap_that_is_closed_is_marked_no_more(session, price):
    session.holes = (hole(),)
    session.tick(5, 60)
    screen = Screen(price.figure).hello()
    session.holes = (hole(state="closed", n_missing=0),)
    session.tick()
    assert marked_s(screen.look().traces[PRICE_GAPS]) == []


def test_marks_are_sent_only_when_they_change_and_never_a_layout_with_them(session, price):
    session.holes = (hole(),)
    session.tick(5, 60)
    screen = Screen(price.figure).hello()
    news = []
    apply = screen._apply
    screen._apply = lambda data, numbers: (news.append(data), apply(data, numbers))
    session.tick(5, 1)
    screen.look()
    assert str(PRICE_GAPS) not in news.pop()["traces"]
    session.holes = (hole(), hole(start_s=30, end_s=31))
    session.tick()
    screen.look()
    assert "layout" not in news[-1]
    assert "props" in news.pop()["traces"][str(PRICE_GAPS)]
    assert marked_s(screen.traces[PRICE_GAPS]) == [(10, 11), (30, 32)]


def test_an_outage_of_an_hour_has_few_points(session, price):
    session.holes = (hole(start_s=10, end_s=1_900),)
    session.tick(5, 2_000)
    trace = Screen(price.figure).hello().traces[PRICE_GAPS]
    assert len(trace["x"]) == len(trace["text"]) <= POINTS_TO_HOVER + 3
    assert marked_s(trace) == [(10, 1_901)]


def test_after_another_choice_of_symbols_the_marks_are_there_again(session, price):
    session.holes = (hole(),)
    session.tick(5, 60)
    screen = Screen(price.figure).hello()
    session.symbols = ("BTCUSDT", "ETHUSDT")
    session.tick()
    assert marked_s(screen.look().traces[PRICE_GAPS]) == [(10, 11)]


def test_no_line_is_drawn_across_a_gap(session, price):
    session.tick(5, 60)
    screen = Screen(price.figure).hello()
    spread = Screen(SpreadChart(session, lease=quiet_lease()).figure).hello()
    assert not [trace for trace in screen.traces + spread.traces if trace.get("connectgaps")]


def test_the_spread_chart_marks_the_gaps_of_both_legs_in_both_panes(session):
    session.holes = (hole("ETHUSDT", 70, 71), hole("BTCUSDT", 80, 81), hole("SOLUSDT", 90, 91))
    session.tick(5, 120)
    screen = Screen(SpreadChart(session, lease=quiet_lease()).figure).hello()
    assert (
        marked_s(screen.traces[SPREAD_GAPS]) == marked_s(screen.traces[ZSCORE_GAPS]) == [(70, 72), (80, 82)]
    )
    assert screen.traces[ZSCORE_GAPS]["hoverinfo"] == "skip"
    assert "gap: 3 trades missing (ETHUSDT: connection lost)" in screen.traces[SPREAD_GAPS]["text"]
    assert len(screen.layout["shapes"]) == 2  # the thresholds alone can be dragged
