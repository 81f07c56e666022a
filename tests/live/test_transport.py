"""What the client needs of a socket, held against every library that may hold one."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus, WebSocketException
from websockets.http11 import Request, Response

from quantnb.errors import InvalidSettingError
from quantnb.feed.reconnect import Failure
from quantnb.live import over_websockets
from quantnb.live.failure import failure_of
from quantnb.live.transport import Limits, Transport, open_transport, transport_name
from tests.live.server import until

pytestmark = pytest.mark.usefixtures("transport")

LIMITS = Limits(open_within_s=2.0, close_within_s=0.5, max_bytes=10_000, max_waiting=8)

Open = Callable[..., Awaitable[Transport]]


class Peer:
    """The other side: the newest connection, and how it answers a handshake."""

    def __init__(self) -> None:
        self.socket: ServerConnection | None = None
        self.answer: Response | None = None
        self.heard: list[str | bytes] = []

    async def serve(self, socket: ServerConnection) -> None:
        self.socket = socket
        async for message in socket:
            self.heard.append(message)

    def process(self, _socket: ServerConnection, _request: Request) -> Response | None:
        return self.answer

    @property
    def end(self) -> ServerConnection:
        assert self.socket is not None
        return self.socket


@pytest.fixture
async def peer() -> Peer:
    return Peer()


@pytest.fixture
async def connect(peer: Peer) -> AsyncIterator[Open]:
    """Open connections to the peer, over TLS with a context of its own; all are closed at the end."""
    opened: list[Transport] = []
    servers = []

    async def connect(context: ssl.SSLContext | None = None, **options: Any) -> Transport:
        server = await serve(
            peer.serve, "127.0.0.1", 0, process_request=peer.process, close_timeout=0.2, ssl=context
        )
        servers.append(server)
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"{'wss' if context else 'ws'}://127.0.0.1:{port}/stream"
        made = await open_transport(url, options.pop("limits", LIMITS), uses_proxy=False)
        opened.append(made)
        await until(lambda: peer.socket)
        return made

    yield connect
    for made in opened:
        await made.close()
    for server in servers:
        server.close()
        await server.wait_closed()


async def messages(made: Transport, n: int) -> list[bytes]:
    """Receive until there are so many."""
    found: list[bytes] = []
    async with asyncio.timeout(10.0):
        while len(found) < n:
            found += await made.receive()
    return found


async def ended(made: Transport) -> Failure | None:
    with pytest.raises(ConnectionClosed) as raised:
        await messages(made, 1_000_000)
    return failure_of(raised.value)


# Messages -------------------------------------------------------------------------------------------------


async def test_what_comes_together_is_received_together_and_in_order(peer: Peer, connect: Open) -> None:
    made = await connect()
    sent = [b"%d" % number for number in range(6)]
    for each in sent:
        await peer.end.send(each, text=True)
    assert await messages(made, 6) == sent


async def test_bytes_that_are_no_text_and_text_that_is_not_utf_8_are_received(
    peer: Peer, connect: Open
) -> None:
    made = await connect()
    await peer.end.send(b"\xff\xfe")
    await peer.end.send(b"\xff\xfe", text=True)
    assert await messages(made, 2) == [b"\xff\xfe", b"\xff\xfe"]


async def test_a_message_in_parts_is_one(peer: Peer, connect: Open) -> None:
    made = await connect()
    await peer.end.send(["one ", "two ", "three"])
    await peer.end.send("four")
    assert await messages(made, 2) == [b"one two three", b"four"]


async def test_parts_that_are_too_big_together_end_it(peer: Peer, connect: Open) -> None:
    made = await connect()
    await peer.end.send("one")
    await peer.end.send(["x" * 4_000] * 4)
    assert await messages(made, 1) == [b"one"]
    failure = await ended(made)
    assert failure is not None
    assert (failure.kind, failure.code) == ("close", 1009)


async def test_a_message_that_is_too_big_ends_it(peer: Peer, connect: Open) -> None:
    made = await connect()
    await peer.end.send("x" * 10_001)
    failure = await ended(made)
    assert failure is not None
    assert (failure.kind, failure.code) == ("close", 1009)
    await until(lambda: peer.end.close_code == 1009)


async def test_a_reader_that_is_behind_makes_the_sender_wait_and_loses_nothing(
    peer: Peer, connect: Open
) -> None:
    made = await connect()
    sending = asyncio.create_task(send_many(peer.end, 4_000, "x" * 9_000))
    done, _ = await asyncio.wait({sending}, timeout=0.5)
    assert not done  # 36 MB do not fit into the kernel's buffers
    found = await messages(made, 4_000)
    await sending
    assert len(found) == 4_000


async def send_many(end: ServerConnection, n: int, text: str) -> None:
    for _ in range(n):
        await end.send(text)


async def test_text_is_sent(peer: Peer, connect: Open) -> None:
    made = await connect()
    await made.send_text(b'{"id":1}')
    await until(lambda: peer.heard == ['{"id":1}'])


# Pings ----------------------------------------------------------------------------------------------------


async def test_a_ping_is_answered_with_its_own_payload(peer: Peer, connect: Open) -> None:
    await connect()
    async with asyncio.timeout(5.0):
        await (await peer.end.ping(b"1770123456789"))


async def test_a_question_is_over_when_the_pong_has_come(peer: Peer, connect: Open) -> None:
    made = await connect()
    async with asyncio.timeout(5.0):
        await made.ask()
        await asyncio.gather(made.ask(), made.ask())


async def test_a_question_to_which_no_answer_comes_ends_with_the_connection(
    peer: Peer, connect: Open
) -> None:
    made = await connect()
    peer.end.transport.pause_reading()
    asked = asyncio.create_task(made.ask())
    await asyncio.sleep(0)
    made.abort()
    with pytest.raises(ConnectionClosed):
        await asked
    with pytest.raises(ConnectionClosed):
        await made.ask()
    with pytest.raises(ConnectionClosed):
        await made.send_text(b"{}")


# The end --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1001, "off"), (1008, "too many"), (1012, "restart"), (4001, "own")]
)
async def test_a_farewell_is_told_with_its_code_after_what_was_sent_before(
    peer: Peer, connect: Open, code: int, reason: str
) -> None:
    made = await connect()
    await peer.end.send("last")
    await peer.end.close(code, reason)
    assert await messages(made, 1) == [b"last"]
    assert await ended(made) == Failure("close", code, reason)


async def test_a_connection_that_is_cut_was_lost(peer: Peer, connect: Open) -> None:
    made = await connect()
    peer.end.transport.abort()
    assert await ended(made) == Failure("close", 1006)


async def test_closed_by_us_it_says_so_and_hands_on_what_came_meanwhile(peer: Peer, connect: Open) -> None:
    made = await connect()
    await send_many(peer.end, 20, "x")  # more than may wait
    await made.close()
    assert peer.end.close_code == 1000
    assert len(await messages(made, 20)) == 20
    with pytest.raises(ConnectionClosedOK):
        await made.receive()


async def test_one_that_does_not_answer_the_farewell_is_cut(peer: Peer, connect: Open) -> None:
    made = await connect()
    peer.end.transport.pause_reading()
    async with asyncio.timeout(5.0):
        await made.close()
    with pytest.raises(ConnectionClosed):
        await made.receive()
    peer.end.transport.abort()


# Handshakes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 403, 418, 429, 451, 503])
async def test_a_refusal_is_told_with_its_status_and_for_how_long_to_wait(
    peer: Peer, connect: Open, status: int
) -> None:
    headers = Headers({"Retry-After": "35", "Location": "ws://127.0.0.1:1/elsewhere"})
    peer.answer = Response(status, HTTPStatus(status).phrase, headers, b"no")
    with pytest.raises(InvalidStatus) as raised:
        await connect()
    assert failure_of(raised.value) == Failure("http", status, retry_after_s=35.0)


@contextlib.asynccontextmanager
async def listening(answer: bytes | None) -> AsyncIterator[str]:
    """Listen for a handshake, and answer it with these bytes, or not at all."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is not None:
            writer.write(answer)
        await reader.read()
        writer.close()
        over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream"
    server.close()
    await over.wait()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"220 mail.example.com ESMTP\r\n\r\n", WebSocketException),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", WebSocketException),
        (None, TimeoutError),
    ],
    ids=["no HTTP", "no key", "no answer"],
)
async def test_who_does_not_speak_the_protocol_is_a_fault_of_the_network(
    answer: bytes | None, kind: type[Exception]
) -> None:
    limits = Limits(open_within_s=0.3, close_within_s=0.3, max_bytes=100, max_waiting=8)
    async with listening(answer) as url:
        with pytest.raises(kind) as raised:
            await open_transport(url, limits, uses_proxy=False)
        assert failure_of(raised.value) is not None


