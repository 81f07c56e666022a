"""The export: a file goes to the browser that asked, a chunk at a time."""

from __future__ import annotations

import logging
import re

import pytest

from quantnb.view.download import CHUNK_BYTES, MAX_FILES, Download


@pytest.fixture
def download(session):
    return Download(session)


def fetch(listener, file):
    """Take a whole file as a browser does."""
    data = b""
    while len(data) < file["size"]:
        listener.sent.clear()
        listener.say("chunk", file=file["file"], offset=len(data))
        ((content, (chunk,)),) = listener.sent
        assert content["offset"] == len(data)
        data += bytes(chunk)
    return data


def test_a_file_arrives_whole_under_a_name_that_says_what_it_is(session, download, browser):
    session.tick(50)
    listener = browser(download)
    listener.say("export", what="trades", format="csv")
    file = listener.take("file")
    assert re.fullmatch(r"quantnb-trades-\d{8}T\d{6}Z\.csv", file["name"])
    assert fetch(listener, file) == session.encode("trades", "csv")


def test_a_large_file_comes_in_chunks(session, download, browser):
    content = bytes(range(256)) * (CHUNK_BYTES // 100)
    session.encode = lambda _kind, _format: content
    listener = browser(download)
    listener.say("export", what="bars", format="parquet")
    file = listener.take("file")
    assert file["size"] > 2 * CHUNK_BYTES
    assert fetch(listener, file) == content


def test_what_cannot_be_exported_is_said_in_the_sessions_words(download, browser):
    listener = browser(download)
    listener.say("export", what="trades", format="csv")
    assert listener.take("failed")["text"] == "There are no trades to export yet."


@pytest.mark.parametrize(
    ("what", "format_"),
    [("secrets", "csv"), ("trades", "exe"), ("../x", "csv"), (["trades"], "csv"), (None, 1)],
)
def test_only_the_kinds_and_formats_offered_reach_the_session(session, download, browser, what, format_):
    session.tick()
    listener = browser(download)
    listener.say("export", what=what, format=format_)
    assert "can be exported" in listener.take("failed")["text"]


def test_another_browser_cannot_take_the_file(session, download, browser):
    session.tick()
    listener = browser(download)
    listener.say("export", what="trades", format="csv")
    file = listener.take("file")
    stranger = browser(download, "stranger")
    stranger.say("chunk", file=file["file"], offset=0)
    assert "no longer held" in stranger.take("failed")["text"]


def test_few_files_are_held_and_none_after_its_last_chunk(session, download, browser):
    session.tick()
    for k in range(MAX_FILES + 3):
        browser(download, f"browser-{k}").say("export", what="trades", format="csv")
    assert len(download._files) == MAX_FILES
    listener = browser(download, "last")
    listener.say("export", what="trades", format="csv")
    fetch(listener, listener.take("file"))
    assert len(download._files) == MAX_FILES - 1


def test_an_unforeseen_failure_is_said_and_its_traceback_logged(session, download, browser, caplog):
    def fail(_kind, _format):
        raise ZeroDivisionError("the disk is upside down")

    session.encode = fail
    listener = browser(download)
    with caplog.at_level(logging.ERROR, "quantnb.view"):
        listener.say("export", what="trades", format="csv")
    assert "the disk is upside down" in listener.take("failed")["text"]
    assert caplog.records[0].exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize("content", ["", [], None, {"kind": "export"}, {"kind": "chunk", "client": 3}])
def test_a_message_without_form_is_passed_over(download, browser, content):
    listener = browser(download)
    download._handle_custom_msg(content, [])
    assert listener.sent == []
