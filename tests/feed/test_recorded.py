"""Real frames, recorded from Binance; counts are compared with a plain recount of the same lines."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import msgspec
import pytest

from quantnb.events import Event, Gap, Malformed, Quote, Trade
from quantnb.feed.decode import decode
from quantnb.feed.ledger import Ledger
from quantnb.feed.unused import Ignored
from tests.feed.recordings import LARGE, SMALL, agg_trades, encode, fields_of, recorded_frames

pytestmark = pytest.mark.recorded


@pytest.mark.parametrize("name", [*LARGE, SMALL])
def test_every_recorded_frame_is_an_event_or_left_out_by_rule(name: str) -> None:
    expected: Counter[str] = Counter()
    actual: Counter[str] = Counter()
    for receive_ns, frame in recorded_frames(name):
        kind = fields_of(frame).get("e", "no event")
        expected[kind] += 1
        (event,) = decode(frame, receive_ns)
        actual[kind] += 1
        match kind:
            case "aggTrade":
                assert isinstance(event, Trade)
            case "bookTicker":
                assert isinstance(event, Quote)
            case "no event":  # an order book from REST, which is no message of a stream
                assert type(event) is Malformed
            case _:
                assert isinstance(event, Ignored), event
    assert actual == expected
    assert expected["bookTicker"] > 50


@pytest.mark.parametrize("name", LARGE)
def test_derived_agg_trades_agree_with_a_plain_recount(name: str) -> None:
    ledger = Ledger()
    received: list[Event] = []
    n_groups = 0
    for trade_id, (receive_ns, group) in enumerate(agg_trades(name), start=1):
        n_groups += 1
        for event in decode(encode(trade_id, group), receive_ns):
            assert isinstance(event, Trade)
            received.extend(ledger.receive(event))
    trades = [event for event in received if isinstance(event, Trade)]

    raw = [fields_of(frame) for _, frame in recorded_frames(name)]
    raw = [fields for fields in raw if fields.get("e") == "trade"]
    quantity = sum(Decimal(fields["q"]) for fields in raw)
    turnover = sum(Decimal(fields["q"]) * Decimal(fields["p"]) for fields in raw)
    assert len(trades) == len(received) == n_groups > 500
    assert (trades[0].trade_id, trades[-1].trade_id) == (1, n_groups)
    assert sum(each.quantity for each in trades) == pytest.approx(float(quantity), rel=1e-12)
    assert sum(each.quantity * each.price for each in trades) == pytest.approx(float(turnover), rel=1e-12)
    assert trades[0].price == float(raw[0]["p"])
    assert trades[-1].price == float(raw[-1]["p"])
    assert trades[-1].event_ns == raw[-1]["T"] * 1_000_000


@pytest.mark.parametrize("name", LARGE)
def test_the_recorders_clock_was_behind_and_it_changes_nothing(name: str) -> None:
    n_before = 0
    for trade_id, (receive_ns, group) in enumerate(agg_trades(name), start=1):
        frame = encode(trade_id, group)
        (behind,) = decode(frame, receive_ns)
        (ahead,) = decode(frame, receive_ns + 5_000_000_000)
        assert isinstance(behind, Trade)
        assert msgspec.structs.replace(behind, receive_ns=0) == msgspec.structs.replace(ahead, receive_ns=0)
        n_before += behind.receive_ns < behind.event_ns
    assert n_before > 500


def test_recorded_agg_trades_are_consecutive_per_symbol() -> None:
    ledger = Ledger()
    quantity: Counter[str] = Counter()
    recount: dict[str, Decimal] = {}
    n_trades = 0
    for receive_ns, frame in recorded_frames(SMALL):
        fields = fields_of(frame)
        if fields.get("e") != "aggTrade":
            continue
        recount[fields["s"]] = recount.get(fields["s"], Decimal(0)) + Decimal(fields["q"])
        n_trades += 1
        for event in decode(frame, receive_ns):
            assert isinstance(event, Trade)
            (kept,) = ledger.receive(event)
            assert not isinstance(kept, Gap)
            quantity[event.symbol] += event.quantity  # type: ignore[assignment]
    assert n_trades > 10
    assert quantity == {symbol: pytest.approx(float(total)) for symbol, total in recount.items()}
