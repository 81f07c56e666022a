"""The faults of one connection, without a socket: frames and times in, frames out."""

from __future__ import annotations

import json
import re

import pytest

from quantnb.exchange.channel import Channel, Frame, Reset
from quantnb.exchange.faults import Fault
from quantnb.exchange.protocol import Close
from quantnb.exchange.sabotage import Faults

STREAM = "btcusdt@aggTrade"
SLOT_S = 0.1


def frame(trade_id: int) -> str:
    return (
        f'{{"e":"aggTrade","E":{1_791_382_992_500 + trade_id},"s":"BTCUSDT","a":{trade_id},"p":"83000.10",'
        f'"q":"0.020","f":1,"l":2,"T":{1_791_382_992_400 + trade_id},"m":false}}'
    )


def ids(frames: list[Frame]) -> list[int]:
    return [int(found) for found in re.findall(r'"a":(\d+)', " ".join(map(str, frames)))]


def open_channel(*texts: str, seed: int = 0) -> Channel:
    channel = Channel(Faults(map(Fault.parse, texts), seed=seed), "market", 0.0, 1_791_382_992_000)
    channel.faults.advance(0.0)
    return channel


def play(channel: Channel, n: int = 1_000, stream: str = STREAM) -> list[Frame]:
    """Send a frame in every slot, and then wait for what is held."""
    sent: list[Frame] = []
    for k in range(n + 50):
        now_s = k * SLOT_S
        channel.faults.advance(now_s)
        sent += channel.ripe(now_s)
        if k < n:
            sent += channel.frames(stream, frame(k), now_s)
    return sent


RANDOM = ("duplicate", "reorder", "skip", "garbage", "error-frame", "delay:0.3,jitter=1", "delay:p=0.3")


@pytest.mark.parametrize("text", RANDOM)
def test_the_same_seed_gives_the_same_faults_and_another_seed_others(text: str) -> None:
    first, again, other = (play(open_channel(text, seed=seed)) for seed in (3, 3, 4))
    assert first == again
    assert first != other
    assert first != [frame(k) for k in range(1_000)]


def test_a_stream_s_fate_does_not_depend_on_what_else_is_sent() -> None:
    alone = play(open_channel("duplicate:0.3"))
    channel = open_channel("duplicate:0.3")
    among = []
    for k in range(1_000):
        channel.frames("ethusdt@aggTrade", frame(k), 0.0)
        among += channel.frames(STREAM, frame(k), 0.0)
    assert among == alone


def test_a_duplicate_follows_its_frame_at_the_rate_asked_for() -> None:
    sent = ids(play(open_channel("duplicate:0.1")))
    assert sorted(set(sent)) == list(range(1_000))
    assert sent == sorted(sent)
    assert 60 < len(sent) - 1_000 < 140


def test_reordered_frames_are_overtaken_by_as_many_as_asked_for_and_none_is_lost() -> None:
    sent = ids(play(open_channel("reorder:0.05,by=2")))
    assert sorted(sent) == list(range(1_000))
    late = [k for k, trade_id in enumerate(sent) if any(each > trade_id for each in sent[:k])]
    assert 20 < len(late) < 100
    assert max(abs(place - trade_id) for place, trade_id in enumerate(sent)) <= 4


def test_a_held_frame_is_let_go_when_its_stream_falls_silent() -> None:
    channel = open_channel("reorder:1")
    assert channel.frames(STREAM, frame(0), 0.0) == []
    assert channel.ripe(0.9) == []
    assert channel.ripe(1.0) == [frame(0)]


def test_a_skipped_trade_is_skipped_for_everybody() -> None:
    faults = Faults([Fault.parse("skip:0.1")], seed=5)
    faults.advance(0.0)
    first, second = (Channel(faults, "market", 0.0, 0) for _ in range(2))
    sent = ids(play(first))
    assert sent == ids(play(second))
    assert 50 < 1_000 - len(sent) < 150
    assert channel_passes(first, "btcusdt@bookTicker")


def channel_passes(channel: Channel, stream: str, frame_: str = '{"e":"x"}') -> bool:
    return channel.frames(stream, frame_, 0.0) == [frame_]


