"""What the kernel spends on one update of four charts, and what it sends: `LiveFigure` against plotly's own.

Four charts with three lines of 2,000 points, which move on by one point. By hand, as plotly documents it:
``FigureWidget.batch_update`` with the new arrays, times as dates (a DataFrame's index), or, what few would
think of and is much faster, as float64 milliseconds. Ours: `LiveFigure.stream`, with a made-up browser that
says hello and answers each message. Both go down to the bytes that Jupyter hands to its socket. What a
browser answers to a plain FigureWidget (two messages an update, to be taken in by the kernel) is left out, to
its advantage.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import time
from typing import Any, TypeVar

import comm
import numpy as np
import pandas as pd
import plotly
import plotly.graph_objects as go
from comm.base_comm import BaseComm
from ipykernel.jsonutil import json_clean
from jupyter_client.session import Session
from numpy.typing import NDArray

from quantnb.view.figure import LiveFigure
from quantnb.view.lease import Lease

N_CHARTS, N_LINES, N_POINTS, N_FAR, N_AHEAD = 4, 3, 2_000, 20_000, 100_000
START_MS, STEP_MS = 1_790_000_000_000.0, 1_000.0
FIRST_END = 2_000_000  # an absolute index whose digits do not change meanwhile
N_PLAIN, N_OURS, SETTLE = 5, 100, 3  # updates a round; at the start some are not counted

Array = NDArray[np.float64]
Column = TypeVar("Column", Array, pd.DatetimeIndex)


class Wire(BaseComm):
    """A widget's comm that signs and encodes as a kernel does, counts, and keeps the last message."""

    session = Session(key=b"benchmark")
    n_messages = n_bytes = 0

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        content = json_clean({"data": data or {}, "comm_id": self.comm_id, **keys})
        message = self.session.msg(msg_type, content, metadata=json_clean(metadata or {}))
        # As long as Jupyter's own, but for a counter's digits.
        message["header"] |= {"msg_id": self.comm_id, "date": "2026-01-01T00:00:00.000000Z"}
        parts = self.session.serialize(message)
        self.buffers = [memoryview(buffer).cast("B") for buffer in buffers or ()]
        self.data = data
        Wire.n_messages += 1
        Wire.n_bytes += sum(map(len, (*parts, *self.buffers)))

    def hear(self, **content: Any) -> None:
        """Deliver what a browser says to the widget."""
        self.handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


comm.create_comm = Wire


class Clock:
    """Seconds that pass when told to: with real ones figures wait, 50 messages a second being the most."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


_INDEX = np.arange(FIRST_END - N_FAR, FIRST_END + N_AHEAD, dtype=np.float64)
TIMES_MS = START_MS + STEP_MS * _INDEX
VALUES = [np.sin(0.01 * (line + 1) * _INDEX) for line in range(N_LINES)]


def newest(column: Column, end: int, n: int = N_POINTS) -> Column:
    """Return a column's ``n`` points before an absolute index."""
    stop = end - FIRST_END + N_FAR
    return column[stop - n : stop]


class Plain:
    """Charts as plotly's documentation makes and moves them."""

    def __init__(self, times: Any) -> None:
        self._times = times
        data = [go.Scatter(x=newest(times, FIRST_END), y=newest(y, FIRST_END), mode="lines") for y in VALUES]
        self._figures = [go.FigureWidget(data) for _ in range(N_CHARTS)]

    async def update(self, end: int) -> None:
        x = newest(self._times, end)
        for figure in self._figures:
            with figure.batch_update():
                for trace, values in zip(figure.data, VALUES, strict=True):
                    trace.x, trace.y = x, newest(values, end)

    def check(self, end: int) -> None:
        for figure in self._figures:
            for trace, values in zip(figure.data, VALUES, strict=True):
                np.testing.assert_array_equal(pd.Index(trace.x), pd.Index(newest(self._times, end)))
                np.testing.assert_array_equal(trace.y, newest(values, end))


