"""The laboratory: nothing before it is asked for, one study at a time, and of which bars it is."""

from __future__ import annotations

import asyncio
import threading

import pytest

from quantnb.stats import study_pair
from quantnb.view import laboratory
from quantnb.view.laboratory import Laboratory


@pytest.fixture
def panel(session, lease):
    opened = Laboratory(session, lease=lease)
    yield opened
    opened.close()


@pytest.fixture
def bars(session):
    session.tick(5, n_bars=130)


async def ended(panel):
    while panel._task is not None:
        await asyncio.wait([panel._task])
        await asyncio.sleep(0)  # for what is called when it is done


def shown(panel):
    return panel.frame(None).data


async def test_nothing_is_computed_before_somebody_asks(session, panel, browser, bars, monkeypatch):
    monkeypatch.setattr(laboratory, "study_pair", None)
    browser(panel).say("hello")
    session.tick(5, n_bars=1)
    assert shown(panel) == {"pair": "ETHUSDT/BTCUSDT", "is_busy": False, "failure": "", "result": None}


@pytest.mark.parametrize("prices", ["level", "log"])
async def test_a_study_is_that_of_the_pairs_newest_bars_and_says_which(session, panel, browser, bars, prices):
    browser(panel).say("run", prices=prices)
    assert shown(panel)["is_busy"]
    await ended(panel)
    data = shown(panel)
    assert not data["is_busy"]
    columns = session.snapshot.pair_series.columns
    assert panel._result.study == study_pair(columns["y"], columns["x"], 50, prices=prices)
    assert data["result"]["prices"] == prices
    words = "prices" if prices == "level" else "log prices"
    assert data["result"]["of"] == (
        f"SIMULATED: ETHUSDT/BTCUSDT, 100 bars of 1s to 14:15:30 UTC, {words}; y is ETHUSDT, x is BTCUSDT."
    )
    assert len(data["result"]["methods"]) == 5
    assert len(data["result"]["tests"]) == 7


async def test_a_study_of_a_real_market_is_not_called_simulated(session, panel, browser, bars):
    session.set_state("live", is_simulated=False)
    browser(panel).say("run", prices="level")
    await ended(panel)
    session.set_state("simulated")  # what the study is of does not change with the feed
    assert shown(panel)["result"]["of"].startswith("ETHUSDT/BTCUSDT, 100 bars")


async def test_the_event_loop_goes_on_while_it_computes(session, panel, browser, bars, monkeypatch):
    may_end, threads = threading.Event(), []

    def slow(*args, **kwargs):
        threads.append(threading.current_thread())
        assert may_end.wait(30)
        return study_pair(*args, **kwargs)

    monkeypatch.setattr(laboratory, "study_pair", slow)
    listener = browser(panel)
    listener.say("run", prices="level")
    task = panel._task
    while not threads:
        await asyncio.sleep(0.001)
    session.tick(5, n_bars=1)
    listener.say("run", prices="log")
    assert panel._task is task  # one at a time
    assert shown(panel)["is_busy"]
    may_end.set()
    await ended(panel)
    assert shown(panel)["result"]["prices"] == "level"
    assert threads != [threading.current_thread()]
    assert len(threads) == 1


async def test_bars_that_close_meanwhile_are_not_in_it(session, panel, browser, bars):
    browser(panel).say("run", prices="level")
    before = session.snapshot.pair_series.columns
    session.tick(5, n_bars=20)
    await ended(panel)
    assert panel._result.study == study_pair(before["y"], before["x"], 50)


async def test_too_few_bars_are_said_with_their_number_and_a_result_stays(session, panel, browser):
    listener = browser(panel)
    session.tick(5, n_bars=37)
    listener.say("run", prices="level")
    await ended(panel)
    assert shown(panel)["failure"] == "ETHUSDT/BTCUSDT: The study needs 100 bars (2 × 50), 37 so far."
    session.tick(5, n_bars=63)
    listener.say("run", prices="level")
    await ended(panel)
    assert shown(panel)["failure"] == ""
    session.clear()
    listener.say("run", prices="level")
    await ended(panel)
    data = shown(panel)
    assert "0 so far" in data["failure"]
    assert data["result"] is not None


async def test_a_fault_of_ours_is_said_and_the_next_run_is_free(panel, browser, bars, monkeypatch, caplog):
    monkeypatch.setattr(laboratory, "study_pair", lambda *args, **kwargs: 1 / 0)
    browser(panel).say("run", prices="level")
    await ended(panel)
    assert "did not foresee (ZeroDivisionError" in shown(panel)["failure"]
    assert not shown(panel)["is_busy"]
    assert "A dashboard control failed" in caplog.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pair": ("SOLUSDT", "BTCUSDT")}, "Of another pair; run it again."),
        ({"pair": ("BTCUSDT", "ETHUSDT")}, "Of another pair; run it again."),
        ({"timeframe": "5s"}, "Of another timeframe; run it again."),
        ({"timeframe": "5s", "window": 60}, "Of another timeframe and window; run it again."),
    ],
)
async def test_a_result_of_other_settings_says_so_until_they_are_back(
    session, panel, browser, bars, changes, words
):
    browser(panel).say("run", prices="level")
    await ended(panel)
    assert shown(panel)["result"]["stale"] == ""
    before = {name: getattr(session, name) for name in changes}
    for name, value in changes.items():
        setattr(session, name, value)
    assert shown(panel)["result"]["stale"] == words
    for name, value in before.items():
        setattr(session, name, value)
    assert shown(panel)["result"]["stale"] == ""


async def test_snapshots_alone_send_nothing(session, panel, browser, bars):
    browser(panel).say("run", prices="level")
    await ended(panel)
    cursor = panel.frame(None).cursor
    session.tick(5, n_bars=3)
    assert panel.frame(cursor) is None
    session.pair = ("SOLUSDT", "BTCUSDT")
    assert panel.frame(cursor).data["pair"] == "SOLUSDT/BTCUSDT"


async def test_a_browser_that_comes_later_is_shown_the_last_result(panel, browser, bars):
    browser(panel).say("run", prices="log")
    await ended(panel)
    late = browser(panel, "late")
    late.say("hello")
    assert late.take("snapshot")["data"]["result"]["prices"] == "log"


@pytest.mark.parametrize("content", [{}, {"prices": None}, {"prices": "<b>"}, {"prices": ["level"]}])
@pytest.mark.parametrize("kind", ["run", "eval"])
async def test_what_makes_no_sense_starts_nothing(panel, browser, bars, kind, content):
    browser(panel).say(kind, **content)
    assert panel._task is None


async def test_a_run_that_another_cell_cancels_leaves_the_panel_free(panel, browser, bars):
    listener = browser(panel)
    listener.say("run", prices="level")
    panel._task.cancel()  # before its first step
    await ended(panel)
    assert shown(panel) == {"pair": "ETHUSDT/BTCUSDT", "is_busy": False, "failure": "", "result": None}
    listener.say("run", prices="level")
    await ended(panel)
    assert shown(panel)["result"] is not None


async def test_closing_it_forgets_what_runs(session, lease, browser, bars):
    panel = Laboratory(session, lease=lease)
    browser(panel).say("run", prices="level")
    task = panel._task
    panel.close()
    await asyncio.wait([task])
    assert task.cancelled()
