"""The policy against a market that is a formula, through hours that take no time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.events import Event, History, Instant, Kline, Recovered, Trade
from quantnb.feed.agenda import (
    NOT_THERE,
    TOO_OLD,
    TRIES,
    Agenda,
    Request,
)
from quantnb.feed.budget import WEIGHT_PER_MINUTE, Budget
from quantnb.feed.history import MORE_KLINES, KlinesRequest
from quantnb.feed.ledger import Ledger
from quantnb.feed.paging import PAGE, TradesRequest

MS, S, MINUTE, HOUR = 10**6, 10**9, 60 * 10**9, 3_600 * 10**9
NOW_NS = 29_856_375 * MINUTE + 30 * S
LATENCY_NS = 50 * MS
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


class FakeExchange:
    """Trades at a constant rate, numbered by their time; REST as Binance's, with its count of weight."""

    def __init__(self, spacing_ns: dict[str, int] | None = None) -> None:
        self.spacing_ns = spacing_ns or dict.fromkeys(SYMBOLS, 100 * MS)
        self.missing: set[int] = set()
        self.oldest_id = 0
        self.used: Counter[int] = Counter()
        self.requests: list[Request] = []

    def newest_id(self, symbol: str, now_ns: int) -> int:
        return now_ns // self.spacing_ns[symbol]

    def trade(self, symbol: str, trade_id: int, receive_ns: int = 0) -> Trade:
        event_ns = trade_id * self.spacing_ns[symbol]
        return Trade(symbol, trade_id, 10.0, 1.0, False, event_ns, event_ns, receive_ns or event_ns)

    def answer(self, request: Request, now_ns: int) -> list[Trade] | list[Kline] | None:
        """Return the rows; None where what is asked for is too old."""
        self.requests.append(request)
        self.used[now_ns // MINUTE] += request.weight
        assert self.used[now_ns // MINUTE] <= WEIGHT_PER_MINUTE
        if isinstance(request, KlinesRequest):
            end_ns = (request.end_ms + 1) * MS
            opens = range(end_ns - request.limit * MINUTE, end_ns, MINUTE)
            return [Kline(open_ns, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1) for open_ns in opens]
        newest_id = self.newest_id(request.symbol, now_ns)
        first = newest_id - request.limit + 1 if request.from_id is None else request.from_id
        if first < self.oldest_id:
            return None
        ids = range(first, min(first + request.limit, newest_id + 1))
        return [self.trade(request.symbol, each) for each in ids if each not in self.missing]


class World:
    """A ledger, its agenda and an exchange under one manual clock."""

    def __init__(self, exchange: FakeExchange | None = None) -> None:
        self.exchange = exchange or FakeExchange()
        self.ledger = Ledger()
        self.budget = Budget()
        self.quiet: list[str] = []
        self.agenda = Agenda(self.ledger, self.budget, random=lambda: 0.5, on_quiet=self.quiet.append)
        self.ns = NOW_NS
        self.held: dict[str, list[int]] = {symbol: [] for symbol in SYMBOLS}
        self.histories: list[History] = []

    @property
    def now(self) -> Instant:
        return Instant(self.ns, self.ns)

    def stream(self, symbol: str, trade_id: int) -> None:
        self.take(self.ledger.receive(self.exchange.trade(symbol, trade_id, self.ns)))

    def stream_newest(self, symbol: str) -> None:
        self.stream(symbol, self.exchange.newest_id(symbol, self.ns))

    def take(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if isinstance(event, Recovered):
                self.held[event.symbol].extend(each.trade_id for each in event.trades)
            elif isinstance(event, Trade):
                self.held[event.symbol].append(event.trade_id)
            elif isinstance(event, History):
                self.histories.append(event)

    def step(self) -> Request | None:
        """Do the next thing, or let time pass until there may be one."""
        self.take(self.agenda.refresh(self.now))
        request = self.agenda.next(self.now)
        if isinstance(request, float):
            assert request > 0.0
            self.ns += max(1, round(request * S))
            return None
        self.ns += LATENCY_NS
        rows = self.exchange.answer(request, self.ns)
        self.budget.learn(self.exchange.used[self.ns // MINUTE], self.now)
        if rows is None:
            self.agenda.refuse(request, "HTTP 400", is_too_old=True)
        else:
            self.take(self.agenda.receive(request, rows, "", self.now))
        return request

    def run(self, seconds: float) -> None:
        end_ns = self.ns + round(seconds * S)
        while self.ns < end_ns:
            self.step()

    def run_until(self, is_reached: Callable[[], bool], within_s: float = 7_200.0) -> None:
        end_ns = self.ns + round(within_s * S)
        while not is_reached():
            assert self.ns < end_ns, f"not within {within_s} s: {self.agenda.progress()}"
            self.step()


def purposes(world: World) -> list[tuple[str, str]]:
    return [
        (each.symbol, "klines" if isinstance(each, KlinesRequest) else each.purpose)
        for each in world.exchange.requests
    ]


@pytest.fixture
def world() -> World:
    return World()


# Holes --------------------------------------------------------------------------------------------------


def test_where_nothing_is_missing_nothing_is_asked(world: World) -> None:
    world.stream("BTCUSDT", 100)
    world.stream("BTCUSDT", 101)
    world.run(3_600)
    assert world.exchange.requests == []
    assert world.agenda.progress() == ""


def test_a_hole_is_asked_for_after_a_second(world: World) -> None:
    world.stream("BTCUSDT", 100)
    found_ns = world.ns
    world.stream("BTCUSDT", 105)
    world.run_until(lambda: not world.ledger.holes())
    assert world.exchange.requests == [TradesRequest("BTCUSDT", "hole", 101, 4, 104)]
    assert S <= world.ns - found_ns <= 2 * S + LATENCY_NS
    assert sorted(world.held["BTCUSDT"]) == list(range(100, 106))


def test_a_hole_that_a_late_trade_closes_is_never_asked_for(world: World) -> None:
    world.stream("BTCUSDT", 100)
    world.stream("BTCUSDT", 102)
    world.stream("BTCUSDT", 101)
    world.run(10)
    assert world.exchange.requests == []


def test_one_page_closes_the_older_holes_below_it(world: World) -> None:
    for trade_id in (100, 102, 110, 300, 302):
        world.stream("BTCUSDT", trade_id)
    world.run_until(lambda: not world.ledger.holes())
    assert world.exchange.requests == [TradesRequest("BTCUSDT", "hole", 101, 201, 301)]


def test_of_many_pages_the_newest_comes_first_and_symbols_take_turns(world: World) -> None:
    for symbol in ("BTCUSDT", "ETHUSDT"):
        world.stream(symbol, 0)
        world.stream(symbol, 2_501)
    world.run_until(lambda: not world.ledger.holes())
    asked = [
        (each.symbol, each.from_id) for each in world.exchange.requests if isinstance(each, TradesRequest)
    ]
    assert asked == [
        ("BTCUSDT", 1_501),
        ("ETHUSDT", 1_501),
        ("BTCUSDT", 501),
        ("ETHUSDT", 501),
        ("BTCUSDT", 1),
        ("ETHUSDT", 1),
    ]
    for symbol in ("BTCUSDT", "ETHUSDT"):
        assert sorted(world.held[symbol]) == list(range(2_502))


def test_ids_that_the_exchange_does_not_have_are_given_up_after_some_tries(world: World) -> None:
    world.exchange.missing = {103}
    world.stream("BTCUSDT", 100)
    world.stream("BTCUSDT", 105)
    world.run_until(lambda: not world.ledger.holes())
    (row,) = world.ledger.rows()
    assert (row.state, row.n_missing, row.why) == ("lost", 1, NOT_THERE)
    assert TRIES <= len(world.exchange.requests) <= TRIES + 2
    world.run(3_600)
    assert len(world.exchange.requests) <= TRIES + 2


def test_an_id_that_never_was_leaves_what_lies_below_it_to_be_found() -> None:
    world = World(FakeExchange({"BTCUSDT": 10 * S}))
    newest_id = world.exchange.newest_id("BTCUSDT", world.ns)
    world.stream("BTCUSDT", newest_id - 5)
    wrong = msgspec.structs.replace(world.exchange.trade("BTCUSDT", newest_id), trade_id=10**15)
    world.take(world.ledger.receive(wrong))
    world.run_until(lambda: set(world.held["BTCUSDT"]) >= set(range(newest_id - 5, newest_id + 1)), 8)
    world.ns += 10 * S
    world.stream_newest("BTCUSDT")
    assert world.ledger.holes() == ()
    world.run(3_600)
    assert len(world.exchange.requests) < 10


def test_a_page_never_runs_ahead_of_the_stream(world: World) -> None:
    world.stream("BTCUSDT", 100)
    world.stream("BTCUSDT", 105)
    world.exchange.missing = {103}
    world.run(60)
    assert max(world.held["BTCUSDT"]) == 105


def test_what_is_older_than_the_exchange_keeps_is_lost_and_nothing_else(world: World) -> None:
    world.exchange.oldest_id = 1_234
    world.stream("BTCUSDT", 0)
    world.stream("BTCUSDT", 5_000)
    world.run_until(lambda: not world.ledger.holes())
    assert sorted(world.held["BTCUSDT"]) == [0, *range(1_234, 5_001)]
    (row,) = world.ledger.rows()
    assert (row.state, row.n_missing, row.why) == ("lost", 1_233, TOO_OLD)
    assert len(world.exchange.requests) < 20


def test_a_request_that_is_refused_for_good_is_not_repeated(world: World) -> None:
    world.stream("BTCUSDT", 100)
    world.stream("BTCUSDT", 105)
    world.ns += 2 * S
    request = world.agenda.next(world.now)
    assert isinstance(request, TradesRequest)
    world.agenda.refuse(request, "Invalid symbol.")
    assert [(row.state, row.why) for row in world.ledger.rows()] == [("lost", "Invalid symbol.")]
    assert isinstance(world.agenda.next(world.now), float)


def test_while_the_exchange_cannot_be_asked_nothing_is(world: World) -> None:
    world.stream("BTCUSDT", 100)
    world.stream("BTCUSDT", 105)
    world.ns += 2 * S
    assert isinstance(world.agenda.next(world.now), TradesRequest)
    world.agenda.fail("The exchange is not available.", world.now, least_s=300.0)
    assert world.agenda.next(world.now) == 300.0
    assert world.agenda.progress() == "repair: The exchange is not available."
    assert world.agenda.progress("This address is banned.") == "repair: This address is banned."
    world.run_until(lambda: not world.ledger.holes(), 302)
    assert world.agenda.progress() == ""


# A silent stream ----------------------------------------------------------------------------------------


def test_a_stream_that_lacks_nothing_is_quiet(world: World) -> None:
    world.stream_newest("BTCUSDT")
    world.exchange.newest_id = lambda symbol, now_ns: world.held[symbol][-1]  # type: ignore[method-assign]
    world.agenda.ask("BTCUSDT")
    world.agenda.ask("BTCUSDT")
    world.run(5)
    assert world.quiet == ["BTCUSDT"]
    assert world.exchange.requests == [TradesRequest("BTCUSDT", "newest", None, 1)]


@pytest.mark.parametrize("n_seconds", [0.1, 5, 250])
def test_what_a_silent_stream_did_not_bring_is_fetched(world: World, n_seconds: float) -> None:
    world.stream_newest("BTCUSDT")
    first_id = world.held["BTCUSDT"][0]
    world.ns += round(n_seconds * S)
    newest_id = world.exchange.newest_id("BTCUSDT", world.ns)
    world.agenda.ask("BTCUSDT")
    world.run_until(lambda: world.held["BTCUSDT"][-1] >= newest_id, 1)
    assert world.held["BTCUSDT"] == list(range(first_id, world.held["BTCUSDT"][-1] + 1))
    assert world.quiet == []
    assert len(world.exchange.requests) == 1 + -(-(newest_id - first_id - (n_seconds < 1)) // PAGE)


def test_without_a_first_trade_two_equal_answers_prove_it_quiet(world: World) -> None:
    world.agenda.ask("BTCUSDT")
    world.run(5)
    world.agenda.ask("BTCUSDT")
    world.run(5)
    assert world.quiet == []  # trades go on, and the stream brings none
    world.exchange.newest_id = lambda symbol, now_ns: 7  # type: ignore[method-assign]
    for _ in range(2):
        world.agenda.ask("BTCUSDT")
        world.run(5)
    assert world.quiet == ["BTCUSDT"]
    assert world.held["BTCUSDT"] == []


def test_without_a_first_trade_one_question_is_asked_twice_a_second_apart(world: World) -> None:
    world.exchange.newest_id = lambda symbol, now_ns: 7  # type: ignore[method-assign]
    world.agenda.ask("BTCUSDT")
    world.run(0.9)
    assert (world.quiet, len(world.exchange.requests)) == ([], 1)
    world.run(0.3)
    assert (world.quiet, len(world.exchange.requests)) == (["BTCUSDT"], 2)
    world.run(5)
    assert len(world.exchange.requests) == 2


# History ------------------------------------------------------------------------------------------------


def test_minute_bars_and_the_trades_of_the_seam_bar_come_at_once(world: World) -> None:
    world.agenda.plan(SYMBOLS, "1m", MINUTE, 200)
    for symbol in SYMBOLS:
        world.stream_newest(symbol)
    seam_ns, begin_ns = world.ns // MINUTE * MINUTE, world.ns
    world.run_until(lambda: len(world.histories) == 3 and world.agenda.progress() == "", 2)
    assert world.ns - begin_ns < 2 * S
    for history in world.histories:
        assert history.klines[-1].open_ns == seam_ns - MINUTE
        assert len(history.klines) == 402 + MORE_KLINES
    for symbol in SYMBOLS:
        ids = sorted(world.held[symbol])
        assert ids == list(range(ids[0], ids[-1] + 1))
        assert ids[0] * 100 * MS < seam_ns
    assert purposes(world)[:3] == [(symbol, "klines") for symbol in SYMBOLS]


def test_second_bars_come_from_trades_with_the_symbols_in_turn() -> None:
    world = World(FakeExchange({"BTCUSDT": 50 * MS, "ETHUSDT": 100 * MS, "SOLUSDT": 200 * MS}))
    world.agenda.plan(SYMBOLS, "5s", 5 * S, 100)
    for symbol in SYMBOLS:
        world.stream_newest(symbol)
    world.step()
    assert world.agenda.progress() == "history: 1 of 23 requests"
    world.run_until(lambda: world.agenda.progress() == "", 10)
    asked = [symbol for symbol, _ in purposes(world)]
    assert asked[:6] == [*SYMBOLS, *SYMBOLS]
    assert Counter(asked) == {"BTCUSDT": 21, "ETHUSDT": 11, "SOLUSDT": 6}
    for symbol in SYMBOLS:
        ids = sorted(world.held[symbol])
        assert ids == list(range(ids[0], ids[-1] + 1))
        assert world.ledger.wanted(symbol) is None


def test_a_change_of_settings_asks_for_what_is_missing_only(world: World) -> None:
    world.agenda.plan(["BTCUSDT"], "1s", S, 100)
    world.stream_newest("BTCUSDT")
    world.run_until(lambda: len(world.held["BTCUSDT"]) > 1 and world.agenda.progress() == "")
    n_asked, n_held = len(world.exchange.requests), len(world.held["BTCUSDT"])
    world.agenda.plan(["BTCUSDT"], "1s", S, 50)
    world.run(5)
    assert len(world.exchange.requests) == n_asked
    world.agenda.plan(["BTCUSDT"], "1s", S, 200)
    world.run_until(lambda: len(world.held["BTCUSDT"]) > n_held and world.agenda.progress() == "")
    assert len(world.held["BTCUSDT"]) == len(set(world.held["BTCUSDT"]))
    assert len(world.exchange.requests) == n_asked + 2


def test_history_ends_where_the_exchange_has_no_more(world: World) -> None:
    newest_id = world.exchange.newest_id("BTCUSDT", world.ns)
    world.exchange.oldest_id = newest_id - 1_700
    world.agenda.plan(["BTCUSDT"], "30s", 30 * S, 200)
    world.stream_newest("BTCUSDT")
    world.run_until(lambda: len(world.held["BTCUSDT"]) > 1 and world.agenda.progress() == "", 60)
    assert min(world.held["BTCUSDT"]) == newest_id - 1_700
    assert len(world.exchange.requests) < 15


def test_a_hole_in_the_exchanges_own_past_ends_history(world: World) -> None:
    newest_id = world.exchange.newest_id("BTCUSDT", world.ns)
    world.exchange.missing = {newest_id - 500}
    world.agenda.plan(["BTCUSDT"], "1s", S, 200)
    world.stream_newest("BTCUSDT")
    world.run_until(lambda: len(world.held["BTCUSDT"]) > 1 and world.agenda.progress() == "", 60)
    assert min(world.held["BTCUSDT"]) == newest_id - 499


def test_while_nothing_is_warm_history_and_holes_take_turns(world: World) -> None:
    world.agenda.plan(["BTCUSDT"], "5s", 5 * S, 200)
    world.stream_newest("BTCUSDT")
    world.ns += 600 * S
    world.stream_newest("BTCUSDT")
    world.ns += 2 * S  # before that, the hole is left to the stream
    world.run_until(lambda: not world.ledger.holes())
    kinds = [purpose for _, purpose in purposes(world)]
    assert kinds == ["history", "hole"] * 6


def test_once_a_symbol_is_warm_holes_come_before_history() -> None:
    world = World(FakeExchange({"BTCUSDT": 10 * MS, "ETHUSDT": 100 * MS}))
    world.agenda.plan(["BTCUSDT", "ETHUSDT"], "5s", 5 * S, 100)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        world.stream_newest(symbol)
    world.run_until(lambda: world.ledger.wanted("ETHUSDT") is None and len(world.held["ETHUSDT"]) > 1)
    world.ns += 300 * S
    world.stream_newest("ETHUSDT")
    world.ns += 2 * S
    world.exchange.requests.clear()
    world.run_until(lambda: not world.ledger.holes())
    assert {purpose for _, purpose in purposes(world)} == {"hole"}
    assert world.ledger.wanted("BTCUSDT") is not None


def test_history_leaves_weight_to_holes() -> None:
    world = World(FakeExchange({"BTCUSDT": MS, "ETHUSDT": 100 * MS}))
    world.agenda.plan(["BTCUSDT"], "30s", 30 * S, 200)
    world.stream_newest("BTCUSDT")
    world.run(10)
    n_before = len(world.exchange.requests)
    world.stream("ETHUSDT", 1)
    world.stream("ETHUSDT", 20_000)
    world.run(10)
    assert {each.symbol for each in world.exchange.requests[n_before:]} == {"ETHUSDT"}
    assert world.ledger.holes() == ()
    assert world.agenda.progress().startswith("history: ")


# Outages ------------------------------------------------------------------------------------------------


def test_an_hour_of_three_symbols_is_refilled_within_the_weight_limit() -> None:
    spacing_ns = {"BTCUSDT": HOUR // 63_000, "ETHUSDT": HOUR // 40_000, "SOLUSDT": HOUR // 25_000}
    world = World(FakeExchange(spacing_ns))
    for symbol in SYMBOLS:
        world.stream_newest(symbol)
    world.ledger.connection_lost()
    world.ns += HOUR
    for symbol in SYMBOLS:
        world.stream_newest(symbol)
    assert sum(hole.n_missing for hole in world.ledger.holes()) > 127_000
    begin_ns = world.ns
    world.run_until(lambda: not world.ledger.holes())
    for symbol in SYMBOLS:
        ids = sorted(world.held[symbol])
        assert ids == list(range(ids[0], ids[-1] + 1))
    assert max(world.exchange.used.values()) <= WEIGHT_PER_MINUTE - 400
    assert world.ns - begin_ns < 2 * MINUTE
    assert world.ledger.coverage() == 1.0


def test_other_programs_on_the_address_are_left_their_weight() -> None:
    world = World()
    world.stream("BTCUSDT", 0)
    world.stream("BTCUSDT", 200_000)
    for minute in range(20):
        world.exchange.used[NOW_NS // MINUTE + minute] = 1_500
    world.run_until(lambda: not world.ledger.holes())
    assert max(world.exchange.used.values()) <= WEIGHT_PER_MINUTE - 400


@settings(max_examples=40, deadline=None)
@given(
    lost=st.lists(
        st.tuples(st.sampled_from(SYMBOLS[:2]), st.integers(1, 3_000), st.integers(1, 2_500)), max_size=12
    ),
    missing=st.sets(st.integers(0, 3_000), max_size=5),
    oldest_id=st.integers(0, 2_000),
    window=st.sampled_from([0, 20, 100]),
)
def test_whatever_is_lost_is_asked_for_until_it_is_there_or_given_up(
    lost: list[tuple[str, int, int]], missing: set[int], oldest_id: int, window: int
) -> None:
    world = World()
    world.exchange.missing, world.exchange.oldest_id = missing, oldest_id
    if window:
        world.agenda.plan(SYMBOLS[:2], "1s", S, window)
    for symbol in SYMBOLS[:2]:
        gone = {each for name, first, n in lost if name == symbol for each in range(first, first + n)}
        for trade_id in sorted(set(range(6_000)) - gone):
            world.stream(symbol, trade_id)
    world.step()
    world.run_until(lambda: not world.ledger.holes() and world.agenda.progress() == "", 20_000)
    for symbol in SYMBOLS[:2]:
        held = world.held[symbol]
        assert len(held) == len(set(held))
        assert set(range(6_000)) - set(held) <= set(range(1, oldest_id)) | missing
