from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.events import Event, Instant, MarkPrice, Quote, Reply, Trade
from quantnb.feed.plausible import MAX_LEAP, Plausibility
from quantnb.feed.unused import Flagged, Implausible, Unasked
from tests.feed.frames import RECEIVE_NS, at, trade

S = 1_000_000_000
HOUR_S = 3_600.0


class Exchange:
    """Sends a trade each tenth of a second to a judge, as two clocks say it that differ."""

    def __init__(self) -> None:
        self.plausibility = Plausibility()
        self.seconds = 0.0
        self.exchange_s = 0.0  # by so much the exchange's clock is ahead of the right time
        self.ours_s = 0.0
        self._trade_id = 0

    def send(self, *, wrong_s: float = 0.0, delay_s: float = 0.05, **changes: object) -> tuple[Event, ...]:
        self.seconds += 0.1
        self._trade_id += 1
        receive_ns = RECEIVE_NS + round((self.seconds + self.ours_s) * S)
        push_ns = RECEIVE_NS + round((self.seconds - delay_s + self.exchange_s + wrong_s) * S)
        event = msgspec.structs.replace(
            trade(self._trade_id),
            event_ns=push_ns - S // 10,
            push_ns=push_ns,
            receive_ns=receive_ns,
            **changes,
        )
        return self.check(event)

    def check(self, event: Event) -> tuple[Event, ...]:
        monotonic_ns = round(self.seconds * S)
        return self.plausibility.check(event, Instant(RECEIVE_NS + monotonic_ns, monotonic_ns))

    def run(self, seconds: float, **how: float) -> list[type[Event]]:
        return [type(each) for _ in range(round(10 * seconds)) for each in self.send(**how)]  # type: ignore[arg-type]

    def mark(self, price: float, symbol: str = "BTCUSDT") -> None:
        now_ns = RECEIVE_NS + round((self.seconds + self.exchange_s) * S)
        ours_ns = RECEIVE_NS + round((self.seconds + self.ours_s) * S)
        self.check(MarkPrice(symbol, price, price, 0.0, 0, now_ns, ours_ns))


def test_what_is_plausible_passes() -> None:
    exchange = Exchange()
    assert exchange.run(60) == [Trade] * 600
    quote = Quote("BTCUSDT", 1, 1.0, 1.0, 1.0, 1.0, RECEIVE_NS, RECEIVE_NS, RECEIVE_NS)
    reply = Reply(1, None, "", RECEIVE_NS)
    assert exchange.plausibility.check(quote, at(0)) == (quote,)
    assert exchange.plausibility.check(reply, at(0)) == (reply,)


@pytest.mark.parametrize("clocks_s", [0.0, 25.0, HOUR_S, -HOUR_S, -60 * 86_400.0])
def test_a_message_from_the_future_is_rejected_whatever_our_clock_says(clocks_s: float) -> None:
    exchange = Exchange()
    exchange.exchange_s = clocks_s
    exchange.run(30)
    (rejected,) = exchange.send(wrong_s=HOUR_S)
    assert type(rejected) is Implausible
    assert rejected.reason.endswith("s ahead of what the other messages say")
    assert isinstance(rejected.event, Trade)
    assert rejected.sample
    assert exchange.run(30) == [Trade] * 300


def test_many_wrong_ones_among_right_ones_are_rejected_all() -> None:
    exchange = Exchange()
    exchange.run(10)
    for _ in range(1_000):
        assert exchange.run(0.5, wrong_s=40.0) == [Implausible] * 5
        assert exchange.run(0.1) == [Trade]


def test_a_burst_of_wrong_ones_within_a_moment_is_rejected() -> None:
    exchange = Exchange()
    exchange.run(10)
    for k in range(1_000):
        wrong = msgspec.structs.replace(trade(k), push_ns=RECEIVE_NS + 3_600 * S, receive_ns=RECEIVE_NS)
        assert type(exchange.check(wrong)[0]) is Implausible
    assert exchange.run(10) == [Trade] * 100


@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S, -35.0, 86_400.0])
def test_after_our_clock_was_set_it_heals(step_s: float) -> None:
    exchange = Exchange()
    exchange.run(30)
    exchange.ours_s = step_s
    kinds = exchange.run(2.0)
    assert kinds[:1] == ([Implausible] if step_s < 0 else [Trade])
    assert exchange.run(60) == [Trade] * 600


def test_a_clock_that_is_behind_from_the_start_costs_a_second_or_two() -> None:
    exchange = Exchange()
    exchange.ours_s = -HOUR_S
    exchange.run(2.0)
    assert exchange.run(60) == [Trade] * 600


def test_messages_that_a_busy_kernel_reads_late_do_not_make_fresh_ones_wrong() -> None:
    exchange = Exchange()
    exchange.run(30)
    for delay_s in (300.0, 200.0, 100.0, 50.0, 0.05):
        assert exchange.run(60, delay_s=delay_s) == [Trade] * 600


