"""What comes of an agreement: not there yet, then there, and once it has ended the pair agrees again."""

from dataclasses import replace
from typing import Any

import pytest

from kernel.core.canonical import Hashed
from kernel.core.decider import Actor
from services.campaigns.domain.application.application import APPLICATION
from services.campaigns.domain.application.commands import AcceptApplication
from services.campaigns.domain.collaboration.collaboration import COLLABORATION
from services.campaigns.domain.shared.agreements import AGREED, AT_WORK, OVER, Agreement
from services.campaigns.domain.shared.contract import collaboration_id, offer_of
from services.campaigns.domain.shared.events import ApplicationAccepted, ApplicationSubmitted, CreatorInvited, Side
from services.campaigns.domain.shared.work_events import CollaborationContracted
from services.campaigns.publish import publish
from services.campaigns.wiring import SERVICE
from tests.kit.campaigns import (
    APPLICATION_ID,
    BRAND,
    BRAND_ID,
    CREATOR,
    CREATOR_ID,
    NOON,
    OPERATOR,
    PARTIES,
    STRANGER,
    contract,
)  # fmt: skip
from tests.kit.decide import RowKey, check
from tests.unit.campaigns import samples
from tests.unit.campaigns.test_application import ACCEPTED, APPLY, DUE, FEES, INVITE, INVITED, RELEASED, rows, run
from tests.unit.campaigns.test_collaboration import CANCEL
from tests.unit.campaigns.test_publish import incoming, message
from tests.unit.campaigns.working import OUTLINE, S1, STREAM, SUBMITTED, state_after, submit

LATER = contract(FEES, agreement=2)
OFFERED_AGAIN = offer_of(Hashed.of(LATER), 1)


def over(step: str, agreement: int = 1) -> dict[Any, Any]:
    id_ = collaboration_id(APPLICATION_ID, agreement)
    return {**rows(), ("agreements", (id_,)): Agreement(id_, BRAND_ID, CREATOR_ID, step)}


@pytest.mark.parametrize(
    ("who", "when", "begun"),
    [
        pytest.param(BRAND, INVITE, CreatorInvited(PARTIES, OFFERED_AGAIN, DUE), id="invited"),
        pytest.param(CREATOR, APPLY, ApplicationSubmitted(PARTIES, OFFERED_AGAIN, DUE), id="applies"),
    ],
)
def test_an_ended_pair_begins_anew(who: Actor, when: Any, begun: Any) -> None:
    """Under a collaboration of its own: nothing of the one before is touched."""
    run([INVITED, ACCEPTED], who, when, [begun], over(OVER))
    for step in (AGREED, AT_WORK):
        run([INVITED, ACCEPTED], who, when, "application.still_at_work", over(step))
    run([INVITED, ACCEPTED, RELEASED], who, when, [begun], over(OVER))
    other = CREATOR if who is BRAND else BRAND
    document = Hashed.of(LATER)
    agreed = ApplicationAccepted(Side.CREATOR if other is CREATOR else Side.BRAND, document, document.sha256)
    run([INVITED, ACCEPTED, begun], other, AcceptApplication(1), [agreed], over(OVER))
    assert LATER.collaboration_id not in (APPLICATION_ID, ACCEPTED.contract.value.collaboration_id)
    run([INVITED, ACCEPTED, begun, agreed], BRAND, INVITE, "application.still_at_work", over(AT_WORK, 2))


def test_an_acceptance_leads_to_its_collaboration() -> None:
    state = APPLICATION.initial
    assert APPLICATION.leads_to(AcceptApplication(1), state) is None
    for event in (INVITED, ACCEPTED):
        state = APPLICATION.evolve(state, event)
    assert APPLICATION.leads_to(AcceptApplication(1), state) == f"collaboration-{APPLICATION_ID}"
    assert APPLICATION.leads_to(INVITE, state) is None


@pytest.mark.parametrize(
    ("who", "step", "code"),
    [
        pytest.param(BRAND, AGREED, "collaboration.pending", id="the_brand"),
        pytest.param(CREATOR, AGREED, "collaboration.pending", id="the_creator"),
        pytest.param(OPERATOR, AGREED, "collaboration.pending", id="staff"),
        pytest.param(STRANGER, AGREED, "collaboration.unknown", id="no_stranger"),
        pytest.param(BRAND, OVER, "collaboration.unknown", id="not_what_came_to_nothing"),
    ],
)
def test_what_was_agreed_and_is_not_contracted_is_not_yet_there(who: Actor, step: str, code: str) -> None:
    row = Agreement(APPLICATION_ID, BRAND_ID, CREATOR_ID, step)
    rows: dict[RowKey, Any] = {("agreements", (APPLICATION_ID,)): row}
    check(SERVICE, [], CANCEL[1], code, at=NOON, actor=who, stream=STREAM, rows=rows)


def test_a_draft_leads_to_its_review() -> None:
    leads_to = COLLABORATION.leads_to
    assert leads_to(submit()[1], state_after(SUBMITTED)) == f"review-{S1}"
    assert leads_to(OUTLINE[1], state_after(SUBMITTED)) is None, "an outline is reviewed by nobody"
    assert leads_to(CANCEL[1], state_after(SUBMITTED)) is None


def test_what_came_of_a_later_agreement_names_its_application() -> None:
    later = replace(samples.CONTRACT, collaboration_id=collaboration_id(APPLICATION_ID, 2))
    document = Hashed.of(later)
    for category, event in (
        ("application", ApplicationAccepted(Side.BRAND, document, document.sha256)),
        ("collaboration", CollaborationContracted(document, document.sha256, NOON)),
    ):
        (announce,) = publish(incoming(category, APPLICATION_ID, event))
        made = message(announce)
        assert (made.application_id, made.collaboration_id) == (APPLICATION_ID, later.collaboration_id)
        assert later.collaboration_id != APPLICATION_ID
