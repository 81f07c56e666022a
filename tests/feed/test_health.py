from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from quantnb.events import Connected, Disconnected, Event, Gap, Malformed, MarkPrice, Quote, Reply
from quantnb.feed.health import SAMPLES_KEPT, Health
from quantnb.feed.routes import LIVE, Endpoints
from quantnb.feed.unused import Duplicate, Ignored, Late
from quantnb.snapshot import Status
from tests.feed.frames import RECEIVE_NS, at, trade


class Feed:
    """A feed on a clock of its own: what it sends each quarter of a second, and what is said of it."""

    def __init__(self, endpoints: Endpoints = LIVE) -> None:
        self.health = Health()
        self.health.use(endpoints, "")
        self.seconds = 0.0
        self.is_trading = self.is_marking = self.is_quoting = True
        self.lag_s = 0.01
        self.symbols = ("BTCUSDT", "ETHUSDT")
        self._trade_id = 0

    def connect(self) -> Status:
        for route in ("market", "public"):
            self.health.receive(Connected(route, at(self.seconds)))
        return self.status()

    def run(self, seconds: float) -> Status:
        for _ in range(round(4 * seconds)):
            self.seconds += 0.25
            self._send()
            status = self.status()
        return status

    def status(self) -> Status:
        return self.health.status(at(self.seconds))

    def send(self, *events: Event) -> Status:
        for event in events:
            self.health.receive(event)
        return self.status()

    def _send(self) -> None:
        receive_ns = at(self.seconds).wall_ns
        push_ns = receive_ns - round(self.lag_s * 1e9)
        for symbol in self.symbols:
            if self.is_trading:
                self._trade_id += 1
                each = trade(self._trade_id, symbol=symbol)
                self.health.receive(msgspec.structs.replace(each, push_ns=push_ns, receive_ns=receive_ns))
            if self.is_marking:
                self.health.receive(MarkPrice(symbol, 1.0, 1.0, 0.0, 0, push_ns, receive_ns))
            if self.is_quoting:
                self.health.receive(Quote(symbol, 1, 1.0, 1.0, 1.0, 1.0, push_ns, push_ns, receive_ns))


@pytest.fixture
def feed() -> Feed:
    """A feed that has been live for twenty seconds."""
    feed = Feed()
    feed.connect()
    feed.run(20)
    return feed


def test_before_anything_happened_it_is_connecting() -> None:
    status = Feed().status()
    assert status.state == "connecting"
    assert status.trades_per_s == 0.0
    assert status.last_trade_age_s is None
    assert status.lag_ms is None


def test_what_does_not_run_is_stopped(feed: Feed) -> None:
    assert feed.health.status(at(feed.seconds), is_running=False).state == "stopped"


def test_an_open_socket_and_an_acknowledgement_are_not_live() -> None:
    feed = Feed()
    feed.connect()
    status = feed.send(Reply(1, None, "", RECEIVE_NS))
    assert status.state == "connecting"
    assert "waiting for mark prices" in status.reason


def test_with_data_on_both_routes_it_is_live(feed: Feed) -> None:
    status = feed.status()
    assert status.state == "live"
    assert status.feed == "live"
    assert status.reason == ""
    assert not status.is_simulated
    assert status.trades_per_s == pytest.approx(8.0)
    assert status.last_trade_age_s == pytest.approx(0.0, abs=0.01)
    assert status.lag_ms == pytest.approx(10.0)


def test_a_local_exchange_is_simulated_and_says_why() -> None:
    feed = Feed(Endpoints.at("ws://127.0.0.1:8765"))
    feed.health.use(Endpoints.at("ws://127.0.0.1:8765"), "Binance cannot be reached.")
    feed.connect()
    status = feed.run(2)
    assert status.state == "simulated"
    assert status.is_simulated
    assert status.reason == "Binance cannot be reached."


def silence_all(feed: Feed) -> None:
    feed.is_trading = feed.is_marking = feed.is_quoting = False


def silence_trades(feed: Feed) -> None:
    feed.is_trading = False


def silence_quotes(feed: Feed) -> None:
    feed.is_quoting = False


@pytest.mark.parametrize(
    ("silence", "words"),
    [
        (silence_all, "Connected, but no mark prices for 7 s."),
        (silence_trades, "Connected, but no trades for 7 s."),
        (silence_quotes, "Connected, but no quotes for 7 s."),
    ],
)
def test_silence_of_more_than_five_seconds_is_stale(
    feed: Feed, silence: Callable[[Feed], None], words: str
) -> None:
    silence(feed)
    assert feed.run(5).state == "live"
    assert feed.run(0.25).state == "stale"
    assert feed.run(1.75).reason == words


def test_subscribed_and_silent_from_the_start_is_stale() -> None:
    feed = Feed()
    silence_all(feed)
    feed.connect()
    assert feed.run(7).reason == "Connected, but no mark prices for 7 s."


