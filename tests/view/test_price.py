from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from quantnb.view.price import PriceChart
from tests.view.browser_stub import Screen, quiet_lease
from tests.view.conftest import START_NS, StandInSession

VOLUME, CANDLES, FIRST_LINE = 0, 1, 3


@pytest.fixture
def chart(session: StandInSession) -> PriceChart:
    session.running = True
    return PriceChart(session, lease=quiet_lease())


def shown(screen: Screen) -> list[str]:
    return [trace.get("name", "") for trace in screen.traces if trace.get("visible") is not False]


def test_it_says_what_it_waits_for(session: StandInSession, chart: PriceChart) -> None:
    assert Screen(chart.figure).hello().words["notice"] == "Waiting for the first trades."
    session.tick(5, 3)
    assert Screen(chart.figure, "b").hello().words["notice"] == ""


def test_several_symbols_are_rebased_to_100_at_the_first_bar(
    session: StandInSession, chart: PriceChart
) -> None:
    session.tick(5, 40)
    screen = Screen(chart.figure).hello()
    for i, symbol in enumerate(session.symbols):
        close = session.snapshot.bars[symbol].columns["close"]
        line = screen.traces[FIRST_LINE + i]
        assert line["y"][0] == 100.0
        np.testing.assert_allclose(line["y"][:-1], 100 * close / close[0])
        assert line["name"] == symbol


def test_symbols_with_histories_of_different_length_are_100_at_the_first_bar_they_share(
    session: StandInSession, chart: PriceChart
) -> None:
    session.tick(5, 40)
    whole = session.snapshot
    eth = whole.bars["ETHUSDT"]
    younger = replace(
        eth,
        first=eth.first + 7,
        time_ns=eth.time_ns[7:],
        columns={name: column[7:] for name, column in eth.columns.items()},
    )
    session.snapshot = replace(whole, bars={**whole.bars, "ETHUSDT": younger})
    screen = Screen(chart.figure).hello()
    for i, symbol in enumerate(session.symbols):
        line = screen.traces[FIRST_LINE + i]
        at_ms = eth.time_ns[7] / 1e6
        assert dict(zip(line["x"], line["y"], strict=True))[at_ms] == 100.0, symbol


def test_the_first_bar_is_100_only_once_it_has_closed(session: StandInSession, chart: PriceChart) -> None:
    session.tick(5, 0)
    screen = Screen(chart.figure).hello()
    session.tick(5, 3)
    screen.look()
    assert screen.traces[FIRST_LINE]["y"][0] == 100.0


def test_bars_that_all_still_form_are_drawn_at_100(session: StandInSession, chart: PriceChart) -> None:
    session.tick(5, 1)
    bars = {
        symbol: replace(each, time_ns=each.time_ns[:0], columns={k: v[:0] for k, v in each.columns.items()})
        for symbol, each in session.snapshot.bars.items()
    }
    session.snapshot = replace(session.snapshot, bars=bars)
    screen = Screen(chart.figure).hello()
    assert [list(line["y"]) for line in screen.traces[FIRST_LINE:]] == [[100.0]] * 3


def test_after_a_clear_the_first_bar_is_100_again(session: StandInSession, chart: PriceChart) -> None:
    session.tick(5, 40)
    screen = Screen(chart.figure).hello()
    session.clear()
    screen.look()
    session.tick(5, 3)
    screen.look()
    assert screen.traces[FIRST_LINE]["y"][0] == 100.0


def test_the_volume_of_the_newest_bar_is_drawn_to_the_end_of_the_bar(
    session: StandInSession, chart: PriceChart
) -> None:
    session.tick(5, 40)
    volume, forming = Screen(chart.figure).hello().traces[VOLUME], session.snapshot.forming["BTCUSDT"]
    assert forming is not None
    assert list(volume["x"][-2:]) == [forming.open_ns / 1e6, forming.open_ns / 1e6 + 1_000]
    assert list(volume["y"][-2:]) == [forming.quote_volume] * 2


def test_raw_prices_end_with_the_forming_bar(session: StandInSession, chart: PriceChart) -> None:
    chart.scale_choice.value = "raw"
    session.tick(5, 40)
    screen = Screen(chart.figure).hello()
    line, forming = screen.traces[FIRST_LINE], session.snapshot.forming["BTCUSDT"]
    assert forming is not None
    assert (line["x"][-1], line["y"][-1]) == (forming.open_ns / 1e6, forming.close)
    np.testing.assert_array_equal(line["y"][:-1], session.snapshot.bars["BTCUSDT"].columns["close"])


def test_one_symbol_alone_is_shown_in_its_own_price() -> None:
    session = StandInSession(symbols=("BTCUSDT", "ETHUSDT"))
    session.symbols = ("ETHUSDT", "BTCUSDT")
    assert PriceChart(session, lease=quiet_lease()).scale_choice.value == "rebased"


