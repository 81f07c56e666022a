"""The screener: one scan at a time, its progress and its table for every browser, and the pair it makes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import FeedError, InvalidSettingError
from quantnb.screening import Progress
from quantnb.stats import ScanResult, scan
from quantnb.view.screener import MAX_ROWS, Screener
from tests.view.conftest import StandInSession

ASKED = {"universe": "all", "timeframe": "1m", "n_bars": 200}


class ScreenedSession(StandInSession):
    """A session whose scan goes on when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Any, ...]] = []
        self.outcome: ScanResult | Exception = result_of(5)
        self.goes_on = asyncio.Event()
        self.was_cancelled = False

    async def scan(
        self, symbols: Any, timeframe: str, n_bars: int, on_progress: Callable[[Progress], None]
    ) -> ScanResult:
        self.asked.append((symbols, timeframe, n_bars))
        on_progress(Progress(120, 312, 13.4, "for the request limit"))
        try:
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def use_pair(self, y: str, x: str) -> None:
        if y == x:
            raise InvalidSettingError("A pair is two different symbols.")
        self.symbols = tuple(dict.fromkeys((*self.symbols, y, x)))
        self.pair = (y, x)


def result_of(n_symbols: int, n_bars: int = 200, **origin: Any) -> ScanResult:
    """Return a scan of random walks."""
    rng = np.random.default_rng(4)
    walks = np.exp(np.cumsum(rng.normal(0, 1e-3, (n_bars, n_symbols)), axis=0))
    names = [f"COIN{k}USDT" for k in range(n_symbols)]
    result = scan(pd.DataFrame(walks, columns=names), liquidity=dict.fromkeys(names, 1e6))
    result.pairs.attrs.update(origin)
    return result


@pytest.fixture
def session() -> ScreenedSession:
    return ScreenedSession()


@pytest.fixture
def screener(session, lease):
    made = Screener(session, lease=lease)
    yield made
    made.close()


@pytest.fixture
def listener(screener, browser):
    """A browser that has had its first snapshot, and answers whatever it is sent."""
    made = browser(screener)
    made.say("hello")
    return made


def newest(listener) -> dict[str, Any]:
    """Answer all that came, until nothing more comes, and return the frames put together."""
    state: dict[str, Any] = {}
    while frames := [content for content, _ in listener.sent if "seq" in content]:
        listener.sent.clear()
        for frame in frames:
            state |= frame.get("data", {})
            listener.say("ack", seq=frame["seq"])
    return state


async def finish(screener, session) -> None:
    """Let the scan that runs end, and the panel hear of it."""
    session.goes_on.set()
    async with asyncio.timeout(20):
        while screener._head()["is_running"]:
            await asyncio.sleep(0.005)


async def start(listener, session, **changes: Any) -> None:
    listener.say("scan", **(ASKED | changes))
    async with asyncio.timeout(5):
        while not session.asked:
            await asyncio.sleep(0)


async def test_before_a_scan_it_offers_the_universes_and_runs_nothing(screener, session):
    data = screener.frame(None).data
    assert (data["n_all"], data["n_watched"], data["pair"]) == (5, 3, ["ETHUSDT", "BTCUSDT"])
    assert (data["is_running"], data["table"], data["note"]) == (False, None, "")
    assert session.asked == []


@pytest.mark.parametrize(
    ("universe", "symbols"), [("all", None), ("watched", ("BTCUSDT", "ETHUSDT", "SOLUSDT"))]
)
async def test_a_scan_is_of_what_was_chosen(screener, session, listener, universe, symbols):
    await start(listener, session, universe=universe, timeframe="15m", n_bars=1000)
    assert session.asked == [(symbols, "15m", 1000)]


async def test_while_it_runs_every_browser_sees_how_far_it_is(screener, session, listener, browser):
    newest(listener)
    await start(listener, session)
    told = newest(listener)
    assert told["is_running"] is True
    assert told["progress"] == {
        "n": 120,
        "of": 312,
        "words": "120 of 312 symbols; waiting 14 s for the request limit",
    }
    late = browser(screener, "late")
    late.say("hello")
    assert late.take("snapshot")["data"]["progress"] == told["progress"]


