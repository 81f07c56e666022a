"""A hundred thousand malformed frames on their whole way through the pure feed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.events import Event, Malformed, MarkPrice, Quote, Recovered, Reply, Trade
from quantnb.feed.counts import KINDS_KEPT, SAMPLES_KEPT
from quantnb.feed.decode import SAMPLE_BYTES, decode
from quantnb.feed.health import Health
from quantnb.feed.ledger import Ledger
from quantnb.feed.plausible import Plausibility
from quantnb.feed.routes import ROUTES, streams
from quantnb.feed.unused import Flagged, Ignored
from tests.feed.frames import RECEIVE_NS, at, corpus, mutated

N_FRAMES = 100_000
SEEDS = (1, 2, 3, 4)
SYMBOLS = ("BTCUSDT", "ETHUSDT")


class Line:
    """What a client does with a frame, without its socket; counts by itself what it sees."""

    def __init__(self) -> None:
        self.health, self.plausibility, self.ledger = Health(), Plausibility(), Ledger()
        self.health.watch({route: streams(route, SYMBOLS) for route in ROUTES})
        self.plausibility.watch(SYMBOLS)
        self.n_frames = self.n_used = self.n_left_out = self.n_doubts = 0

    def read(self, frame: bytes) -> None:
        now = at(self.n_frames / 1_000)
        self.n_frames += 1
        events = decode(frame, now.wall_ns)
        assert events, "a frame is never nothing"
        for event in events:
            self.health.arrive(event)
            for each in self.plausibility.check(event, now):
                for judged in self.ledger.receive(each) if isinstance(each, Trade) else (each,):
                    self._count(judged)
                    self.health.receive(judged)

    def _count(self, event: Event) -> None:
        match event:
            case Flagged():
                self.n_doubts += 1
            case Malformed():
                self.n_left_out += 1
            case Trade() | Recovered() | Quote() | MarkPrice() | Reply():
                self.n_used += 1

    def check(self) -> None:
        counts = self.health.status(at(self.n_frames / 1_000)).counts
        judged = counts["stored"] + counts["duplicate"] + counts["late"] + counts["rejected"]
        assert counts["received"] == judged
        assert counts["rejected"] + counts["ignored"] + counts["duplicate"] == self.n_left_out
        assert counts["flagged"] == self.n_doubts
        assert self.health.reasons.total() == counts["rejected"]
        assert self.health.ignored.total() == counts["ignored"]
        assert self.n_used + self.n_left_out >= self.n_frames


@pytest.mark.parametrize("seed", SEEDS)
def test_mutated_frames_are_each_counted_and_none_raises(seed: int) -> None:
    print(f"seed {seed}")
    chance, line = random.Random(seed), Line()
    for k in range(N_FRAMES // len(SEEDS)):
        line.read(mutated(chance))
        if k % 100 == 0:
            line.check()
    line.check()
    health = line.health
    assert line.n_left_out > 0.5 * line.n_frames
    assert line.n_used > 0.05 * line.n_frames  # the mutations are not all coarse
    assert len(health.reasons) > 50
    assert len(health.reasons) <= KINDS_KEPT + 1
    assert len(health.samples) == len(health.newest_samples) == SAMPLES_KEPT
    assert all(len(each.sample) <= SAMPLE_BYTES for each in [*health.samples, *health.newest_samples])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=300) | st.sampled_from(corpus()), max_size=40))
def test_any_bytes_between_valid_frames_are_counted(frames: list[bytes]) -> None:
    line = Line()
    for frame in frames:
        line.read(frame)
        line.check()


@settings(deadline=None)
@given(st.sampled_from(corpus()), st.data())
def test_a_frame_cut_at_any_byte_is_rejected_and_counted(frame: bytes, data: st.DataObject) -> None:
    line = Line()
    line.read(frame[: data.draw(st.integers(0, len(frame) - 1))])
    line.check()
    assert line.health.status(at(0)).counts["rejected"] == 1


def test_after_all_of_it_valid_frames_are_stored() -> None:
    chance, line = random.Random(5), Line()
    for _ in range(1_000):
        line.read(mutated(chance))
    fresh = Line()
    for each in (line, fresh):
        before = each.health.status(at(0)).counts["stored"]
        for k in range(100):
            each.read(
                b'{"stream":"ethusdt@aggTrade","data":{"e":"aggTrade","E":%d,"s":"ETHUSDT","a":%d,"p":"4000.1",'
                b'"q":"1","T":%d,"m":true}}'
                % (RECEIVE_NS // 10**6 + k, 1_000_000 + k, RECEIVE_NS // 10**6 + k)
            )
        assert each.health.status(at(0)).counts["stored"] - before == 100


def test_what_is_ignored_is_no_fault() -> None:
    line = Line()
    line.read(b'{"stream":"btcusdt@kline_1m","data":{"e":"depthUpdate"}}')
    assert isinstance(Ignored("", b"", 0), Malformed)
    assert line.health.status(at(0)).counts["received"] == 0
    assert line.health.status(at(0)).counts["ignored"] == 1
