"""The tiles' frames."""

from __future__ import annotations

import json
import math

import pytest

from quantnb.view.tiles import Tiles

NAMES = {"ticks", "volume", "spread", "zscore", "half_life", "correlation", "edge", "alerts"}


@pytest.fixture
def tiles(session, lease):
    return Tiles(session, lease=lease)


def test_the_first_frame_has_all_tiles(tiles):
    assert set(tiles.frame(None).data) == NAMES


def test_a_tile_that_waits_has_no_value_and_says_for_what(session, tiles):
    session.tick(5, n_bars=12)
    tile = tiles.frame(None).data["zscore"]
    assert (tile["value"], tile["waiting"]) == (None, "12 of 50 bars")


def test_values_keep_their_full_precision(session, tiles):
    session.tick(5, n_bars=60)
    assert tiles.frame(None).data["zscore"]["value"] == -1.23456789
    assert json.loads(json.dumps(tiles.frame(None).data))["zscore"]["value"] == -1.23456789


def test_a_later_frame_has_only_the_tiles_that_changed(session, tiles):
    cursor = tiles.frame(None).cursor
    assert tiles.frame(cursor) is None
    session.tick(5)
    assert set(tiles.frame(cursor).data) == {"ticks", "volume"}


def test_no_frame_has_a_value_that_json_does_not_know(session, tiles):
    session.tick(5, n_bars=60)
    values = [tile["value"] for tile in tiles.frame(None).data.values()]
    assert all(value is None or math.isfinite(value) for value in values)


def test_a_browser_is_sent_the_recipe_of_the_tile_it_asks_for(tiles, browser):
    listener = browser(tiles)
    listener.say("reproduce", what="zscore")
    said = listener.take("recipe")
    assert (said["what"], said["code"]) == ("zscore", "session.zscore\n")


def test_a_recipe_that_there_is_not_is_a_sentence(tiles, browser):
    listener = browser(tiles)
    listener.say("reproduce", what="__class__")
    assert listener.take("recipe")["problem"] == "There is no '__class__'."


@pytest.mark.parametrize("what", [None, 3, ["zscore"], {"a": 1}])
def test_a_question_that_makes_no_sense_gets_no_answer(tiles, browser, what):
    listener = browser(tiles)
    listener.say("reproduce", what=what)
    assert not [content for content, _ in listener.sent if content["kind"] == "recipe"]