async def test_what_it_found_is_told_once_and_to_who_comes_late(screener, session, listener, browser):
    await start(listener, session)
    await finish(screener, session)
    told = newest(listener)
    assert (told["is_running"], told["progress"]) == (False, None)
    assert told["table"]["words"] == session.outcome.words
    assert told["table"]["words"].startswith("20 tests at 5 %: 1 expected by chance")
    session.pair = ("SOLUSDT", "BTCUSDT")
    session.tick(0)
    later = newest(listener)
    assert later["pair"] == ["SOLUSDT", "BTCUSDT"]
    assert "table" not in later
    late = browser(screener, "late")
    late.say("hello")
    assert late.take("snapshot")["data"]["table"] == told["table"]
    assert screener.result is session.outcome


async def test_rows_are_the_best_in_their_order_and_json_knows_them(screener, session, listener):
    session.outcome = result_of(20)  # 380 tests
    pairs = session.outcome.pairs
    pairs.loc[0, "half_life"] = np.inf
    await start(listener, session)
    await finish(screener, session)
    table = newest(listener)["table"]
    json.dumps(table, allow_nan=False)
    rows = table["rows"]
    assert {len(column) for column in rows.values()} == {MAX_ROWS}
    assert rows["y"] == pairs["y"].head(MAX_ROWS).tolist()
    assert rows["statistic"] == pytest.approx(pairs["statistic"].head(MAX_ROWS), rel=1e-5)
    assert rows["half_life"][0] is None
    assert rows["liquidity"][0] == 1e6
    assert (table["n_tests"], table["n_bars"], table["timeframe"]) == (380, 200, "1m")


async def test_where_the_bars_come_from_and_what_was_left_out_are_told(screener, session, listener):
    reasons = {"NEWUSDT": "The exchange has 7 of the 200 bars of NEWUSDT."}
    session.outcome = result_of(4, left_out=reasons, is_simulated=True, until_ms=1_790_000_000_000)
    await start(listener, session)
    await finish(screener, session)
    table = newest(listener)["table"]
    assert table["left_out"] == [("NEWUSDT", reasons["NEWUSDT"])]
    assert (table["is_simulated"], table["until"]) == (True, 1_790_000_000_000)


async def test_a_symbol_without_movement_has_no_rows(screener, session, listener):
    closes = np.exp(np.cumsum(np.random.default_rng(1).normal(0, 1e-3, (100, 3)), axis=0))
    closes[:, 1] = 2.0
    session.outcome = scan(closes, names=["A", "STILL", "B"])
    await start(listener, session)
    await finish(screener, session)
    table = newest(listener)["table"]
    assert sorted(table["rows"]["y"]) == ["A", "B"]
    assert "Without movement: STILL." in table["words"]
    assert table["rows"]["liquidity"] == [None, None]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"universe": "nasdaq"}, "universe is all or watched"),
        ({"universe": ["all"]}, "universe is all or watched"),
        ({"timeframe": "1s"}, "1m, 5m or 15m"),
        ({"timeframe": None}, "1m, 5m or 15m"),
        ({"n_bars": 99}, "from 100 to 1,000"),
        ({"n_bars": 1001}, "from 100 to 1,000"),
        ({"n_bars": True}, "from 100 to 1,000"),
        ({"n_bars": None}, "from 100 to 1,000"),
        ({"n_bars": 200.5}, "from 100 to 1,000"),
    ],
)
async def test_a_scan_that_cannot_be_is_refused_to_the_one_who_asked(
    screener, session, listener, change, words
):
    listener.sent.clear()
    listener.say("scan", **(ASKED | change))
    said = listener.take("said")
    assert words in said["text"]
    assert said["level"] == "error"
    assert not screener._head()["is_running"]


async def test_a_second_scan_is_refused_in_words(screener, session, listener, browser):
    await start(listener, session)
    second = browser(screener, "second")
    second.say("scan", **ASKED)
    said = next(content for content, _ in second.sent if content["kind"] == "said")
    assert said["text"] == "A scan is under way already; cancel it first."
    assert len(session.asked) == 1


