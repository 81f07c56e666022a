from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantnb.stats import LeadLagResult, TradeColumns, correlate_trades, lead_lag
from quantnb.view import horizon
from quantnb.view.background import REST_S, Background
from quantnb.view.horizon import HorizonChart
from tests.view.browser_stub import Clock, Screen, quiet_lease
from tests.view.conftest import SECOND_NS, START_NS, StandInSession


@pytest.fixture
async def chart(session: StandInSession) -> AsyncIterator[HorizonChart]:
    made = HorizonChart(session, lease=quiet_lease())
    yield made
    made.close()


@pytest.fixture
def studies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads in which something was computed, one entry each time."""
    threads: list[int] = []
    study = horizon._study

    def counted(*args: Any) -> Any:
        threads.append(threading.get_ident())
        return study(*args)

    monkeypatch.setattr(horizon, "_study", counted)
    return threads


def use_clock(chart: HorizonChart) -> Clock:
    clock = Clock()
    chart._background = Background(chart.redraw, clock=clock)
    return clock


async def until(screen: Screen, is_so: Callable[[], object]) -> Screen:
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.01)
            screen.look()
    return screen


def is_computing() -> bool:
    return any(task.get_name() == "quantnb background" for task in asyncio.all_tasks())


async def shown(chart: HorizonChart) -> Screen:
    """A browser that looks at the chart, once there is something to see."""
    screen = Screen(chart.figure).hello()
    return await until(screen, lambda: screen.words["caption"])


async def test_it_says_what_it_waits_for(session: StandInSession, chart: HorizonChart) -> None:
    screen = Screen(chart.figure).hello()
    assert screen.words["notice"] == "Waiting for the first trades of both legs."
    session.tick(0, 1)
    await until(screen, lambda: screen.words["notice"].startswith("Too few trades"))
    assert screen.words["notice"].endswith("at the same time yet: 1 + 1.")


async def test_points_are_the_correlation_of_the_trades_by_horizon(
    session: StandInSession, chart: HorizonChart
) -> None:
    session.tick(0, 120)
    band, curve, _, _ = (await shown(chart)).traces
    expected = correlate_trades(*map(session.trade_columns, session.pair))
    drawn = np.isfinite(expected.correlations)
    assert curve["x"].tolist() == expected.horizons_ms[drawn].tolist()
    np.testing.assert_array_equal(curve["y"], expected.correlations[drawn])
    np.testing.assert_array_equal(curve["customdata"][:, 0], expected.n[drawn])
    np.testing.assert_array_equal(curve["customdata"][:, 2], expected.share_filled[drawn])
    half = len(band["x"]) // 2
    np.testing.assert_array_equal(band["y"][:half], np.minimum(expected.band[drawn], 1))
    np.testing.assert_array_equal(band["y"][half:], -band["y"][:half][::-1])


async def test_a_point_within_the_band_of_chance_is_hollow(
    session: StandInSession, chart: HorizonChart
) -> None:
    session.tick(0, 120)
    curve = (await shown(chart)).traces[1]
    is_inside = np.abs(curve["y"]) <= curve["customdata"][:, 1]
    assert is_inside.any()
    assert [symbol == "circle-open" for symbol in curve["marker"]["symbol"]] == is_inside.tolist()


async def test_it_says_over_what_time_and_how_many_trades_and_what_they_are_too_few_for(
    session: StandInSession, chart: HorizonChart
) -> None:
    session.tick(0, 120)
    words = (await shown(chart)).words
    assert words["caption"].startswith(
        "From 14:13:20 to 14:15:19 UTC, 239 + 239 trades; too few yet for bars from 1 min on. "
    )
    assert words["label"].startswith("Correlation of ETHUSDT and BTCUSDT by length of bar: 100 ms ")
    assert words["caption"] in words["label"]
    assert max((await shown(chart)).traces[1]["x"]) == 30_000


async def test_over_midnight_the_day_is_said(session: StandInSession, chart: HorizonChart) -> None:
    session.trade_columns = lambda symbol: TradeColumns(  # type: ignore[method-assign]
        START_NS + np.arange(400) * 100 * SECOND_NS, 100 + np.arange(400) % 7, np.arange(400)
    )
    session.tick(0)
    caption = (await shown(chart)).words["caption"]
    assert caption.startswith("From Sep 21, 14:13:20 to Sep 22, 01:18:20 UTC, 400 + 400 trades. ")


async def test_lags_are_those_of_the_bars_and_the_verdict_has_the_symbols_names(
    session: StandInSession, chart: HorizonChart
) -> None:
    session.tick(0, 200)
    screen = await shown(chart)
    closes = session.snapshot.pair_series.columns
    result = lead_lag(closes["y"], closes["x"])
    np.testing.assert_array_equal(screen.traces[3]["y"], result.correlations)
    assert screen.traces[3]["x"].tolist() == list(range(-10, 11))
    assert screen.words["caption"].endswith(result.sentence("ETHUSDT", "BTCUSDT"))
    names = [note["text"] for note in screen.layout["annotations"]]
    assert names == ["Correlation", "Neither leads · bars of 1s", "BTCUSDT<br>first", "ETHUSDT<br>first"]


@pytest.mark.parametrize(("lag", "leader", "led"), [(2, "ETHUSDT", "BTCUSDT"), (-1, "BTCUSDT", "ETHUSDT")])
async def test_who_leads_is_said(
    session: StandInSession,
    chart: HorizonChart,
    monkeypatch: pytest.MonkeyPatch,
    lag: int,
    leader: str,
    led: str,
) -> None:
    lags = np.arange(-10, 11)
    found = LeadLagResult(lags, np.where(lags == lag, -0.5, 0.0), np.full(21, 400))
    monkeypatch.setattr(horizon, "lead_lag", lambda *_: found)
    session.tick(0, 60)
    screen = await shown(chart)
    bars = "2 bars" if abs(lag) == 2 else "1 bar"
    assert f"{leader} leads {led} by {bars}: correlation −0.50, band" in screen.words["caption"]
    assert screen.layout["annotations"][1]["text"] == f"{leader} leads · bars of 1s"
    assert screen.traces[3]["hovertext"][10 + lag] == f"{led} {abs(lag)} × 1s after {leader}"
    patterns = screen.traces[3]["marker"]["pattern"]["shape"]
    assert [shape == "" for shape in patterns] == (lags == lag).tolist()


async def test_before_there_are_bars_nobody_is_said_to_lead(
    session: StandInSession, chart: HorizonChart
) -> None:
    session.tick(0, 60)
    series = session.snapshot.pair_series
    none = replace(series, columns={name: column[:0] for name, column in series.columns.items()})
    session.snapshot = replace(session.snapshot, pair_series=replace(none, time_ns=series.time_ns[:0]))
    screen = await shown(chart)
    assert screen.words["caption"].endswith("Who leads is not known yet: too few bars of 1s.")
    assert len(screen.traces[3]["y"]) == 0


async def test_nothing_is_computed_while_nobody_looks(
    session: StandInSession, chart: HorizonChart, studies: list[int]
) -> None:
    for _ in range(5):
        session.tick(0, 30)
    chart.figure.to_dict()  # as plotly does when the figure is put on a page
    assert not is_computing()
    await shown(chart)
    assert len(studies) == 1


async def test_it_is_computed_in_another_thread(
    session: StandInSession, chart: HorizonChart, studies: list[int]
) -> None:
    session.tick(0, 60)
    await shown(chart)
    assert threading.get_ident() not in studies


async def test_it_is_computed_again_after_a_rest_and_only_for_something_new(
    session: StandInSession, chart: HorizonChart, studies: list[int]
) -> None:
    clock = use_clock(chart)
    session.tick(0, 60)
    screen = await shown(chart)
    session.tick(0, 1)
    assert not is_computing()  # it rests
    clock.now_s += REST_S
    session.tick(0, 1)
    await until(screen, lambda: "123 + 123 trades" in screen.look().words["caption"])
    clock.now_s += REST_S
    session.snapshot = replace(session.snapshot)
    screen.look()
    assert not is_computing()
    assert len(studies) == 2


async def test_another_pair_is_not_made_to_wait(session: StandInSession, chart: HorizonChart) -> None:
    use_clock(chart)
    session.tick(0, 60)
    screen = await shown(chart)
    session.pair = ("SOLUSDT", "ETHUSDT")
    assert screen.look().words["notice"] == "Computing the correlations…"
    assert len(screen.traces[1]["x"]) == 0
    await until(screen, lambda: screen.words["label"].startswith("Correlation of SOLUSDT and ETHUSDT by len"))
    assert screen.layout["annotations"][3]["text"] == "SOLUSDT<br>first"


async def test_after_a_clear_it_waits_again(session: StandInSession, chart: HorizonChart) -> None:
    session.tick(0, 60)
    screen = await shown(chart)
    session.clear()
    assert screen.look().words["notice"] == "Waiting for the first trades of both legs."
    assert all(len(trace["x"]) == 0 for trace in screen.traces)


async def test_a_computation_that_fails_is_said_in_the_panel(
    session: StandInSession, chart: HorizonChart, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise ValueError("no such luck")

    monkeypatch.setattr(horizon, "correlate_trades", fail)
    session.tick(0, 60)
    screen = Screen(chart.figure)
    screen.say("hello")

    def failed() -> bool:
        return any("no such luck" in content.get("text", "") for content, _ in screen.messages)

    async with asyncio.timeout(30):
        while not failed():
            await asyncio.sleep(0.01)
            if screen.messages and "seq" in screen.messages[-1][0]:
                screen.acknowledge()
