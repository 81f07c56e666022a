from __future__ import annotations

import pytest

from quantnb.events import History, Instant, Kline
from quantnb.feed import history
from quantnb.feed.history import MORE_KLINES, Backfill, KlinesRequest
from quantnb.feed.ledger import Ledger
from tests.feed.frames import trade

MINUTE_NS = 60_000_000_000
MINUTE_MS = 60_000
OPEN_MS = 1_791_382_500_000  # of a quarter of an hour, too
WINDOW = 20
N_BARS = 2 * WINDOW + 2 + MORE_KLINES
START = Instant(OPEN_MS * 1_000_000, 1_000_000_000)


def later(seconds: float) -> Instant:
    return Instant(START.wall_ns + round(seconds * 1e9), START.monotonic_ns + round(seconds * 1e9))


def bars(first: int, last: int, length_ms: int = MINUTE_MS) -> list[Kline]:
    """Return the bars that open so many lengths after `OPEN_MS`, from the first to the last."""
    return [
        Kline((OPEN_MS + k * length_ms) * 1_000_000, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1)
        for k in range(first, last + 1)
    ]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def backfill(ledger: Ledger) -> Backfill:
    return Backfill(ledger)


def start(backfill: Backfill, ledger: Ledger, *, offset_s: float = 30.0, timeframe: str = "1m") -> None:
    """Let the first trade come, so long after `OPEN_MS`."""
    lengths_ns = {"5s": 5_000_000_000, "1m": MINUTE_NS, "15m": 15 * MINUTE_NS}
    backfill.plan(["BTCUSDT"], timeframe, lengths_ns[timeframe], WINDOW)
    ledger.receive(trade(10_000, event_ms=OPEN_MS + round(1000 * offset_s)))
    assert backfill.refresh(START) == ()


def test_nothing_is_asked_before_the_first_trade(backfill: Backfill) -> None:
    backfill.plan(["BTCUSDT"], "1m", MINUTE_NS, WINDOW)
    assert backfill.refresh(START) == ()
    assert backfill.klines_due(later(60)) == []
    assert backfill.is_waiting
    assert not backfill.is_warm


def test_bars_up_to_the_seam_and_the_trades_of_the_seam_bar_are_wanted(
    backfill: Backfill, ledger: Ledger
) -> None:
    start(backfill, ledger)
    assert backfill.klines_due(START) == [KlinesRequest("BTCUSDT", "1m", N_BARS, OPEN_MS - 1)]
    (wanted,) = backfill.trades_due()
    assert (wanted.before_id, wanted.from_ns) == (10_000, OPEN_MS * 1_000_000)
    assert not backfill.is_waiting


def test_a_bar_that_has_just_closed_is_given_time_to_settle(backfill: Backfill, ledger: Ledger) -> None:
    start(backfill, ledger, offset_s=0.5)
    assert backfill.klines_due(later(1.4)) == []
    assert len(backfill.klines_due(later(1.5))) == 1


def test_bars_are_handed_out_when_they_are_complete(backfill: Backfill, ledger: Ledger) -> None:
    start(backfill, ledger)
    (request,) = backfill.klines_due(START)
    assert backfill.receive(request, bars(-N_BARS, -1))
    assert backfill.n_klines_left() == 0
    assert backfill.refresh(START) == (History("BTCUSDT", "1m", tuple(bars(-N_BARS, -1))),)
    assert backfill.refresh(START) == ()
    assert not backfill.is_warm  # the seam bar lacks its trades
    ledger.recover("BTCUSDT", [trade(9_999, event_ms=OPEN_MS - 1)])
    assert backfill.is_warm


def test_of_an_answer_with_a_hole_the_newest_bars_are_kept(backfill: Backfill, ledger: Ledger) -> None:
    start(backfill, ledger)
    (request,) = backfill.klines_due(START)
    assert backfill.receive(request, bars(-N_BARS, -10) + bars(-8, -1))
    assert backfill.refresh(START) == (History("BTCUSDT", "1m", tuple(bars(-8, -1))),)


def test_an_answer_that_does_not_reach_the_seam_is_of_no_use(backfill: Backfill, ledger: Ledger) -> None:
    start(backfill, ledger)
    (request,) = backfill.klines_due(START)
    assert not backfill.receive(request, bars(-N_BARS, -2))
    assert not backfill.receive(request, [])
    assert backfill.klines_due(START) == [request]
    backfill.give_up(request)
    assert backfill.klines_due(START) == []
    assert backfill.refresh(START) == ()


def test_a_larger_window_asks_for_the_older_bars_only(backfill: Backfill, ledger: Ledger) -> None:
    start(backfill, ledger)
    backfill.receive(backfill.klines_due(START)[0], bars(-N_BARS, -1))
    backfill.plan(["BTCUSDT"], "1m", MINUTE_NS, 50)
    assert backfill.refresh(START) == ()
    end_ms = OPEN_MS - N_BARS * MINUTE_MS - 1
    n_bars = N_BARS + 2 * (50 - WINDOW)
    assert backfill.klines_due(START) == [KlinesRequest("BTCUSDT", "1m", n_bars - N_BARS, end_ms)]
    backfill.receive(backfill.klines_due(START)[0], bars(-n_bars, -N_BARS - 1))
    assert backfill.refresh(START) == (History("BTCUSDT", "1m", tuple(bars(-n_bars, -1))),)


