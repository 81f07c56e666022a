"""A session in front of a local exchange: what it refuses, what it holds, and what it leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from quantnb.errors import ExportError, FeedError, InvalidSettingError, StatisticsError
from quantnb.exchange import LocalExchange
from quantnb.session import Session
from quantnb.stats import causal_spread, lead_lag, resample_ohlc, study_pair, trade_correlation_by_horizon

WAIT_S = 30.0


async def until(session: Session, is_so: Callable[[Session], bool]) -> None:
    """Wait until the session's snapshots show it."""
    reached = asyncio.Event()

    def look(_change: Any = None) -> None:
        if is_so(session):
            reached.set()

    session.observe(look, "snapshot")
    look()
    try:
        async with asyncio.timeout(WAIT_S):
            await reached.wait()
    except TimeoutError:
        raise AssertionError(f"not reached; the status is {session.snapshot.status}") from None
    finally:
        session.unobserve(look, "snapshot")


def has_bars(n: int) -> Callable[[Session], bool]:
    return lambda session: all(len(bars) >= n for bars in session.snapshot.bars.values())


@pytest.fixture
async def exchange() -> AsyncIterator[LocalExchange]:
    async with LocalExchange(seed=11, rate=60) as running:
        yield running


@pytest.fixture
async def session(exchange: LocalExchange) -> AsyncIterator[Session]:
    running = Session(feed=exchange.address, window=20)
    running.start()
    yield running
    await running.stop()


# Settings


def test_the_defaults_are_those_of_the_original() -> None:
    session = Session()
    assert session.symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    assert session.pair == ("ETHUSDT", "BTCUSDT")
    assert (session.timeframe, session.window, session.feed) == ("1s", 50, "auto")
    assert session.snapshot.status.state == "stopped"


def test_the_environment_names_symbols_and_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTNB_SYMBOLS", "XRPUSDT, ADAUSDT")
    monkeypatch.setenv("QUANTNB_FEED", "sim")
    session = Session()
    assert session.symbols == ("XRPUSDT", "ADAUSDT")
    assert session.pair == ("ADAUSDT", "XRPUSDT")
    assert session.feed == "sim"


def test_an_unknown_keyword_names_the_valid_ones() -> None:
    with pytest.raises(TypeError, match="symbols, pair, timeframe, window, taker_fee_bp, memory_mb and feed"):
        Session(windows=50)


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("timeframe", "2s", "1s, 5s, 30s, 1m, 5m or 15m"),
        ("window", 5, "20 to 1000"),
        ("symbols", ["BTCUSDT", "SOLUSDT"], "ETHUSDT is a leg"),
        ("symbols", 7, "a list such as"),
        ("pair", ("BTCUSDT", "XRPUSDT"), "must be among the symbols"),
        ("feed", "nyse", "auto"),
    ],
)
def test_a_wrong_setting_is_a_sentence_and_changes_nothing(setting: str, value: Any, words: str) -> None:
    session = Session()
    before = getattr(session, setting)
    with pytest.raises(InvalidSettingError, match=words):
        setattr(session, setting, value)
    assert getattr(session, setting) == before
    with pytest.raises(InvalidSettingError, match=words):
        Session(**({"pair": ("ETHUSDT", "BTCUSDT")} | {setting: value}))


def test_symbols_and_pair_may_change_together() -> None:
    session = Session()
    with session.hold_trait_notifications():
        session.symbols = ("XRPUSDT", "ADAUSDT")
        session.pair = ("ADAUSDT", "XRPUSDT")
    assert session.snapshot.symbols == ("XRPUSDT", "ADAUSDT")


def test_a_wrong_pair_of_changes_is_taken_back_together() -> None:
    session = Session()
    together = session.hold_trait_notifications()
    together.__enter__()
    session.symbols = ("XRPUSDT", "ADAUSDT")
    session.pair = ("ADAUSDT", "SOLUSDT")
    with pytest.raises(InvalidSettingError):
        together.__exit__(None, None, None)
    assert session.symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    assert session.pair == ("ETHUSDT", "BTCUSDT")


