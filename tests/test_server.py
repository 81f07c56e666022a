"""The dashboard's server, running in the test's own event loop so that its settings can be read back."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import nbformat
import psutil
import pytest
import pytest_asyncio
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from nbformat.v4 import new_code_cell, new_notebook
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from quantnb.errors import InvalidSettingError, QuantnbError
from quantnb.server import (
    DEFAULT_PORT,
    KERNEL_PROTOCOL,
    SETTINGS,
    DashboardServer,
    bind,
    is_kernel_frame,
    notebook_path,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # jupyter_client's sockets, closed by its own garbage collection after a kernel has ended
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

STREAMING = """
import asyncio
from ipywidgets import IntText
number = IntText()
async def stream():
    while True:
        number.value += 1
        await asyncio.sleep(0.05)
task = asyncio.create_task(stream())
SECRET_IN_SOURCE = 1
number
"""
ENDING = """
import asyncio
from quantnb.view.kernel import end_kernel, started_by_voila
assert started_by_voila()
asyncio.get_running_loop().call_later(1, end_kernel)
"""
FAILING = "raise ValueError('SECRET' + '_IN_ERROR')"


class Served:
    """A running server and its address."""

    def __init__(self, server: DashboardServer) -> None:
        self.server = server
        self.url = server.display_url
        self.http = httpx.AsyncClient(base_url=self.url, timeout=30)

    async def open(self) -> str:
        """Load the page as a browser does; return the id of its kernel."""
        page = (await self.http.get("/")).text
        found = re.search(r'"kernelId": "([^"]+)"', page)
        assert found, page
        return found[1]

    def socket(self, kernel_id: str, *protocols: str) -> connect:
        address = f"ws://127.0.0.1:{self.server.port}/api/kernels/{kernel_id}/channels?session_id={uuid4()}"
        return connect(address, subprotocols=[Subprotocol(name) for name in protocols], max_size=None)

    async def gone(self, kernel_id: str) -> None:
        async with asyncio.timeout(60):
            while kernel_id in self.server.kernel_manager:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def serving(tmp_path: Path, source: str, **kernels: Any) -> AsyncIterator[Served]:
    """Serve a notebook of one cell from the running event loop."""
    notebook = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "", "language": ""}})
    notebook.cells = [new_code_cell(source)]
    nbformat.write(notebook, tmp_path / "page.ipynb")
    (tmp_path / "picture.png").write_bytes(b"png")
    with bind("127.0.0.1", 0) as listening:
        server = DashboardServer(listening, {"MappingKernelManager": kernels})
        before = signal.getsignal(signal.SIGTERM)
        server.initialize([str(tmp_path / "page.ipynb")])
        signal.signal(signal.SIGTERM, before)
        server.start()
        served = Served(server)
        try:
            yield served
        finally:
            await served.http.aclose()
            server.http_server.stop()
            await server.http_server.close_all_connections()
            await server.kernel_manager.shutdown_all(now=True)
            server.kernel_manager.context.destroy(linger=0)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serving(tmp_path_factory.mktemp("served"), STREAMING) as served:
        yield served


async def test_a_running_server_has_the_settings(served: Served) -> None:
    server, page, kernels = served.server, served.server.voila_configuration, served.server.kernel_manager
    assert server.ip == "127.0.0.1"
    assert page.strip_sources
    assert not page.show_tracebacks
    assert page.file_allowlist == []
    assert (page.allow_template_override, page.allow_theme_override) == ("NO", "NO")
    assert page.template == "quantnb"
    assert not kernels.buffer_offline_messages
    assert (kernels.cull_idle_timeout, kernels.cull_interval, kernels.cull_connected) == (120, 30, False)
    assert set(kernels.allowed_message_types) == {
        "comm_close", "comm_info_request", "comm_msg", "comm_open", "kernel_info_request", "shutdown_request",
    }  # fmt: skip


async def test_a_page_shows_no_source(served: Served) -> None:
    page = await served.http.get("/")
    assert page.status_code == 200
    assert "SECRET_IN_SOURCE" not in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_page_names_no_other_host(served: Served) -> None:
    page = (await served.http.get("/")).text
    missing = (await served.http.get("/no/such/page", follow_redirects=True)).text
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert any("theme-dark.css" in url for url in loaded)
    assert not re.findall(r'(?:src|href)="((?:https?:)?//[^"]*)"', page + missing)
    assert "https://" not in page.replace(json.dumps("https://cdnjs.cloudflare.com"), "")


async def test_pages_and_scripts_come_compressed(served: Served) -> None:
    async with served.http.stream("GET", "/") as page:
        assert page.headers["Content-Encoding"] == "gzip"
        body = "".join([part async for part in page.aiter_text()])
    script = re.search(r'src="([^"]+voila\.js[^"]*)"', body) or re.search(r'"(/voila/static/[^"]+\.js)', body)
    assert script, body
    async with served.http.stream("GET", script[1]) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Encoding"] == "gzip"


async def test_template_and_theme_cannot_be_chosen_by_the_address(served: Served) -> None:
    page = (await served.http.get("/?template=reveal&theme=dark")).text
    assert "Starting the kernel" in page
    assert 'data-jp-theme-light="true"' in page


@pytest.mark.parametrize("name", ["page.ipynb", "picture.png", "../server.py", "%2e%2e/page.ipynb"])
async def test_no_file_of_the_folder_is_served(served: Served, name: str) -> None:
    assert (await served.http.get(f"/voila/files/{name}", follow_redirects=True)).status_code in (403, 404)
    assert (await served.http.get(f"/{name}", follow_redirects=True)).status_code in (403, 404)


async def test_no_kernel_can_be_started_listed_or_restarted_over_http(served: Served) -> None:
    kernel_id = await served.open()
    headers = {"Cookie": "_xsrf=x", "X-XSRFToken": "x"}
    for path in ("api/kernels", f"api/kernels/{kernel_id}/restart", f"api/kernels/{kernel_id}/interrupt"):
        assert (await served.http.post(path, headers=headers)).status_code in (403, 404, 405)


FORBIDDEN = (
    "execute_request", "inspect_request", "complete_request", "history_request", "is_complete_request",
    "debug_request", "input_reply", "interrupt_request", "create_subshell_request", "usage_request",
)  # fmt: skip


async def test_what_a_viewer_asks_the_kernel_to_run_is_ignored(served: Served, tmp_path: Path) -> None:
    kernel_id = await served.open()
    async with served.socket(kernel_id, KERNEL_PROTOCOL) as viewer:
        mark = tmp_path / "ran"
        sent = {
            await send(viewer, channel, kind, {"code": f"open({str(mark)!r}, 'w')", "silent": False})
            for kind in FORBIDDEN
            for channel in ("shell", "control", "stdin")
        }
        answered = await answers_until_reply(viewer)
    assert not sent & answered
    assert not mark.exists()


async def test_the_test_above_can_fail(served: Served, tmp_path: Path) -> None:
    kernel_id = await served.open()
    kernels = served.server.kernel_manager
    allowed, kernels.allowed_message_types = kernels.allowed_message_types, []
    try:
        async with served.socket(kernel_id, KERNEL_PROTOCOL) as viewer:
            code = f"open({str(tmp_path / 'ran')!r}, 'w').close()"
            sent = await send(viewer, "shell", "execute_request", {"code": code, "silent": False})
            assert sent in await answers_until_reply(viewer)
    finally:
        kernels.allowed_message_types = allowed
    assert (tmp_path / "ran").exists()


async def test_a_server_that_would_allow_every_message_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantnb.server.VIEWER_MESSAGES", frozenset({"comm_msg"}))
    with pytest.raises(QuantnbError, match="run code"):
        async with serving(tmp_path, STREAMING):
            pass


async def test_a_socket_without_the_subprotocol_is_refused(served: Served) -> None:
    kernel_id = await served.open()
    for protocols in ((), ("v0.kernel.websocket.jupyter.org",)):
        with pytest.raises(InvalidStatus) as refused:
            await served.socket(kernel_id, *protocols)
        assert refused.value.response.status_code == 400


async def test_a_frame_that_counts_beyond_its_end_does_not_hold_the_server(served: Served) -> None:
    kernel_id = await served.open()
    async with served.socket(kernel_id, KERNEL_PROTOCOL) as viewer:
        await viewer.send((2**40).to_bytes(8, "little") + bytes(64))
        await viewer.send("{}")
        assert await answers_until_reply(viewer)


@pytest.mark.parametrize("frame", ["text", b"", bytes(8), (6).to_bytes(8, "little"), bytes(800)])
async def test_other_frames_are_no_kernel_messages(frame: str | bytes) -> None:
    assert not is_kernel_frame(frame)


async def test_a_kernel_that_dies_is_forgotten(served: Served) -> None:
    kernel_id = await served.open()
    process = psutil.Process(served.server.kernel_manager.get_kernel(kernel_id).provisioner.pid)
    process.kill()
    await served.gone(kernel_id)
    assert (await served.http.get(f"/api/kernels/{kernel_id}")).status_code == 404


async def test_a_kernel_that_ends_itself_is_forgotten(tmp_path: Path) -> None:
    async with serving(tmp_path, ENDING) as served:
        kernel_id = await served.open()
        process = psutil.Process(served.server.kernel_manager.get_kernel(kernel_id).provisioner.pid)
        await served.gone(kernel_id)
        assert not process.is_running()


async def test_an_unwatched_kernel_is_culled_although_it_keeps_sending(tmp_path: Path) -> None:
    async with serving(tmp_path, STREAMING, cull_interval=1) as served:
        kernels = served.server.kernel_manager
        kernel_id = await served.open()
        async with served.socket(kernel_id, KERNEL_PROTOCOL) as viewer:
            kernels.cull_idle_timeout = 1
            for _ in range(60):  # about three seconds of a streaming kernel: not culled while connected
                await viewer.recv()
            assert kernel_id in kernels
        await served.gone(kernel_id)


async def test_a_failing_cell_shows_no_traceback(tmp_path: Path) -> None:
    async with serving(tmp_path, FAILING) as served:
        page = (await served.http.get("/")).text
    assert "SECRET_IN_ERROR" not in page
    assert "Traceback" not in page


async def test_plain_voila_gets_the_same_settings() -> None:
    root = notebook_path().parents[1]
    assert json.loads((root / "voila.json").read_text()) == SETTINGS


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


async def test_a_port_in_use_is_named(taken: int) -> None:
    with pytest.raises(InvalidSettingError, match=f"port {taken} is in use; choose another with --port"):
        bind("127.0.0.1", taken)


async def test_without_a_port_the_next_free_one_is_taken() -> None:
    first, second = bind("127.0.0.1", None), bind("127.0.0.1", None)
    ports = [listening.getsockname()[1] for listening in (first, second)]
    first.close()
    second.close()
    assert DEFAULT_PORT <= ports[0] < ports[1]


@pytest.mark.parametrize("ip", ["192.0.2.1", "no-such-host.invalid"])
async def test_an_address_that_cannot_be_had_is_named(ip: str) -> None:
    with pytest.raises(InvalidSettingError, match=f"cannot listen: .*{ip}"):
        bind(ip, 0)


async def test_a_number_that_is_no_port_is_named() -> None:
    with pytest.raises(InvalidSettingError, match="70000 is no port"):
        bind("127.0.0.1", 70_000)


async def send(viewer: ClientConnection, channel: str, kind: str, content: dict[str, Any]) -> str:
    """Send a message as a browser would; return its id."""
    header = {
        "msg_id": str(uuid4()),
        "msg_type": kind,
        "session": str(uuid4()),
        "username": "",
        "version": "5.4",
    }
    parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
    await viewer.send(serialize_msg_to_ws_v1(parts, channel))
    return header["msg_id"]


async def answers_until_reply(viewer: ClientConnection) -> set[str]:
    """Ask harmless questions on both channels; return which messages were answered until their replies."""
    content: dict[str, Any] = {}
    waiting = {
        await send(viewer, channel, "kernel_info_request", content) for channel in ("shell", "control")
    }
    answered: set[str] = set()
    while waiting:
        frame = await viewer.recv()
        assert isinstance(frame, bytes)
        _, parts = deserialize_msg_from_ws_v1(frame)
        header, parent = json.loads(parts[0]), json.loads(parts[1])
        answered.add(parent.get("msg_id", ""))
        if header["msg_type"] == "kernel_info_reply":
            waiting.discard(parent["msg_id"])
    return answered
