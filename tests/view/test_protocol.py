from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quantnb.view.lease import BEAT_S, Lease
from quantnb.view.protocol import MAX_CLIENTS, Frame, LiveWidget
from tests.view.browser_stub import Browser, Clock


class Counter(LiveWidget):
    """Shows a number; a browser is told the numbers since its last."""

    def __init__(self, lease: Lease) -> None:
        self.numbers = [0]
        self.received: list[tuple[str, dict[str, Any]]] = []
        super().__init__(lease=lease)

    def frame(self, cursor: int | None) -> Frame | None:
        if cursor == len(self.numbers):
            return None
        return Frame({"numbers": self.numbers[cursor or 0 :]}, len(self.numbers), [b"12345678"])

    def receive(self, client: str, content: dict[str, Any]) -> None:
        self.received.append((client, content))

    def count(self) -> None:
        self.numbers.append(len(self.numbers))
        self.publish()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lease(clock: Clock) -> Lease:
    return Lease(clock=clock)


@pytest.fixture
def counter(lease: Lease) -> Counter:
    return Counter(lease)


def pass_seconds(clock: Clock, lease: Lease, seconds: float) -> None:
    for _ in range(round(seconds / BEAT_S)):
        clock.now_s += BEAT_S
        lease.beat()


def test_a_hello_is_answered_with_a_snapshot(counter: Counter) -> None:
    browser = Browser(counter).hello()
    content, buffers = browser.messages[0]
    assert content == {"to": "page", "seq": 1, "kind": "snapshot", "data": {"numbers": [0]}}
    assert buffers == [b"12345678"]


def test_nothing_is_sent_before_a_browser_says_hello(counter: Counter) -> None:
    browser = Browser(counter)
    counter.count()
    assert browser.messages == []
    assert not counter.is_watched


def test_only_one_message_is_unanswered_and_the_next_holds_all_that_was_missed(counter: Counter) -> None:
    browser = Browser(counter).hello()
    for _ in range(5):
        counter.count()
    assert len(browser.messages) == 1
    browser.acknowledge()
    assert [content["data"] for content, _ in browser.messages[1:]] == [{"numbers": [1, 2, 3, 4, 5]}]
    assert browser.messages[-1][0]["kind"] == "delta"
    browser.acknowledge()
    assert len(browser.messages) == 2


def test_a_slow_browser_does_not_slow_a_quick_one(counter: Counter) -> None:
    slow, quick = Browser(counter, "slow").hello(), Browser(counter, "quick").hello()
    for _ in range(3):
        quick.acknowledge()
        counter.count()
    assert len(slow.messages) == 1
    assert [content["seq"] for content, _ in quick.messages] == [1, 2, 3, 4]


def test_an_old_ack_is_not_taken_for_the_newest(counter: Counter) -> None:
    browser = Browser(counter).hello().acknowledge()
    counter.count()
    browser.say("ack", seq=1)
    counter.count()
    assert len(browser.messages) == 2


def test_a_second_hello_begins_anew_with_everything(counter: Counter) -> None:
    browser = Browser(counter).hello().acknowledge()
    counter.count()
    browser.take()
    browser.hello()
    assert browser.take() == [{"to": "page", "seq": 1, "kind": "snapshot", "data": {"numbers": [0, 1]}}]


def test_an_idle_browser_is_pinged(counter: Counter, clock: Clock, lease: Lease) -> None:
    browser = Browser(counter).hello().acknowledge()
    pass_seconds(clock, lease, 5)
    assert browser.take()[1:] == [{"to": "page", "seq": 2, "kind": "ping"}]


def test_a_silent_browser_is_dropped_and_sent_nothing_more(
    counter: Counter, clock: Clock, lease: Lease
) -> None:
    browser = Browser(counter).hello()
    pass_seconds(clock, lease, 14)
    assert counter.is_watched
    pass_seconds(clock, lease, 1)
    assert not counter.is_watched
    browser.take()
    counter.count()
    pass_seconds(clock, lease, 30)
    assert browser.messages == []


