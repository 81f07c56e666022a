from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest

from quantnb.events import Event, History, Recovered, Trade
from quantnb.exchange import LocalExchange
from quantnb.feed.agenda import TRIES
from quantnb.feed.history import MORE_KLINES
from quantnb.feed.ledger import Ledger
from quantnb.feed.routes import Endpoints
from quantnb.live.ban import Ban
from quantnb.live.clock import Clock, SystemClock
from quantnb.live.recovery import BLOCKED_S, Recovery
from quantnb.live.rest import Rest
from tests.live.clocks import START_NS, ManualClock
from tests.live.rest_server import RestServer
from tests.live.server import Collected, Refusal, until

MINUTE_NS = 60 * 10**9
SYMBOLS = ("BTCUSDT", "ETHUSDT")
Start = Callable[..., Recovery]


def live(trade_id: int, *, symbol: str = "BTCUSDT", now_ns: int = START_NS) -> Trade:
    """Return a trade of the market of `trades`, one of ten a second, numbered from `now_ns` back and on."""
    event_ns = now_ns + (trade_id - 10_000) * 100_000_000
    return Trade(symbol, trade_id, 10.0, 1.0, False, event_ns, event_ns, now_ns)


def trades(_path: str, query: dict[str, str]) -> Refusal:
    """Answer as an exchange that has all trades up to id 10,000."""
    limit = int(query["limit"])
    first = int(query.get("fromId", 10_001 - limit))
    rows = [
        {"a": each, "p": "10.0", "q": "1.0", "T": live(each).event_ns // 10**6, "m": False}
        for each in range(first, min(first + limit, 10_001))
    ]
    return Refusal(200, json.dumps(rows).encode())


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def ban(clock: ManualClock) -> Ban:
    return Ban(clock)


@pytest.fixture
def events() -> Collected:
    return Collected()


@pytest.fixture
def quiet() -> list[str]:
    return []


@pytest.fixture
async def start(
    server: RestServer, clock: ManualClock, ledger: Ledger, ban: Ban, events: Collected, quiet: list[str]
) -> AsyncIterator[Start]:
    """Start the repair; it is cancelled at the end, and nothing of it is left."""
    tasks: list[asyncio.Task[None]] = []
    before = asyncio.all_tasks()

    def start(emit: Callable[[Event], None] = events.append) -> Recovery:
        recovery = Recovery(
            server.endpoints,
            ledger,
            emit=emit,
            clock=clock,
            ban=ban,
            on_quiet=quiet.append,
            random=lambda: 0.5,
        )
        tasks.append(asyncio.create_task(recovery.run(), name="recovery"))
        return recovery

    yield start
    for task in tasks:
        assert not task.done(), task
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not {each for each in asyncio.all_tasks() - before if each.get_name() == "recovery"}


def lose(ledger: Ledger, *ids: int) -> None:
    """Let a stream bring these trades only."""
    for trade_id in ids:
        ledger.receive(live(trade_id))


def recovered(events: Collected) -> list[int]:
    return sorted(each.trade_id for event in events.of(Recovered) for each in event.trades)


async def pass_by(clock: ManualClock, seconds: float, step_s: float = 0.25) -> None:
    """Let time pass in small steps, with as much of the loop's own as a request needs."""
    for _ in range(round(seconds / step_s)):
        await clock.advance(step_s)
        await asyncio.sleep(0.002)


async def until_passing(clock: ManualClock, is_reached: Callable[[], object]) -> None:
    """Let time pass until a state is reached."""
    async with asyncio.timeout(10):
        while not is_reached():
            await clock.advance(0.25)
            await asyncio.sleep(0.002)


# Against a server that is told what to answer -----------------------------------------------------------


async def test_a_hole_is_fetched_and_handed_out(
    server: RestServer, clock: ManualClock, ledger: Ledger, events: Collected, start: Start
) -> None:
    server.answer = trades
    lose(ledger, 9_000, 9_500)
    recovery = start()
    await until_passing(clock, lambda: events)
    assert recovered(events) == list(range(9_001, 9_500))
    assert server.requests == [
        ("/fapi/v1/aggTrades", {"symbol": "BTCUSDT", "limit": "499", "fromId": "9001"})
    ]
    assert recovery.progress() == ""


async def test_a_new_hole_needs_no_waking_but_is_found_sooner_with_it(
    server: RestServer, clock: ManualClock, ledger: Ledger, events: Collected, start: Start
) -> None:
    server.answer = trades
    recovery = start()
    await clock.advance(0)
    lose(ledger, 9_000, 9_002)
    recovery.wake()
    await until_passing(clock, lambda: recovered(events) == [9_001])
    lose(ledger, 9_004)
    await until_passing(clock, lambda: recovered(events) == [9_001, 9_003])


@pytest.mark.parametrize(
    "fault",
    [Refusal(503), Refusal(500, b"<html>"), Refusal(200, b"<html>"), Refusal(408)],
    ids=["503", "500", "garbage", "408"],
)
async def test_an_exchange_that_is_down_is_asked_ever_more_rarely_and_then_answers(
    server: RestServer, clock: ManualClock, ledger: Ledger, events: Collected, start: Start, fault: Refusal
) -> None:
    server.answer = lambda path, query: fault
    lose(ledger, 9_000, 9_002)
    recovery = start()
    await until_passing(clock, lambda: len(server.requests) == 3)
    assert recovery.progress().startswith("repair: ")
    begin_ns = clock.monotonic_ns
    await until_passing(clock, lambda: len(server.requests) == 7)
    assert clock.monotonic_ns - begin_ns > 15 * 10**9
    server.answer = trades
    await until_passing(clock, lambda: recovered(events) == [9_001])
    assert recovery.progress() == ""


async def test_a_ban_stops_every_request_until_it_is_over(
    server: RestServer, clock: ManualClock, ledger: Ledger, ban: Ban, events: Collected, start: Start
) -> None:
    server.answer = lambda path, query: Refusal(429, Retry_After="35")
    lose(ledger, 9_000, 9_002)
    recovery = start()
    await until_passing(clock, lambda: server.requests)
    await until(lambda: ban.remaining_s() > 0)
    assert 30.0 < ban.remaining_s() <= 35.0
    assert "asks us to wait (HTTP 429)" in recovery.progress()
    server.answer = trades
    recovery.ask("BTCUSDT")
    await pass_by(clock, ban.remaining_s() - 1.0)
    assert len(server.requests) == 1
    await until_passing(clock, lambda: 9_001 in recovered(events))


@pytest.mark.parametrize("status", [418, 429, 503])
async def test_a_wait_that_the_exchange_names_is_not_made_longer(
    server: RestServer, clock: ManualClock, ledger: Ledger, events: Collected, start: Start, status: int
) -> None:
    server.answer = lambda path, query: Refusal(status, Retry_After="3")
    lose(ledger, 9_000, 9_002)
    start()
    await until_passing(clock, lambda: server.requests)
    server.answer = trades
    refused_ns = clock.now().monotonic_ns
    await until_passing(clock, lambda: 9_001 in recovered(events))
    assert 3.0 <= (clock.now().monotonic_ns - refused_ns) / 1e9 < 6.0


async def test_a_ban_that_the_sockets_met_counts_here_too(
    server: RestServer, clock: ManualClock, ledger: Ledger, ban: Ban, start: Start
) -> None:
    ban.set(100.0, "This address is banned.")
    lose(ledger, 9_000, 9_002)
    recovery = start()
    await pass_by(clock, 95)
    assert server.requests == []
    assert recovery.progress() == "repair: This address is banned."
    await until_passing(clock, lambda: server.requests)


@pytest.mark.parametrize("status", [403, 451, 404])
async def test_a_refusal_that_asking_again_cannot_mend_is_repeated_after_a_long_time(
    server: RestServer, clock: ManualClock, ledger: Ledger, events: Collected, start: Start, status: int
) -> None:
    server.answer = lambda path, query: Refusal(status)
    recovery = start()
    lose(ledger, 9_999)
    recovery.plan(["BTCUSDT"], "1s", 20)
    await until_passing(clock, lambda: server.requests)
    await until(lambda: str(status) in recovery.progress())
    assert recovery.progress().startswith("history: 0 of 1 requests: ")
    await pass_by(clock, BLOCKED_S - 10, step_s=1.0)
    assert len(server.requests) == 1
    server.answer = trades
    await until_passing(clock, lambda: recovery.progress() == "")
    assert min(recovered(events)) < 9_580


async def test_what_is_too_old_is_lost_with_the_reason(
    server: RestServer, clock: ManualClock, ledger: Ledger, events: Collected, start: Start
) -> None:
    refusal = Refusal(400, b'{"code":-4166,"msg":"Search window is restricted to recent 2 days only."}')
    server.answer = lambda path, query: refusal if int(query["fromId"]) < 9_300 else trades(path, query)
    lose(ledger, 9_000, 9_500)
    start()
    await until_passing(clock, lambda: not ledger.holes())
    assert recovered(events) == list(range(9_300, 9_500))
    (row,) = ledger.rows()
    assert (row.state, row.n_missing) == ("lost", 299)
    assert "last two days" in row.why


async def test_a_symbol_that_does_not_exist_is_given_up_at_once(
    server: RestServer, clock: ManualClock, ledger: Ledger, start: Start
) -> None:
    server.answer = lambda path, query: Refusal(400, b'{"code":-1121,"msg":"Invalid symbol."}')
    lose(ledger, 9_000, 9_002)
    recovery = start()
    recovery.plan(["BTCUSDT"], "1m", 20)
    await until_passing(clock, lambda: not ledger.holes() and "Invalid symbol" in recovery.progress())
    assert "-1121 Invalid symbol." in ledger.rows()[0].why
    assert len(server.requests) == 3  # bars, the trades of the seam bar, the hole


async def test_a_row_that_cannot_be_used_is_asked_for_again_and_then_given_up_with_the_reason(
    server: RestServer, clock: ManualClock, ledger: Ledger, events: Collected, start: Start
) -> None:
    def answer(path: str, query: dict[str, str]) -> Refusal:
        rows = json.loads(trades(path, query).response.body)
        broken = [row | {"p": "NaN"} if row["a"] == 9_250 else row for row in rows]
        return Refusal(200, json.dumps(broken).encode())

    server.answer = answer
    lose(ledger, 9_000, 9_500)
    start()
    await until_passing(clock, lambda: not ledger.holes())
    assert len(recovered(events)) == 498
    (row,) = ledger.rows()
    assert (row.state, row.n_missing) == ("lost", 1)
    assert "not a finite, positive number" in row.why
    assert len(server.requests) <= TRIES + 3


async def test_nobody_there_is_no_end(
    server: RestServer, clock: ManualClock, ledger: Ledger, start: Start
) -> None:
    await server.stop()
    lose(ledger, 9_000, 9_002)
    recovery = start()
    await until_passing(clock, lambda: "cannot be reached" in recovery.progress())
    assert len(ledger.holes()) == 1


async def test_a_stream_without_a_newer_trade_is_quiet(
    server: RestServer, clock: ManualClock, ledger: Ledger, events: Collected, quiet: list[str], start: Start
) -> None:
    server.answer = trades
    lose(ledger, 9_995)
    recovery = start()
    recovery.ask("BTCUSDT")
    await until_passing(clock, lambda: recovered(events) == list(range(9_996, 10_001)))
    assert quiet == []
    recovery.ask("BTCUSDT")
    await until_passing(clock, lambda: quiet == ["BTCUSDT"])
    assert [query["limit"] for _, query in server.requests] == ["1", "5", "1"]


async def test_what_the_receiver_raises_ends_it(server: RestServer, ledger: Ledger) -> None:
    def fail(_event: Event) -> None:
        raise LookupError("from the receiver")

    server.answer = trades
    lose(ledger, 9_000, 9_002)
    clock = SystemClock()
    recovery = Recovery(
        server.endpoints, ledger, emit=fail, clock=clock, ban=Ban(clock), on_quiet=lambda symbol: None
    )
    with pytest.raises(LookupError, match="from the receiver"):
        await recovery.run()


# Against the package's own exchange ---------------------------------------------------------------------


class Session:
    """A repair at the local exchange, with the streams left out: first trades are told by hand."""

    def __init__(self, exchange: LocalExchange, clock: Clock) -> None:
        self.exchange = exchange
        self.events = Collected()
        self.ledger = Ledger()
        endpoints = Endpoints.at(exchange.address)
        self.rest = Rest(endpoints)
        self.recovery = Recovery(
            endpoints,
            self.ledger,
            emit=self.events.append,
            clock=clock,
            ban=Ban(clock),
            on_quiet=lambda symbol: None,
        )
        self.held: dict[str, list[Trade]] = {symbol: [] for symbol in SYMBOLS}

    async def receive_newest(self, symbol: str) -> None:
        (trade,) = await self.rest.agg_trades(symbol, limit=1)
        for event in self.ledger.receive(trade):
            if isinstance(event, Trade):
                self.held[symbol].append(event)

    def trades(self, symbol: str) -> list[Trade]:
        fetched = [
            each for event in self.events.of(Recovered) if event.symbol == symbol for each in event.trades
        ]
        return sorted(self.held[symbol] + fetched, key=lambda trade: trade.trade_id)

    def agrees(self, symbol: str) -> bool:
        """Whether the trades held are exactly the exchange's, from the oldest to the newest."""
        mine = self.trades(symbol)
        listing = self.exchange.market.listings[symbol]
        tape = self.exchange.market.tape(symbol)
        truth = tape.from_id(mine[0].trade_id, self.exchange.market.visible_ms, len(mine))
        return [
            (each.trade_id, each.event_ns // 10**6, each.price, each.quantity, each.is_buyer_maker)
            for each in mine
        ] == [
            (
                int(row["trade_id"]),
                int(row["time_ms"]),
                float(listing.price_text(int(row["price"]))),
                float(listing.quantity_text(int(row["quantity"]))),
                bool(row["is_buyer_maker"]),
            )
            for row in truth
        ]


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    # As many trades in a quarter of an hour as a minute's weight fetches, at any time of day.
    async with LocalExchange(SYMBOLS, seed=7, rate=20.0) as exchange:
        session = Session(exchange, SystemClock())
        async with session.rest:
            task = asyncio.create_task(session.recovery.run())
            yield session
            task.cancel()
            await asyncio.wait([task])


async def test_history_of_bars_joins_the_trades_of_the_seam(session: Session) -> None:
    session.recovery.plan(SYMBOLS, "1m", 200)
    for symbol in SYMBOLS:
        await session.receive_newest(symbol)
    await until(lambda: len(session.events.of(History)) == 2 and session.recovery.progress() == "")
    market = session.exchange.market
    for history in session.events.of(History):
        symbol, listing = history.symbol, market.listings[history.symbol]
        seam_ns = session.held[symbol][0].event_ns // MINUTE_NS * MINUTE_NS
        assert history.klines[-1].open_ns + MINUTE_NS == seam_ns
        assert len(history.klines) == 402 + MORE_KLINES
        rows = market.klines(symbol, "1m", None, seam_ns // 10**6 - 1, 402 + MORE_KLINES)
        assert [bar.close for bar in history.klines] == [
            float(listing.price_text(int(row["close"]))) for row in rows
        ]
        assert session.trades(symbol)[0].event_ns < seam_ns
        assert session.agrees(symbol)


async def test_history_of_trades_agrees_with_the_tape(session: Session) -> None:
    session.recovery.plan(SYMBOLS, "5s", 20)
    for symbol in SYMBOLS:
        await session.receive_newest(symbol)
    await until(lambda: len(session.events) >= 2 and session.recovery.progress() == "")
    for symbol in SYMBOLS:
        newest_ns = session.held[symbol][0].event_ns
        assert session.trades(symbol)[0].event_ns < newest_ns - 42 * 5 * 10**9
        assert session.agrees(symbol)
    assert not session.events.of(History)


async def test_history_goes_back_as_far_as_the_tape_and_ends(session: Session) -> None:
    session.recovery.plan(SYMBOLS, "30s", 100)  # 101 minutes, of which it keeps fifteen
    for symbol in SYMBOLS:
        await session.receive_newest(symbol)
    await until(lambda: len(session.events) >= 2)
    await until(lambda: session.recovery.progress() == "")
    for symbol in SYMBOLS:
        assert session.trades(symbol)[0].trade_id == session.exchange.market.tape(symbol).first_id
        assert session.agrees(symbol)


async def test_holes_are_filled_from_the_tape(session: Session) -> None:
    tape = session.exchange.market.tape("BTCUSDT")
    page = await session.rest.agg_trades("BTCUSDT", from_id=tape.first_id)
    for trade in page[::100]:
        for event in session.ledger.receive(trade):
            if isinstance(event, Trade):
                session.held["BTCUSDT"].append(event)
    await session.receive_newest("BTCUSDT")
    session.recovery.wake()
    await until(lambda: not session.ledger.holes())
    assert len(session.trades("BTCUSDT")) > 5_000
    assert session.agrees("BTCUSDT")
    assert session.ledger.coverage() == 1.0
