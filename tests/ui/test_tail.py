"""The ends of lines, drawn without plotly: they are just what plotly would have drawn.

`tail.js` reads what is plotly's inside. When a version of plotly moves that, the first tests here say so; the
charts then are drawn by plotly alone, right but slower.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import plotly
import pytest
from playwright.sync_api import Page

from tests.ui.panels import wait_for_draws

PLOT = """
  <div id="plot" style="width: 600px; height: 400px"></div>
"""
# A line as LiveFigure has it: columns, and how many of their points will not change. None is not known.
SETUP = """
  const stream = (x, y, settled = x.length - 1, first = 0) => ({
    first, settled, columns: { x: Float64Array.from(x), y: Float64Array.from(y, (value) => value ?? NaN) },
  });
  const plot = document.getElementById("plot");
  const data = (props, streams) => streams.map(({ columns }, i) => ({ ...props[i], ...columns }));
  window.begin = async (props, layout, ...streams) => {
    Object.assign(window, { props, layout });
    const sized = { ...layout, width: 600, height: 400 };
    await Plotly.react(plot, data(props, streams), { ...sized, datarevision: Math.random() });
    window.tail = new Tail(plot);
    tail.restart(traces(streams));
  };
  const traces = (streams) => streams.map((one, i) => ({ props: props[i], stream: one }));
  window.places = () => [...plot.querySelectorAll(".points > path.point")].map((point) =>
    point.getAttribute("transform").match(/[-\\d.]+/g).map(Number));
  window.extend = (...streams) => tail.extend(traces(streams));
  window.paths = () => [...plot.querySelectorAll(".scatterlayer path")].map((path) => path.getAttribute("d"));
  window.stream = stream;
  window.plot = plot;
