from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.events import Connected, Event, Gap, Malformed, MarkPrice, Quote, Recovered, Reply, Trade
from quantnb.feed.counts import KINDS_KEPT, OTHERS, SAMPLES_KEPT, Counts
from quantnb.feed.health import Health
from quantnb.feed.ledger import Ledger
from quantnb.feed.plausible import Plausibility
from quantnb.feed.unused import Duplicate, Flagged, Ignored, Implausible, Unasked
from tests.feed.frames import RECEIVE_NS, at, trade

QUOTE = Quote("BTCUSDT", 1, 1.0, 1.0, 1.0, 1.0, RECEIVE_NS, RECEIVE_NS, RECEIVE_NS)


def is_complete(counts: dict[str, int]) -> bool:
    return counts["received"] == sum(counts[name] for name in ("stored", "duplicate", "late", "rejected"))


def test_everything_has_its_count() -> None:
    health, each = Health(), trade(1)
    for event in [
        each,
        trade(2),
        trade(8),
        each,
        each,
        Malformed("", b"", 0),
        QUOTE,
        Ignored("klines", b"", 0),
    ]:
        health.arrive(event)
    for event in [
        each,
        Flagged("", b"", 0, trade(2)),
        trade(2),
        Gap("BTCUSDT", 3, 7, 0, 0, ""),
        trade(8),
        Duplicate("", b"", 0, each),
        Recovered("BTCUSDT", (trade(5),), "stream"),
        Recovered("BTCUSDT", (trade(3), trade(4)), "rest"),
        Recovered("BTCUSDT", (trade(0),), "rest"),  # history
        Malformed("", b"", 0),
        Ignored("klines", b"", 0),
    ]:
        health.receive(event)
    assert health.status(at(0)).counts == {
        "received": 6,
        "stored": 3,
        "duplicate": 1,
        "late": 1,
        "rejected": 1,
        "ignored": 1,
        "flagged": 1,
        "recovered": 3,
        "gaps": 1,
        "missing": 5,
    }
    assert health.ignored == {"klines": 1}


def test_received_is_counted_on_its_own() -> None:
    health = Health()
    health.arrive(trade(1))
    assert health.status(at(0)).counts["received"] == 1
    assert health.status(at(0)).counts["stored"] == 0


def test_a_quote_is_counted_where_it_is_rejected_and_a_trade_not_where_nobody_asked_for_it() -> None:
    health = Health()
    for event in (QUOTE, QUOTE, trade(1)):
        health.arrive(event)
    health.receive(QUOTE)
    health.receive(Implausible("", b"", 0, QUOTE))
    health.receive(Unasked("", b"", 0, trade(1)))
    counts = health.status(at(0)).counts
    assert (counts["received"], counts["rejected"], counts["ignored"]) == (1, 1, 1)


def test_the_first_and_the_newest_twenty_rejected_rows_are_kept() -> None:
    counts = Counts()
    frames = [Malformed(f"reason {k}", b"x", RECEIVE_NS) for k in range(5 * SAMPLES_KEPT)]
    for frame in frames:
        counts.leave_out(frame)
    assert counts.first_samples == frames[:SAMPLES_KEPT]
    assert list(counts.samples) == frames[-SAMPLES_KEPT:]
    assert counts.reasons == {"reason #": 5 * SAMPLES_KEPT}


def test_a_sender_cannot_fill_memory_with_reasons() -> None:
    counts = Counts()
    for k in range(1_000):
        letters = "".join(chr(ord("a") + int(digit)) for digit in str(k))
        counts.leave_out(Malformed(f"no {letters}", b"", 0))
        counts.leave_out(Ignored(f"events of type {k}", b"", 0))
    for counter in (counts.reasons, counts.ignored):
        assert len(counter) == KINDS_KEPT + 1
        assert counter.total() == 1_000
        assert counter[OTHERS] == 1_000 - KINDS_KEPT


SYMBOLS = st.sampled_from(["BTCUSDT", "ETHUSDT", "NOBODYUSDT"])
SECONDS = st.integers(-5_000, 5_000)


@st.composite
def wire_events(draw: st.DrawFn) -> Event:
    symbol, ahead_s, number = draw(SYMBOLS), draw(st.just(0) | SECONDS), draw(st.integers(0, 30))
    push_ns = RECEIVE_NS + ahead_s * 10**9
    price = draw(st.sampled_from([80.0, 100.0, 121.0]))
    event_ns = push_ns + draw(st.just(-1) | st.just(-4_000)) * 10**9
    return draw(
        st.sampled_from(
            [
                Trade(symbol, number, price, 1.0, False, event_ns, push_ns, RECEIVE_NS),
                Quote(symbol, number, price, 1.0, price, 1.0, push_ns, push_ns, RECEIVE_NS),
                MarkPrice(symbol, price, price, 0.0, 0, push_ns, RECEIVE_NS),
                Malformed(f"reason {number}", b"", RECEIVE_NS),
                Ignored("klines", b"", RECEIVE_NS),
                Reply(number, None, "", RECEIVE_NS),
                Connected("market", at(number)),
            ]
        )
    )


@settings(deadline=None)
@given(st.lists(wire_events(), max_size=80))
def test_received_is_the_sum_of_what_became_of_it_after_every_event(events: list[Event]) -> None:
    health, plausibility, ledger = Health(), Plausibility(), Ledger()
    plausibility.watch(["BTCUSDT", "ETHUSDT"])
    health.watch({"market": ["btcusdt@aggTrade", "ethusdt@aggTrade"]})
    n_usable = 0
    for k, event in enumerate(events):
        now = at(k / 4)
        health.arrive(event)
        for each in plausibility.check(event, now):
            for judged in ledger.receive(each) if isinstance(each, Trade) else (each,):
                health.receive(judged)
        counts = dict(health.status(now).counts)
        assert is_complete(counts)
        n_usable += isinstance(event, Trade) and event.symbol != "NOBODYUSDT"
        assert counts["stored"] + counts["duplicate"] + counts["late"] <= n_usable <= counts["received"]
