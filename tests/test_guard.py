"""What a guarded function raises is shown once, and ends nothing."""

from __future__ import annotations

import logging

import pytest

from quantnb.guard import FAILURES, Guarded


class Fickle:
    """Raises as often as it is told to."""

    def __init__(self, n_failures: int) -> None:
        self.n_left = n_failures
        self.n_calls = 0

    def __call__(self, *_arguments: object) -> None:
        self.n_calls += 1
        if self.n_left:
            self.n_left -= 1
            raise ValueError("no")


def test_a_failure_is_noted_once_and_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    notes: list[str] = []
    guarded = Guarded(Fickle(3), notes.append)
    with caplog.at_level(logging.ERROR, "quantnb"):
        for _ in range(5):
            guarded()
    assert len(notes) == 1
    assert "ValueError: no" in notes[0]
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_function_that_works_again_may_fail_again() -> None:
    notes: list[str] = []
    fickle = Fickle(FAILURES - 1)
    guarded = Guarded(fickle, notes.append)
    for _ in range(FAILURES):
        guarded()
    fickle.n_left = 1
    guarded()
    guarded()
    assert fickle.n_calls == FAILURES + 2
    assert len(notes) == 2


def test_a_function_that_always_fails_is_given_up_with_a_word() -> None:
    notes: list[str] = []
    fickle = Fickle(1_000)
    guarded = Guarded(fickle, notes.append)
    for _ in range(3 * FAILURES):
        guarded()
    assert fickle.n_calls == FAILURES
    assert "not called any more" in notes[-1]


def test_an_interrupt_is_not_kept() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Guarded(interrupted, lambda _text: None)()


def test_it_is_found_by_the_function_it_guards() -> None:
    fickle = Fickle(0)
    guarded = Guarded(fickle, lambda _text: None)
    handlers = [guarded]
    handlers.remove(fickle)  # type: ignore[arg-type]
    assert handlers == []
    assert hash(guarded) == hash(fickle)
