from __future__ import annotations

import asyncio
import base64
import gzip
import math
import weakref
from importlib.resources import files

import numpy as np
import plotly
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantnb.view.figure import LiveFigure
from tests.view.browser_stub import Browser, Screen, quiet_lease


def figure_of(*traces: go.Scatter, **kwargs: object) -> LiveFigure:
    return LiveFigure(list(traces) or [go.Scatter(mode="lines")], lease=quiet_lease(), **kwargs)


def grow(
    figure: LiveFigure, n: int, *, generation: int = 1, keep: int = 10**9, forming: float | None = None
) -> None:
    """Show the points 0 … n-1, and a provisional one."""
    x = np.arange(n, dtype=float)[-keep:]
    first = n - len(x)
    y = x * 10
    if forming is not None:
        x, y = np.append(x, n), np.append(y, forming)
    figure.stream(0, generation, first, {"x": x, "y": y}, n_provisional=int(forming is not None))


def test_the_bytes_of_an_update_depend_on_what_is_new_not_on_the_history() -> None:
    sizes = []
    for n in (200, 20_000):
        figure = figure_of()
        grow(figure, n)
        screen = Screen(figure).hello()
        assert screen.n_bytes <= 16 * min(n, 2_010)  # two points for each of a thousand pixels
        grow(figure, n + 1)
        screen.look()
        sizes.append(screen.n_bytes)
        assert list(screen.traces[0]["x"][-2:]) == [n - 1, n]
    assert sizes == [16, 16]


def spike_at(figure: LiveFigure, k: int, n: int) -> None:
    y = np.zeros(n)
    y[k] = 7.0
    figure.stream(0, 1, 0, {"x": np.arange(n, dtype=float), "y": y}, n_provisional=1)


def test_a_browser_gets_about_two_points_for_each_pixel_and_every_spike() -> None:
    figure = figure_of()
    spike_at(figure, 4_321, 20_000)
    screen = Screen(figure).hello()
    screen.say("sight", width=400, spans={})
    screen.look()
    shown = screen.traces[0]
    assert 300 < len(shown["x"]) <= 2 * 401 + 1  # a flat bucket is one point
    assert shown["x"][shown["y"] == 7.0].tolist() == [4_321]
    assert shown["x"][-1] == 19_999


def test_a_zoom_gets_each_point_of_what_is_in_sight_until_it_ends() -> None:
    figure = figure_of()
    spike_at(figure, 4_321, 20_000)
    screen = Screen(figure).hello()
    screen.say("sight", width=400, spans={"x": [5_000.0, 5_300.0]})
    screen.look()
    x = screen.traces[0]["x"]
    assert set(range(5_000, 5_301)) <= set(x.tolist())
    assert (np.diff(x) > 0).all()
    assert len(x) < 2_000
    screen.say("sight", width=400, spans={})
    screen.look()
    assert len(screen.traces[0]["x"]) <= 2 * 401 + 1


def test_what_a_browser_holds_is_bounded_while_a_line_grows() -> None:
    figure = figure_of()
    screen = Screen(figure).hello()
    screen.say("sight", width=100, spans={})
    for n in range(1, 3_000, 7):
        grow(figure, n, keep=2_000, forming=float(n))
        screen.look()
        figure._lease.outbox._tokens = 25.0
        x = screen.traces[0]["x"]
        assert len(x) <= 310
        assert (np.diff(x) > 0).all()
        assert x[-1] == n


@pytest.mark.parametrize(
    "sight",
    [
        {},
        {"width": "wide", "spans": {}},
        {"width": True, "spans": {}},
        {"width": 400, "spans": []},
        {"width": 400, "spans": {"x": [1.0]}},
        {"width": 400, "spans": {"x": ["a", "b"]}},
        {"width": 400, "spans": {"x": [math.nan, 1.0]}},
        {"width": 400, "spans": {"yaxis": [0.0, 1.0]}},
    ],
)
def test_a_sight_that_makes_no_sense_is_not_heeded(sight: dict[str, object]) -> None:
    figure = figure_of()
    spike_at(figure, 10, 20_000)
    browser = Browser(figure).hello().acknowledge()
    browser.take()
    browser.say("sight", **sight)
    assert browser.messages == []


def test_markers_are_never_thinned() -> None:
    figure = figure_of(go.Scatter(mode="markers"))
    spike_at(figure, 10, 20_000)
    assert len(Screen(figure).hello().traces[0]["x"]) == 20_000


