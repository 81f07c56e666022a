from __future__ import annotations

import pytest

from quantnb.events import Connected, MarkPrice
from quantnb.feed.streams import Stream, Streams
from tests.feed.feeds import Feed, live, names
from tests.feed.frames import RECEIVE_NS, at

BTC_TRADES, BTC_QUOTES, BTC_MARKS = "btcusdt@aggTrade", "btcusdt@bookTicker", "btcusdt@markPrice@1s"


def find(feed: Feed, *states: str, within_s: float = 70.0) -> float:
    """Return how many seconds later a bitcoin stream is in one of these states."""
    before_s = feed.seconds
    name = next(iter(feed.silent))
    while feed.states()[name] not in states:
        feed.run(0.25)
        assert feed.seconds - before_s < within_s, feed.states()
    return feed.seconds - before_s


def test_a_stream_knows_its_symbol_and_kind() -> None:
    stream = Stream("币安人生usdt@markPrice@1s", "market")
    assert (stream.symbol, stream.kind) == ("币安人生USDT", "markPrice@1s")


def test_before_a_route_is_open_its_streams_wait() -> None:
    feed = Feed()
    feed.connect("market")
    feed.run(1)
    assert feed.states() == {
        BTC_TRADES: "live",
        BTC_MARKS: "live",
        "ethusdt@aggTrade": "live",
        "ethusdt@markPrice@1s": "live",
        BTC_QUOTES: "waiting",
        "ethusdt@bookTicker": "waiting",
    }


def test_a_stream_shows_its_age_and_its_rate() -> None:
    feed = live()
    feed.silent = {BTC_TRADES}
    status = feed.run(3)
    rows = {each.name: each for each in status.streams}
    assert rows[BTC_TRADES].age_s == pytest.approx(3.0)
    assert rows["ethusdt@aggTrade"].age_s == 0.0
    assert rows["ethusdt@aggTrade"].per_s == pytest.approx(4.0)
    assert rows[BTC_MARKS].per_s == pytest.approx(1.0, rel=0.1)
    assert Feed().status().streams[0].age_s is None


@pytest.mark.parametrize("kind", ["aggTrade", "bookTicker", "markPrice@1s"])
@pytest.mark.parametrize("count", [2, 20])
def test_a_single_silent_stream_is_found_within_five_seconds(kind: str, count: int) -> None:
    feed = live(*names(count))
    name = f"s1usdt@{kind}"
    feed.silent = {name}
    assert find(feed, "silent") <= 5.0
    assert feed.status().state == "stale"
    assert {state for each, state in feed.states().items() if each != name} == {"live"}
    feed.silent = set()
    feed.run(1)
    assert feed.states()[name] == "live"
    assert feed.status().state == "live"


@pytest.mark.parametrize("kind", ["aggTrade", "bookTicker", "markPrice@1s"])
def test_a_stream_that_was_acknowledged_and_brings_nothing_is_silent_after_five_seconds(kind: str) -> None:
    feed = Feed()
    name = f"btcusdt@{kind}"
    feed.silent = {name}
    feed.connect()
    feed.run(4.75)
    assert feed.states()[name] == "waiting"
    feed.run(0.25)
    assert feed.states()[name] == "silent"


def test_a_slow_trade_stream_is_quiet_for_as_long_as_its_rate_explains() -> None:
    feed = Feed()
    feed.every[BTC_TRADES] = 8  # every two seconds: twenty are explained
    feed.connect()
    feed.run(40)
    feed.silent = {BTC_TRADES}
    assert 4.5 < find(feed, "quiet") <= 5.0
    assert feed.status().state == "live"
    assert 15 < find(feed, "silent") < 25


def test_a_trade_stream_is_quiet_where_rest_has_nothing_newer() -> None:
    feed = live()
    feed.is_asked = True
    feed.silent = {BTC_TRADES}
    for _ in range(4 * 600):
        status = feed.run(0.25)
        assert status.state == "live"
        assert feed.states()[BTC_TRADES] in ("live", "quiet")
    feed.is_asked = False
    assert find(feed, "silent") <= 66


