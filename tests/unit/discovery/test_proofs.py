"""Decisions about proofs of accounts: limits, expiry, single use, strangers; and codes in bios."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kernel.core.decider import Actor, Context, GivenRows
from kernel.core.faults import Fault
from services.discovery.domain.handles import HANDLES, VERIFIED, HandleRow, VerifiedRow
from services.discovery.domain.profile import Platform
from services.discovery.domain.proofs.events import Event, ProofAccepted, ProofAsked, ProofLookRequested, ProofMissed
from services.discovery.domain.proofs.proof import (
    CODE_LIFE,
    CODES_A_DAY,
    INITIAL,
    LOOKS,
    AskProof,
    Command,
    Proof,
    RecordProofLook,
    RequestProofLook,
    decide,
    evolve,
    proof_stream,
)
from services.discovery.effects.proofs import has_code
from tests.unit.discovery.given import CREATOR_ACTOR, ID, LATER, NOON, OPERATOR, OTHER, RED, STRANGER, SYSTEM

XHS = Platform.XIAOHONGSHU
ASK, LOOK = AskProof(ID, RED, "r2"), RequestProofLook(ID, XHS)
ASKED = ProofAsked(ID, RED, "r1", NOON, NOON + CODE_LIFE)
REQUESTED = ProofLookRequested(ID, RED, 1, ASKED.expires_at)
CLAIMED = {(HANDLES.name, (RED.platform, RED.handle, ID)): HandleRow(RED.platform, RED.handle, ID)}


def decided(
    given: list[Event], when: Command, actor: Actor = CREATOR_ACTOR, at: Any = NOON, rows: Any = CLAIMED
) -> list[Event] | str:
    state: Proof = INITIAL
    for event in given:
        state = evolve(state, event)
    try:
        return list(decide(when, state, Context(at, actor, GivenRows(rows), proof_stream(ID, XHS), ID)))
    except Fault as fault:
        return fault.code


def verified_for(creator_id: str) -> dict[Any, Any]:
    return CLAIMED | {(VERIFIED.name, (RED.platform, RED.handle)): VerifiedRow(RED.platform, RED.handle, creator_id)}


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ([], ASK, [ProofAsked(ID, RED, "r2", NOON, NOON + CODE_LIFE)]),
        ([ASKED] * CODES_A_DAY, ASK, "proof.too_many_codes"),
        ([], LOOK, "proof.no_code"),
        ([ASKED], LOOK, [REQUESTED]),
        ([ASKED, REQUESTED], LOOK, []),
        ([ASKED, REQUESTED, ProofAccepted(ID, XHS, 1)], LOOK, "proof.no_code"),
        ([ASKED, replace(REQUESTED, look=LOOKS), ProofMissed(ID, XHS, LOOKS, "x")], LOOK, "proof.too_many_looks"),
    ],
)
def test_codes_and_looks_have_limits(given: list[Event], when: Command, then: Any) -> None:
    assert decided(given, when) == then


def test_a_code_expires_and_tomorrow_has_codes_again() -> None:
    assert decided([ASKED], LOOK, at=ASKED.expires_at) == "proof.code_expired"
    tomorrow = NOON + timedelta(days=1)
    assert decided([ASKED] * CODES_A_DAY, ASK, at=tomorrow) == [
        ProofAsked(ID, RED, "r2", tomorrow, tomorrow + CODE_LIFE)
    ]


def test_what_is_not_claimed_or_verified_already_has_no_proof() -> None:
    assert decided([], ASK, rows={}) == "creator.account_not_linked"
    assert decided([], ASK, rows=verified_for(ID)) == "proof.already_verified"
    assert decided([], ASK, rows=verified_for(OTHER)) == "creator.handle_taken"


@pytest.mark.parametrize("who", [STRANGER, OPERATOR, SYSTEM])
def test_nobody_but_the_creator_asks(who: Actor) -> None:
    assert decided([], ASK, who) == decided([ASKED], LOOK, who) == "creator.not_a_party"


def test_a_look_is_answered_once_and_by_the_platform_only() -> None:
    seen = RecordProofLook(1, "")
    assert decided([ASKED, REQUESTED], seen, CREATOR_ACTOR) == "actor.role_missing"
    assert decided([ASKED, REQUESTED], seen, SYSTEM, LATER) == [ProofAccepted(ID, XHS, 1)]
    assert decided([ASKED, REQUESTED], RecordProofLook(1, "why"), SYSTEM) == [ProofMissed(ID, XHS, 1, "why")]
    assert decided([ASKED, REQUESTED, ProofAccepted(ID, XHS, 1)], seen, SYSTEM) == []
    assert decided([ASKED, REQUESTED, ASKED], seen, SYSTEM) == [], "a new code has overtaken the look"


CODE = "dandelion-abcdefghij234567"


@pytest.mark.parametrize(
    ("bio", "there"),
    [
        (f"口红 {CODE}", True),
        (f"x{CODE.upper()}|bio", True),
        ("ｄandelion-abcdefghij234567", True),
        ("dandelion-zzzzzzzzzz234567 dandelion-abcdefghij234567", True),
        (CODE[:-1], False),
        ("dandelion-zzzzzzzzzz234567", False),
        ("", False),
    ],
)
def test_a_code_is_found_however_the_platform_writes_it(bio: str, there: bool) -> None:
    assert has_code(bio, CODE) is there
