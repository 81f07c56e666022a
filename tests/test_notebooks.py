"""The notebooks: stored bare, without logic, and running from top to bottom."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from quantnb.exchange import LocalExchange

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
NAMES = ("dashboard", "explore")
RUN_TIMEOUT_S = 120


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def test_these_are_all() -> None:
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_stored_without_outputs_and_widget_state(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert "widgets" not in notebook.metadata
    assert "application/vnd.jupyter" not in json.dumps(notebook)


def test_the_dashboard_only_names_widgets_and_places_them() -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
    for cell in read("dashboard").cells:
        for statement in ast.parse(cell.source).body:
            assert isinstance(statement, allowed), cell.source
            if isinstance(statement, ast.Assign | ast.Expr):
                assert isinstance(statement.value, ast.Call), cell.source


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.timeout(2 * RUN_TIMEOUT_S)
async def test_runs_from_top_to_bottom(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with LocalExchange(seed=7) as exchange:
        monkeypatch.setenv("QUANTNB_FEED", exchange.address)
        client = NotebookClient(read(name), timeout=RUN_TIMEOUT_S, kernel_name="python3")
        ran = await client.async_execute(env=dict(os.environ))
    shown = [output for cell in ran.cells for output in cell.get("outputs", ())]
    assert any("application/vnd.jupyter.widget-view+json" in output.get("data", ()) for output in shown)
    said = [output.text for output in shown if output.output_type == "stream" and output.name == "stderr"]
    assert not said, "a cell that warns teaches readers to overlook warnings"
