from __future__ import annotations

from itertools import pairwise

import pytest

from quantnb.feed.remedies import ASKS, Ask, Renew, Resubscribe
from tests.feed.feeds import Feed, live, names

BTC_TRADES = "btcusdt@aggTrade"


def acknowledged_and_silent(*silent: str) -> Feed:
    feed = Feed()
    feed.silent = set(silent)
    feed.connect()
    return feed


def test_a_feed_that_is_live_needs_nothing() -> None:
    assert live(seconds=120).remedies == []


def test_rest_is_asked_before_a_trade_stream_is_called_silent() -> None:
    feed = live()
    feed.silent = {BTC_TRADES}
    feed.run(4)
    ((asked_s, ask),) = feed.remedies
    assert ask == Ask("BTCUSDT")
    assert 3.0 < asked_s - 20 <= 3.5


def test_a_silent_stream_is_subscribed_again_and_then_gets_a_new_socket() -> None:
    feed = live()
    feed.silent = {BTC_TRADES}
    feed.run(15)
    (again_s, again), (renewed_s, renewal) = feed.of(Resubscribe, Renew)
    assert again == Resubscribe("market", (BTC_TRADES,))
    assert again_s - 20 <= 5.0
    assert renewal == Renew("market", "No data of btcusdt@aggTrade for 10 s.")
    assert renewed_s - again_s == pytest.approx(5.0)


def test_a_silent_socket_gets_new_ones_with_growing_patience() -> None:
    feed = acknowledged_and_silent("btcusdt@a", "ethusdt@a", "btcusdt@m", "ethusdt@m")
    feed.run(600)
    (again_s, again), *renewals = feed.of(Resubscribe, Renew)
    assert isinstance(again, Resubscribe)
    assert again.route == "market"
    assert len(again.streams) == 4
    times = [again_s, *(seconds for seconds, _ in renewals)]
    assert [after - before for before, after in pairwise(times)] == pytest.approx(
        [5, 10, 20, 40] + [60] * (len(times) - 5)
    )
    assert len(renewals) > 10
    assert [each.is_other_path for _, each in renewals[:6]] == [False, False, True, False, True, False]


def test_where_others_of_its_kind_flow_three_new_sockets_are_enough() -> None:
    feed = live()
    feed.silent = {BTC_TRADES}
    feed.run(600)
    assert len(feed.of(Renew)) == 3
    assert not any(each.is_other_path for _, each in feed.of(Renew))
    assert 5 < len(feed.of(Resubscribe)) < 15


def test_a_stream_that_falls_silent_again_and_again_is_not_hammered() -> None:
    feed = live()
    for _ in range(60):
        feed.silent = {"btcusdt@a", "ethusdt@a"}
        feed.run(9)
        feed.silent = set()
        feed.run(1)
    assert len(feed.of(Renew)) + len(feed.of(Resubscribe)) < 2 * 600 / 60 + 8


def test_after_a_minute_without_need_patience_is_new() -> None:
    feed = live()
    for _ in range(2):
        feed.remedies.clear()
        feed.silent = {BTC_TRADES}
        feed.run(12)
        feed.silent = set()
        feed.run(120)
        assert [type(each) for _, each in feed.remedies] == [Ask, Resubscribe, Ask, Renew]


def test_a_quiet_symbol_is_asked_about_once_a_minute() -> None:
    feed = live()
    feed.is_asked = True
    feed.silent = {BTC_TRADES}
    feed.run(600)
    assert feed.of(Resubscribe, Renew) == []
    assert 10 <= len(feed.of(Ask)) <= 14


def test_many_quiet_symbols_share_what_rest_allows() -> None:
    feed = live(*names(100))
    feed.is_asked = True
    feed.silent = {f"s{k}usdt@a" for k in range(1, 100)}
    feed.run(120)
    times = [seconds for seconds, _ in feed.of(Ask)]
    assert max(sum(1 for each in times if start <= each < start + 20) for start in times) <= ASKS
    assert len({each.symbol for _, each in feed.of(Ask)}) == 99  # type: ignore[union-attr]
    assert feed.run(300).state == "live"


def test_a_silent_socket_raises_no_question_of_its_trades() -> None:
    feed = live()
    feed.silent = {""}
    feed.run(30)
    assert feed.of(Ask)[0][0] > 20 + 3
    assert len(feed.of(Ask)) <= 2  # until the mark prices are missed too


def test_a_route_without_a_socket_is_left_to_the_reconnect() -> None:
    feed = live()
    feed.disconnect("market")
    feed.silent = {"btcusdt@a", "btcusdt@m", "ethusdt@a", "ethusdt@m"}
    feed.run(60)
    assert feed.remedies == []


def test_a_feed_that_ended_asks_for_nothing() -> None:
    feed = live()
    feed.silent = {""}
    feed.health.block("The feed ended.")
    feed.run(60)
    assert feed.remedies == []
