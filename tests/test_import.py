"""What ``import quantnb`` does: nothing, quickly and without a word."""

from __future__ import annotations

import subprocess
import sys

import pytest

import quantnb

HEAVY = ("IPython", "httpx", "ipywidgets", "numpy", "pandas", "plotly", "statsmodels", "voila", "websockets")
BUDGET_S = 0.4


def fresh(code: str) -> str:
    """Run code in a new interpreter in which every warning is an error; return what it printed."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return ran.stdout


def test_the_import_is_silent() -> None:
    assert fresh("import quantnb") == ""


def test_the_import_is_quick() -> None:
    # Processor time rather than the wall's, and the best of three: what else the machine does is not ours.
    code = "import time; t = time.process_time(); import quantnb; print(time.process_time() - t)"
    assert min(float(fresh(code)) for _ in range(3)) < BUDGET_S


@pytest.mark.parametrize("module", ["quantnb", "quantnb.cli"])
def test_the_import_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({set(HEAVY)!r} & set(sys.modules)))"
    assert fresh(code).split() == []


def test_the_import_starts_nothing() -> None:
    code = """
import sys
opened = []
kinds = ("socket", "subprocess")
sys.addaudithook(lambda event, args: event.startswith(kinds) and opened.append(event))
import asyncio, threading, quantnb, quantnb.cli
print(*opened, threading.active_count())
"""
    assert fresh(code).split() == ["1"]


def test_statistics_do_not_load_statsmodels_before_they_need_it() -> None:
    assert fresh("import sys, quantnb; quantnb.hedge_ratio; print('statsmodels' in sys.modules)") == "False\n"


@pytest.mark.parametrize("name", quantnb.__all__)
def test_every_promised_name_is_there(name: str) -> None:
    assert getattr(quantnb, name) is not None
    assert name in dir(quantnb)


def test_functions_stay_functions_when_their_modules_are_loaded() -> None:
    code = "import quantnb, quantnb.stats.spread, quantnb.stats.zscore; print(callable(quantnb.spread))"
    assert fresh(code) == "True\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'sesion'"):
        quantnb.sesion  # noqa: B018
