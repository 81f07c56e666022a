from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.events import Connected, Malformed, MarkPrice, Reply
from quantnb.feed.routes import Endpoints
from quantnb.feed.unused import Flagged
from tests.feed.feeds import Feed, live
from tests.feed.frames import RECEIVE_NS, at, trade


@pytest.fixture
def feed() -> Feed:
    """A feed that has been live for twenty seconds."""
    return live()


def test_before_anything_happened_it_is_connecting() -> None:
    status = Feed().status()
    assert status.state == "connecting"
    assert status.trades_per_s == 0.0
    assert status.last_trade_age_s is None
    assert status.lag_ms is None


def test_what_does_not_run_is_stopped(feed: Feed) -> None:
    status = feed.health.status(at(feed.seconds), is_running=False)
    assert status.state == "stopped"
    assert {each.state for each in status.streams} == {"stale"}


def test_an_open_socket_and_an_acknowledgement_are_not_live() -> None:
    feed = Feed()
    feed.silent = {""}
    feed.connect()
    status = feed.send(Reply(1, None, "", RECEIVE_NS))
    assert status.state == "connecting"
    assert "waiting for mark prices" in status.reason
    feed.run(5.25)
    assert feed.status().state == "stale"
    silent = "btcusdt@aggTrade, btcusdt@markPrice@1s and 2 more"
    assert feed.status().reason == f"Connected and acknowledged, but no data of {silent} for 5 s."


def test_one_stream_that_was_acknowledged_and_brings_nothing_is_named() -> None:
    feed = Feed()
    feed.silent = {"btcusdt@aggTrade"}
    feed.connect()
    feed.send(Reply(1, None, "", RECEIVE_NS))
    status = feed.run(5.25)
    assert status.state == "stale"
    assert status.reason == "Connected and acknowledged, but no data of btcusdt@aggTrade for 5 s."


def test_without_an_acknowledgement_none_is_claimed() -> None:
    feed = Feed()
    feed.silent = {"btcusdt@aggTrade"}
    feed.connect()
    assert feed.run(5.25).reason == "Connected, but no data of btcusdt@aggTrade for 5 s."


def test_with_data_on_both_routes_it_is_live(feed: Feed) -> None:
    status = feed.status()
    assert status.state == "live"
    assert status.feed == "live"
    assert status.reason == ""
    assert status.notes == ()
    assert not status.is_simulated
    assert status.trades_per_s == pytest.approx(8.0)
    assert status.last_trade_age_s == pytest.approx(0.0, abs=0.01)
    assert status.lag_ms == pytest.approx(10.0)


def test_a_local_exchange_is_simulated_and_says_why() -> None:
    feed = Feed(endpoints=Endpoints.at("ws://127.0.0.1:8765"))
    feed.health.use(Endpoints.at("ws://127.0.0.1:8765"), "Binance cannot be reached.")
    feed.connect()
    status = feed.run(2)
    assert status.state == "simulated"
    assert status.is_simulated
    assert status.reason == "Binance cannot be reached."


def silence_all(feed: Feed) -> None:
    feed.silent = {""}


def silence_trades(feed: Feed) -> None:
    feed.silent = {"btcusdt@a", "ethusdt@a"}


def silence_one(feed: Feed) -> None:
    feed.silent = {"ethusdt@a"}


def silence_quotes(feed: Feed) -> None:
    feed.silent = {"btcusdt@b", "ethusdt@b"}


@pytest.mark.parametrize(
    ("silence", "words"),
    [
        (silence_all, "Connected, but no mark prices for 7 s."),
        (silence_trades, "Connected, but no trades for 7 s."),
        (silence_one, "Connected, but no trades of ETHUSDT for 7 s."),
        (silence_quotes, "Connected, but no quotes for 7 s."),
    ],
)
def test_data_older_than_five_seconds_are_never_live(
    feed: Feed, silence: Callable[[Feed], None], words: str
) -> None:
    silence(feed)
    assert feed.run(4).state == "live"
    assert feed.run(0.75).state == "stale"
    assert feed.run(2.25).reason == words


def test_data_make_a_stale_feed_live_again(feed: Feed) -> None:
    silence_trades(feed)
    assert feed.run(10).state == "stale"
    feed.silent = set()
    assert feed.run(0.5).state == "live"


def test_a_symbol_without_a_trade_since_the_start_is_quiet_where_rest_says_so() -> None:
    feed = Feed("BTCUSDT", "KEEPUSDT")
    feed.is_asked = True
    feed.silent = {"keepusdt@a"}
    feed.connect()
    status = feed.run(32)
    assert status.state == "live"
    assert status.reason == "No trades of KEEPUSDT for more than 30 s."


def test_late_data_are_delayed_and_say_by_how_much(feed: Feed) -> None:
    feed.lag_s = 1.5
    status = feed.run(3)
    assert status.state == "delayed"
    assert status.lag_ms == pytest.approx(1_500.0)
    assert "1.5 s late" in status.reason


