"""The dashboard's own server: Voilà with settings under which strangers may look, and nothing more.

`SETTINGS` is the whole of it in one place; ``voila.json`` in the repository's root says the same to a plain
``voila notebooks/dashboard.ipynb``. Two classes close what no setting can: `ViewedKernels` (who counts as a
viewer) and `KernelSocket` (which frames reach the server's parser).
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import webbrowser
from pathlib import Path
from typing import Any

from jupyter_server._tz import utcnow
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import HTTPError
from traitlets.config import Config
from voila.app import Voila

from quantnb.errors import InvalidSettingError, QuantnbError

__all__ = ["SETTINGS", "DashboardServer", "KernelSocket", "ViewedKernels", "bind", "notebook_path", "serve"]

DEFAULT_PORT = 8866
KERNEL_PROTOCOL = "v1.kernel.websocket.jupyter.org"
VIEWER_MESSAGES = frozenset(
    ("comm_close", "comm_info_request", "comm_msg", "comm_open", "kernel_info_request", "shutdown_request")
)
MAX_MESSAGE_PARTS = 1_000  # of one kernel message; a real one has six and its buffers

# Scripts: Voilà's page has inline ones, plotly compiles functions, and the charts' bundle is a blob: module.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss: data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)

SETTINGS: dict[str, dict[str, Any]] = {
    "VoilaConfiguration": {
        "template": "quantnb",
        "theme": "auto",
        "strip_sources": True,
        "show_tracebacks": False,
        "file_allowlist": [],  # no file of the folder is served
        "allow_template_override": "NO",
        "allow_theme_override": "NO",
        "multi_kernel_manager_class": "quantnb.server.ViewedKernels",
    },
    "Voila": {
        "kernel_websocket_connection_class": "quantnb.server.KernelSocket",
        "tornado_settings": {
            "headers": {
                "Content-Security-Policy": CONTENT_SECURITY_POLICY,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "same-origin",
            }
        },
    },
    "MappingKernelManager": {
        "buffer_offline_messages": False,  # a closed tab's messages would pile up without bound
        "cull_idle_timeout": 120,
        "cull_interval": 30,
        "cull_connected": False,
        "transport_encryption": "auto",  # other users of the machine cannot listen in
    },
    # A kernel that has ended stays ended: a restarted one would know nothing of the notebook.
    "KernelRestarter": {"restart_limit": 0},
}


class ViewedKernels(AsyncMappingKernelManager):
    """Kernels that count as active while somebody is connected, whatever they say themselves.

    Jupyter takes every message of a kernel for activity, so one that streams would never be culled.
    """

    def track_message_type(self, message_type: str | None) -> bool:
        """Return False: what a kernel sends is no sign of a viewer."""
        return False

    def notify_disconnect(self, kernel_id: str) -> None:
        """Note that a connection has closed; the time of idleness begins here."""
        super().notify_disconnect(kernel_id)
        kernel = self._kernels.get(kernel_id)
        if kernel is not None:
            kernel.last_activity = utcnow()


class KernelSocket(ZMQChannelsWebsocketConnection):
    """A browser's socket to its kernel which refuses what makes the server spin.

    Both parsers of binary frames believe any count of parts a viewer writes: the older protocol's, so that
    only the newer one is spoken here, and the newer one's, so that the count is looked at first.
    """

    async def prepare(self) -> None:
        """Refuse the handshake of a socket that does not offer the protocol."""
        offered = self.websocket_handler.request.headers.get("Sec-WebSocket-Protocol", "")
        if KERNEL_PROTOCOL not in (name.strip() for name in offered.split(",")):
            raise HTTPError(400, f"A kernel's socket must offer the subprotocol {KERNEL_PROTOCOL}.")
        await super().prepare()

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Pass a well-formed frame on; ignore any other, as Jupyter does with messages it does not allow."""
        if is_kernel_frame(incoming_msg):
            super().handle_incoming_message(incoming_msg)
        else:
            self.log.warning("Received a frame that is no kernel message. Ignoring.")


def is_kernel_frame(frame: str | bytes) -> bool:
    """Tell whether a frame is laid out as the protocol says: a count, as many ascending offsets, parts."""
    if not isinstance(frame, bytes) or len(frame) < 8:
        return False
    count = int.from_bytes(frame[:8], "little")
    if not 6 <= count <= MAX_MESSAGE_PARTS or len(frame) < 8 * (count + 1):
        return False
    offsets = [int.from_bytes(frame[8 * i : 8 * i + 8], "little") for i in range(1, count + 1)]
    return offsets == sorted(offsets) and offsets[0] == 8 * (count + 1) and offsets[-1] <= len(frame)