def test_delayed_frames_come_late_and_in_order() -> None:
    channel = open_channel("delay:0.25")
    assert channel.frames(STREAM, frame(0), 0.0) == []
    assert channel.frames(STREAM, frame(1), 0.1) == []
    assert channel.ripe(0.2) == []
    assert channel.ripe(0.3) == [frame(0)]
    assert channel.ripe(0.4) == [frame(1)]


def test_what_is_held_is_let_go_in_order_once_it_is_healed() -> None:
    channel = open_channel("delay:60", "reorder:1,stream=ethusdt@aggTrade")
    for k in range(3):
        channel.frames(STREAM, frame(k), 0.0)
    channel.frames("ethusdt@aggTrade", frame(9), 0.0)
    channel.faults.heal()
    assert ids(channel.ripe(0.1)) == [0, 1, 2, 9]
    assert channel.ripe(99.0) == []


def test_only_the_streams_asked_for_are_silent() -> None:
    channel = open_channel("silent-stream:btcusdt@*")
    assert channel.frames(STREAM, frame(0), 0.0) == []
    assert channel_passes(channel, "ethusdt@aggTrade")
    assert channel_passes(channel, ""), "answers are no stream"


def test_a_silent_socket_still_answers() -> None:
    channel = open_channel("silent-socket:market")
    assert channel.frames(STREAM, frame(0), 0.0) == []
    assert channel_passes(channel, "", '{"result":null,"id":1}')
    assert channel_passes(Channel(channel.faults, "public", 0.0, 0), "btcusdt@bookTicker")


def test_a_half_open_connection_says_nothing_from_its_age_on() -> None:
    channel = open_channel("half-open:after=2")
    assert not channel.is_mute(1.9)
    assert channel.is_mute(2.0)
    assert channel.frames(STREAM, frame(0), 2.0) == channel.frames("", "{}", 2.0) == []


def test_half_open_can_concern_open_connections_only() -> None:
    faults = Faults()
    before = Channel(faults, "market", 0.0, 0)
    faults.inject(Fault.parse("half-open:connections=open"), 0.0)
    faults.advance(0.0)
    after = Channel(faults, "market", 0.0, 0)
    assert before.is_mute(0.0)
    assert not after.is_mute(0.0)


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("max-age:3", Close(1001, "Connection is too old")),
        ("drop:1012,after=3", Close(1012, "closed on demand")),
        ("rst:after=3", Reset()),
    ],
)
def test_a_connection_ends_at_its_age(text: str, ending: Close | Reset) -> None:
    channel = open_channel(text)
    assert channel.ending(2.9) is None
    assert channel.ending(3.0) == ending


def test_a_shutdown_is_announced_once() -> None:
    channel = open_channel("max-age:10,warning=4")
    assert channel.ripe(5.9) == []
    (warning,) = channel.ripe(6.0)
    assert json.loads(warning) == {"e": "serverShutdown", "E": 1_791_382_998_000}
    assert channel.ripe(6.1) == []


def test_only_the_time_of_the_message_is_falsified() -> None:
    (sent,) = open_channel("push-clock:-2.5").frames(STREAM, frame(0), 0.0)
    trade, truth = json.loads(sent), json.loads(frame(0))
    assert trade.pop("E") == truth.pop("E") - 2_500
    assert trade == truth


def test_an_error_comes_before_a_frame_and_replaces_none() -> None:
    error, sent = open_channel("error-frame:7,p=1").frames(STREAM, frame(0), 0.0)
    assert json.loads(error)["error"]["code"] == 7
    assert sent == frame(0)


@pytest.mark.parametrize(("how", "n_sent"), [("instead", 1), ("extra", 2)])
def test_garbage_comes_instead_of_a_frame_or_before_it(how: str, n_sent: int) -> None:
    sent = open_channel(f"garbage:empty,p=1,how={how}").frames(STREAM, frame(0), 0.0)
    assert sent == ["", frame(0)][:n_sent]


def test_what_is_known_of_a_connection_is_forgotten_with_it() -> None:
    channel = open_channel("duplicate")
    play(channel, n=3)
    (running,) = channel.faults.active("duplicate")
    assert running._chances
    channel.close()
    assert not running._chances