def test_settings_that_were_there_before_ask_for_nothing(backfill: Backfill, ledger: Ledger) -> None:
    start(backfill, ledger)
    backfill.receive(backfill.klines_due(START)[0], bars(-N_BARS, -1))
    backfill.refresh(START)
    backfill.plan(["BTCUSDT"], "5s", 5_000_000_000, WINDOW)
    assert backfill.refresh(START) == ()
    backfill.plan(["BTCUSDT"], "1m", MINUTE_NS, WINDOW)
    assert backfill.refresh(START) == (History("BTCUSDT", "1m", tuple(bars(-N_BARS, -1))),)
    assert backfill.klines_due(START) == []


def test_a_young_contract_has_fewer_bars(backfill: Backfill, ledger: Ledger) -> None:
    start(backfill, ledger)
    backfill.receive(backfill.klines_due(START)[0], bars(-5, -1))
    assert backfill.refresh(START) == (History("BTCUSDT", "1m", tuple(bars(-5, -1))),)
    backfill.plan(["BTCUSDT"], "1m", MINUTE_NS, WINDOW)
    backfill.refresh(START)
    (request,) = backfill.klines_due(START)  # there might be older ones this time
    assert backfill.receive(request, [])
    assert backfill.refresh(START) == (History("BTCUSDT", "1m", tuple(bars(-5, -1))),)


def test_more_bars_than_one_answer_holds_come_in_two(
    backfill: Backfill, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_KLINES", N_BARS - 12)
    start(backfill, ledger)
    assert backfill.receive(backfill.klines_due(START)[0], bars(12 - N_BARS, -1))
    assert backfill.refresh(START) == ()
    older = KlinesRequest("BTCUSDT", "1m", 12, OPEN_MS - (N_BARS - 12) * MINUTE_MS - 1)
    assert backfill.klines_due(START) == [older]
    assert backfill.receive(older, bars(-N_BARS, 11 - N_BARS))
    assert backfill.refresh(START) == (History("BTCUSDT", "1m", tuple(bars(-N_BARS, -1))),)


def test_after_a_while_bars_up_to_the_newest_trade_make_trades_needless(
    backfill: Backfill, ledger: Ledger
) -> None:
    start(backfill, ledger)
    ledger.receive(trade(10_001, event_ms=OPEN_MS + 20 * 15 * MINUTE_MS + 30_000))
    backfill.plan(["BTCUSDT"], "15m", 15 * MINUTE_NS, WINDOW)
    backfill.refresh(START)
    end_ms = OPEN_MS + 20 * 15 * MINUTE_MS - 1
    assert backfill.klines_due(START) == [KlinesRequest("BTCUSDT", "15m", N_BARS, end_ms)]
    assert backfill.trades_due() == []


def test_short_bars_are_made_of_trades_alone(backfill: Backfill, ledger: Ledger) -> None:
    start(backfill, ledger, offset_s=33.0, timeframe="5s")
    assert backfill.klines_due(later(60)) == []
    (wanted,) = backfill.trades_due()
    assert wanted.from_ns == (OPEN_MS + 30_000 - (2 * WINDOW + 2) * 5_000) * 1_000_000


def test_trades_are_wanted_no_further_back_than_the_exchange_keeps_them(
    backfill: Backfill, ledger: Ledger
) -> None:
    backfill.plan(["BTCUSDT"], "5s", 5_000_000_000, 100_000)
    ledger.receive(trade(10_000, event_ms=OPEN_MS))
    backfill.refresh(START)
    (wanted,) = backfill.trades_due()
    assert wanted.from_ns == (OPEN_MS - 47 * 3_600_000) * 1_000_000


def test_a_symbol_watched_again_begins_anew(backfill: Backfill, ledger: Ledger) -> None:
    start(backfill, ledger)
    backfill.receive(backfill.klines_due(START)[0], bars(-N_BARS, -1))
    backfill.refresh(START)
    ledger.forget("BTCUSDT")
    ledger.receive(trade(20_000, event_ms=OPEN_MS + 10 * MINUTE_MS + 30_000))
    backfill.refresh(START)
    end_ms = OPEN_MS + 10 * MINUTE_MS - 1
    assert backfill.klines_due(START) == [KlinesRequest("BTCUSDT", "1m", N_BARS, end_ms)]


def test_an_answer_to_a_question_of_other_settings_is_passed_over(backfill: Backfill, ledger: Ledger) -> None:
    start(backfill, ledger)
    (request,) = backfill.klines_due(START)
    backfill.plan(["BTCUSDT"], "15m", 15 * MINUTE_NS, WINDOW)
    backfill.refresh(START)
    assert backfill.receive(request, bars(-N_BARS, -1))
    assert backfill.refresh(START) == ()
    backfill.give_up(request)
    assert len(backfill.klines_due(START)) == 1


def test_bars_of_timeframes_not_used_for_long_are_forgotten(
    backfill: Backfill, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "KLINES_KEPT", N_BARS)
    start(backfill, ledger)
    backfill.receive(backfill.klines_due(START)[0], bars(-N_BARS, -1))
    backfill.plan(["BTCUSDT"], "15m", 15 * MINUTE_NS, WINDOW)
    backfill.refresh(START)
    backfill.receive(backfill.klines_due(START)[0], bars(-N_BARS, -1, 15 * MINUTE_MS))
    backfill.plan(["BTCUSDT"], "1m", MINUTE_NS, WINDOW)
    assert backfill.refresh(START) == ()
    assert backfill.klines_due(START)[0].limit == N_BARS