def test_a_start_without_an_event_loop_says_what_to_do() -> None:
    with pytest.raises(FeedError, match="needs a running event loop"):
        Session().start()


# The feed


async def test_trades_become_bars_and_bars_equal_the_batch(session: Session) -> None:
    await until(session, has_bars(4))
    for symbol in session.symbols:
        bars = session.bars(symbol)
        batch = resample_ohlc(session.trades(symbol)[["price", "quantity"]], "1s")
        joint = bars.index.intersection(batch.index[:-2])
        assert len(joint) >= 1
        live, expected = bars.loc[joint, batch.columns], batch.loc[joint]
        pd.testing.assert_frame_equal(live, expected, check_dtype=False, check_freq=False, rtol=0, atol=0)


async def test_the_correlation_by_horizon_is_that_of_the_trades_kept(session: Session) -> None:
    await until(session, has_bars(25))
    await session.stop()
    y, x = (session.trades(leg) for leg in session.pair)
    live, batch = session.correlation_by_horizon(), trade_correlation_by_horizon(y["price"], x["price"])
    pd.testing.assert_frame_equal(live, batch, check_exact=True)
    assert live.loc[1_000, "n"] > 20


async def test_who_leads_is_read_off_the_bars_of_the_pair(session: Session) -> None:
    await until(session, has_bars(25))
    await session.stop()
    pair, result = session.spread(), session.lead_lag(5)
    np.testing.assert_array_equal(result.correlations, lead_lag(pair["y"], pair["x"], 5).correlations)


