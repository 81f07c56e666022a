"""A notebook that replays two minutes of a seeded market and then stands still, always the same."""

from __future__ import annotations

import nbformat

from tests.ui.conftest import ROOT

_CELL = f"""
import asyncio, sys
sys.path.insert(0, {str(ROOT)!r})
import ipywidgets
import quantnb as qn
from quantnb import view
from quantnb.view.lease import Lease
from tests.engine.market import market

session = qn.Session(feed="sim", window=20)
events = market(seed=7, seconds=120)
tasks = []

def fold(part):
    for event in part:
        session._engine.receive(event)
    session._take_snapshot()

async def fold_piece_by_piece():
    half = len(events) // 2
    fold(events[:half])
    for start in range(half, len(events), 40):
        await asyncio.sleep(0.2)
        fold(events[start : start + 40])

at_once = ipywidgets.Button(description="At once")
at_once.on_click(lambda _: fold(events))
in_pieces = ipywidgets.Button(description="In pieces")
in_pieces.on_click(lambda _: tasks.append(asyncio.get_running_loop().create_task(fold_piece_by_piece())))
# A lease of its own, which no viewer signs: so the page starts no feed.
ipywidgets.VBox([ipywidgets.HBox([at_once, in_pieces]), view.Page(session, lease=Lease())])
"""


def notebook() -> str:
    """Return it as the text of an .ipynb file."""
    return nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(_CELL)]))
