"""Every error that quantnb raises on purpose: one sentence that a person can act on."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["ExportError", "FeedError", "InvalidSettingError", "QuantnbError", "StatisticsError", "choices"]


class QuantnbError(Exception):
    """Base of all errors of this package."""


class InvalidSettingError(QuantnbError, ValueError):
    """A setting that cannot be used; the message names the valid ones."""


class StatisticsError(QuantnbError, ValueError):
    """Input from which a statistic cannot be computed honestly."""


class FeedError(QuantnbError, ConnectionError):
    """An exchange that cannot be reached or refuses us."""


class ExportError(QuantnbError, OSError):
    """Data that could not be written; what was there before is untouched."""


def choices(values: Iterable[object]) -> str:
    """Return the valid values as they stand in a message: ``"1s, 5s or 1m"``."""
    names = [str(value) for value in values]
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
