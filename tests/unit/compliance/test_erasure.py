"""Erasure of a person: asked by itself or for it, answered by an operator, done once for each request."""

from datetime import UTC, datetime

import pytest

from kernel.core.decider import Actor
from services.compliance.domain.erasure import (
    Command,
    DeclineErasure,
    EraseSubject,
    ErasureDeclined,
    ErasureRequested,
    Event,
    RequestErasure,
    SubjectErased,
)
from services.compliance.wiring import SERVICE
from tests.kit import decide

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4e5f"
HERSELF = Actor("ann", ANN, frozenset({"creator"}))
OPERATOR = Actor("olga", "platform", frozenset({"operator"}))
OTHER = Actor("mallory", "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4e60", frozenset({"creator"}))
REQUESTED = ErasureRequested(ANN, NOON)
ERASED = SubjectErased(ANN, "request.subject", NOON)
ERASE, DECLINE = EraseSubject("request.subject"), DeclineErasure("contract.running")
DECLINED = ErasureDeclined(ANN, "contract.running", NOON)


@pytest.mark.parametrize(
    ("given", "when", "then", "actor"),
    [
        pytest.param([], RequestErasure(), [REQUESTED], HERSELF, id="asks_herself"),
        pytest.param([], RequestErasure(), [REQUESTED], OPERATOR, id="is_asked_for"),
        pytest.param([], RequestErasure(), "erasure.not_yours", OTHER, id="not_by_others"),
        pytest.param([REQUESTED], ERASE, [ERASED], OPERATOR, id="is_erased"),
        pytest.param([], ERASE, [ERASED], OPERATOR, id="is_erased_unasked"),
        pytest.param([], ERASE, "actor.role_missing", HERSELF, id="not_by_herself"),
        pytest.param([REQUESTED, ERASED], ERASE, [], OPERATOR, id="is_erased_once"),
        pytest.param([ERASED, REQUESTED], ERASE, [ERASED], OPERATOR, id="is_erased_again_when_asked_again"),
        pytest.param([REQUESTED], DECLINE, [DECLINED], OPERATOR, id="is_declined"),
        pytest.param([], DECLINE, "erasure.not_requested", OPERATOR, id="nothing_to_decline"),
        pytest.param([REQUESTED], DECLINE, "actor.role_missing", HERSELF, id="not_declined_by_herself"),
        pytest.param([REQUESTED, DECLINED], ERASE, [ERASED], OPERATOR, id="is_erased_after_all"),
    ],
)
def test_erasure(given: list[Event], when: Command, then: list[Event] | str, actor: Actor) -> None:
    decide.check(SERVICE, given, when, then, at=NOON, actor=actor, stream=f"subject-{ANN}")