def test_a_reader_that_falls_behind_is_delayed_at_once_and_live_when_it_caught_up(feed: Feed) -> None:
    for second in range(1, 20):
        feed.lag_s = float(second)
        status = feed.run(1)
    assert status.state == "delayed"
    assert "19.0 s late" in status.reason or "18." in status.reason
    feed.lag_s = 0.01
    assert feed.run(2.5).state == "live"


def test_a_clock_behind_the_exchange_is_shown_as_it_is(feed: Feed) -> None:
    feed.lag_s = -1.25
    status = feed.run(10)
    assert status.state == "live"
    assert status.lag_ms == pytest.approx(-1_250.0)
    assert status.reason == "This computer's clock is 1.2 s behind the exchange's."
    feed.lag_s = -0.5
    assert feed.run(5).reason == ""


def test_a_lost_connection_counts_down(feed: Feed) -> None:
    status = feed.disconnect("market")
    assert status.state == "reconnecting"
    assert status.retry_in_s == 8.0
    assert status.reason == "The connection was lost."
    silence_all(feed)
    assert feed.run(3).retry_in_s == pytest.approx(5.0)
    assert feed.run(7).retry_in_s == 0.0


def test_after_a_reconnect_old_data_do_not_count(feed: Feed) -> None:
    feed.disconnect("market")
    silence_all(feed)
    feed.run(1)
    assert feed.connect("market").state == "connecting"
    assert feed.run(6).state == "stale"
    feed.silent = set()
    assert feed.run(1).state == "live"


def test_after_an_outage_it_waits_for_each_stream_whose_data_became_old(feed: Feed) -> None:
    feed.disconnect("market")
    silence_all(feed)
    feed.run(6)
    feed.connect("market")
    feed.silent = {"ethusdt@aggTrade"}
    status = feed.run(1)
    assert (status.state, status.reason) == ("connecting", "Connected; waiting for trades of ETHUSDT.")
    feed.silent = set()
    assert feed.run(0.25).state == "live"


def test_after_an_outage_it_does_not_wait_for_trades_that_its_usual_rate_does_not_promise() -> None:
    feed = Feed()
    feed.every["ethusdt@aggTrade"] = 8
    feed.connect()
    feed.run(30)
    feed.disconnect("market")
    silence_all(feed)
    feed.run(6)
    feed.connect("market")
    feed.silent = {"ethusdt@aggTrade"}
    assert feed.run(1).state == "live"


def test_after_a_short_outage_mark_prices_of_before_will_do_until_the_next_ones(feed: Feed) -> None:
    feed.disconnect("market")
    silence_all(feed)
    feed.run(1)
    assert feed.connect("market").state == "connecting"
    feed.silent = {"btcusdt@markPrice@1s", "ethusdt@markPrice@1s"}
    assert feed.run(0.25).state == "live"
    assert feed.run(4).reason == "Connected; waiting for mark prices."
    assert feed.run(1).state == "stale"


def test_the_worse_of_two_routes_is_shown(feed: Feed) -> None:
    assert feed.disconnect("public").state == "reconnecting"


def test_what_trying_again_cannot_mend_is_blocked(feed: Feed) -> None:
    status = feed.disconnect("market", retry_in_s=None)
    assert status.state == "blocked"
    assert status.reason == "The connection was lost."
    assert status.retry_in_s is None


def test_a_feed_that_ended_is_blocked_and_not_stopped(feed: Feed) -> None:
    feed.health.block("The feed ended.")
    status = feed.health.status(at(feed.seconds), is_running=False)
    assert status.state == "blocked"
    assert status.reason == "The feed ended."
    assert {each.state for each in status.streams} == {"stale"}


def test_a_client_that_begins_again_is_connecting(feed: Feed) -> None:
    feed.health.begin_again()
    status = feed.status()
    assert status.state == "connecting"
    assert {each.state for each in status.streams} == {"stale"}
    feed.connect()
    assert feed.run(1).state == "live"


def test_after_a_busy_minute_it_catches_up_before_it_is_live(feed: Feed) -> None:
    feed.seconds += 60
    status = feed.status()
    assert status.state == "delayed"
    assert status.reason == "Catching up with what arrived meanwhile. The kernel was busy for 60 s."
    assert feed.run(1).state == "live"
    assert feed.status().reason == "The kernel was busy for 60 s."
    status = feed.run(11)
    assert status.reason == ""
    assert status.notes == ("The kernel was busy for 60 s.",)


def test_a_busy_minute_is_said_even_if_a_socket_closes_before_the_next_look(feed: Feed) -> None:
    feed.seconds += 60
    feed.disconnect("market")
    assert feed.run(0.25).notes == ("The kernel was busy for 60 s.",)


def test_a_feed_that_is_silent_after_a_busy_kernel_is_stale(feed: Feed) -> None:
    silence_all(feed)
    feed.seconds += 60
    feed.status()
    assert feed.run(6).state == "stale"


