"""Which stream of a process an event goes to."""

from typing import Any

import pytest

from kernel.core.canonical import Hashed
from services.campaigns.domain.funding import funding
from services.campaigns.domain.funding.causes import EscrowHeld
from services.campaigns.domain.review import review
from services.campaigns.domain.review.causes import ReviewCompleted
from services.campaigns.domain.settlement import settlement
from services.campaigns.domain.shared.content_events import SubmissionStage, Verdict
from services.campaigns.domain.shared.events import ApplicationAccepted, Side
from tests.kit.campaigns import APPLICATION_ID, contract
from tests.unit.campaigns.test_processes import ACCEPTED, CONTRACTED, SUBMISSION, caused, look, refused
from tests.unit.campaigns.working import D1, FUNDED, S1, decide, submit

OUTLINE = decide(FUNDED, submit(stage=SubmissionStage.OUTLINE))[0]


@pytest.mark.parametrize(
    ("process", "event", "stream"),
    [
        pytest.param(funding, ACCEPTED, f"funding-{APPLICATION_ID}", id="accepted"),
        pytest.param(funding, EscrowHeld(APPLICATION_ID, D1), f"funding-{APPLICATION_ID}", id="held"),
        pytest.param(funding, refused("funding"), f"funding-{APPLICATION_ID}", id="its_refusal"),
        pytest.param(funding, refused("review"), None, id="anothers_refusal"),
        pytest.param(funding, SUBMISSION, None, id="content"),
        pytest.param(review, SUBMISSION, f"review-{S1}", id="a_draft"),
        pytest.param(review, OUTLINE, None, id="an_outline"),
        pytest.param(review, ReviewCompleted(S1, Verdict.CLEAR, 0), f"review-{S1}", id="a_verdict"),
        pytest.param(review, refused("review"), f"review-{APPLICATION_ID}", id="a_review_refused"),
        pytest.param(review, refused("funding"), None, id="another_refused"),
        pytest.param(review, CONTRACTED, None, id="a_contract"),
        pytest.param(settlement, look(), f"settlement-{D1}", id="a_look"),
        pytest.param(settlement, refused("settlement"), f"settlement-{APPLICATION_ID}", id="a_payment_refused"),
        pytest.param(settlement, refused("funding"), None, id="a_hold_refused"),
        pytest.param(settlement, CONTRACTED, None, id="no_deliverable"),
    ],
)
def test_routes(process: Any, event: Any, stream: str | None) -> None:
    assert process.route(caused(event)) == stream


def test_a_later_agreement_has_a_funding_of_its_own() -> None:
    later = Hashed.of(contract(agreement=2))
    accepted = ApplicationAccepted(Side.BRAND, later, later.sha256)
    stream = f"application-{APPLICATION_ID}"
    assert funding.route(caused(accepted, stream)) == f"funding-{later.value.collaboration_id}"
    assert later.value.collaboration_id != APPLICATION_ID
