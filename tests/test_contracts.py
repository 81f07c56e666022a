"""Who may import whom: the contracts in ``pyproject.toml``, checked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def contracts(root: Path) -> subprocess.CompletedProcess[str]:
    command = [
        Path(sys.executable).with_name("lint-imports"),
        "--config",
        ROOT / "pyproject.toml",
        "--no-cache",
    ]
    return subprocess.run(
        command, cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
    )


def test_the_contracts_are_kept() -> None:
    checked = contracts(ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("engine/engine.py", "import time"),
        ("stats/zscore.py", "import asyncio"),
        ("feed/decode.py", "from pathlib import Path"),
        ("view/status.py", "from quantnb.live import client"),
        ("exchange/server.py", "from quantnb.session import Session"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, module: str, line: str) -> None:
    """The linter sees the copied package, so that this test does not touch the real one."""
    for source in (ROOT / "quantnb").rglob("*.py"):
        copy = tmp_path / "quantnb" / source.relative_to(ROOT / "quantnb")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.read_text())
    breached = tmp_path / "quantnb" / module
    breached.write_text(breached.read_text() + f"\n{line}\n")
    checked = contracts(tmp_path)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "BROKEN" in checked.stdout