class Live:
    """The same charts as `LiveFigure`, all of them on one page."""

    def __init__(self, n_points: int = N_POINTS) -> None:
        self._n_points, self._clock = n_points, Clock()
        lease = Lease(clock=self._clock)
        self._figures = [
            LiveFigure([go.Scatter(mode="lines") for _ in range(N_LINES)], lease=lease)
            for _ in range(N_CHARTS)
        ]
        for k, figure in enumerate(self._figures):
            figure.comm.hear(kind="hello", client=f"page-{k}")

    async def update(self, end: int) -> None:
        self._clock.now_s += 1.0
        x = newest(TIMES_MS, end, self._n_points)
        for figure in self._figures:
            for i, values in enumerate(VALUES):
                columns = {"x": x, "y": newest(values, end, self._n_points)}
                figure.stream(i, "history", end - self._n_points, columns)
        await asyncio.sleep(0)  # the loop turns once, at the end of which one message goes out for all
        letters = self._carrier.data["content"]["letters"]
        acks = [[sender, content["to"], content["seq"]] for sender, content, _ in letters]
        self._carrier.hear(kind="acks", client="page-0", acks=acks)

    @property
    def _carrier(self) -> Any:
        return self._figures[0].comm

    def check(self, end: int) -> None:
        """Hold what was sent last to what the page lacked: the newest point of each line, exactly."""
        lacked = [newest(column, end, 1)[0] for values in VALUES for column in (TIMES_MS, values)]
        letters = self._carrier.data["content"]["letters"]
        assert [(content["kind"], n_buffers) for _, content, n_buffers in letters] == [
            ("delta", 1)
        ] * N_CHARTS
        for buffer in self._carrier.buffers:
            assert sorted(np.frombuffer(buffer)) == sorted(lacked)


async def cost(charts: Plain | Live, start: int, n_updates: int) -> tuple[float, float, float]:
    """Return the kernel's CPU seconds, messages and bytes of one update."""
    for end in range(start, start + SETTLE):
        await charts.update(end)
    before = Wire.n_messages, Wire.n_bytes
    start_s = time.process_time()
    for end in range(start + SETTLE, start + SETTLE + n_updates):
        await charts.update(end)
    spent_s = time.process_time() - start_s
    charts.check(start + SETTLE + n_updates - 1)
    counts = (Wire.n_messages - before[0], Wire.n_bytes - before[1])
    return spent_s / n_updates, counts[0] / n_updates, counts[1] / n_updates


async def main(seconds: float) -> None:
    kinds: dict[str, Plain | Live] = {
        "FigureWidget, dates": Plain(pd.to_datetime(TIMES_MS, unit="ms")),
        "FigureWidget, float64": Plain(TIMES_MS),
        "LiveFigure": Live(),
        "LiveFigure, 200 points": Live(200),
        "LiveFigure, 20,000 points": Live(20_000),
    }
    best: dict[str, tuple[float, float, float]] = {}
    end, until_s = FIRST_END, time.monotonic() + seconds
    while not best or time.monotonic() < until_s:  # in turns, so that what else the machine does falls on all
        for name, charts in kinds.items():
            found = await cost(charts, end + 1, N_PLAIN if isinstance(charts, Plain) else N_OURS)
            best[name] = (min(found[0], best.get(name, found)[0]), *found[1:])
        end += N_OURS + SETTLE
    ours = best["LiveFigure"]
    near, far = best["LiveFigure, 200 points"][2], best["LiveFigure, 20,000 points"][2]
    assert near == ours[2] == far, "an update's bytes do not depend on the history"

    print(f"plotly {plotly.__version__}, Python {platform.python_version()}; one update of {N_CHARTS} charts")
    for name, (cpu_s, n_messages, n_bytes) in best.items():
        print(
            f"{name:27} {1e3 * cpu_s:8.2f} ms {cpu_s / ours[0]:7.1f} x   "
            f"{n_messages:3.0f} messages {n_bytes:9,.0f} bytes {n_bytes / ours[2]:7.1f} x"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    asyncio.run(main(parser.parse_args().seconds))