def test_only_the_provisional_point_is_sent_again() -> None:
    figure = figure_of()
    grow(figure, 100, forming=7.0)
    screen = Screen(figure).hello()
    grow(figure, 100, forming=8.0)
    screen.look()
    assert screen.n_bytes == 16
    assert list(screen.traces[0]["y"][-2:]) == [990.0, 8.0]
    grow(figure, 101, forming=9.0)
    screen.look()
    assert screen.n_bytes == 32
    assert list(screen.traces[0]["y"][-3:]) == [990.0, 1000.0, 9.0]


def test_nothing_is_sent_when_nothing_changed() -> None:
    figure = figure_of()
    grow(figure, 10, forming=1.0)
    browser = Browser(figure).hello().acknowledge()
    browser.take()
    grow(figure, 10, forming=1.0)
    figure.publish()
    assert browser.messages == []


def test_another_generation_sends_history_again() -> None:
    figure = figure_of()
    grow(figure, 10)
    screen = Screen(figure).hello()
    grow(figure, 5, generation=2)
    screen.look()
    assert list(screen.traces[0]["x"]) == [0, 1, 2, 3, 4]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["grow", "rewrite", "form", "settle", "restyle", "relayout", "read", "add"]),
        st.integers(0, 7),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_every_browser_ends_with_what_python_has_however_slow_it_reads(steps: list[tuple[str, int]]) -> None:
    figure = figure_of()
    quick, slow = Screen(figure, "quick").hello(), Screen(figure, "slow").hello()
    n, generation, forming = 0, 0, None
    for what, k in steps:
        if what == "grow":
            n += k
        elif what == "rewrite":
            n, generation = k, generation + 1
        elif what == "form":
            forming = float(k)
        elif what == "settle":
            forming = None
        elif what == "restyle":
            figure.data[0].line.width = k
        elif what == "relayout":
            figure.layout.bargap = k / 10
        elif what == "add":
            figure.add_scatter(y=np.arange(k, dtype=float))
        else:
            slow.look()
        grow(figure, n, generation=generation, keep=6, forming=forming)
        quick.look()
        figure._lease.outbox._tokens = 25.0  # the rate is tested elsewhere
    slow.look()
    figure.publish()
    quick.look()
    slow.look()
    for screen in (quick, slow):
        assert screen.layout.get("bargap") == figure.layout.bargap
        for shown, trace in zip(screen.traces, figure.data, strict=True):
            for name in ("x", "y"):
                if trace[name] is not None:
                    np.testing.assert_array_equal(shown[name], trace[name])
        assert screen.traces[0].get("line", {}).get("width") == figure.data[0].line.width


def test_what_a_removed_trace_held_is_let_go() -> None:
    figure = figure_of()
    column = np.arange(3.0)
    figure.stream(0, 1, 0, {"x": column, "y": column})
    held = weakref.ref(next(iter(figure._streams.values())).columns["x"])
    del column
    figure.data = []
    figure.add_scatter(y=[1.0])
    assert held() is None


def edits(figure: LiveFigure) -> dict[str, object]:
    return {
        "data": lambda: setattr(figure.data[0], "y", np.array([5.0, 6.0])),
        "style": lambda: figure.update_traces(opacity=0.5),
        "layout": lambda: figure.update_layout(bargap=0.3),
        "restyle": lambda: figure.plotly_restyle({"opacity": 0.25}, [0]),
        "relayout": lambda: figure.plotly_relayout({"bargap": 0.4}),
        "update": lambda: figure.plotly_update({"opacity": 0.1}, {"bargap": 0.1}),
        "add": lambda: figure.add_scatter(y=[1.0]),
        "delete": lambda: setattr(figure, "data", figure.data[:1]),
        "move": lambda: setattr(figure, "data", figure.data[::-1]),
        "shape": lambda: figure.add_hline(1.5),
        "new layout": lambda: setattr(figure, "layout", {"bargap": 0.7}),
    }


@pytest.mark.parametrize("name", list(edits(None)))  # type: ignore[arg-type]
def test_every_way_to_edit_a_figure_reaches_the_browser(name: str) -> None:
    figure = figure_of(go.Scatter(y=[1.0, 2.0], name="a"), go.Scatter(y=[3.0], name="b"))
    screen = Screen(figure).hello()
    edits(figure)[name]()  # type: ignore[operator]
    screen.look()
    assert [trace.get("opacity") for trace in screen.traces] == [trace.opacity for trace in figure.data]
    assert [trace.get("name") for trace in screen.traces] == [trace.name for trace in figure.data]
    assert [list(trace["y"]) for trace in screen.traces] == [list(trace.y) for trace in figure.data]
    assert screen.layout.get("bargap") == figure.layout.bargap
    assert len(screen.layout.get("shapes", [])) == len(figure.layout.shapes)


