"""Forgetting: asked once, done once, and again when it is asked again; revisions that say nothing without their key."""

from typing import Any

import pytest

from kernel.adapters.vault.personal import SubjectKey
from kernel.core.decider import Context, DecidedEvent
from kernel.core.events import Delivered
from services.discovery.domain.erasure import (
    FORGOTTEN,
    Command,
    Erased,
    ErasureAsked,
    ErasureDone,
    Event,
    ForgottenRow,
    RecordErasure,
    Step,
    decide,
    evolve,
    route,
)
from services.discovery.rest.sealing import revision_of, seal
from tests.kit.rows import NoRows
from tests.unit.discovery.given import ID, NOON, SYSTEM

ASK: Delivered[Any] = Delivered("compliance", "subject-1@1", "subject-1", 1, 1, "platform", NOON, Erased(ID))
CONTEXT = Context(NOON, SYSTEM, NoRows(), "erasure-1", "platform")
KEY, OTHER_KEY = SubjectKey(ID, b"k" * 32), SubjectKey(ID, b"o" * 32)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ([], ASK, [ErasureAsked(ID)]),
        ([ErasureAsked(ID)], ASK, []),
        ([ErasureAsked(ID)], RecordErasure(ID), [ErasureDone(ID)]),
        ([ErasureAsked(ID), ErasureDone(ID)], RecordErasure(ID), []),
        ([ErasureAsked(ID), ErasureDone(ID)], ASK, [ErasureAsked(ID)]),
        ([], RecordErasure(ID), []),
    ],
)
def test_erasure(given: list[Event], when: Command, then: list[Event]) -> None:
    step = Step.NONE
    for event in given:
        step = evolve(step, event)
    assert decide(when, step, CONTEXT) == then


def test_a_subject_has_one_stream_and_others_events_none() -> None:
    assert route(ASK) == route(ASK._replace(id="subject-1@2"))
    assert route(ASK) != route(ASK._replace(event=Erased("someone else")))
    assert route(ASK._replace(event=ErasureDone(ID))) is None


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