def test_data_make_a_stale_feed_live_again(feed: Feed) -> None:
    feed.is_trading = False
    assert feed.run(10).state == "stale"
    feed.is_trading = True
    assert feed.run(0.5).state == "live"


def test_a_quiet_symbol_is_named(feed: Feed) -> None:
    feed.health.receive(MarkPrice("KEEPUSDT", 1.0, 1.0, 0.0, 0, RECEIVE_NS, RECEIVE_NS))
    for _ in range(32):
        feed.health.receive(MarkPrice("KEEPUSDT", 1.0, 1.0, 0.0, 0, RECEIVE_NS, RECEIVE_NS))
        status = feed.run(1)
    assert status.state == "live"
    assert status.reason == "No trades of KEEPUSDT for more than 30 s."


def test_late_data_are_delayed(feed: Feed) -> None:
    feed.lag_s = 1.5
    status = feed.run(10)
    assert status.state == "delayed"
    assert status.lag_ms == pytest.approx(1_500.0)
    assert "1.5 s late" in status.reason


def test_a_clock_behind_the_exchange_is_shown_as_it_is(feed: Feed) -> None:
    feed.lag_s = -1.25
    status = feed.run(10)
    assert status.state == "live"
    assert status.lag_ms == pytest.approx(-1_250.0)


def test_a_lost_connection_counts_down(feed: Feed) -> None:
    status = feed.send(Disconnected("market", "The connection was lost.", 8.0, at(feed.seconds)))
    assert status.state == "reconnecting"
    assert status.retry_in_s == 8.0
    assert status.reason == "The connection was lost."
    silence_all(feed)
    assert feed.run(3).retry_in_s == pytest.approx(5.0)
    assert feed.run(7).retry_in_s == 0.0


def test_after_a_reconnect_old_data_do_not_count(feed: Feed) -> None:
    feed.send(Disconnected("market", "The connection was lost.", 1.0, at(feed.seconds)))
    feed.is_trading = feed.is_marking = False
    feed.run(1)
    assert feed.connect().state == "connecting"
    assert feed.run(6).state == "stale"
    feed.is_trading = feed.is_marking = True
    assert feed.run(0.5).state == "live"


def test_the_worse_of_two_routes_is_shown(feed: Feed) -> None:
    status = feed.send(Disconnected("public", "The connection was lost.", 8.0, at(feed.seconds)))
    assert status.state == "reconnecting"


def test_what_trying_again_cannot_mend_is_blocked(feed: Feed) -> None:
    status = feed.send(Disconnected("market", "HTTP 451.", None, at(feed.seconds)))
    assert status.state == "blocked"
    assert status.reason == "HTTP 451."
    assert status.retry_in_s is None


def test_a_feed_that_ended_is_blocked_and_not_stopped(feed: Feed) -> None:
    feed.health.block("The feed ended.")
    status = feed.health.status(at(feed.seconds), is_running=False)
    assert status.state == "blocked"
    assert status.reason == "The feed ended."


def test_time_in_which_the_kernel_was_busy_is_not_held_against_the_feed(feed: Feed) -> None:
    feed.seconds += 60
    status = feed.status()
    assert status.state == "live"
    assert status.reason == "The kernel was busy for 60 s."
    assert feed.run(11).reason == ""


def test_a_feed_that_is_silent_after_a_busy_kernel_is_stale(feed: Feed) -> None:
    silence_all(feed)
    feed.seconds += 60
    feed.status()
    assert feed.run(6).state == "stale"


def test_a_refused_request_is_said_until_the_next_connection(feed: Feed) -> None:
    status = feed.send(Reply(3, 2, "Invalid request", RECEIVE_NS))
    assert status.state == "live"
    assert status.reason == "The exchange refused a request: Invalid request"
    assert feed.send(Connected("market", at(feed.seconds))).reason == ""


def test_counts_add_up() -> None:
    feed = Feed()
    each = trade(1)
    status = feed.send(
        each,
        trade(2),
        Gap("BTCUSDT", 3, 7, 0, 0, ""),
        trade(8),
        Duplicate("", b"", RECEIVE_NS, each),
        Late("", b"", RECEIVE_NS, each),
        Malformed("", b"", RECEIVE_NS),
        Ignored("klines", b"", RECEIVE_NS),
    )
    assert status.counts == {
        "received": 6,
        "stored": 3,
        "duplicate": 1,
        "late": 1,
        "malformed": 1,
        "gaps": 1,
        "missing": 5,
    }
    assert feed.health.ignored == {"klines": 1}


def test_the_first_malformed_frames_are_kept_and_no_more() -> None:
    feed = Feed()
    frames = [Malformed(f"reason {k}", b"x", RECEIVE_NS) for k in range(2 * SAMPLES_KEPT)]
    assert feed.send(*frames).counts["malformed"] == 2 * SAMPLES_KEPT
    assert feed.health.samples == frames[:SAMPLES_KEPT]
