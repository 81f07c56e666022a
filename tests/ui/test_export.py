"""Export: a download of the browser that pandas reads back; a failing one says a sentence."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from tests.ui.panels import message, tile, wait_for_tile

COLUMNS = {
    "trades": {"symbol", "trade_id", "price", "quantity"},
    "bars": {"symbol", "open", "high", "low", "close", "volume"},
    "analytics": {"spread", "zscore", "hedge_ratio"},
    "alerts": {"severity", "symbol", "value"},
}


def download(page: Page, kind: str, format_: str, folder: Path) -> pd.DataFrame:
    page.locator(".qnb-export-kind").select_option(kind)
    page.locator(".qnb-export-format").select_option(format_)
    with page.expect_download() as downloading:
        page.locator(".qnb-export-button").click()
    name = downloading.value.suggested_filename
    assert name.startswith(f"quantnb-{kind}-")
    assert name.endswith(f".{format_}")
    downloading.value.save_as(folder / name)
    expect(message(page, ".qnb-export")).to_contain_text(f"{name} (")
    expect(page.locator(".qnb-export-button")).to_be_enabled()
    return pd.read_csv(folder / name) if format_ == "csv" else pd.read_parquet(folder / name)


@pytest.mark.parametrize("format_", ["csv", "parquet"])
@pytest.mark.parametrize("kind", COLUMNS)
def test_a_file_is_downloaded_and_reads_back(live: Page, kind: str, format_: str, tmp_path: Path) -> None:
    wait_for_tile(live, "ticks", "value >= 200")
    frame = download(live, kind, format_, tmp_path)
    assert COLUMNS[kind] <= set(frame.columns)


def test_the_file_of_trades_has_all_that_were_counted(live: Page, tmp_path: Path) -> None:
    live.locator("button.qnb-start").click()
    expect(live.locator(".qnb-status")).to_have_attribute("data-state", "stopped")
    frame = download(live, "trades", "parquet", tmp_path)
    n_ticks = int(tile(live, "ticks"))
    live.locator("button.qnb-start").click()
    assert len(frame) >= n_ticks > 0  # ticks count from the start, the file has the trades of before it, too
    assert set(frame["symbol"]) == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
    assert (frame["price"] > 0).all()
    assert (frame.groupby("symbol")["trade_id"].diff().dropna() == 1).all()


def test_the_bars_hold_their_lows_and_highs(live: Page, tmp_path: Path) -> None:
    bars = download(live, "bars", "csv", tmp_path).dropna(
        subset=["close"]
    )  # unknown ones: a gap to be repaired
    assert len(bars) > 0
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()


def test_an_export_that_fails_says_a_sentence_and_can_be_tried_again(live: Page, tmp_path: Path) -> None:
    kind = live.locator(".qnb-export-kind")
    kind.evaluate("select => select.append(new Option('Everything', 'everything'))")
    kind.select_option("everything")
    live.locator(".qnb-export-button").click()
    said = message(live, ".qnb-export")
    expect(said).to_contain_text("What can be exported is trades, bars, analytics or alerts")
    expect(said).to_have_attribute("data-level", "error")
    assert len(download(live, "bars", "csv", tmp_path)) > 0