async def test_a_cancelled_scan_says_how_far_it_was_and_keeps_the_table_before(screener, session, listener):
    await start(listener, session)
    await finish(screener, session)
    table = newest(listener)["table"]
    session.goes_on.clear()
    session.asked.clear()
    await start(listener, session)
    listener.say("cancel")
    await finish(screener, session)
    assert session.was_cancelled
    assert newest(listener)["note"] == "The scan was cancelled at 120 of 312 symbols."
    assert screener.frame(None).data["table"] == table
    listener.say("cancel")  # of nothing
    assert not screener._head()["is_running"]


async def test_an_exchange_that_fails_is_a_sentence_that_a_reload_still_shows(screener, session, listener):
    session.outcome = FeedError("The exchange cannot be reached (no route).")
    await start(listener, session)
    await finish(screener, session)
    data = screener.frame(None).data
    assert (data["note"], data["level"]) == ("The exchange cannot be reached (no route).", "error")
    session.outcome = result_of(3)
    session.asked.clear()
    await start(listener, session)
    assert screener.frame(None).data["note"] == ""
    await finish(screener, session)


async def test_a_fault_of_ours_is_logged_and_said(screener, session, listener, caplog):
    session.outcome = ZeroDivisionError("of a statistic")
    with caplog.at_level(logging.ERROR):
        await start(listener, session)
        await finish(screener, session)
    assert "ZeroDivisionError: of a statistic" in screener.frame(None).data["note"]
    assert "of a statistic" in caplog.text


async def test_a_panel_that_is_closed_cancels_its_scan_and_says_nothing_more(session, lease, browser):
    screener = Screener(session, lease=lease)
    listener = browser(screener)
    listener.say("hello")
    await start(listener, session)
    task = screener._task
    screener.close()
    listener.sent.clear()
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert session.was_cancelled
    assert listener.sent == []
    screener.close()


async def test_another_feed_ends_the_scan_and_forgets_the_table(screener, session, listener):
    await start(listener, session)
    await finish(screener, session)
    session.goes_on.clear()
    session.asked.clear()
    await start(listener, session)
    session.feed = "live"
    data = screener.frame(None).data
    assert (data["is_running"], data["table"]) == (False, None)
    assert data["note"] == "The feed has changed: scan again."
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert session.was_cancelled
    assert screener.result is None
    assert screener.frame(None).data["note"] == "The feed has changed: scan again."


async def test_a_pair_becomes_the_sessions_and_it_is_said_in_which_bars(screener, session, listener):
    listener.sent.clear()
    listener.say("use_pair", y="XRPUSDT", x="BTCUSDT")
    said = next(content for content, _ in listener.sent if content["kind"] == "said")
    assert said["text"] == "XRPUSDT/BTCUSDT is the session's pair now."
    assert session.pair == ("XRPUSDT", "BTCUSDT")
    assert "XRPUSDT" in session.symbols
    await start(listener, session)
    await finish(screener, session)
    listener.sent.clear()
    listener.say("use_pair", y="SOLUSDT", x="BTCUSDT")
    said = next(content for content, _ in listener.sent if content["kind"] == "said")
    assert said["text"].endswith("The charts show bars of 1s, the scan was of 1m.")


@pytest.mark.parametrize(
    ("pair", "words"),
    [({"y": "BTCUSDT", "x": "BTCUSDT"}, "two different"), ({"y": "<b>", "x": "BTCUSDT"}, "There is no <b>")],
)
async def test_a_pair_that_cannot_be_is_refused_by_the_session(screener, session, listener, pair, words):
    listener.sent.clear()
    listener.say("use_pair", **pair)
    said = listener.take("said")
    assert words in said["text"]
    assert said["level"] == "error"
    assert session.pair == ("ETHUSDT", "BTCUSDT")


@pytest.mark.parametrize("content", [{"y": 1, "x": 2}, {"y": "BTCUSDT"}, {}])
async def test_nonsense_about_a_pair_changes_nothing(screener, session, listener, content):
    listener.say("use_pair", **content)
    assert session.pair == ("ETHUSDT", "BTCUSDT")