def test_late_messages_of_more_than_ten_minutes_are_usual() -> None:
    exchange = Exchange()
    exchange.run(30)
    exchange.ours_s = HOUR_S  # our clock was set ahead: all seem late
    assert exchange.run(620) == [Trade] * 6_200
    assert exchange.run(0.1, wrong_s=60.0) == [Implausible]


def test_a_clock_that_drifts_is_followed() -> None:
    exchange = Exchange()
    for _ in range(2_000):
        exchange.exchange_s += 0.05
        exchange.run(0.1)
        exchange.mark(83_000.0)
    assert exchange.run(10) == [Trade] * 100
    assert exchange.exchange_s == pytest.approx(100.0)


def test_a_trade_an_hour_older_than_its_message_is_rejected() -> None:
    exchange = Exchange()
    exchange.run(1)
    old = msgspec.structs.replace(trade(1), receive_ns=RECEIVE_NS, push_ns=RECEIVE_NS)
    (kept,) = exchange.check(msgspec.structs.replace(old, event_ns=RECEIVE_NS - 3_600 * S))
    assert type(kept) is Trade
    (rejected,) = exchange.check(msgspec.structs.replace(old, event_ns=RECEIVE_NS - 3_601 * S))
    assert type(rejected) is Implausible
    assert rejected.reason == "the trade is 3,601 s older than its message"


def test_an_id_far_ahead_is_rejected_until_the_next_one_follows_it() -> None:
    plausibility, far = Plausibility(), 5_000_000
    kinds = [
        type(plausibility.check(trade(trade_id), at(0))[0])
        for trade_id in (
            far,
            far + MAX_LEAP,
            3 * far,
            3 * far,
            far + MAX_LEAP + 1,
            4 * far,
            4 * far + 1,
            4 * far + 2,
        )
    ]
    # The first one of all; then one as far ahead as may be; one too far, twice; and a numbering that goes on.
    assert kinds == [Trade, Trade, Implausible, Implausible, Trade, Implausible, Trade, Trade]


@pytest.mark.parametrize(
    ("price", "is_flagged"), [(81.0, False), (79.0, True), (119.0, False), (121.0, True)]
)
def test_a_price_a_fifth_from_the_mark_is_flagged_and_kept(price: float, is_flagged: bool) -> None:
    exchange = Exchange()
    exchange.mark(100.0)
    exchange.mark(1_000.0, symbol="ETHUSDT")
    events = exchange.send(price=price)
    assert [type(each) for each in events] == ([Flagged, Trade] if is_flagged else [Trade])
    if is_flagged:
        assert isinstance(events[0], Flagged)
        assert events[0].trade == events[1]
        assert events[0].reason.endswith(f"at {price:.0f} is {price - 100:+.0f} % from the mark price")


def test_before_the_first_mark_and_long_after_the_last_nothing_is_flagged() -> None:
    exchange = Exchange()
    assert [type(each) for each in exchange.send(price=1.0)] == [Trade]
    exchange.mark(100.0)
    exchange.seconds += 59
    assert [type(each) for each in exchange.send(price=1.0)] == [Flagged, Trade]
    exchange.seconds += 2
    assert [type(each) for each in exchange.send(price=1.0)] == [Trade]


def test_a_symbol_that_nobody_asked_for_is_ignored() -> None:
    exchange = Exchange()
    assert [type(each) for each in exchange.send(symbol="SOLUSDT")] == [Trade]
    exchange.plausibility.watch(["BTCUSDT"])
    assert [type(each) for each in exchange.send()] == [Trade]
    (ignored,) = exchange.send(symbol="SOLUSDT")
    assert type(ignored) is Unasked
    exchange.mark(100.0, symbol="SOLUSDT")
    exchange.plausibility.watch(["SOLUSDT"])
    assert [type(each) for each in exchange.send(symbol="SOLUSDT", price=1.0)] == [Trade]
    assert [type(each) for each in exchange.send()] == [Unasked]


def test_a_symbol_that_stays_keeps_its_mark_price() -> None:
    exchange = Exchange()
    exchange.mark(100.0)
    exchange.plausibility.watch(["BTCUSDT", "ETHUSDT"])
    assert [type(each) for each in exchange.send(price=1.0)] == [Flagged, Trade]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-100_000, 100_000), st.booleans()), max_size=200))
def test_one_event_in_is_one_event_out_and_at_most_a_doubt(steps: list[tuple[int, bool]]) -> None:
    exchange = Exchange()
    for wrong_s, is_marked in steps:
        if is_marked:
            exchange.mark(50.0)
        kinds = [type(each) for each in exchange.send(wrong_s=float(wrong_s), price=100.0)]
        assert kinds in ([Trade], [Flagged, Trade], [Implausible])
