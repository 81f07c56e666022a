"""How charts look: colours that the browser resolves, one template, and words made safe for plotly.

A colour here is the name of a CSS variable. ``static/figure.css`` gives each a value for light and for dark,
and the browser puts it in when it draws, so that a change of JupyterLab's theme needs nothing of the kernel.
The lines' colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which people with any
colour vision can tell apart; lines differ by dash as well, so that colour is never the only sign.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = [
    "BAND",
    "CONFIG",
    "DASHES",
    "DIVERGING",
    "FAINT",
    "FALLING",
    "GAP",
    "INK",
    "LINES",
    "MUTED",
    "RISING",
    "SURFACE",
    "TEMPLATE",
    "TIME_AXIS",
    "escape",
    "line_style",
    "pane_name",
    "row_axes",
]

INK: Final = "var(--qnb-ink)"
MUTED: Final = "var(--qnb-muted)"
FAINT: Final = "var(--qnb-faint)"
GAP: Final = "var(--qnb-gap)"
BAND: Final = "var(--qnb-band)"
SURFACE: Final = "var(--qnb-surface)"
RISING: Final = "var(--qnb-rising)"
FALLING: Final = "var(--qnb-falling)"
LINES: Final = tuple(f"var(--qnb-line-{i})" for i in range(6))
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
DIVERGING: Final = (
    (0.0, "var(--qnb-negative)"),
    (0.5, "var(--qnb-neutral)"),
    (1.0, "var(--qnb-positive)"),
)

CONFIG: Final[dict[str, Any]] = {
    "displaylogo": False,
    "displayModeBar": "hover",
    "modeBarButtonsToRemove": ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
    "responsive": False,  # the figure measures its own place, see static/live_figure.js
    "showSendToCloud": False,
    "typesetMath": False,  # names come from the exchange and are never markup
    "scrollZoom": True,
}

_AXIS: Final[dict[str, Any]] = {
    "automargin": True,
    "gridcolor": "var(--qnb-grid)",
    "linecolor": "var(--qnb-grid)",
    "zeroline": False,
    "ticks": "",
    "ticklabelstandoff": 4,
    "tickfont": {"size": 11},
    "separatethousands": True,
    "exponentformat": "none",
    "title": {"font": {"size": 11}, "standoff": 10},
}

# The day stands in the hover: as a second line under one of the labels it would make the chart jump.
TIME_AXIS: Final[dict[str, Any]] = {
    "type": "date",
    "hoverformat": "%b %-d, %H:%M:%S UTC",
    "title": {"text": "UTC", "standoff": 2},  # plotly knows no other clock
    "tickangle": 0,
    "tickformatstops": [
        {"dtickrange": [None, 999], "value": "%H:%M:%S.%1f"},
        {"dtickrange": [1_000, 59_999], "value": "%H:%M:%S"},
        {"dtickrange": [60_000, 86_399_999], "value": "%H:%M"},
        {"dtickrange": [86_400_000, None], "value": "%b %-d"},
    ],
}

TEMPLATE: Final[dict[str, Any]] = {
    "layout": {
        "colorway": list(LINES),
        "font": {"family": "var(--qnb-font)", "size": 11, "color": INK},
        "hoverlabel": {
            "bgcolor": "var(--qnb-surface)",
            "bordercolor": "var(--qnb-grid)",
            "font": {"family": "var(--qnb-font)", "size": 11, "color": INK},
        },
        "hovermode": "x unified",
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1,
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"size": 11},
            "itemwidth": 36,  # wide enough to tell the dashes apart
        },
        "margin": {"l": 4, "r": 8, "t": 24, "b": 4},
        "modebar": {
            "bgcolor": SURFACE,  # it covers the pane's name while it shows
            "color": MUTED,
            "activecolor": INK,
            "orientation": "h",
        },
        "dragmode": "zoom",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        # Labels at the ends must not push the plot aside as they come by.
        "xaxis": {
            **_AXIS,
            "automargin": "height",
            "spikecolor": MUTED,
            "spikedash": "dot",
            "spikethickness": 1,
        },
        "yaxis": {**_AXIS, "automargin": "width", "side": "right"},
    },
}


def escape(text: str) -> str:
    """Make text from outside plain for plotly, which reads a little HTML in names, labels and hover.

    >>> escape("<b>BTC & co</b>")
    '&lt;b&gt;BTC &amp; co&lt;/b&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def line_style(i: int, *, width: float = 1.5) -> dict[str, Any]:
    """Return colour, dash and width of the ``i``-th line of a chart."""
    return {"color": LINES[i % len(LINES)], "dash": DASHES[i % len(DASHES)], "width": width}


def pane_name(text: str, axis: str = "y") -> dict[str, Any]:
    """Return the annotation that names a pane and its unit, above the upper end of its axis."""
    return {
        "text": text,
        "font": {"size": 11, "color": MUTED},
        "showarrow": False,
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "yref": f"{axis} domain",
        "y": 1,
        "yanchor": "bottom",
    }


def row_axes(heights: tuple[float, ...], *, gap: float = 0.1) -> dict[str, Any]:
    """Return a layout of panes stacked over one time axis, the first on top.

    Parameters
    ----------
    heights
        Share of each pane; scaled to fill the figure.
    gap
        Share of the figure between two panes.
    """
    axes: dict[str, Any] = {}
    usable = 1.0 - gap * (len(heights) - 1)
    top = 1.0
    for row, height in enumerate(heights, start=1):
        bottom = max(0.0, top - usable * height / sum(heights))
        axes[f"yaxis{row if row > 1 else ''}"] = {"domain": [bottom, top], "anchor": "x"}
        top = bottom - gap
    lowest = f"y{len(heights) if len(heights) > 1 else ''}"
    axes["xaxis"] = {**TIME_AXIS, "anchor": lowest}
    return axes