async def test_columns_of_trades_are_not_changed_by_what_comes_later(session: Session) -> None:
    """So a thread may read them: while trades come, and after a clear."""
    await until(session, has_bars(3))
    taken = session.trade_columns("BTCUSDT")
    copies = [taken.event_ns.copy(), taken.price.copy(), taken.trade_id.copy()]
    await until(session, lambda session: len(session.trade_columns("BTCUSDT")) > len(taken) + 100)
    session.clear()
    for array, copy in zip((taken.event_ns, taken.price, taken.trade_id), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert not array.flags.writeable


async def test_the_spread_equals_the_batch_to_the_bit(session: Session) -> None:
    await until(session, lambda each: len(each.snapshot.pair_series) >= 24)
    live = session.spread()
    batch = causal_spread(live["y"], live["x"], 20)
    assert live["spread"].notna().any()
    pd.testing.assert_series_equal(live["spread"], batch["spread"], rtol=0, atol=0)


async def test_a_local_exchange_is_called_simulated(session: Session) -> None:
    await until(session, lambda each: each.snapshot.status.state == "simulated")
    assert session.snapshot.status.is_simulated
    assert "BTCUSDT" in session.known_symbols
    assert session.tick_size("BTCUSDT") > 0


async def test_it_says_how_long_trades_are_on_their_way(session: Session) -> None:
    await until(session, lambda each: each.latency()["computed"].n > 20)
    found = session.latency()
    assert found["received"].n == found["computed"].n
    assert all(0 <= each.p50 <= each.p95 <= each.p99 for each in found.values())
    assert session.computed_ns >= session.snapshot.time_ns


async def test_starting_twice_makes_one_feed(session: Session, exchange: LocalExchange) -> None:
    session.start()
    await until(session, has_bars(1))
    session.start()
    assert exchange.n_connections == 2  # one socket for each route


async def test_stopping_leaves_no_task_and_keeps_the_data(exchange: LocalExchange) -> None:
    before = asyncio.all_tasks()
    session = Session(feed=exchange.address)
    session.start()
    await until(session, has_bars(1))
    await session.stop()
    assert not session.running
    assert session.snapshot.status.state == "stopped"
    assert len(session.trades("BTCUSDT"))
    names = {task.get_name() for task in asyncio.all_tasks() - before}
    assert not {name for name in names if name.startswith("quantnb") and name != "quantnb exchange"}


async def test_a_stopped_session_goes_on_when_it_is_started_again(session: Session) -> None:
    await until(session, has_bars(1))
    await session.stop()
    n_before = len(session.trades("BTCUSDT"))
    session.start()
    await until(session, lambda each: len(each.trades("BTCUSDT")) > n_before)


async def test_a_symbol_added_while_running_gets_its_trades(
    session: Session, exchange: LocalExchange
) -> None:
    await until(session, has_bars(1))
    session.symbols = (*session.symbols, "XRPUSDT")
    await until(session, lambda each: len(each.trades("XRPUSDT")) > 0)
    assert exchange.n_connections == 2


async def test_a_symbol_that_the_exchange_does_not_trade_is_refused_with_a_hint(session: Session) -> None:
    await until(session, lambda each: bool(each.known_symbols))
    with pytest.raises(InvalidSettingError, match=r"did you mean.*XRPUSDT"):
        session.symbols = (*session.symbols, "XRPUSD")


async def test_a_session_started_with_an_unknown_symbol_says_so(exchange: LocalExchange) -> None:
    session = Session(symbols=["BTCUSDT", "ETHUSDX"], feed=exchange.address)
    session.start()
    await until(session, lambda each: each.snapshot.status.state == "blocked")
    assert "ETHUSDX is not traded" in session.snapshot.status.reason
    assert not session.running


async def test_an_exchange_that_is_not_there_is_named_and_tried_again() -> None:
    async with LocalExchange() as gone:
        address = gone.address
    session = Session(feed=address)
    session.start()
    await until(session, lambda each: each.snapshot.status.state == "reconnecting")
    assert session.snapshot.status.feed == address
    assert "cannot be reached" in session.snapshot.status.reason
    assert session.running
    await session.stop()


async def test_the_feed_does_not_change_while_a_session_runs(session: Session) -> None:
    with pytest.raises(InvalidSettingError, match="stop it first"):
        session.feed = "sim"


async def test_the_simulated_feed_is_the_same_market_after_a_stop() -> None:
    session = Session(feed="sim")
    session.start()
    await until(session, has_bars(1))
    await session.stop()
    last_id = session.trades("BTCUSDT")["trade_id"].iloc[-1]
    session.start()
    await until(session, lambda each: each.trades("BTCUSDT")["trade_id"].iloc[-1] > last_id)
    assert session.snapshot.status.counts["duplicate"] == 0
    await session.stop()


async def test_a_window_of_minutes_is_warm_within_seconds(exchange: LocalExchange) -> None:
    session = Session(feed=exchange.address, timeframe="1m", window=50)
    session.start()
    await until(session, lambda each: each.snapshot.tiles["zscore"].value is not None)
    assert session.spread()["zscore"].notna().sum() >= 1
    await session.stop()


async def test_history_agrees_with_the_exchange_and_joins_the_trades_without_a_seam(
    exchange: LocalExchange,
) -> None:
    session = Session(feed=exchange.address, timeframe="1m", window=20)
    session.start()
    await until(
        session, lambda each: not each.snapshot.status.history and each.bars("BTCUSDT")["history"].any()
    )
    bars = session.bars("BTCUSDT")
    assert (bars.index.to_series().diff().dropna() == pd.Timedelta("1min")).all()
    assert bars["close"].notna().all()
    opens_ms = bars.index.as_unit("ms").asi8
    rows = exchange.market.klines("BTCUSDT", "1m", int(opens_ms[0]), int(opens_ms[-1]), 1_500)
    listing = exchange.market.listings["BTCUSDT"]
    assert rows["open_ms"].tolist() == opens_ms.tolist()
    for name in ("open", "high", "low", "close"):
        assert bars[name].tolist() == [float(listing.price_text(int(each))) for each in rows[name]]
    volumes = [float(listing.quantity_text(int(each))) for each in rows["volume"]]
    assert bars["volume"].tolist() == pytest.approx(volumes, rel=1e-12)
    await session.stop()


async def test_a_change_of_timeframe_brings_its_own_history(session: Session) -> None:
    await until(session, has_bars(2))
    session.timeframe = "1m"
    await until(session, lambda each: each.snapshot.tiles["zscore"].value is not None)
    assert session.bars("BTCUSDT")["history"].any()


async def test_seconds_are_warm_from_trades_of_before_the_start(session: Session) -> None:
    await until(session, lambda each: each.snapshot.tiles["zscore"].value is not None)
    trades = session.trades("BTCUSDT")
    assert trades["trade_id"].diff().dropna().eq(1).all()
    assert not session.bars("BTCUSDT")["history"].any()


async def test_an_observer_that_raises_is_shown_once_and_never_stops_the_feed(session: Session) -> None:
    n_calls = 0

    def broken(_change: Any) -> None:
        nonlocal n_calls
        n_calls += 1
        raise RuntimeError("a view of mine")

    session.observe(broken, "snapshot")
    await until(session, lambda each: any("a view of mine" in note for note in each.snapshot.status.notes))
    n_before = len(session.trades("BTCUSDT"))
    await until(session, lambda each: n_calls >= 3 and len(each.trades("BTCUSDT")) > n_before)
    notes = [note for note in session.snapshot.status.notes if "a view of mine" in note]
    assert len(notes) == 1
    session.unobserve(broken, "snapshot")


async def test_a_task_that_somebody_else_cancelled_comes_back(session: Session) -> None:
    await until(session, has_bars(1))
    n_before = len(session.trades("BTCUSDT"))
    (task,) = (each for each in asyncio.all_tasks() if each.get_name() == "quantnb session")
    task.cancel()
    await until(session, lambda each: len(each.trades("BTCUSDT")) > n_before + 20)
    assert session.running
    assert any("ended by something else" in note for note in session.snapshot.status.notes)
    await until(session, lambda each: each.trades("BTCUSDT")["trade_id"].diff().dropna().eq(1).all())


async def test_a_lost_connection_leaves_a_closed_row_in_the_ledger_and_no_hole_in_the_trades(
    session: Session, exchange: LocalExchange
) -> None:
    await until(session, has_bars(1))
    exchange.inject("handshake-delay:1")  # or the next socket may be open before a trade is missed
    exchange.drop()
    await until(session, lambda each: len(each.gaps()) > 0 and (each.gaps()["state"] == "closed").all())
    gaps = session.gaps()
    assert set(gaps["cause"]) == {"connection lost"}
    assert (gaps["end"] > gaps["start"]).all()
    for symbol in session.symbols:
        assert session.trades(symbol)["trade_id"].diff().dropna().eq(1).all()
    assert session.snapshot.status.coverage == 1.0


async def test_another_feed_starts_with_empty_hands(session: Session) -> None:
    await until(session, has_bars(1))
    await session.stop()
    async with LocalExchange(seed=12, rate=60) as other:
        session.feed = other.address
        session.start()
        await until(session, lambda each: each.snapshot.status.feed == other.address and has_bars(1)(each))
        ids = session.trades("BTCUSDT")["trade_id"]
        tape = other.market.tape("BTCUSDT").from_id(int(ids.iloc[0]), other.market.visible_ms, len(ids))
        assert tape["trade_id"].tolist() == ids.tolist()
        await session.stop()


# What it knows


async def test_clearing_keeps_the_feed(session: Session) -> None:
    await until(session, has_bars(2))
    last_id = session.trades("BTCUSDT")["trade_id"].iloc[-1]
    session.clear()
    assert session.snapshot.tiles["ticks"].value == 0
    await until(session, has_bars(1))
    assert session.trades("BTCUSDT")["trade_id"].iloc[0] > last_id  # no history: clearing means it


async def test_the_zscore_on_the_screen_is_the_one_its_evidence_and_its_causes_are_about(
    session: Session,
) -> None:
    await until(session, lambda each: each.snapshot.tiles["zscore"].value is not None)
    await session.stop()
    evidence, causes = session.evidence(), session.attribution()
    tile = session.snapshot.tiles["zscore"]
    assert evidence.zscore == tile.value
    assert set(tile.doubts) >= set(evidence.reasons)
    zscores = session.spread()["zscore"]
    parts = causes.drop(columns="change").sum(axis=1, skipna=False)
    pd.testing.assert_series_equal(parts, zscores.diff(), check_names=False, rtol=0, atol=1e-9)


async def test_a_study_of_the_pair_is_of_its_own_bars(session: Session) -> None:
    await until(session, lambda each: len(each.snapshot.pair_series) >= 2 * each.window + 20)
    await session.stop()
    pair = session.spread()
    assert session.study("log") == study_pair(pair["y"], pair["x"], session.window, prices="log")


def test_a_symbol_that_is_not_watched_is_named() -> None:
    with pytest.raises(InvalidSettingError, match="the symbols are BTCUSDT, ETHUSDT, SOLUSDT"):
        Session().trades("XRPUSDT")


def test_a_test_of_the_spread_without_bars_is_refused() -> None:
    with pytest.raises(StatisticsError):
        Session().test_spread()


def test_a_study_of_the_pair_without_bars_says_how_many_it_needs() -> None:
    with pytest.raises(StatisticsError, match=r"needs 100 bars \(2 × 50\), 0 so far"):
        Session().study()


@pytest.mark.parametrize("kind", ["trades", "bars", "analytics", "alerts"])
async def test_every_export_comes_back(session: Session, tmp_path: Path, kind: str) -> None:
    session.add_rule("price_change", 0.0001, span_s=1, cooldown_s=0)
    await until(session, lambda each: has_bars(2)(each) and bool(each.snapshot.alerts))
    await session.stop()
    csv = pd.read_csv(session.export(kind, "csv", tmp_path))
    parquet = pd.read_parquet(session.export(kind, "parquet", tmp_path))
    assert len(csv) == len(parquet) > 0
    assert list(csv.columns) == list(parquet.columns)


def test_an_export_to_nowhere_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="Nothing is lost"):
        Session().export("trades", "csv", tmp_path / "nowhere")


