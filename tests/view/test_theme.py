from __future__ import annotations

import re
from importlib.resources import files
from itertools import pairwise

import plotly.graph_objects as go
import pytest

from quantnb.view import theme


def test_text_from_outside_is_plain_for_plotly() -> None:
    assert theme.escape('<a href="x">&') == '&lt;a href="x"&gt;&amp;'


def test_every_colour_has_a_value_in_the_style_sheet() -> None:
    sheet = (files("quantnb.view") / "static" / "figure.css").read_text(encoding="utf-8")
    used = set(re.findall(r"var\((--qnb-[\w-]+)\)", str([vars(theme)[name] for name in theme.__all__])))
    assert len(used) > 10
    assert used <= set(re.findall(r"(--qnb-[\w-]+):", sheet))


def test_plotly_knows_every_setting_of_the_template() -> None:
    go.Figure(layout={"template": theme.TEMPLATE})


def test_no_button_sends_a_chart_to_another_host() -> None:
    assert "sendChartToCloud" in theme.CONFIG["modeBarButtonsToRemove"]
    assert theme.CONFIG["showSendToCloud"] is False


def test_two_lines_differ_by_more_than_colour() -> None:
    styles = [theme.line_style(i) for i in range(6)]
    assert len({style["dash"] for style in styles}) == len({style["color"] for style in styles}) == 6


@pytest.mark.parametrize("heights", [(1.0,), (1.0, 1.0), (3.0, 1.0), (3.0, 2.0, 1.0)])
def test_panes_fill_the_figure_from_the_top_and_do_not_overlap(heights: tuple[float, ...]) -> None:
    axes = theme.row_axes(heights)
    domains = [axis["domain"] for name, axis in axes.items() if name.startswith("yaxis")]
    assert domains[0][1] == 1.0
    assert domains[-1][0] == pytest.approx(0.0)
    assert all(above[0] > below[1] for above, below in pairwise(domains))
    go.Figure(layout=axes)
