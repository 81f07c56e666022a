"""What a user can call is explained: docs/statistics.md has an entry for every statistic."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import quantnb
from quantnb import stats

PAGE = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text("utf-8")
STATISTICS = [name for name in quantnb.__all__ if inspect.isfunction(getattr(stats, name, None))]
ENTRIES = re.split(r"^### ", PAGE, flags=re.M)[1:]


@pytest.mark.parametrize("name", STATISTICS)
def test_every_statistic_has_an_entry(name: str) -> None:
    assert any(f"`{name}`" in entry.partition("\n")[0] for entry in ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.partition("\n")[0])
def test_every_entry_says_when_not_to_believe_it(entry: str) -> None:
    assert re.search(r"[Dd]o not believe|\*\*Do not believe", entry)


def test_every_name_in_a_heading_can_be_called() -> None:
    named = {name for entry in ENTRIES for name in re.findall(r"`(\w+)`", entry.partition("\n")[0])}
    assert [name for name in sorted(named) if not inspect.isfunction(getattr(stats, name, None))] == []
