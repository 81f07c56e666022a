from __future__ import annotations

import email.utils
import errno
import socket
import ssl
import time

import pytest
from websockets.exceptions import (
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidMessage,
    ProxyError,
)
from websockets.frames import Close

from quantnb.feed.reconnect import Failure
from quantnb.live.failure import UnansweredError, failure_of, http_failure, leaves


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ConnectionClosedOK(Close(1000, ""), None), Failure("close", 1000)),
        (
            ConnectionClosedError(Close(1008, "Invalid request"), None),
            Failure("close", 1008, "Invalid request"),
        ),
        (ConnectionClosedError(None, Close(1009, "too big")), Failure("close", 1009, "too big")),
        (ConnectionClosedError(None, None), Failure("close", 1006)),
        (UnansweredError(), Failure("unanswered")),
        (TimeoutError("timed out"), Failure("timeout")),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Failure("dns")),
        (untrusted(), Failure("tls", detail="self-signed certificate")),
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
            Failure("network", detail="Connection refused"),
        ),
        (ssl.SSLEOFError(8, "EOF occurred"), Failure("network", detail="EOF occurred")),
        (ConnectionResetError(), Failure("network", detail="ConnectionResetError")),
        (InvalidMessage("no HTTP"), Failure("network", detail="no HTTP")),
        (ProxyError("no way"), Failure("network", detail="no way")),
        (LookupError("ours"), None),
    ],
    ids=repr,
)
def test_each_exception_is_one_kind_of_failure(error: Exception, failure: Failure | None) -> None:
    assert failure_of(error) == failure


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("35", 35.0), (" 720 ", 720.0), ("0", 0.0), ("soon", None), ("-5", None), ("", None), (None, None)],
)
def test_retry_after_in_seconds(text: str | None, seconds: float | None) -> None:
    headers = {} if text is None else {"Retry-After": text}
    assert http_failure(429, headers) == Failure("http", 429, retry_after_s=seconds)


@pytest.mark.parametrize(("ahead_s", "at_least_s"), [(3_600, 3_500.0), (-3_600, 0.0)])
def test_retry_after_as_a_date(ahead_s: float, at_least_s: float) -> None:
    text = email.utils.formatdate(time.time() + ahead_s, usegmt=True)
    wait_s = http_failure(503, {"Retry-After": text}).retry_after_s
    assert wait_s is not None
    assert at_least_s <= wait_s <= max(ahead_s, 0.0)


def test_retry_after_as_a_date_is_read_by_the_exchanges_own_clock() -> None:
    now_s = time.time() + 86_400 * 365  # ours is a year behind, or theirs ahead
    headers = {
        "Date": email.utils.formatdate(now_s, usegmt=True),
        "Retry-After": email.utils.formatdate(now_s + 120, usegmt=True),
    }
    assert http_failure(429, headers).retry_after_s == 120.0


@pytest.mark.parametrize("date", ["yesterday", ""])
def test_a_date_that_cannot_be_read_is_none(date: str) -> None:
    headers = {"Date": date, "Retry-After": email.utils.formatdate(time.time() + 3_600, usegmt=True)}
    wait_s = http_failure(429, headers).retry_after_s
    assert wait_s is not None
    assert 3_500 < wait_s <= 3_600


def test_groups_are_opened_however_nested() -> None:
    first, second = ValueError(), KeyError()
    assert list(leaves(ExceptionGroup("", [ExceptionGroup("", [first]), second]))) == [first, second]
    assert list(leaves(first)) == [first]