def test_a_computer_that_slept_is_not_live_with_what_it_had_before(feed: Feed) -> None:
    now = at(feed.seconds)
    slept = type(now)(now.wall_ns + 3_600 * 10**9, now.monotonic_ns + 250_000_000)
    status = feed.health.status(slept)
    assert status.state == "delayed"
    assert status.last_trade_age_s == pytest.approx(3_600.0)
    assert status.notes == ()  # who woke it up says it


def test_a_clock_that_was_set_back_makes_no_trade_younger(feed: Feed) -> None:
    silence_trades(feed)
    feed.run(3)
    now = at(feed.seconds)
    status = feed.health.status(type(now)(now.wall_ns - 3_600 * 10**9, now.monotonic_ns))
    assert status.last_trade_age_s == pytest.approx(3.0)


def test_a_refused_request_is_said_until_the_next_connection(feed: Feed) -> None:
    status = feed.send(Reply(3, 2, "Invalid request", RECEIVE_NS))
    assert status.state == "live"
    assert status.reason == "The exchange refused a request: Invalid request"
    assert feed.send(Connected("market", at(feed.seconds))).reason == ""


def test_a_note_is_shown_for_ten_seconds_and_kept(feed: Feed) -> None:
    feed.health.note("The feed was started again.")
    assert feed.run(1).reason == "The feed was started again."
    status = feed.run(10)
    assert status.reason == ""
    assert status.notes == ("The feed was started again.",)


def test_a_doubtful_trade_is_said_once_a_minute_and_symbol(feed: Feed) -> None:
    doubts = [
        Flagged(f"a trade of {symbol} at {price} is +20 % from the mark price", b"", RECEIVE_NS, each)
        for symbol, price in [("BTCUSDT", 100), ("BTCUSDT", 101), ("ETHUSDT", 102)]
        for each in [trade(1, symbol=symbol)]
    ]
    for doubt in doubts:
        feed.health.receive(doubt)
    status = feed.status()
    assert status.notes == (
        "A trade of ETHUSDT at 102 is +20 % from the mark price; it is kept.",
        "A trade of BTCUSDT at 100 is +20 % from the mark price; it is kept.",
    )
    assert status.counts["flagged"] == 3
    assert list(feed.health.flagged_samples) == doubts


def test_rejected_rows_are_said_with_their_reason_once_a_minute(feed: Feed) -> None:
    assert feed.send(Malformed("not JSON", b"{", RECEIVE_NS)).notes == ("1 row could not be used: not JSON.",)
    for _ in range(1_200):
        feed.send_quietly(Malformed("not JSON", b"{", RECEIVE_NS))
    assert len(feed.run(59).notes) == 1
    assert feed.run(2).notes[0] == "1,200 rows could not be used: not JSON."
    assert feed.status().state == "live"
    assert feed.health.reasons == {"not JSON": 1_201}


def test_ten_minutes_of_looks_are_live_throughout() -> None:
    feed = Feed("BTCUSDT", "ETHUSDT", "SOLUSDT")
    feed.connect()
    feed.run(2)
    for _ in range(4 * 600):
        assert feed.run(0.25).state == "live"


def test_a_mark_price_of_a_symbol_that_is_not_watched_proves_nothing(feed: Feed) -> None:
    silence_all(feed)
    for _ in range(20):
        feed.send_quietly(MarkPrice("KEEPUSDT", 1.0, 1.0, 0.0, 0, RECEIVE_NS, RECEIVE_NS))
        status = feed.run(0.25)
    assert status.state == "stale"


STREAMS = [f"{symbol}@{kind}" for symbol in ("btcusdt", "ethusdt") for kind in ("a", "b", "m")]
STEPS = st.tuples(
    st.sets(st.sampled_from(STREAMS)),
    st.sampled_from(["", "", "", "drop market", "drop public", "open", "take over", "busy"]),
    st.sampled_from([0.25, 1.0, 3.0, 5.0, 12.0]),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(STEPS, max_size=12), st.booleans())
def test_it_is_never_live_with_data_older_than_five_seconds(
    steps: list[tuple[set[str], str, float]], was_live: bool
) -> None:
    feed = live(seconds=12) if was_live else Feed()
    for silent, event, seconds in steps:
        feed.silent = silent
        match event.split():
            case ["drop", route]:
                feed.disconnect(route)
            case ["open"] | ["take", "over"]:
                feed.connect()
            case ["busy"]:
                feed.be_busy(60.0)
        for _ in range(round(4 * seconds)):
            status = feed.run(0.25)
            if status.state in ("live", "simulated"):
                for each in status.streams:
                    is_new = each.age_s is None or each.state == "quiet"
                    age_s = feed.age_s(each.name, since_opened=is_new)
                    # After silences that ended by themselves a stream is given more time, and says "quiet".
                    assert age_s <= (20.0 if each.state == "quiet" else 5.0), (each, feed.states())