def test_a_browser_that_was_dropped_and_speaks_again_gets_a_snapshot(
    counter: Counter, clock: Clock, lease: Lease
) -> None:
    browser = Browser(counter).hello()
    pass_seconds(clock, lease, 20)
    browser.acknowledge()
    assert browser.take()[-1]["kind"] == "snapshot"


def test_browsers_are_bounded_and_the_longest_unheard_gives_way(
    counter: Counter, clock: Clock, lease: Lease
) -> None:
    first = Browser(counter, "first").hello()
    clock.now_s += BEAT_S
    lease.beat()
    for i in range(MAX_CLIENTS):
        Browser(counter, f"page-{i}").hello()
    first.take()
    first.widget.publish()
    assert len(counter._clients) == MAX_CLIENTS
    assert "first" not in counter._clients


def test_what_a_widget_asks_for_itself_reaches_receive(counter: Counter) -> None:
    browser = Browser(counter).hello()
    browser.say("filter", text="BTC")
    assert counter.received == [("page", {"kind": "filter", "client": "page", "text": "BTC"})]


@pytest.mark.parametrize(
    "content",
    [
        "hello",
        None,
        ["hello"],
        {},
        {"kind": "hello"},
        {"kind": "hello", "client": 7},
        {"kind": "hello", "client": ""},
        {"kind": "hello", "client": "a" * 65},
        {"kind": "hello", "client": "../etc"},
        {"kind": {"x": 1}, "client": "page"},
        {"kind": "<script>", "client": "page"},
    ],
)
def test_a_message_of_no_sense_is_ignored(counter: Counter, lease: Lease, content: object) -> None:
    counter._handle_custom_msg(content, [])
    assert not counter.is_watched
    assert not lease.is_watched
    assert counter.received == []


def test_an_ack_with_a_strange_number_changes_nothing(counter: Counter) -> None:
    browser = Browser(counter).hello()
    for seq in (None, "1", 2, -1, [1]):
        browser.say("ack", seq=seq)
    counter.count()
    assert len(browser.messages) == 1


def test_a_browser_that_pauses_is_told_nothing_until_it_says_hello(counter: Counter) -> None:
    browser = Browser(counter).hello().acknowledge()
    browser.take()
    browser.say("pause")
    counter.count()
    assert browser.messages == []
    browser.hello()
    assert browser.take() == [{"to": "page", "seq": 1, "kind": "snapshot", "data": {"numbers": [0, 1]}}]


def test_a_pause_holds_although_a_frame_was_under_way(counter: Counter) -> None:
    browser = Browser(counter).hello()
    counter.count()
    browser.say("pause")
    browser.acknowledge()
    counter.count()
    assert len(browser.messages) == 1


def test_a_widget_that_all_browsers_have_paused_is_not_watched(counter: Counter) -> None:
    hidden, shown = Browser(counter, "hidden").hello(), Browser(counter, "shown").hello()
    hidden.say("pause")
    assert counter.is_watched
    shown.say("pause")
    assert not counter.is_watched
    hidden.hello()
    assert counter.is_watched


def test_a_paused_browser_stays_and_keeps_the_kernel_alive(
    counter: Counter, clock: Clock, lease: Lease
) -> None:
    browser = Browser(counter).hello().acknowledge()
    browser.say("pause")
    for _ in range(12):
        browser.take()
        pass_seconds(clock, lease, 5)
        assert [content["kind"] for content, _ in browser.messages] == ["ping"]
        browser.acknowledge()
    assert lease.is_watched
    assert counter._clients


def test_a_pause_of_a_browser_that_was_forgotten_is_still_a_pause(
    counter: Counter, clock: Clock, lease: Lease
) -> None:
    browser = Browser(counter).hello()
    pass_seconds(clock, lease, 20)
    browser.take()
    browser.say("pause")
    counter.count()
    assert browser.messages == []
    pass_seconds(clock, lease, 5)
    assert [content["kind"] for content in browser.take()] == ["ping"]


