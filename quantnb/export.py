"""DataFrames to files, so that a spreadsheet cannot be tricked and a full disk costs nothing.

Text cells that a spreadsheet would run as a formula are prefixed with an apostrophe (OWASP, "CSV injection");
numbers stay numbers. A file appears under its name only when it is whole.
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from quantnb.errors import ExportError, InvalidSettingError, choices

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXPORT_FORMATS", "EXPORT_KINDS", "ExportFormat", "ExportKind", "check_export", "encode", "write"]

ExportKind = Literal["trades", "bars", "analytics", "alerts"]
ExportFormat = Literal["csv", "parquet"]
EXPORT_KINDS: tuple[str, ...] = get_args(ExportKind)
EXPORT_FORMATS: tuple[str, ...] = get_args(ExportFormat)

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def check_export(kind: str, format: str) -> None:
    """Raise `InvalidSettingError` where there is no such export."""
    if kind not in EXPORT_KINDS:
        raise InvalidSettingError(f"What can be exported is {choices(EXPORT_KINDS)}, not {kind!r}.")
    if format not in EXPORT_FORMATS:
        raise InvalidSettingError(f"An export is {choices(EXPORT_FORMATS)}, not {format!r}.")


def encode(frame: pd.DataFrame, format: str) -> bytes:
    """Return a frame as the bytes of a CSV (UTF-8) or Parquet file; its index is not written."""
    if format == "parquet":
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()
    text = frame.select_dtypes(include=["object", "string"]).columns
    safe = frame.assign(**{name: frame[name].map(_disarm) for name in text})
    return safe.to_csv(index=False).encode()


def _disarm(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; `ExportError` says what was in the way."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".quantnb-", delete=False) as file:
            partial = Path(file.name)
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                partial.replace(path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExportError(
            f"{path.name} could not be written to {path.parent} ({reason}). Nothing is lost: "
            "free space or choose another folder, and export again."
        ) from error
