"""How every widget of ours talks with a browser: hello → snapshot → delta → ack.

Voilà runs the whole notebook before a browser exists, so a message sent early reaches nobody, and Jupyter
has no back-pressure from the kernel to the browser. Therefore the browser speaks first, each browser has
its own cursor into what there is to show, and at most one message to it is unanswered: a slow tab gets fewer,
newer frames, and nothing piles up.

====================  ==========================================================================
browser → kernel      ``{"kind": "hello", "client": id}``, ``{"kind": "ack", "client": id, "seq": n}``,
                      ``{"kind": "pause", "client": id}``; any other kind is the widget's own and goes to
                      ``receive``. ``{"kind": "acks", "acks": [[sender, client, seq], …]}`` answers letters
                      of several widgets that came in one message (see ``outbox``)
kernel → browser      ``{"to": id, "seq": n, "kind": "snapshot" | "delta" | "ping", "data": …}`` + buffers,
                      each answered by an ack; ``{"to": id, "kind": "failed", "text": …}`` and any other
                      kind, which is the widget's own, are not answered
====================  ==========================================================================

A client is one widget in one page, named ``page-widget``; ``static/protocol.js`` is its other half. A browser
that misses a number, or hears nothing for 20 s, says hello again and gets everything anew.

A browser that cannot show a widget now, because its tab or panel is hidden, says pause. It is then asked for
life signs as before but told nothing, and nothing is computed for it, until it says hello.

A widget that raises where it should say what is new tells its browsers so, once, in place of a frame. Neither
the session, whose snapshot it was to show, nor another widget hears of it; the next snapshot is tried again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anywidget

from quantnb.view.failure import Failures
from quantnb.view.lease import UNWATCHED_S, Lease, kernel_lease
from quantnb.view.outbox import Letter

__all__ = ["MAX_CLIENTS", "PING_AFTER_S", "Frame", "Live", "LiveWidget"]

MAX_CLIENTS = 16
PING_AFTER_S = 5.0
MAX_ACKS = 256  # in one message

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Frame:
    """What one browser is to be told.

    ``data`` is made of what JSON knows (None rather than NaN). ``cursor`` is handed back to ``frame`` when
    the next message for this browser is made; the protocol does not look into it.
    """

    data: Mapping[str, Any]
    cursor: Any
    buffers: Sequence[bytes | memoryview] = ()


@dataclass(slots=True)
class _Client:
    cursor: Any = None
    seq: int = 0
    sent_s: float = 0.0
    is_unanswered: bool = False
    is_behind: bool = False  # something was published while it was busy
    is_paused: bool = False  # nobody can see it there
    failure: str = ""  # what it was told in place of a frame


class Live:
    """The kernel's half of the protocol, to be mixed into an anywidget.

    A subclass says what there is to show in ``frame`` and calls ``publish`` when there may be something new;
    what browsers ask of it arrives in ``receive``, checked for form but not for sense. The constructor
    calls ``_start_protocol`` once the widget is open.
    """

    _lease: Lease
    _clients: dict[str, _Client]
    _failures: Failures
    _number: int

    def frame(self, cursor: Any) -> Frame | None:
        """Return what follows ``cursor``, all there is if it is None; None when there is nothing new."""
        raise NotImplementedError

    def frame_for(self, client: str, cursor: Any) -> Frame | None:
        """Return one browser's frame; for a widget that does not tell all of them the same."""
        return self.frame(cursor)

    def receive(self, client: str, content: dict[str, Any]) -> None:
        """Act on a message of the widget's own kind; ``content`` is from outside, trust nothing in it."""

    def publish(self) -> None:
        """Tell every browser what is new for it, as soon as it has answered what it was told before."""
        for name, client in self._clients.items():
            if client.is_unanswered:
                client.is_behind = True
            elif not client.is_paused:
                self._queue(name)

    def send_to(
        self, client: str, content: Mapping[str, Any], buffers: Sequence[bytes | memoryview] = ()
    ) -> None:
        """Send one browser a message of the widget's own kind, outside the sequence and unanswered."""
        self.send({"to": client, **content}, list(buffers))  # type: ignore[attr-defined]

    @property
    def is_watched(self) -> bool:
        """Whether any browser shows this widget: without one, there is nothing worth computing."""
        return not all(client.is_paused for client in self._clients.values())

    def _start_protocol(self, lease: Lease | None = None) -> None:
        self._lease = lease or kernel_lease()
        self._clients = {}
        self._failures = Failures()
        self._number = self._lease.enroll(self)
        self._lease.on_beat(self._beat)
        self.on_msg(Live._on_message)  # type: ignore[attr-defined]

    def _on_message(self, content: object, _buffers: object) -> None:
        if not isinstance(content, dict):
            return
        kind, name = content.get("kind"), content.get("client")
        if not (isinstance(kind, str) and isinstance(name, str)):
            return
        if not (_NAME.fullmatch(kind) and _NAME.fullmatch(name)):
            return
        self._lease.sign()
        if kind == "acks":
            self._hand_on(content.get("acks"))
        elif kind == "pause":
            self._pause(name)
        elif kind == "hello" or name not in self._clients:  # one that was dropped is told everything anew
            self._welcome(name)
        elif kind == "ack":
            self._acknowledge(name, content.get("seq"))
        if kind not in ("hello", "ack", "acks", "pause"):
            try:
                self.receive(name, content)
            except Exception as error:
                self._failures.note(error)

    def _hand_on(self, acks: object) -> None:
        """Give each widget its browser's answer; the letters came together, so the answers do."""
        for ack in acks[:MAX_ACKS] if isinstance(acks, list) else ():
            match ack:
                case [int(number), str(name), seq]:
                    widget = self._lease.enrolled(number)
                    if isinstance(widget, Live):
                        widget._on_message({"kind": "ack", "client": name, "seq": seq}, ())

    def _welcome(self, name: str) -> None:
        self._admit(name)
        self._queue(name)

    def _pause(self, name: str) -> None:
        if name not in self._clients:
            self._admit(name)
        self._clients[name].is_paused = True

    def _admit(self, name: str) -> None:
        self._clients.pop(name, None)
        if len(self._clients) >= MAX_CLIENTS:
            del self._clients[min(self._clients, key=lambda other: self._clients[other].sent_s)]
        self._clients[name] = _Client(sent_s=self._lease.awake_s)

    def _acknowledge(self, name: str, seq: object) -> None:
        client = self._clients[name]
        if seq != client.seq:
            return
        client.is_unanswered = False
        if client.is_behind:
            client.is_behind = False
            self._queue(name)

    def _queue(self, name: str) -> None:
        page, _, _ = name.rpartition("-")
        self._lease.outbox.put((id(self), name), lambda: self._write_next(name), page=page)

    def _write_next(self, name: str) -> Letter | None:
        """Write ``name`` its next frame, if there is anything new."""
        client = self._clients.get(name)
        if client is None or client.is_unanswered or client.is_paused or self.comm is None:  # type: ignore[attr-defined]
            return None
        try:
            frame = self.frame_for(name, client.cursor)
        except Exception as error:
            return self._confess(name, client, self._failures.note(error))
        if frame is None:
            return self._confess(name, client, "")
        kind = "snapshot" if client.cursor is None else "delta"
        letter = self._number_next(name, client, {"kind": kind, "data": frame.data}, frame.buffers)
        client.cursor = frame.cursor
        client.failure = ""  # protocol.js takes the words away when there is a frame again
        return letter

    def _confess(self, name: str, client: _Client, text: str) -> Letter | None:
        """Tell a browser what failed, or that nothing does any more, if that is news to it."""
        if text == client.failure:
            return None
        client.failure = text
        # There may be no way to it left, and then nothing more to do.
        return self._letter({"to": name, "kind": "failed", "text": text}, (), lambda error: None)

    def _number_next(
        self,
        name: str,
        client: _Client,
        content: Mapping[str, Any],
        buffers: Sequence[bytes | memoryview] = (),
    ) -> Letter:
        client.seq += 1
        client.is_unanswered = True
        client.sent_s = self._lease.awake_s

        def confess(error: Exception) -> None:
            client.is_unanswered = False
            client.cursor = None
            if letter := self._confess(name, client, self._failures.note(error)):
                letter.send_alone()

        return self._letter({"to": name, "seq": client.seq, **content}, buffers, confess)

    def _letter(
        self,
        content: Mapping[str, Any],
        buffers: Sequence[bytes | memoryview],
        on_failure: Callable[[Exception], None],
    ) -> Letter:
        return Letter(self._number, content, buffers, self.send, on_failure)  # type: ignore[attr-defined]

    def _beat(self) -> None:
        """Ask the idle for a life sign and forget the silent."""
        for name, client in tuple(self._clients.items()):
            quiet_s = self._lease.awake_s - client.sent_s
            if client.is_unanswered and quiet_s >= UNWATCHED_S:
                del self._clients[name]
            elif not client.is_unanswered and quiet_s >= PING_AFTER_S:
                self._number_next(name, client, {"kind": "ping"}).send_alone()


class LiveWidget(Live, anywidget.AnyWidget):
    """Base of our small widgets: set ``_esm`` and ``_css`` (see ``assets``) and say ``frame``."""

    def __init__(self, *, lease: Lease | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._start_protocol(lease)