class Page:
    """A page with several widgets of ours, which hears what any of them carries."""

    def __init__(self, name: str, *widgets: Counter) -> None:
        self.name, self.widgets = name, widgets
        self.heard: list[tuple[dict[str, Any], list[bytes]]] = []
        for widget in widgets:
            widget.send = lambda content, buffers=(): self.heard.append((content, list(buffers)))
        for k, widget in enumerate(widgets):
            widget._handle_custom_msg({"kind": "hello", "client": f"{name}-{k}"}, [])

    def answer(self, *acks: list[Any]) -> None:
        """Answer letters by the first widget, as protocol.js does by whichever carried them."""
        self.widgets[0]._handle_custom_msg(
            {"kind": "acks", "client": f"{self.name}-0", "acks": list(acks)}, []
        )


async def test_what_one_turn_tells_a_page_is_one_message_and_so_is_the_answer(lease: Lease) -> None:
    page = Page("page", Counter(lease), Counter(lease))
    await asyncio.sleep(0)
    ((content, buffers),) = page.heard
    letters = content["letters"]
    assert [letter["to"] for _, letter, _ in letters] == ["page-0", "page-1"]
    assert [letter["kind"] for _, letter, _ in letters] == ["snapshot", "snapshot"]
    assert [n for _, _, n in letters] == [1, 1]
    assert buffers == [b"12345678", b"12345678"]

    page.heard.clear()
    page.answer(*([number, letter["to"], letter["seq"]] for number, letter, _ in letters))
    for widget in page.widgets:
        widget.count()
    await asyncio.sleep(0)
    ((content, _),) = page.heard
    assert [letter["kind"] for _, letter, _ in content["letters"]] == ["delta", "delta"]


async def test_an_answer_for_others_finds_each_of_them_and_nobody_else(lease: Lease) -> None:
    first, second, third = (Counter(lease) for _ in range(3))
    page = Page("page", first, second, third)
    await asyncio.sleep(0)
    numbers = [number for number, _, _ in page.heard.pop()[0]["letters"]]
    page.answer([numbers[1], "page-1", 1], [numbers[2], "page-2", 7])  # 7 was never sent
    for widget in page.widgets:
        widget.count()
    await asyncio.sleep(0)
    ((content, _),) = page.heard
    assert content["to"] == "page-1"


@pytest.mark.parametrize(
    "acks",
    [None, "all", 7, {}, [None], [[1]], [["1", "page-0", 1]], [[99, "page-0", 1]], [[1, "<b>", 1]],
     [[1, "page-0", None]], [[1, "page-0", 1, 2]], [[[1], {}, 1]] * 1_000],
)  # fmt: skip
async def test_an_answer_for_others_that_makes_no_sense_is_left_alone(lease: Lease, acks: object) -> None:
    page = Page("page", Counter(lease), Counter(lease))
    await asyncio.sleep(0)
    page.heard.clear()
    page.widgets[0]._handle_custom_msg({"kind": "acks", "client": "page-0", "acks": acks}, [])
    for widget in page.widgets:
        widget.count()
    await asyncio.sleep(0)
    assert page.heard == []


async def test_a_browser_that_was_dropped_is_told_everything_anew_when_its_answer_comes_late(
    lease: Lease, clock: Clock
) -> None:
    page = Page("page", Counter(lease), Counter(lease))
    await asyncio.sleep(0)
    letters = page.heard.pop()[0]["letters"]
    pass_seconds(clock, lease, 16)
    assert not any(widget.is_watched for widget in page.widgets)
    page.answer(*([number, letter["to"], letter["seq"]] for number, letter, _ in letters))
    await asyncio.sleep(0)
    ((content, _),) = page.heard
    assert sorted(letter["to"] for _, letter, _ in content["letters"]) == ["page-0", "page-1"]
    assert {letter["kind"] for _, letter, _ in content["letters"]} == {"snapshot"}


async def test_a_closed_widget_carries_nothing_and_keeps_nothing_back(lease: Lease) -> None:
    page = Page("page", Counter(lease), Counter(lease))
    page.widgets[0].close()
    await asyncio.sleep(0)
    assert [content["to"] for content, _ in page.heard] == ["page-1"]
