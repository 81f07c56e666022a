"""A closed tab: nothing more is sent after 15 s, and the kernel is gone within 60 s.

What is sent is seen by a second socket on the same kernel, one that never says hello and so is no viewer.
"""

from __future__ import annotations

import json
import time
from uuid import uuid4

import httpx
import psutil
import pytest
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from playwright.sync_api import Page, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.ui.conftest import OPEN_TIMEOUT_MS, Process, kernel_id

QUIET_AFTER_S = 15.0
GONE_AFTER_S = 60.0
LATE_S = 1.0  # for a message on its way on a busy machine


def listener(address: str, kernel: str) -> ClientConnection:
    url = f"{address.replace('http', 'ws')}api/kernels/{kernel}/channels?session_id={uuid4()}"
    return connect(url, subprotocols=[Subprotocol("v1.kernel.websocket.jupyter.org")], max_size=None)


def widget_messages(socket: ClientConnection, until_s: float) -> list[float]:
    """Return when the kernel sent something to widgets, until a time or the socket's end."""
    times = []
    while (left_s := until_s - time.monotonic()) > 0:
        try:
            frame = socket.recv(timeout=left_s)
        except (TimeoutError, ConnectionClosed):
            break
        assert isinstance(frame, bytes)
        _, parts = deserialize_msg_from_ws_v1(frame)
        if json.loads(parts[0])["msg_type"] in ("comm_msg", "comm_open"):
            times.append(time.monotonic())
    return times


@pytest.mark.timeout(300)
def test_after_the_last_tab_nothing_is_sent_and_the_kernel_ends(
    dashboard_page: Page, dashboard: Process
) -> None:
    page = dashboard_page
    expect(page.locator(".qnb-status")).to_have_attribute("data-state", "simulated", timeout=OPEN_TIMEOUT_MS)
    kernel = kernel_id(page)
    process = dashboard.kernel(kernel)
    with listener(dashboard.url, kernel) as socket:
        assert widget_messages(socket, time.monotonic() + 3)  # so the listener does hear what is sent
        page.close()
        closed_s = time.monotonic()
        sent_s = widget_messages(socket, closed_s + GONE_AFTER_S)
    process.wait(max(0.1, closed_s + GONE_AFTER_S + LATE_S - time.monotonic()))
    assert not psutil.pid_exists(process.pid)
    assert httpx.get(f"{dashboard.url}api/kernels/{kernel}").status_code == 404
    assert sent_s, "a tab that closes is not known to be closed at once"
    assert sent_s[-1] - closed_s < QUIET_AFTER_S + LATE_S