async def test_an_alert_fires_and_is_removed(session: Session) -> None:
    rule = session.add_rule("price_change", 0.0001, span_s=1, severity="critical", cooldown_s=0)
    await until(session, lambda each: bool(each.snapshot.alerts))
    alert = session.snapshot.alerts[0]
    assert (alert.rule_id, alert.severity) == (rule.rule_id, "critical")
    session.remove_rule(rule.rule_id)
    for each in session.snapshot.alerts:
        session.remove_alert(each.alert_id)
    assert session.snapshot.alerts == ()
    assert len(session.alerts) >= 1


def test_a_rule_for_a_symbol_that_is_not_watched_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="not watched"):
        Session().add_rule("price_change", 1.0, symbol="XRPUSDT")


async def test_a_preview_is_shown_until_the_settings_are_others(session: Session) -> None:
    await until(session, lambda each: each.snapshot.tiles["zscore"].value is not None)
    preview = session.preview_rule("zscore", 1.0)
    assert session.preview is preview
    assert preview.n_bars > 0
    assert session.snapshot.rules == ()
    session.window = 30
    assert session.preview is None
    session.show_preview(preview)  # of other settings: out of date
    assert session.preview is None


def test_a_preview_for_a_symbol_that_is_not_watched_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="'XRPUSDT' is not watched"):
        Session().preview_rule("price_change", 1.0, symbol="XRPUSDT")


async def test_the_edge_is_that_of_the_tile(session: Session) -> None:
    await until(session, lambda each: each.snapshot.tiles["edge"].value is not None)
    session._take_snapshot()
    assert session.edge().edge_bp == session.snapshot.tiles["edge"].value


async def test_numbers_are_reproduced_by_name_and_alerts_by_id(session: Session) -> None:
    await until(session, lambda each: each.snapshot.tiles["zscore"].value is not None)
    session.add_rule("price_change", 1e-6, span_s=1)
    await until(session, lambda each: len(each.alerts) > 0)
    assert "qn.zscore(spread, 20)" in session.reproduce("zscore")
    alert = session.alerts.iloc[0]
    recipe = session.reproduce(int(alert["alert_id"]))
    assert f'session.trades("{alert["symbol"]}")' in recipe
    assert recipe.endswith(f"# {float(alert['value'])!r}\n")


@pytest.mark.parametrize(("what", "words"), [("beta", "The tiles are ticks"), (7, "no alert 7")])
def test_what_cannot_be_reproduced_is_refused(what: str | int, words: str) -> None:
    with pytest.raises(InvalidSettingError, match=words):
        Session().reproduce(what)
