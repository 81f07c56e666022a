"""A plotly ``FigureWidget`` that keeps up: new points only, one bundle a page, one drawing a frame.

A plain FigureWidget carries plotly's 5 MB in every instance, sends whole arrays at every change and
draws each message at once. This one is edited like any other figure in Python, but what it tells a browser
goes through ``protocol``: each browser gets a snapshot and then only what is new for it. History that
grows is given to ``stream`` and costs, per update, the points that are new. The drawing is
``static/live_figure.js``.

plotly's seven ``_send_*_msg`` methods are where an edit leaves Python; they are private, so
``tests/view/test_figure.py`` holds them to account for each version of plotly that is installed.
"""

from __future__ import annotations

import asyncio
import gzip
import math
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import plotly
from numpy.typing import NDArray
from plotly.graph_objects import FigureWidget
from traitlets import Unicode, default

from quantnb.view.assets import css, esm
from quantnb.view.failure import Failures
from quantnb.view.lease import Lease
from quantnb.view.packing import Packer
from quantnb.view.protocol import Frame, Live
from quantnb.view.stream import Shown, Stream, next_shown, what_is_new
from quantnb.view.theme import CONFIG, TEMPLATE
from quantnb.view.thinning import Sight

__all__ = ["LiveFigure"]

# FigureWidget's own channels. Left synced they would carry whole arrays, and any viewer could write to them.
_CHANNELS = ("_py2js_", "_js2py_", "_widget_", "_last_", "_config")

_RELAYOUT_KEY = re.compile(r"(shapes\[\d{1,3}\]\.[xy][01]|[xy]axis\d{0,2}\.(range\[[01]\]|autorange))")
_MAX_CHANGES = 32
_AXIS = re.compile(r"x\d{0,2}")
_WIDTHS = (50, 10_000)  # pixels
_MAX_SIGHTS = 64


@dataclass(frozen=True, slots=True)
class _Cursor:
    """What one browser has."""

    structure: int
    layout: int
    words: int
    props: tuple[int, ...]
    streams: tuple[Shown | None, ...]


@cache
def _bundle() -> bytes:
    """Return plotly's own module, compressed: a third of the bytes, for 0.2 s once a kernel."""
    return gzip.compress((files(plotly) / "package_data" / "widgetbundle.js").read_bytes(), 6, mtime=0)


