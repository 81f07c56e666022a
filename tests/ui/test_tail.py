"""The ends of lines, drawn without plotly: they are just what plotly would have drawn.

`tail.js` reads what is plotly's inside. When a version of plotly moves that, the first tests here say so; the
charts then are drawn by plotly alone, right but slower.
"""

from __future__ import annotations

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
    script = (static / "tail.js").read_text() + "window.withHeadroom = withHeadroom;" + SETUP
    page.add_script_tag(type="module", content=script)
    page.wait_for_function("window.begin")
    return page


def begin(page: Page, props: dict[str, Any], layout: dict[str, Any], *streams: list[Any]) -> None:
    page.evaluate(
        "([props, layout, streams]) => begin(props, layout, ...streams.map((args) => stream(...args)))",
        [[props] * len(streams), layout, list(streams)],
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
