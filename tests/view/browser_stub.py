"""A browser as the kernel sees it: what it says, and what it is sent."""

from __future__ import annotations

from typing import Any

import numpy as np

from quantnb.view.lease import Lease


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Browser:
    """One page's half of a widget."""

    def __init__(self, widget: Any, name: str = "page") -> None:
        self.widget, self.name = widget, name
        self._messages: list[tuple[dict[str, Any], list[bytes]]] = []
        self._others = widget.send
        widget.send = self._hear

    @property
    def messages(self) -> list[tuple[dict[str, Any], list[bytes]]]:
        """What was addressed to it, with the buffers; what this turn of the loop would still send, too."""
        self.widget._lease.outbox.flush()
        return self._messages

    def say(self, kind: str, **content: Any) -> None:
        self.widget._handle_custom_msg({"kind": kind, "client": self.name, **content}, [])

    def hello(self) -> Browser:
        self.say("hello")
        return self

    def acknowledge(self) -> Browser:
        """Answer the last numbered message, as protocol.js does."""
        self.say("ack", seq=self.messages[-1][0]["seq"])
        return self

    def take(self) -> list[dict[str, Any]]:
        """Return what arrived since the last call."""
        taken = [content for content, _ in self.messages]
        self._messages.clear()
        return taken

    def _hear(self, content: dict[str, Any], buffers: Any = None) -> None:
        if content["to"] == self.name:
            self._messages.append((content, list(buffers or [])))
        else:
            self._others(content, buffers)


class Screen(Browser):
    """A browser that keeps a figure as ``live_figure.js`` does, and answers at once."""

    def __init__(self, widget: Any, name: str = "page") -> None:
        super().__init__(widget, name)
        self.traces: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {}
        self.words: dict[str, str] = {}
        self.n_bytes = 0

    def hello(self) -> Screen:
        super().hello()
        return self.look()

    def look(self) -> Screen:
        """Take in everything sent so far, acknowledging each message, until nothing new comes."""
        while self.messages:
            content, buffers = self.messages.pop(0)
            if content["kind"] in ("snapshot", "delta"):
                self.n_bytes = sum(map(len, buffers))
                self._apply(content["data"], np.frombuffer(buffers[0]) if buffers else np.empty(0))
            self.say("ack", seq=content["seq"])
        return self

    def _apply(self, news: dict[str, Any], numbers: np.ndarray) -> None:
        if "n_traces" in news:
            self.traces = [{} for _ in range(news["n_traces"])]
        self.layout = news.get("layout", self.layout)
        self.words |= {key: news[key] for key in ("label", "notice", "caption") if key in news}
        for i, part in news.get("traces", {}).items():
            trace = self.traces[int(i)]
            if "props" in part:
                columns = {key: trace[key] for key in trace.get("columns", ())}
                kept = {key: trace[key] for key in ("columns", "first") if key in trace}
                trace.clear()
                trace.update(unpack(part["props"], numbers) | columns | kept)
            if "stream" in part:
                self._splice(trace, unpack(part["stream"], numbers))

    def _splice(self, trace: dict[str, Any], tail: dict[str, Any]) -> None:
        first, at = tail["first"], tail["at"]
        old_first = trace.get("first", first)
        for name, column in tail["columns"].items():
            old = trace.get(name, np.empty(0)) if "first" in trace else np.empty(0)
            trace[name] = np.concatenate([old[first - old_first : max(at - old_first, 0)], column])
        trace["first"], trace["columns"] = first, tuple(tail["columns"])


def unpack(value: Any, numbers: np.ndarray) -> Any:
    if isinstance(value, list):
        return [unpack(item, numbers) for item in value]
    if not isinstance(value, dict):
        return value
    if "f8" in value:
        start, *shape = value["f8"]
        return numbers[start : start + int(np.prod(shape))].reshape(shape)
    return {key: unpack(item, numbers) for key, item in value.items()}


def quiet_lease() -> Lease:
    """Return a lease of the test's own, so that one test does not hear another's browsers."""
    return Lease(clock=Clock())
