"""Export as a real download of the browser that asked for it.

The browser asks for a file, learns its name and size, and then fetches it chunk by chunk, so that nothing
piles up on the way however slow the line is, progress can be shown, and other tabs get nothing. It works the
same in Voilà, which serves no files, and in JupyterLab.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import anywidget

from quantnb.errors import ExportError, choices
from quantnb.view.assets import css, esm
from quantnb.view.message import sentence_of

if TYPE_CHECKING:
    from quantnb.session import Session

__all__ = ["CHUNK_BYTES", "FORMATS", "KINDS", "MAX_FILES", "Download"]

KINDS = ("trades", "bars", "analytics", "alerts")
FORMATS = ("csv", "parquet")
CHUNK_BYTES = 512 * 1024
MAX_FILES = 4  # held at once for browsers that are still fetching; the oldest gives way


@dataclass(frozen=True, slots=True)
class _File:
    client: str
    data: bytes


class Download(anywidget.AnyWidget):
    """What to export, in which format, a button and its progress."""

    _esm = esm("dom.js", "download.js")
    _css = css("tokens.css", "download.css")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._files: dict[int, _File] = {}
        self._numbers = count(1)
        super().__init__()
        self.on_msg(self._receive)

    def _receive(self, _widget: object, content: Any, _buffers: object) -> None:
        """Act on a message from a browser; nothing in it is trusted."""
        if not isinstance(content, dict) or not isinstance(content.get("client"), str):
            return
        try:
            match content:
                case {"kind": "export", "client": client, "what": what, "format": format_}:
                    self._encode(client, what, format_)
                case {"kind": "chunk", "client": client, "file": int(number), "offset": int(offset)}:
                    self._send_chunk(client, number, offset)
        except Exception as error:
            self.send({"to": content["client"], "kind": "failed", "text": sentence_of(error)})

    def _encode(self, client: str, what: object, format_: object) -> None:
        if what not in KINDS or format_ not in FORMATS:
            raise ExportError(f"What can be exported is {choices(KINDS)}, as {choices(FORMATS)}.")
        data = self._session.encode(str(what), str(format_))
        self._files = {number: file for number, file in self._files.items() if file.client != client}
        while len(self._files) >= MAX_FILES:
            del self._files[next(iter(self._files))]
        number = next(self._numbers)
        self._files[number] = _File(client, data)
        name = f"quantnb-{what}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.{format_}"
        self.send({"to": client, "kind": "file", "file": number, "name": name, "size": len(data)})

    def _send_chunk(self, client: str, number: int, offset: int) -> None:
        file = self._files.get(number)
        if file is None or file.client != client:
            raise ExportError("This export is no longer held; please export again.")
        end = offset + CHUNK_BYTES
        chunk = memoryview(file.data)[max(offset, 0) : end]
        if end >= len(file.data):
            del self._files[number]
        self.send({"to": client, "kind": "chunk", "file": number, "offset": offset}, [chunk])