def test_an_update_sends_the_forming_bar_and_the_new_one_only(
    session: StandInSession, chart: PriceChart
) -> None:
    session.tick(5, 500)
    screen = Screen(chart.figure).hello()
    session.tick(5, 0)
    screen.look()
    assert (
        screen.n_bytes == 5 * 2 * 8
    )  # x and y of a point of three lines, and of both ends of the volume's step
    session.tick(5, 1)
    screen.look()
    assert screen.n_bytes == 9 * 2 * 8
    for i, symbol in enumerate(session.symbols):
        close = session.snapshot.bars[symbol].columns["close"]
        np.testing.assert_allclose(screen.traces[FIRST_LINE + i]["y"][:-1], 100 * close / close[0])


def test_of_more_bars_than_pixels_the_extremes_are_sent(session: StandInSession, chart: PriceChart) -> None:
    session.tick(5, 8_000)
    line = Screen(chart.figure).hello().traces[FIRST_LINE]
    assert 1_000 < len(line["x"]) <= 2_003
    assert len(chart.figure.data[FIRST_LINE].x) == 8_001
    whole = chart.figure.data[FIRST_LINE].y
    assert (line["y"].min(), line["y"].max(), line["y"][-1]) == (whole.min(), whole.max(), whole[-1])


def test_candles_are_of_the_chosen_symbol(session: StandInSession, chart: PriceChart) -> None:
    session.tick(5, 30)
    screen = Screen(chart.figure).hello()
    chart.style_choice.value = "candles"
    chart.symbol_choice.value = "SOLUSDT"
    screen.look()
    assert shown(screen) == ["Volume SOLUSDT", "SOLUSDT"]
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(
            screen.traces[CANDLES][name][:-1], session.snapshot.bars["SOLUSDT"].columns[name]
        )


def test_the_volume_can_be_hidden(session: StandInSession, chart: PriceChart) -> None:
    session.tick(5, 30)
    screen = Screen(chart.figure).hello()
    assert "Volume BTCUSDT" in shown(screen)
    chart.volume_switch.value = False
    assert "Volume BTCUSDT" not in shown(screen.look())
    assert screen.layout["yaxis"]["domain"] == [0.0, 1.0]


def test_symbols_may_change_while_it_is_watched(session: StandInSession, chart: PriceChart) -> None:
    session.tick(5, 30)
    screen = Screen(chart.figure).hello()
    session.symbols = ("BTCUSDT", "ETHUSDT", "XRPUSDT")
    session.tick(5, 1)
    screen.look()
    assert shown(screen)[1:] == ["BTCUSDT", "ETHUSDT", "XRPUSDT"]
    assert chart.symbol_choice.options == session.symbols
    assert len(screen.traces[-1]["x"]) == 32


def test_an_exchange_s_text_is_no_markup(session: StandInSession, chart: PriceChart) -> None:
    chart._rebuild(("<img src=x>",))
    assert chart.figure.data[FIRST_LINE].name == "&lt;img src=x&gt;"


def test_nothing_is_computed_while_nobody_watches(session: StandInSession, chart: PriceChart) -> None:
    session.tick(5, 30)
    assert len(chart.figure.data) == 0


def test_a_new_timeframe_starts_the_zoom_and_the_data_anew(
    session: StandInSession, chart: PriceChart
) -> None:
    session.tick(5, 30)
    screen = Screen(chart.figure).hello()
    before = screen.layout["uirevision"]
    session.timeframe = "5s"
    screen.look()
    assert screen.layout["uirevision"] != before


def test_it_stops_observing_when_closed(session: StandInSession, chart: PriceChart) -> None:
    screen = Screen(chart.figure).hello()
    chart.close()
    session.tick(5, 30)
    assert screen.messages == []


def test_the_caption_is_the_unit(session: StandInSession, chart: PriceChart) -> None:
    session.tick(5, 30)
    screen = Screen(chart.figure).hello()
    assert screen.words["caption"] == "Rebased: first common bar = 100"
    chart.scale_choice.value = "raw"
    assert screen.look().words["caption"] == "USDT"
    chart.style_choice.value = "candles"
    assert screen.look().words["caption"] == "BTCUSDT, USDT"


def test_the_caption_says_up_to_when_the_bars_are_the_exchange_s(
    session: StandInSession, chart: PriceChart
) -> None:
    session.n_history = 20
    session.tick(5, 30)
    screen = Screen(chart.figure).hello()
    end = datetime.fromtimestamp(START_NS / 1e9 + 20, UTC)
    assert screen.words["caption"].endswith(f" · until {end:%H:%M:%S} UTC from the exchange's klines")


def test_the_first_bar_that_is_known_is_100(session: StandInSession, chart: PriceChart) -> None:
    session.tick(5, 30)
    bars = session.snapshot.bars["BTCUSDT"]
    close = bars.columns["close"].copy()
    close[:2] = np.nan
    first = replace(bars, columns={**bars.columns, "close": close})
    session.snapshot = replace(session.snapshot, bars={**session.snapshot.bars, "BTCUSDT": first})
    line = Screen(chart.figure).hello().traces[FIRST_LINE]
    assert np.isnan(line["y"][:2]).all()
    assert line["y"][2] == 100.0
