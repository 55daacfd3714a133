"""Forgetting: asked once, done once, and again when it is asked again; revisions that say nothing without their key."""

import pytest

from kernel.adapters.personal import SubjectKey
from kernel.core.decider import DecidedEvent
from services.discovery.domain.erasure import (
    FORGOTTEN,
    AskErasure,
    Command,
    ErasureAsked,
    ErasureDone,
    Event,
    ForgottenRow,
    RecordErasure,
    Step,
    decide,
    evolve,
)
from services.discovery.rest.sealing import revision_of, seal
from tests.kit.rows import NoRows
from tests.unit.discovery.given import ID, NOON

KEY, OTHER_KEY = SubjectKey(ID, b"k" * 32), SubjectKey(ID, b"o" * 32)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ([], AskErasure(ID), [ErasureAsked(ID)]),
        ([ErasureAsked(ID)], AskErasure(ID), []),
        ([ErasureAsked(ID)], RecordErasure(ID), [ErasureDone(ID)]),
        ([ErasureAsked(ID), ErasureDone(ID)], RecordErasure(ID), []),
        ([ErasureAsked(ID), ErasureDone(ID)], AskErasure(ID), [ErasureAsked(ID)]),
        ([], RecordErasure(ID), []),
    ],
)
def test_erasure(given: list[Event], when: Command, then: list[Event]) -> None:
    step = Step.NONE
    for event in given:
        step = evolve(step, event)
    assert decide(when, step) == then


def test_who_was_forgotten_is_remembered_at_the_head() -> None:
    folded = FORGOTTEN.fold(DecidedEvent("erasure-1", "platform", 2, NOON, ErasureDone(ID)), NoRows())
    assert dict(folded) == {(ID,): ForgottenRow(ID)}


def test_the_same_text_has_the_same_revision_under_its_key_only() -> None:
    assert revision_of(KEY, "bio", "林") == revision_of(KEY, "bio", "林")
    others = {revision_of(KEY, "bio", "木"), revision_of(KEY, "contact", "林"), revision_of(OTHER_KEY, "bio", "林")}
    assert revision_of(KEY, "bio", "林") not in others
    assert len(others) == 3


def test_sealed_texts_open_again_and_empty_ones_are_left_out() -> None:
    sealed = seal(KEY, {"display_name": "林小满", "bio": "", "contact": "a@example.com"})
    assert sealed.revisions.keys() == {"display_name", "contact"}
    assert {one.field: KEY.open(one) for one in sealed.sealed} == {"display_name": "林小满", "contact": "a@example.com"}
    assert {one.field: one.revision for one in sealed.sealed} == sealed.revisions
