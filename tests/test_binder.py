"""``binder/``, walked the way repo2docker walks it: fresh environment, install, postBuild, start."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import sync_playwright

from tests.ui.conftest import CHROMIUM_FLAGS, executable

ROOT = Path(__file__).resolve().parents[1]
BINDER = ROOT / "binder"
URL_PATH = "voila/render/notebooks/dashboard.ipynb"  # as in the badge's ?urlpath=
PATIENCE_S = 900

pytestmark = pytest.mark.timeout(PATIENCE_S)


def test_only_files_that_repo2docker_reads() -> None:
    assert {path.name for path in BINDER.iterdir()} == {
        "postBuild",
        "requirements.txt",
        "runtime.txt",
        "start",
    }
    assert not (ROOT / ".binder").exists()  # both would be an error


def test_the_requirements_install_this_repository() -> None:
    assert "." in (BINDER / "requirements.txt").read_text().split()
    assert (BINDER / "runtime.txt").read_text().strip() == "python-3.12"


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_can_be_run(name: str) -> None:
    script = BINDER / name
    assert script.stat().st_mode & stat.S_IXUSR
    assert script.read_text().startswith("#!/bin/bash\n")


def test_a_failing_step_fails_the_build_and_start_hands_over() -> None:
    assert "set -e\n" in (BINDER / "postBuild").read_text()
    assert (BINDER / "start").read_text().endswith('exec "$@"\n')


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of the repository and an environment in which the steps of the build have been run."""
    home = tmp_path_factory.mktemp("binder")
    repository, environment = home / "repository", home / "environment"
    kept = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    for name in filter(lambda name: (ROOT / name).is_file(), kept):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, repository / name)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    variables = os.environ | {
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(environment),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "QUANTNB_FEED": "sim",
    }
    steps = (
        ["pip", "install", "--quiet", "--no-cache-dir", "-r", "binder/requirements.txt"],
        ["binder/postBuild"],
    )
    for step in steps:
        built = subprocess.run(
            step, cwd=repository, env=variables, capture_output=True, text=True, check=False
        )
        assert built.returncode == 0, built.stdout + built.stderr
    return repository, variables


def test_an_installed_package_brings_notebook_and_template(image: tuple[Path, dict[str, str]]) -> None:
    repository, variables = image
    code = "from quantnb.server import notebook_path; print(notebook_path())"
    ran = subprocess.run(
        ["python", "-c", code],
        cwd=repository.parent,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    notebook = Path(ran.stdout.strip())
    assert notebook.is_relative_to(variables["VIRTUAL_ENV"])
    assert notebook.read_text() == (repository / "notebooks" / "dashboard.ipynb").read_text()
    templates = Path(variables["VIRTUAL_ENV"]) / "share" / "jupyter" / "voila" / "templates"
    assert (templates / "quantnb" / "index.html.j2").is_file()


@pytest.fixture(scope="module")
def server(image: tuple[Path, dict[str, str]]) -> Iterator[tuple[str, str]]:
    """The address and the token of the server, started through ``binder/start``."""
    repository, variables = image
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    token = uuid4().hex
    command = ["binder/start", "jupyter", "server", "--allow-root", "--no-browser", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    log = (repository.parent / "server.log").open("w")
    process = subprocess.Popen(command, cwd=repository, env=variables, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}/"
    try:
        while not answers(f"{address}api"):
            assert process.poll() is None, Path(log.name).read_text()
            time.sleep(0.1)
        yield address, token
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def test_the_dashboard_shows(server: tuple[str, str]) -> None:
    address, token = server
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(CHROMIUM_FLAGS))
        page = browser.new_page()
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.goto(f"{address}{URL_PATH}?token={token}", wait_until="commit")
        page.locator(".qnb-status[data-state=simulated]").wait_for(timeout=120_000)
        page.locator(".qnb-tile[data-tile=ticks]").wait_for()
        assert page.title() == "quantnb"
        assert not [url for url in requested if url.startswith("http") and not url.startswith(address)]
        browser.close()
    kernels = httpx.get(f"{address}api/kernels", params={"token": token}).json()
    assert len(kernels) == 1