async def test_nobody_who_listens_is_a_fault_of_the_network() -> None:
    with pytest.raises(ConnectionRefusedError) as raised:
        await open_transport("ws://127.0.0.1:1/stream", LIMITS, uses_proxy=False)
    failure = failure_of(raised.value)
    assert failure is not None
    assert failure.kind == "network"


@pytest.fixture
async def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine's own address, signed by itself, in one file with its key."""
    made, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=x -addext subjectAltName=IP:127.0.0.1"
    command = ["openssl", *words.split(), "-keyout", str(key), "-out", str(made)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    made.write_bytes(made.read_bytes() + key.read_bytes())
    return made


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_certificate_that_nobody_vouches_for_is_refused(connect: Open, certificate: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as raised:
        await connect(serving(certificate))
    failure = failure_of(raised.value)
    assert failure is not None
    assert failure.kind == "tls"


async def test_over_tls_all_is_the_same(
    peer: Peer, connect: Open, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    made = await connect(serving(certificate))
    sending = asyncio.create_task(send_many(peer.end, 2_000, "x" * 5_000))
    assert await messages(made, 2_000) == [b"x" * 5_000] * 2_000
    await sending
    await made.ask()
    await peer.end.close(1012)
    assert await ended(made) == Failure("close", 1012)


# Which one ------------------------------------------------------------------------------------------------


def test_the_environment_names_it(transport: str) -> None:
    assert transport_name() == transport


def test_a_name_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTNB_TRANSPORT", "carrier pigeon")
    with pytest.raises(InvalidSettingError, match="picows or websockets, not 'carrier pigeon'"):
        transport_name()


async def test_a_proxy_is_left_to_websockets(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    async def connect(url: str, limits: Limits, *, uses_proxy: bool) -> None:
        asked.append(uses_proxy)

    monkeypatch.setattr(over_websockets, "connect", connect)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    await open_transport("wss://127.0.0.1:1/stream", LIMITS, uses_proxy=True)
    assert asked == [True]