class DashboardServer(Voila):
    """Voilà serving one notebook on a socket that is bound already.

    Parameters
    ----------
    listening
        Where to accept connections.
    settings
        What differs from `SETTINGS`, in the same form.
    """

    def __init__(self, listening: socket.socket, settings: dict[str, dict[str, Any]] | None = None) -> None:
        config = Config(SETTINGS)
        config.merge(Config(settings or {}))
        # No file of the machine may loosen the settings.
        super().__init__(config=config, config_file_paths=[], log_level=logging.ERROR, open_browser=False)
        self.listening = listening
        self.ip, self.port = listening.getsockname()[:2]

    def init_settings(self) -> Any:
        """Build the web application's settings; refuse to go on if a viewer could run code."""
        settings: Any = super().init_settings()
        allowed = frozenset(self.kernel_manager.allowed_message_types)
        if not allowed or not allowed <= VIEWER_MESSAGES:  # an empty list would allow everything
            raise QuantnbError(
                "this version of Voilà would let viewers run code in the kernel; install voila>=0.5.13,<0.6"
            )
        settings["compress_response"] = True  # Voilà's scripts are 10 MB, a third of that compressed
        return settings

    def listen(self) -> None:
        """Begin to accept connections; the event loop is the caller's."""
        self.http_server = HTTPServer(self.app)
        self.http_server.add_socket(self.listening)

    def run(self, *, open_browser: bool = False) -> None:
        """Serve until interrupted or terminated, then end every kernel."""
        self.ioloop = IOLoop.current()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle_signal_stop)
        # Jupyter gives tornado its ping's milliseconds for seconds, and tornado complains at every page.
        logging.getLogger("tornado.general").setLevel(logging.ERROR)
        self.start()
        print(f"quantnb dashboard: {self.display_url}  (Ctrl-C to stop)", flush=True)
        if open_browser:  # in a thread: some browsers return only when they are closed
            self.ioloop.run_in_executor(None, webbrowser.open, self.display_url)
        try:
            self.ioloop.start()
        finally:
            self.http_server.stop()
            self.stop()


def bind(ip: str, port: int | None) -> socket.socket:
    """Return a listening socket on ``port``, or on the default port or the next free one.

    Raises
    ------
    InvalidSettingError
        The port is taken or the address is not this machine's.
    """
    if port is not None and not 0 <= port < 2**16:
        raise InvalidSettingError(f"{port} is no port; choose one from 1024 to 65535")
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    candidates = range(DEFAULT_PORT, DEFAULT_PORT + 100) if port is None else (port,)
    for candidate in candidates:
        try:
            listening = socket.create_server((ip, candidate), family=family, backlog=128)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise InvalidSettingError(f"cannot listen: {error.strerror}") from error
        else:
            listening.setblocking(False)
            return listening
    if port is None:
        raise InvalidSettingError(
            f"no free port from {candidates[0]} to {candidates[-1]}; name one with --port"
        )
    raise InvalidSettingError(f"port {port} is in use; choose another with --port, or leave it out")


def notebook_path() -> Path:
    """Return the dashboard's notebook: the wheel's copy, else the repository's."""
    here = Path(__file__).resolve().parent
    packaged = here / "notebooks" / "dashboard.ipynb"
    return packaged if packaged.is_file() else here.parent / "notebooks" / "dashboard.ipynb"


def serve(
    *,
    ip: str = "127.0.0.1",
    port: int | None = None,
    feed: str | None = None,
    symbols: str | None = None,
    theme: str = "auto",
    open_browser: bool = True,
) -> int:
    """Serve the dashboard until interrupted; the arguments are the command line's."""
    from quantnb.session import Session  # which a plain Voilà, for its settings' sake, need not load

    Session(symbols, feed=feed)  # a wrong setting is told here rather than to every viewer
    listening = bind(ip, port)
    # Kernels inherit this process's environment.
    os.environ["JUPYTER_WIDGETS_ECHO"] = "0"
    for name, value in (("QUANTNB_FEED", feed), ("QUANTNB_SYMBOLS", symbols)):
        if value is not None:
            os.environ[name] = value
    server = DashboardServer(listening, {"VoilaConfiguration": {"theme": theme}})
    server.initialize([str(notebook_path())])
    server.run(open_browser=open_browser)
    return 0
