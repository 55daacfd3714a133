"""Forgetting: asked once, done once, and again when it is asked again; later where the law wants it kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kernel.core.decider import Actor, Context
from kernel.core.events import Delivered
from kernel.core.personal import (
    Erased,
    EraseNow,
    ErasureAsked,
    ErasureDone,
    ErasureEvent,
    ErasurePostponed,
    RecordErasure,
    erasure_of,
    erasures,
)
from tests.kit.rows import NoRows

ID = "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4e5f"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ASK: Delivered[Any] = Delivered("compliance", "subject-1@1", "subject-1", 1, 1, "platform", NOON, Erased(ID))
CONTEXT = Context(NOON, Actor("effect", "platform", frozenset({"system"})), NoRows(), "erasure-1", "platform")
KEPT = timedelta(days=3 * 365)
POSTPONED = ErasurePostponed(ID, NOON + KEPT)


def decided(kept: timedelta, given: list[ErasureEvent], when: Any) -> list[ErasureEvent]:
    decider = erasures(kept)
    step = decider.initial
    for event in given:
        step = decider.evolve(step, event)
    return list(decider.decide(when, step, CONTEXT))


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ([], ASK, [ErasureAsked(ID)]),
        ([ErasureAsked(ID)], ASK, []),
        ([ErasureAsked(ID)], RecordErasure(ID), [ErasureDone(ID)]),
        ([ErasureAsked(ID), ErasureDone(ID)], RecordErasure(ID), []),
        ([ErasureAsked(ID), ErasureDone(ID)], ASK, [ErasureAsked(ID)]),
        ([], RecordErasure(ID), []),
        ([], EraseNow(ID), []),
    ],
)
def test_erasure(given: list[ErasureEvent], when: Any, then: list[ErasureEvent]) -> None:
    assert decided(timedelta(0), given, when) == then


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ([], ASK, [POSTPONED]),
        ([POSTPONED], ASK, []),
        ([POSTPONED], RecordErasure(ID), []),
        ([POSTPONED], EraseNow(ID), [ErasureAsked(ID)]),
        ([POSTPONED, ErasureAsked(ID)], EraseNow(ID), []),
        ([POSTPONED, ErasureAsked(ID), ErasureDone(ID)], ASK, [POSTPONED]),
    ],
)
def test_what_the_law_wants_kept_is_erased_when_its_time_is_over(
    given: list[ErasureEvent], when: Any, then: list[ErasureEvent]
) -> None:
    assert decided(KEPT, given, when) == then


def test_a_subject_has_one_stream_and_others_events_none() -> None:
    assert erasure_of(ASK) == erasure_of(ASK._replace(id="subject-1@2"))
    assert erasure_of(ASK) != erasure_of(ASK._replace(event=Erased("someone else")))
    assert erasure_of(ASK._replace(event=ErasureDone(ID))) is None
