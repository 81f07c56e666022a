"""Exceptions of sockets and of HTTP as a `Failure`, which the pure rooms can judge."""

from __future__ import annotations

import email.utils
import socket
import ssl
import time
from collections.abc import Iterator, Mapping

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from quantnb.feed.reconnect import Failure

__all__ = ["UnansweredError", "failure_of", "http_failure", "leaves"]

ABNORMAL = 1006  # closed without a close frame


class UnansweredError(ConnectionError):
    """The other side sent neither data nor an answer to a ping."""


def failure_of(error: BaseException) -> Failure | None:
    """Return what an exception means for the connection; None where it is no network's fault."""
    match error:
        case InvalidStatus():
            return http_failure(error.response.status_code, error.response.headers)
        case ConnectionClosed():
            close = error.rcvd or error.sent  # sent alone: we closed it, because of what was sent to us
            return Failure("close", close.code, close.reason) if close else Failure("close", ABNORMAL)
        case UnansweredError():
            return Failure("unanswered")
        case TimeoutError():
            return Failure("timeout")
        case socket.gaierror():
            return Failure("dns")
        case ssl.SSLCertVerificationError():
            return Failure("tls", detail=error.verify_message)
        case OSError():
            return Failure("network", detail=error.strerror or str(error) or type(error).__name__)
        case WebSocketException():
            return Failure("network", detail=str(error))
        case _:
            return None


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions of a group, however nested; an exception alone is its own leaf."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


def http_failure(status: int, headers: Mapping[str, str]) -> Failure:
    """Return an HTTP refusal with its ``Retry-After``, given in seconds or as a date."""
    return Failure("http", status, retry_after_s=_retry_after_s(headers))


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After")
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    until_s = _timestamp_s(text)
    if until_s is None:
        return None
    now_s = _timestamp_s(headers.get("Date"))  # the exchange's own clock, where it says: ours may be wrong
    return max(0.0, until_s - (time.time() if now_s is None else now_s))


def _timestamp_s(date: str | None) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp() if date else None
    except (ValueError, OverflowError):
        return None