class LiveFigure(Live, FigureWidget):
    """A figure whose history grows while browsers watch.

    Parameters
    ----------
    data, layout
        As for ``plotly.graph_objects.Figure``. The template is the page's theme unless ``layout`` has one.
    source
        Called before anything is read out of the figure, to bring it up to date: what nobody
        looks at is not computed.
    config
        Additions to plotly's configuration. Beside those, figures of a page with the same ``crosshair``, a
        name, show the time that the pointer is at in one of them in all.
    lease
        Who watches; the kernel's own lease unless a test says otherwise.
    """

    _esm = esm(
        "bundle.js",
        "crosshair.js",
        "latency.js",
        "painter.js",
        "candles.js",
        "cells.js",
        "tail.js",
        "live_figure.js",
    )
    _css = css("tokens.css", "figure.css")
    _plotly_version = Unicode(plotly.__version__).tag(sync=True)

    def __init__(
        self,
        data: Any = None,
        layout: Mapping[str, Any] | None = None,
        *,
        source: Callable[[], None] | None = None,
        config: Mapping[str, Any] | None = None,
        lease: Lease | None = None,
    ) -> None:
        # First, because plotly's own constructor already edits the figure.
        self._clients = {}
        self._failures = Failures()
        self._structure = self._layout_version = self._words_version = 0
        self._props_versions: dict[str, int] = {}
        self._streams: dict[str, Stream] = {}
        self._sights: dict[str, dict[str, Sight]] = {}  # of each browser, by axis; "" is for all the others
        self._words = {"label": "", "notice": "", "caption": ""}
        self._is_updating = False
        self._relayout_callback: Callable[[dict[str, Any]], None] | None = None
        self._source = source
        self._drawing_config = {**CONFIG, **(config or {})}
        super().__init__(data, {"template": TEMPLATE, "uirevision": "live", **(layout or {})})
        self.add_class("qnb-figure")
        self._start_protocol(lease)

    @default("keys")
    def _only_our_channels(self) -> list[str]:
        return [name for name in self.traits(sync=True) if not name.startswith(_CHANNELS)]

    def stream(
        self,
        trace: int,
        generation: Hashable,
        first: int,
        columns: Mapping[str, NDArray[np.float64]],
        *,
        n_provisional: int = 0,
    ) -> None:
        """Give a trace its growing columns (``x``, ``y``, ``open`` …), whole; only what is new is sent.

        Of a line more points than a browser has pixels for are not sent at all, but for the extremes: so it
        may be as long as memory allows. Its x ascends.

        Parameters
        ----------
        trace
            Index of the trace.
        generation
            Anything hashable; another one means that history was rewritten and is to be sent again.
        first
            Absolute index of the first element, the same for all columns. It may grow: old points go.
        columns
            float64, equally long; times as milliseconds since the epoch.
        n_provisional
            How many points at the end may still change.
        """
        props = self._data[trace]
        is_line = props.get("mode") == "lines" and {"x", "y"} <= columns.keys()
        self._streams[props["uid"]] = Stream(generation, first, columns, n_provisional, is_line)
        self._data[trace].update(columns)
        self._edited()

    def say(self, *, label: str = "", notice: str = "", caption: str = "") -> None:
        """Put the chart into words, as plain text.

        Parameters
        ----------
        label
            The current values, for whoever cannot see them.
        notice
            What an empty chart waits for; it stands in its middle.
        caption
            A line above the chart.
        """
        words = {"label": label, "notice": notice, "caption": caption}
        if words != self._words:
            self._words = words
            self._words_version += 1
            self._edited()

    def resend_layout(self) -> None:
        """Send the layout although it is unchanged here: a viewer has moved something that is to go back."""
        self._relaid()

    def on_relayout(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call ``callback`` with what a viewer moved: keys such as ``shapes[0].y0``, ``xaxis.range[0]``."""
        self._relayout_callback = callback

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as plotly's dictionary, brought up to date first.

        A source that raises leaves it as it was: plotly asks for this where the figure is put on a page, and
        the rest of the page is to appear.
        """
        if self._source is not None:
            try:
                self._source()
            except Exception as error:
                self._failures.note(error)
        return super().to_dict()  # type: ignore[no-any-return]

    def frame(self, cursor: _Cursor | None) -> Frame | None:
        """Return what a browser with ``cursor`` lacks that has not said how wide it is."""
        return self.frame_for("", cursor)

    def frame_for(self, client: str, cursor: _Cursor | None) -> Frame | None:
        """Return what a browser with ``cursor`` lacks."""
        self._is_updating = True  # what the source edits is part of this frame, not news for another
        try:
            if self._source is not None:
                self._source()
        finally:
            self._is_updating = False
        if cursor is None or cursor.structure != self._structure:
            cursor = _Cursor(-1, -1, -1, (-1,) * len(self._data), (None,) * len(self._data))
        now = self._cursor(cursor, self._sights.get(client, {}))
        if cursor == now:
            return None
        packer = Packer()
        data = self._news(cursor, now, packer)
        return Frame(data, now, packer.buffers)

    def _news(self, old: _Cursor, now: _Cursor, packer: Packer) -> dict[str, Any]:
        news: dict[str, Any] = {}
        if old.structure != now.structure:
            news["config"] = self._drawing_config
            news["n_traces"] = len(self._data)
        if old.layout != now.layout:
            news["layout"] = packer.pack(self._layout)
        if old.words != now.words:
            news |= self._words
        traces = {}
        for i, trace in enumerate(self._data):
            stream = self._streams.get(trace["uid"])
            part = {}
            if old.props[i] != now.props[i]:
                grows = stream.columns if stream else ()
                part["props"] = packer.pack({key: value for key, value in trace.items() if key not in grows})
            shown = now.streams[i]
            if stream is not None and shown is not None and old.streams[i] != shown:
                part["stream"] = what_is_new(stream, old.streams[i], shown, packer)
            if part:
                traces[str(i)] = part
        if traces:
            news["traces"] = traces
        return news

    def _cursor(self, old: _Cursor, sights: Mapping[str, Sight]) -> _Cursor:
        uids = [trace["uid"] for trace in self._data]
        streams = [self._streams.get(uid) for uid in uids]
        seen_of_each = zip(self._data, streams, old.streams, strict=True)
        return _Cursor(
            self._structure,
            self._layout_version,
            self._words_version,
            tuple(self._props_versions.get(uid, 0) for uid in uids),
            tuple(
                None if stream is None else next_shown(stream, seen, _sight(sights, trace))
                for trace, stream, seen in seen_of_each
            ),
        )

    def receive(self, client: str, content: dict[str, Any]) -> None:
        """Answer a browser that asks for plotly, and hear what a viewer moved."""
        if content["kind"] == "bundle":
            self._send_bundle(client)
        elif content["kind"] == "sight":
            self._note_sight(client, content)
        elif content["kind"] == "relayout" and self._relayout_callback is not None:
            changes = _valid_changes(content.get("changes"))
            if changes:
                self._relayout_callback(changes)

    def _note_sight(self, client: str, content: dict[str, Any]) -> None:
        """Note how wide a browser shows the figure, and what part of it a viewer has chosen."""
        sights = _valid_sights(content.get("width"), content.get("spans"))
        if sights is None or sights == self._sights.get(client):
            return
        self._sights.pop(client, None)
        while len(self._sights) >= _MAX_SIGHTS:
            del self._sights[next(iter(self._sights))]
        self._sights[client] = sights
        self._edited()

    def _send_bundle(self, client: str) -> None:
        """Compress in a thread: the stream of trades must not wait for it."""
        done = asyncio.get_running_loop().run_in_executor(None, _bundle)
        done.add_done_callback(lambda future: self.send_to(client, {"kind": "bundle"}, [future.result()]))

    def _edited(self) -> None:
        if self.is_watched and not self._is_updating:
            self.publish()

    def _restyled(self, trace_indexes: Any) -> None:
        for i in self._normalize_trace_indexes(trace_indexes):
            uid = self._data[i]["uid"]
            self._props_versions[uid] = self._props_versions.get(uid, 0) + 1
        self._edited()

    def _relaid(self) -> None:
        self._layout_version += 1
        self._edited()

    def _restructured(self) -> None:
        self._structure += 1
        self._edited()

    # Where plotly hands an edit over to its own front end. The names and arguments are plotly's.
    def _send_relayout_msg(self, layout_data: Any, source_view_id: Any = None) -> None:
        self._relaid()

    def _send_restyle_msg(
        self, restyle_data: Any, trace_indexes: Any = None, source_view_id: Any = None
    ) -> None:
        self._restyled(trace_indexes)

    def _send_update_msg(
        self, restyle_data: Any, relayout_data: Any, trace_indexes: Any = None, source_view_id: Any = None
    ) -> None:
        if restyle_data:
            self._restyled(trace_indexes)
        if relayout_data:
            self._relaid()

    def _send_animate_msg(
        self, styles_data: Any, relayout_data: Any, trace_indexes: Any, animation_opts: Any
    ) -> None:
        self._send_update_msg(styles_data, relayout_data, trace_indexes)

    def _send_addTraces_msg(self, new_traces_data: Any) -> None:  # noqa: N802
        self._restructured()

    def _send_deleteTraces_msg(self, delete_inds: Any) -> None:  # noqa: N802
        kept = {trace["uid"] for trace in self._data}
        self._streams = {uid: stream for uid, stream in self._streams.items() if uid in kept}
        self._props_versions = {uid: n for uid, n in self._props_versions.items() if uid in kept}
        self._restructured()

    def _send_moveTraces_msg(self, current_inds: Any, new_inds: Any) -> None:  # noqa: N802
        self._restructured()


def _sight(sights: Mapping[str, Sight], trace: Mapping[str, Any]) -> Sight:
    return sights.get(trace.get("xaxis") or "x") or sights.get("") or Sight()


def _valid_sights(width: object, spans: object) -> dict[str, Sight] | None:
    """Return a browser's sight of each axis, of those not named under ""; None if it makes no sense."""
    if not isinstance(width, int) or isinstance(width, bool) or not isinstance(spans, dict):
        return None
    width = min(max(width, _WIDTHS[0]), _WIDTHS[1])
    sights = {"": Sight(width)}
    for axis, span in list(spans.items())[:_MAX_CHANGES]:
        if not (
            isinstance(axis, str) and _AXIS.fullmatch(axis) and isinstance(span, list) and len(span) == 2
        ):
            return None
        if not all(isinstance(end, int | float) and math.isfinite(end) for end in span):
            return None
        sights[axis] = Sight(width, (float(min(span)), float(max(span))))
    return sights


def _valid_changes(changes: object) -> dict[str, Any]:
    """Keep of a viewer's message what can be a position on an axis."""
    if not isinstance(changes, dict) or len(changes) > _MAX_CHANGES:
        return {}
    return {
        key: value
        for key, value in changes.items()
        if isinstance(key, str) and _RELAYOUT_KEY.fullmatch(key) and _is_position(key, value)
    }


def _is_position(key: str, value: object) -> bool:
    if isinstance(value, bool) or key.endswith("autorange"):
        return isinstance(value, bool) and key.endswith("autorange")
    if isinstance(value, int | float):
        return math.isfinite(value)
    return isinstance(value, str) and len(value) <= 40  # a date
