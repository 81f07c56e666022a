"""A session in a real kernel: cells that block it, and interrupts, cost no trade and no connection."""

from __future__ import annotations

import queue
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

WAIT_S = 60.0
BLOCK_S = 60  # seconds; the note below says so

SETUP = """
import asyncio, os, time
import quantnb as qn
session = qn.Session(feed={address!r}, window=20)
session.start()

def n_held():
    return min(len(session.trades(symbol)) for symbol in session.symbols)

def n_missing():
    ids = [session.trades(symbol)["trade_id"] for symbol in session.symbols]
    return sum(int((each.diff().dropna() - 1).sum()) for each in ids)

async def until(is_so):
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.05)

def is_well():
    return session.snapshot.status.state == "simulated" and n_missing() == 0

await until(lambda: n_held() > 50 and is_well())
"""


@pytest.fixture
def address() -> Iterator[str]:
    """An exchange in a process of its own: it goes on while the kernel is busy."""
    command = [sys.executable, "-m", "quantnb", "exchange", "--port", "0", "--seed", "3", "--rate", "100"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield re.search(r"ws://[\d.:]+", process.stdout.readline())[0]
        finally:
            process.terminate()


class Kernel:
    """Runs cells, as a notebook does."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self._client = client

    def begin(self, code: str) -> str:
        """Start a cell; return its id once the cell itself has said so."""
        message_id = self._client.execute(f"print('begun', flush=True)\n{code}")
        self._await(message_id, lambda message: message["msg_type"] == "stream")
        return message_id

    def interrupt(self, message_id: str) -> None:
        """Press the button until the cell has ended: one press may find the kernel where nobody hears it."""
        for _ in range(40):
            self.manager.interrupt_kernel()
            try:
                self.end(message_id, within_s=1.5)
            except TimeoutError:
                continue
            return
        raise AssertionError("the cell cannot be interrupted")

    def end(self, message_id: str, *, within_s: float = WAIT_S + BLOCK_S) -> str:
        """Wait for the end of a cell; return its text, or the name of what it raised."""
        texts: list[str] = []

        def is_end(message: dict) -> bool:
            content = message["content"]
            if message["msg_type"] == "stream":
                texts.append(content["text"])
            elif message["msg_type"] == "error":
                texts.append(content["ename"])
            return message["msg_type"] == "status" and content["execution_state"] == "idle"

        self._await(message_id, is_end, within_s)
        return "".join(texts).strip()

    def run(self, code: str) -> str:
        return self.end(self._client.execute(code))

    def _await(self, message_id: str, is_it, within_s: float = WAIT_S) -> None:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                message = self._client.get_iopub_msg(timeout=0.5)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") == message_id and is_it(message):
                return
        raise TimeoutError("the kernel does not answer")


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    manager = KernelManager()
    manager.start_kernel()
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=WAIT_S)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.timeout(300)
def test_a_cell_that_blocks_for_a_minute_costs_no_trade_and_is_named(kernel: Kernel, address: str) -> None:
    assert kernel.run(SETUP.format(address=address)) == ""
    kernel.run(f"n_before = n_held(); time.sleep({BLOCK_S})")
    assert kernel.run(f"await until(lambda: n_held() > n_before + {BLOCK_S} and is_well())") == ""
    notes = kernel.run("print(*session.snapshot.status.notes)")
    assert re.search(r"kernel was busy for 6\d s", notes), notes
    assert kernel.run(
        "print(n_missing(), {hole.state for hole in session.snapshot.status.holes} - {'closed'})"
    ) == ("0 set()")


@pytest.mark.timeout(300)
def test_a_hundred_interrupts_leave_the_feed_as_it_was(kernel: Kernel, address: str) -> None:
    assert kernel.run(SETUP.format(address=address)) == ""
    census = "len(asyncio.all_tasks()), len(os.listdir('/proc/self/fd'))"
    asked = f"await asyncio.sleep(0.1)\nprint(*({census}))"  # a cell that awaits is a task more
    kernel.run(asked)  # the first one may import or open something itself
    before = kernel.run(asked).split()
    for number in range(100):
        cell = "time.sleep(60)" if number % 2 else "await asyncio.sleep(60)"
        message_id = kernel.begin(cell)
        kernel.interrupt(message_id)
    assert (
        kernel.run("n_before = n_held(); await until(lambda: n_held() > n_before + 20 and is_well())") == ""
    )
    # A request may be under way at this moment; it was not a hundred interrupts that left it.
    n_tasks, n_files = before
    settled = f"await until(lambda: ({census})[0] <= {n_tasks} and ({census})[1] <= {n_files})"
    assert kernel.run(settled) == ""
    assert kernel.run("print(session.running)") == "True"
    # That a press went unheard, and the kernel was busy for longer, is no fault of the feed.
    assert (
        kernel.run("print([n for n in session.snapshot.status.notes if 'kernel was busy' not in n])") == "[]"
    )