def test_a_batch_of_edits_is_one_message() -> None:
    figure = figure_of(go.Scatter(y=[1.0]))
    browser = Browser(figure).hello().acknowledge()
    browser.take()
    with figure.batch_update():
        figure.data[0].opacity = 0.5
        figure.data[0].name = "a"
        figure.layout.bargap = 0.2
    assert len(browser.messages) == 1


async def test_edits_of_one_turn_of_the_loop_are_one_message() -> None:
    figure = figure_of(go.Scatter(y=[1.0]))
    browser = Browser(figure).hello().acknowledge()
    browser.take()
    figure.data[0].opacity = 0.5
    figure.layout.bargap = 0.2
    await asyncio.sleep(0)
    assert [sorted(content["data"]) for content in browser.take()] == [["layout", "traces"]]


def test_no_trait_carries_data_or_plotly_or_can_be_written_by_a_viewer() -> None:
    figure = figure_of(go.Scatter(y=np.zeros(10_000)))
    state = {name: value for name, value in figure.get_state().items() if name not in ("_esm", "_css")}
    assert len(str(state)) < 10_000
    assert not [key for key in figure.keys if key.startswith(("_py2js", "_js2py", "_widget", "_config"))]
    figure.set_state(
        {"_js2py_restyle": {"style_data": {"opacity": 0.1}, "style_traces": 0, "source_view_id": ""}}
    )
    assert figure.data[0].opacity is None


def test_the_source_is_asked_only_when_a_browser_wants_to_know() -> None:
    asked: list[int] = []
    figure = figure_of(source=lambda: asked.append(1))
    figure.publish()
    assert asked == []
    Browser(figure).hello()
    assert asked == [1]
    figure.to_dict()
    assert asked == [1, 1]


def test_python_sees_the_streamed_columns() -> None:
    figure = figure_of()
    grow(figure, 3)
    assert list(figure.data[0].y) == [0, 10, 20]
    encoded = figure.to_dict()["data"][0]["x"]["bdata"]
    assert list(np.frombuffer(base64.b64decode(encoded))) == [0, 1, 2]


async def test_a_browser_that_asks_gets_plotly_s_own_bundle_compressed() -> None:
    figure = figure_of()
    browser = Browser(figure).hello()
    browser.take()
    arrived = asyncio.Event()
    hear = browser.widget.send
    browser.widget.send = lambda *message: (hear(*message), arrived.set())
    browser.say("bundle")
    await arrived.wait()
    content, (bundle,) = browser.messages[0]
    assert content == {"to": "page", "kind": "bundle"}
    assert gzip.decompress(bundle) == (files(plotly) / "package_data" / "widgetbundle.js").read_bytes()
    assert b"window.Plotly=" in gzip.decompress(bundle)


def test_what_a_viewer_moved_is_heard() -> None:
    figure, heard = figure_of(), []
    figure.on_relayout(heard.append)
    Browser(figure).hello().say("relayout", changes={"shapes[0].y0": 1.5, "xaxis2.range[1]": "2026-01-01"})
    assert heard == [{"shapes[0].y0": 1.5, "xaxis2.range[1]": "2026-01-01"}]


@pytest.mark.parametrize(
    "changes",
    [
        None,
        "shapes",
        [],
        {},
        {"shapes[0].y0": math.nan},
        {"shapes[0].y0": math.inf},
        {"shapes[0].y0": [1]},
        {"shapes[0].y0": True},
        {"xaxis.autorange": "yes"},
        {"shapes[0].y0": "x" * 41},
        {"title.text": "<b>"},
        {7: 1.0},
        {"shapes[0].fillcolor": "red"},
        {f"shapes[{i}].y0": 1.0 for i in range(33)},
    ],
)
def test_what_cannot_be_a_position_is_not_heard(changes: object) -> None:
    figure, heard = figure_of(), []
    figure.on_relayout(heard.append)
    Browser(figure).hello().say("relayout", changes=changes)
    assert heard == []


def test_words_are_sent_once_and_with_the_snapshot() -> None:
    figure = figure_of()
    screen = Screen(figure).hello()
    figure.say(label="flat", notice="wait")
    assert screen.look().words == {"label": "flat", "notice": "wait", "caption": ""}
    figure.say(label="flat", notice="wait")
    assert screen.messages == []
    assert Screen(figure, "later").hello().words["notice"] == "wait"
