"""An export is whole or absent, and a spreadsheet cannot be tricked by it."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from quantnb import export
from quantnb.errors import ExportError, InvalidSettingError


def frame() -> pd.DataFrame:
    return pd.DataFrame({"symbol": ["=cmd()", "BTCUSDT", "@x"], "value": [-1.5, 2.0, 0.1]})


def test_text_that_a_spreadsheet_would_run_is_disarmed() -> None:
    read = pd.read_csv(io.BytesIO(export.encode(frame(), "csv")))
    assert read["symbol"].tolist() == ["'=cmd()", "BTCUSDT", "'@x"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_each_dangerous_start_is_disarmed(start: str) -> None:
    text = export.encode(pd.DataFrame({"text": [f"{start}1"]}), "csv").decode()
    assert f"'{start}1" in text


def test_negative_numbers_stay_numbers() -> None:
    read = pd.read_csv(io.BytesIO(export.encode(frame(), "csv")))
    assert read["value"].tolist() == [-1.5, 2.0, 0.1]


def test_parquet_comes_back_equal() -> None:
    read = pd.read_parquet(io.BytesIO(export.encode(frame(), "parquet")))
    pd.testing.assert_frame_equal(read, frame())


@pytest.mark.parametrize(
    ("kind", "format", "words"),
    [("ticks", "csv", "trades, bars, analytics or alerts"), ("bars", "xlsx", "csv or parquet")],
)
def test_an_unknown_export_names_the_valid_ones(kind: str, format: str, words: str) -> None:
    with pytest.raises(InvalidSettingError, match=words):
        export.check_export(kind, format)


def test_a_file_appears_whole(tmp_path: Path) -> None:
    export.write(tmp_path / "a.csv", b"1,2\n")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"1,2\n"


def test_a_full_disk_is_a_sentence_and_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_bytes(b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ExportError, match=r"No space left on device.*Nothing is lost"):
        export.write(tmp_path / "a.csv", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"old"


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="choose another folder"):
        export.write(tmp_path / "nowhere" / "a.csv", b"")