"""
X, Y = list(range(12)), [3, 5, 2, 2, 8, 7, 6, 9, 1, 4, 4, 5]
AXES = {"xaxis": {"range": [0, 20]}, "yaxis": {"range": [0, 10]}}
LINE = {"type": "scatter", "mode": "lines", "uid": "abc123", "line": {"simplify": False}}
STEPS = LINE | {"line": {"shape": "hv", "simplify": False}, "fill": "tozeroy"}


@pytest.fixture
def drawing(page: Page) -> Page:
    """A page with plotly, `tail.js` and nothing else."""
    static = files("quantnb.view") / "static"
    page.set_content(PLOT)
    page.add_script_tag(content=(files(plotly) / "package_data" / "plotly.min.js").read_text())
    scripts = [(static / name).read_text() for name in ("candles.js", "cells.js", "tail.js")]
    script = "".join(re.sub(r"^import .*\n", "", text, flags=re.MULTILINE) for text in scripts)
    page.add_script_tag(
        type="module", content=script + "Object.assign(window, { Tail, withHeadroom, hasSameCells });" + SETUP
    )
    page.wait_for_function("window.begin")
    return page


def begin(
    page: Page, props: dict[str, Any] | list[dict[str, Any]], layout: dict[str, Any], *streams: list[Any]
) -> None:
    page.evaluate(
        "([props, layout, streams]) => begin(props, layout, ...streams.map((args) => stream(...args)))",
        [props if isinstance(props, list) else [props] * len(streams), layout, list(streams)],
    )


def extend(page: Page, *streams: list[Any]) -> bool:
    return bool(
        page.evaluate(
            "streams => extend(...streams.map((args) => stream(...args)))",
            list(streams),
        )
    )


def paths(page: Page) -> list[str]:
    return list(page.evaluate("paths()"))


@pytest.mark.parametrize("props", [LINE, STEPS], ids=["line", "filled steps"])
@pytest.mark.parametrize("axis", ["linear", "date"])
def test_an_end_drawn_here_is_what_plotly_draws(drawing: Page, props: dict[str, Any], axis: str) -> None:
    x = [1.79e12 + 1000 * value for value in X] if axis == "date" else X
    span = [x[0], x[0] + 20 * (x[1] - x[0])]
    layout = {"xaxis": {"range": span, "type": axis}, "yaxis": {"range": [0, 10]}}
    begin(drawing, props, layout, [x[:6], Y[:6]])
    for n in (6, 7, 9, 12):
        assert extend(drawing, [x[:n], [*Y[: n - 1], 6.5], n - 1]), "plotly's inside is not where it was"
    assert extend(drawing, [x, Y, 11])
    drawn = paths(drawing)
    begin(drawing, props, layout, [x, Y])
    assert drawn == paths(drawing)


def test_old_points_may_have_gone_meanwhile(drawing: Page) -> None:
    begin(drawing, LINE, AXES, [X[:6], Y[:6]])
    assert extend(drawing, [X[:7], Y[:7], 6])
    assert extend(drawing, [X[4:], Y[4:], 11, 4])
    drawn = paths(drawing)
    begin(drawing, LINE, AXES, [X, Y])
    assert drawn == paths(drawing)


def test_a_hole_stays_a_hole(drawing: Page) -> None:
    y = [*Y[:7], None, *Y[8:]]
    begin(drawing, LINE, AXES, [X[:6], Y[:6]])
    assert extend(drawing, [X, y, 11])
    assert paths(drawing)[0].count("M") == 2


@pytest.mark.parametrize(
    ("props", "y", "is_done"),
    [(LINE, Y, False), (LINE, [], True), (LINE | {"visible": False}, Y, True)],
    ids=["points", "still none", "points that nobody shall see"],
)
def test_the_first_points_of_an_empty_line_are_left_to_plotly(
    drawing: Page, props: dict[str, Any], y: list[float], is_done: bool
) -> None:
    begin(drawing, props, AXES, [[], [], 0])
    assert extend(drawing, [X[: len(y)], y, len(y)]) is is_done


def test_what_plotly_has_drawn_anew_is_not_taken_for_ones_own(drawing: Page) -> None:
    begin(drawing, LINE, AXES, [X[:6], Y[:6]])
    assert extend(drawing, [X[:7], Y[:7], 6])
    drawing.evaluate("Plotly.relayout(plot, { 'xaxis.range': [-5, 30] })")
    assert extend(drawing, [X, Y, 11])
    drawn = paths(drawing)
    begin(drawing, LINE, AXES | {"xaxis": {"range": [-5, 30]}}, [X, Y])
    assert drawn == paths(drawing)


@pytest.mark.parametrize(
    ("props", "layout", "y"),
    [
        (LINE | {"mode": "lines+markers"}, AXES, 5),
        (LINE | {"line": {"shape": "spline"}}, AXES, 5),
        (LINE | {"fill": "tonexty"}, AXES, 5),
        (LINE | {"connectgaps": True}, AXES, 5),
        (LINE, AXES | {"yaxis": {"type": "log", "range": [0, 2]}}, 5),
        (LINE, AXES | {"yaxis": {"autorange": True}}, 9.9),
        (LINE, {"xaxis": {"autorange": True}, "yaxis": {"range": [0, 10]}}, 5),
        (STEPS, AXES, None),
    ],
    ids=[
        "markers",
        "a curve",
        "a band",
        "joined holes",
        "a log axis",
        "a new extreme",
        "beyond the edge",
        "a hole to fill",
    ],
)
def test_what_is_not_a_plain_line_in_its_place_is_left_to_plotly(
    drawing: Page, props: dict[str, Any], layout: dict[str, Any], y: float | None
) -> None:
    begin(drawing, props, layout, [X[:6], Y[:6]])
    assert not extend(drawing, [[*X[:7], 25], [*Y[:6], y, 5], 7])


EDGE = LINE | {"line": {"width": 0, "simplify": False}}
BAND = [EDGE | {"uid": "lower"}, EDGE | {"uid": "upper", "fill": "tonexty"}]


@pytest.mark.parametrize("n", [7, 12])
def test_the_area_between_two_lines_is_what_plotly_draws(drawing: Page, n: int) -> None:
    lower, upper = [value - 0.5 for value in Y], [value + 0.5 for value in Y]
    begin(drawing, BAND, AXES, [X[:6], lower[:6]], [X[:6], upper[:6]])
    assert extend(drawing, [X[:n], lower[:n], n], [X[:n], upper[:n], n]), (
        "plotly's inside is not where it was"
    )
    drawn = paths(drawing)
    begin(drawing, BAND, AXES, [X[:n], lower[:n]], [X[:n], upper[:n]])
    assert drawn[0].strip("Z") == paths(drawing)[0].strip("Z")


@pytest.mark.parametrize("y", [None, 30], ids=["a hole", "beyond the axis"])
def test_an_area_that_is_more_than_that_is_left_to_plotly(drawing: Page, y: float | None) -> None:
    begin(drawing, BAND, AXES, [X[:6], Y[:6]], [X[:6], Y[:6]])
    assert not extend(drawing, [X, Y, 12], [X, [*Y[:9], y, *Y[10:]], 12])


POINTS = {"type": "scatter", "mode": "markers", "uid": "points", "marker": {"size": 5, "color": "#123456"}}


@pytest.mark.parametrize("n", [4, 6, 12], ids=["fewer", "as many", "more"])
def test_points_stand_where_plotly_puts_them(drawing: Page, n: int) -> None:
    begin(drawing, POINTS, AXES, [X[:6], Y[:6]])
    x, y = [value + 0.25 for value in X[-n:]], [value - 0.25 for value in Y[-n:]]
    assert extend(drawing, [x, [None, *y[1:]], n]), "plotly's inside is not where it was"
    drawn = drawing.evaluate("places()")
    begin(drawing, POINTS, AXES, [x[1:], y[1:]])
    assert drawn == drawing.evaluate("places()")


def test_plotly_goes_on_with_points_that_were_added_here(drawing: Page) -> None:
    begin(drawing, POINTS, AXES, [X[:6], Y[:6]])
    assert extend(drawing, [X, Y, 12])
    begin(drawing, POINTS, AXES, [X[:5], Y[:5]])
    assert len(drawing.evaluate("places()")) == 5


@pytest.mark.parametrize(
    ("props", "y"),
    [
        (POINTS | {"marker": {"size": [5] * 12, "color": "red"}}, 5),
        (POINTS, 11),
        (POINTS | {"mode": "text"}, 5),
    ],
    ids=["of many sizes", "beyond the axis", "text"],
)
def test_other_points_are_left_to_plotly(drawing: Page, props: dict[str, Any], y: float) -> None:
    begin(drawing, props, AXES, [X[:6], Y[:6]])
    assert not extend(drawing, [X, [*Y[:-1], y], 12])


CANDLES = {
    "type": "candlestick",
    "uid": "candles",
    "increasing": {"line": {"color": "#00aa00", "width": 1}, "fillcolor": "#ffffff"},
    "decreasing": {"line": {"color": "#aa0000", "width": 1}, "fillcolor": "#aa0000"},
}
OPEN, CLOSE = [3, 5, 2, 2, 8, 7, 6, 6, 1, 4, 4, 4], [5, 2, 2, 8, 7, 6, 6, 1, 4, 4, 4, 5]
START_MS = 1_790_000_000_000
CANDLE_AXES = {
    "xaxis": {"type": "date", "range": [START_MS - 1e3, START_MS + 15e3], "rangeslider": {"visible": False}},
    "yaxis": {"range": [0, 10]},
}
_CANDLES = """([props, layout, n, close]) => {
  const [x, open, closes] = [n.map((k) => 1.79e12 + 1e3 * k), n.map((k) => OPEN[k]), n.map((k) => CLOSE[k])];
  if (close !== null) closes[closes.length - 1] = close;
  const high = n.map((_, k) => Math.max(open[k], closes[k]) + 0.5);
  const low = n.map((_, k) => Math.min(open[k], closes[k]) - 0.25);
  const columns = { x, open, high, low, close: closes };
  for (const name in columns) columns[name] = Float64Array.from(columns[name], (value) => value ?? NaN);
  return { first: n[0], settled: n.at(-1), columns };
}"""
_FORMS = """() => [...plot.querySelectorAll(".boxlayer path.box")].map((node) =>
  [node.getAttribute("d"), node.style.stroke, node.style.fill])"""


def candles(
    page: Page, call: str, n: range, close: float | None = None, axes: dict[str, Any] | None = None
) -> Any:
    """Begin or extend the chart with candles, of which the newest may be another one yet."""
    page.evaluate("([open, close]) => Object.assign(window, { OPEN: open, CLOSE: close })", [OPEN, CLOSE])
    make = f"const one = ({_CANDLES})([props, layout, n, close]);"
    calls = {
        "begin": "begin([props], layout, one)",
        "extend": "tail.extend([{ props, stream: one }])",
    }
    script = f"async ([props, layout, n, close]) => {{ {make} return {calls[call]}; }}"
    return page.evaluate(script, [CANDLES, axes or CANDLE_AXES, list(n), close])


def test_candles_drawn_here_are_what_plotly_draws(drawing: Page) -> None:
    candles(drawing, "begin", range(6))
    for n in (6, 7, 8, 8, 10, 12):
        assert candles(drawing, "extend", range(n), 3.25), "plotly's inside is not where it was"
    assert candles(drawing, "extend", range(12))
    drawn = drawing.evaluate(_FORMS)
    candles(drawing, "begin", range(12))
    assert drawn == drawing.evaluate(_FORMS)


def test_old_candles_may_have_gone_meanwhile(drawing: Page) -> None:
    candles(drawing, "begin", range(7))
    assert candles(drawing, "extend", range(3, 12))
    drawn = drawing.evaluate(_FORMS)
    candles(drawing, "begin", range(12))
    assert drawn == drawing.evaluate(_FORMS)


def test_plotly_goes_on_with_candles_that_were_added_here(drawing: Page) -> None:
    candles(drawing, "begin", range(6))
    assert candles(drawing, "extend", range(12))
    candles(drawing, "begin", range(8))
    assert len(drawing.evaluate(_FORMS)) == 8


@pytest.mark.parametrize(
    ("n", "close", "axes"),
    [
        (7, 11, CANDLE_AXES),
        (12, 5, CANDLE_AXES | {"xaxis": CANDLE_AXES["xaxis"] | {"range": [START_MS, START_MS + 6e3]}}),
        (7, 5, CANDLE_AXES | {"yaxis": {"type": "log", "range": [0, 1]}}),
    ],
    ids=["beyond the axis", "beyond the edge", "a log axis"],
)
def test_other_candles_are_left_to_plotly(drawing: Page, n: int, close: float, axes: dict[str, Any]) -> None:
    candles(drawing, "begin", range(6), axes=axes)
    assert not candles(drawing, "extend", range(n), close, axes=axes)


def test_a_colour_that_no_candle_has_yet_is_left_to_plotly(drawing: Page) -> None:
    candles(drawing, "begin", range(1))
    assert not candles(drawing, "extend", range(2))


NAMES = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
MATRIX = {
    "type": "heatmap",
    "uid": "matrix",
    "x": NAMES,
    "y": NAMES,
    "z": [[1, 0.5, 0.25], [0.5, 1, -0.25], [0.25, -0.25, 1]],
    "text": [[f'0.{k}<br><span style="font-size: 9px">n = {k}</span>' for k in range(3)]] * 3,
    "texttemplate": "%{text}",
    "textfont": {"size": 12, "color": "black"},
    "zmin": -1,
    "zmax": 1,
    "colorscale": [[0, "#b2182b"], [0.5, "#f7f7f7"], [1, "#2166ac"]],
    "xgap": 2,
    "ygap": 2,
}
CATEGORIES = {"xaxis": {"type": "category"}, "yaxis": {"type": "category", "autorange": "reversed"}}
NEXT = {
    "z": [[1, -0.9, 0.1], [-0.9, 1, 2], [0.1, 2, None]],
    "text": [[f'−0.{k}{k}<br><span style="font-size: 9px">n = 1{k}</span>' for k in range(3)]] * 3,
}
_PICTURE = """async () => {
  const image = plot.querySelector(".heatmaplayer image");
  const picture = Object.assign(new Image(), { src: image.href.baseVal });
  await picture.decode();
  const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  const labels = Array.from(plot.querySelectorAll(".heatmap-label text"), (label) => label.textContent);
  const place = ["x", "y", "width", "height"].map((name) => image.getAttribute(name));
  return [Array.from(canvas.getImageData(0, 0, picture.width, picture.height).data), labels, place];
}"""


def begin_matrix(page: Page, matrix: dict[str, Any]) -> None:
    page.evaluate(
        """async ([matrix, layout]) => {
          const sized = { ...layout, width: 600, height: 400, datarevision: Math.random() };
          await Plotly.react(plot, [matrix], sized);
          window.tail = new Tail(plot);
          tail.restart([{ props: matrix }]);
        }""",
        [matrix, CATEGORIES],
    )


def extend_matrix(page: Page, matrix: dict[str, Any]) -> bool:
    return bool(page.evaluate("(props) => tail.extend([{ props }])", matrix))


@pytest.mark.parametrize("gap", [2, 3])
def test_a_matrix_in_new_colours_is_what_plotly_draws(drawing: Page, gap: int) -> None:
    matrix = MATRIX | {"xgap": gap, "ygap": gap, "zsmooth": False}
    begin_matrix(drawing, matrix)
    before = drawing.evaluate(_PICTURE)
    assert extend_matrix(drawing, matrix | NEXT), "plotly's inside is not where it was"
    drawn = drawing.evaluate(_PICTURE)
    begin_matrix(drawing, matrix | NEXT)
    assert drawn == drawing.evaluate(_PICTURE)
    assert drawn != before


@pytest.mark.parametrize(
    "changes",
    [
        {"text": [["0.1"] * 3] * 3},
        {"text": [[""] * 3] * 3},
        {"text": [["a<br>b&amp;"] * 3] * 3},
        {"text": [["a<br>b", "c<br>d"]] * 3, "z": [[1, 2]] * 3},
    ],
    ids=["other lines", "no labels", "more than plain text", "other cells"],
)
def test_another_matrix_is_left_to_plotly(drawing: Page, changes: dict[str, Any]) -> None:
    begin_matrix(drawing, MATRIX)
    assert not extend_matrix(drawing, MATRIX | changes)


def test_cells_without_a_gap_are_left_to_plotly(drawing: Page) -> None:
    matrix = MATRIX | {"xgap": 0, "ygap": 0}
    begin_matrix(drawing, matrix)
    assert not extend_matrix(drawing, matrix | NEXT)


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        (NEXT, True),
        ({"customdata": [[[1]]]}, True),
        ({"x": NAMES[::-1]}, False),
        ({"zmax": 2}, False),
        ({"z": [[1]]}, False),
        ({"visible": False}, False),
        ({"type": "scatter"}, False),
    ],
)
def test_only_numbers_and_words_of_a_matrix_may_change_in_place(
    drawing: Page, changes: dict[str, Any], is_same: bool
) -> None:
    assert drawing.evaluate("([a, b]) => hasSameCells(a, b)", [MATRIX, MATRIX | changes]) is is_same


def test_an_axis_that_follows_has_room_at_the_live_edge(drawing: Page) -> None:
    end = drawing.evaluate("""async () => {
      const traces = [{ props: { mode: "lines" }, stream: stream([0, 1000], [1, 2]) }];
      await Plotly.newPlot(plot, [{ mode: "lines", ...traces[0].stream.columns }], withHeadroom({}, traces));
      return plot._fullLayout.xaxis.range[1];
    }""")
    assert 1_005 < end < 1_100


def test_a_line_out_of_sight_costs_nothing_and_plotly_nothing(drawing: Page) -> None:
    begin(drawing, LINE, {"xaxis": {"range": [1, 3]}, "yaxis": {"range": [0, 10]}}, [X[:6], Y[:6]])
    before = paths(drawing)
    assert extend(drawing, [X, Y, 11])
    assert paths(drawing) == before


def test_the_dashboard_draws_most_of_its_prices_so(live: Page) -> None:
    figure = live.locator(".qnb-price .qnb-figure")
    wait_for_draws(live, ".qnb-price", 8)
    live.wait_for_function(
        "([figure, before]) => Number(figure.dataset.tailDraws) >= before + 8",
        arg=[figure.element_handle(), int(figure.get_attribute("data-tail-draws") or 0)],
    )
    draws, tails = (int(figure.get_attribute(f"data-{name}") or 0) for name in ("draws", "tail-draws"))
    assert tails > 0.3 * draws
