"""A notebook with charts in the two panels of a Tab, each a line of 20,000 points that grows."""

from __future__ import annotations

import nbformat

DETAIL = 0.5  # of one point in the middle; the others go up and down by 1
N_POINTS = 20_000

_CELL = f"""
import asyncio
import ipywidgets, numpy as np
import plotly.graph_objects as go
from quantnb.view import LiveFigure

N, ROOM = {N_POINTS}, 100_000
x = np.arange(N + ROOM, dtype=float)
y = np.where(x % 2, 1.0, -1.0)
y[N // 2] = {DETAIL}

figures = [LiveFigure([go.Scatter(mode="lines")]) for _ in range(3)]
places = [ipywidgets.Box([figure], layout={{"width": "100%"}}) for figure in figures]
for place, name in zip(places, ("one", "two", "three")):
    place.add_class(f"qnb-{{name}}")

def grow_to(n):
    for figure in figures:
        figure.stream(0, "the only history", 0, {{"x": x[:n], "y": y[:n]}})

async def grow():
    for n in range(N, N + ROOM):
        grow_to(n)
        await asyncio.sleep(0.2)

grow_to(N)
task = asyncio.get_running_loop().create_task(grow())
ipywidgets.Tab([places[0], ipywidgets.VBox(places[1:])], titles=("One", "Two and three"))
"""


def notebook() -> str:
    """Return it as the text of an .ipynb file; it names its kernel, so that JupyterLab does not ask."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cell = nbformat.v4.new_code_cell(_CELL)
    return nbformat.writes(nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel}))
