"""What the documents promise has a test: each one they name exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
RELIABILITY = ROOT / "docs" / "reliability.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
COLUMNS = ["Fault", "What we do", "What you see", "Test"]


def rows() -> list[list[str]]:
    """Return the cells of all rows of the promise, without heads and rules."""
    lines = [line for line in RELIABILITY.read_text("utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row != COLUMNS and set(row[0]) != {"-"}]


def functions(path: Path) -> set[str]:
    """Return the names of a module's functions."""
    if not path.is_file():
        return set()
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_promise_has_four_cells_and_names_a_test() -> None:
    promises = rows()
    assert len(promises) > 20
    assert [row for row in promises if len(row) != len(COLUMNS) or not all(row)] == []
    assert [row for row in promises if not NAMED.search(row[-1]) or NAMED.sub("", row[-1]).strip(", ")] == []


def test_every_test_that_is_named_exists() -> None:
    named = {found for row in rows() for found in NAMED.findall(row[-1])}
    missing = [f"{path}::{name}" for path, name in sorted(named) if name not in functions(ROOT / path)]
    assert missing == []
    assert all(name.startswith("test_") for _, name in named)


def test_a_test_that_does_not_exist_would_be_found() -> None:
    assert "test_every_test_that_is_named_exists" in functions(Path(__file__))
    assert "test_that_nobody_wrote" not in functions(Path(__file__))
    assert functions(ROOT / "tests" / "test_that_nobody_wrote.py") == set()