def test_a_book_that_does_not_change_is_quiet_while_others_of_the_socket_flow() -> None:
    feed = live()
    feed.is_asked = True
    feed.silent = {"btcusdt@a", "btcusdt@b"}
    feed.run(30)
    assert (feed.states()[BTC_TRADES], feed.states()[BTC_QUOTES]) == ("quiet", "quiet")
    assert feed.status().state == "live"


def test_a_book_that_does_not_change_although_it_trades_is_silent() -> None:
    feed = live()
    feed.is_asked = True
    feed.silent = {"btcusdt@a", "btcusdt@b"}
    feed.run(30)
    feed.silent = {BTC_QUOTES}
    feed.run(1)
    assert feed.states()[BTC_QUOTES] == "silent"


def test_a_book_rests_only_as_long_as_its_trades_are_not_silent() -> None:
    feed = live()
    feed.silent = {"btcusdt@a", "btcusdt@b"}
    feed.run(6)
    assert (feed.states()[BTC_TRADES], feed.states()[BTC_QUOTES]) == ("silent", "silent")


def test_a_socket_that_brings_nothing_at_all_is_stale() -> None:
    feed = live()
    feed.silent = {"btcusdt@a", "btcusdt@m", "ethusdt@a", "ethusdt@m"}
    feed.run(5)
    market = {state for name, state in feed.states().items() if "bookTicker" not in name}
    public = {state for name, state in feed.states().items() if "bookTicker" in name}
    assert (market, public) == ({"stale"}, {"live"})


def test_while_a_route_is_down_its_streams_are_stale() -> None:
    feed = live()
    feed.disconnect("public")
    assert feed.states()[BTC_QUOTES] == feed.states()["ethusdt@bookTicker"] == "stale"
    assert feed.states()[BTC_TRADES] == "live"
    feed.connect("public")
    assert feed.states()[BTC_QUOTES] == "waiting"
    feed.run(0.25)
    assert feed.states()[BTC_QUOTES] == "live"


def test_what_came_just_before_a_connection_is_not_held_for_its_data() -> None:
    feed = live()
    feed.send_quietly(MarkPrice("BTCUSDT", 1.0, 1.0, 0.0, 0, RECEIVE_NS, RECEIVE_NS))
    feed.disconnect()
    assert feed.connect("market").state == "connecting"
    assert feed.states()[BTC_MARKS] == "waiting"


def test_a_socket_that_takes_over_from_another_leaves_no_seam() -> None:
    feed = live()
    for _ in range(20):
        feed.send(Connected("market", at(feed.seconds)))
        assert feed.run(0.25).state == "live"
        assert set(feed.states().values()) == {"live"}


def test_streams_that_stay_keep_their_state_when_others_are_added() -> None:
    feed = live()
    feed.health.watch({"market": [BTC_TRADES, "solusdt@aggTrade"], "public": [BTC_QUOTES]})
    assert feed.states() == {BTC_TRADES: "live", "solusdt@aggTrade": "waiting", BTC_QUOTES: "live"}
    assert feed.status().state == "live"
    feed.run(6)
    assert feed.states()["solusdt@aggTrade"] == "silent"


def test_time_in_which_the_kernel_was_busy_makes_streams_wait_and_not_silent() -> None:
    feed = live()
    feed.seconds += 60
    feed.status()
    assert set(feed.states().values()) == {"waiting"}
    feed.silent = {BTC_TRADES}
    feed.run(1)
    assert feed.states()[BTC_TRADES] == "waiting"
    feed.run(4.25)
    assert feed.states()[BTC_TRADES] == "silent"
    assert feed.states()[BTC_MARKS] == "live"


def test_an_arrival_of_a_symbol_that_is_not_watched_changes_nothing() -> None:
    streams = Streams()
    streams.watch({"market": [BTC_MARKS]})
    assert list(streams.marks) == ["BTCUSDT"]
    assert not streams.trades
    assert not streams.quotes
