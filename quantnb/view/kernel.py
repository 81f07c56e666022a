"""The kernel's own end: asked of the server that started it, so that the server forgets it too.

A kernel that merely exits is started again by its server (under plain Voilà and under Jupyter Server, unless
told otherwise), empty of the notebook and watched by nobody.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import urllib.request
from pathlib import Path

__all__ = ["end_kernel", "started_by_voila"]

REQUEST_TIMEOUT_S = 5.0
EXIT_DELAY_S = 10.0


def started_by_voila() -> bool:
    """Tell whether this process is a kernel that Voilà started for a page."""
    return "VOILA_KERNEL_ID" in os.environ


def end_kernel() -> None:
    """End this kernel: by a request to its server, and by a signal if that has not ended it soon."""
    loop = asyncio.get_running_loop()
    # Not in the event loop, which must stay free to hear the server's order to shut down.
    loop.run_in_executor(None, _ask_server)
    loop.call_later(EXIT_DELAY_S, os.kill, os.getpid(), signal.SIGTERM)


def _ask_server() -> None:
    url, token = _server()
    # Jupyter Server wants its anti-forgery cookie repeated in a header; a program may choose both.
    headers = {"Cookie": "_xsrf=quantnb", "X-XSRFToken": "quantnb"}
    if token:
        headers["Authorization"] = f"token {token}"
    request = urllib.request.Request(  # noqa: S310 - http, of this machine
        f"{url}api/kernels/{os.environ['VOILA_KERNEL_ID']}", method="DELETE", headers=headers
    )
    with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S):  # noqa: S310
        pass


def _server() -> tuple[str, str]:
    """Return the address and the token of the server that is this process's parent."""
    from jupyter_core.paths import jupyter_runtime_dir

    described = Path(jupyter_runtime_dir()) / f"jpserver-{os.getppid()}.json"
    if described.is_file():  # Jupyter Server, with Voilà as its extension
        server = json.loads(described.read_text())
        return server["url"], server.get("token", "")
    host, port = os.environ["SERVER_NAME"], os.environ["SERVER_PORT"] or "80"
    return f"http://{host}:{port}{os.environ.get('VOILA_SERVER_URL', '/')}", ""
