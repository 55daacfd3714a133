"""A repeat is the same command of the same side: anything else that would be lost without a word is refused."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.campaigns.domain.application.commands import (
    AcceptApplication,
    CounterOffer,
    DeclineApplication,
    WithdrawApplication,
)
from services.campaigns.domain.collaboration.commands import (
    CancelCollaboration,
    OpenDispute,
    RequestRevision,
    SendProduct,
    WithdrawDispute,
)
from services.campaigns.domain.shared.events import Side
from tests.kit.campaigns import BRAND, CREATOR, SYSTEM
from tests.unit.campaigns.test_application import ACCEPTED, APPLIED, DECLINED, INVITED, MORE, WITHDRAWN, accepted, rows
from tests.unit.campaigns.test_application import run as run_application
from tests.unit.campaigns.working import (
    CLEARED,
    D1,
    FUND,
    FUNDED,
    IN_RULING,
    PUBLISHED,
    RECEIVE,
    S1,
    S3,
    SEND,
    SHIPPED,
    Step,
    contracted,
    publish,
    revise,
    run,
)

BY_BRAND = accepted(Side.BRAND)
ACCEPT, OTHER = AcceptApplication(1), AcceptApplication(9)


@pytest.mark.parametrize(
    ("given", "who", "when", "then"),
    [
        pytest.param([INVITED, ACCEPTED], CREATOR, ACCEPT, [], id="accepts_again"),
        pytest.param([INVITED, ACCEPTED], CREATOR, OTHER, "application.already_accepted", id="accepted_no_such_brief"),
        pytest.param([INVITED, ACCEPTED], BRAND, ACCEPT, "application.own_offer", id="the_brand_made_the_offer"),
        pytest.param([APPLIED, BY_BRAND], CREATOR, ACCEPT, "application.own_offer", id="the_creator_made_the_offer"),
        pytest.param([APPLIED, BY_BRAND], BRAND, OTHER, "application.already_accepted", id="the_brand_read_another"),
        pytest.param([INVITED, ACCEPTED], CREATOR, CounterOffer(MORE), "application.not_open", id="counters_no_more"),
        pytest.param([INVITED, DECLINED], CREATOR, DeclineApplication("busy"), [], id="declines_again"),
        pytest.param([INVITED, DECLINED], BRAND, DeclineApplication("busy"), "application.own_offer", id="not_the_brand"),
        pytest.param([APPLIED, WITHDRAWN], CREATOR, WithdrawApplication("busy"), [], id="withdraws_again"),
        pytest.param(
            [APPLIED, WITHDRAWN], BRAND, WithdrawApplication("busy"), "application.not_own_offer", id="nor_withdraws_it"
        ),
    ],
)  # fmt: skip
def test_answers_to_an_offer(given: Sequence[Any], who: Any, when: Any, then: Sequence[Any] | str) -> None:
    run_application(given, who, when, then, rows(committed_minor=110_000))


SENT = [contracted(SHIPPED), FUND, SEND]
CANCEL = CancelCollaboration("budget_cut")
DISPUTE, WITHDRAW = OpenDispute("unpaid"), WithdrawDispute()
REVISED = [*CLEARED, revise()]
REPORTED = publish()[1]


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        pytest.param(SENT, SEND, [], id="sent_again"),
        pytest.param(SENT, (BRAND, SendProduct("SF", "2")), "product.already_sent", id="sent_under_another_number"),
        pytest.param(
            [*SENT, RECEIVE], (BRAND, SendProduct("UPS", "1")), "product.already_sent", id="nor_once_received"
        ),
        pytest.param([*FUNDED, (CREATOR, CANCEL)], (CREATOR, CANCEL), [], id="cancelled_again"),
        pytest.param(
            [*FUNDED, (CREATOR, CANCEL)], (BRAND, CANCEL), "collaboration.not_running", id="the_other_side_did_it"
        ),
        pytest.param([*FUNDED, (BRAND, CANCEL)], (SYSTEM, CANCEL), [], id="a_process_asks_again"),
        pytest.param([*FUNDED, (CREATOR, DISPUTE)], (CREATOR, DISPUTE), [], id="disputed_again"),
        pytest.param(
            [*FUNDED, (CREATOR, DISPUTE)], (BRAND, DISPUTE), "collaboration.already_disputed", id="by_the_other_side"
        ),
        pytest.param([*FUNDED, (CREATOR, DISPUTE), (CREATOR, WITHDRAW)], (CREATOR, WITHDRAW), [], id="withdrawn_again"),
        pytest.param(
            [*FUNDED, (CREATOR, DISPUTE), (CREATOR, WITHDRAW)],
            (BRAND, WITHDRAW),
            "collaboration.only_who_opened_the_dispute",
            id="not_by_the_other_side",
        ),
        pytest.param(REVISED, revise(), [], id="revision_asked_again"),
        pytest.param(
            REVISED, (BRAND, RequestRevision(D1, S1, ("Smaller",))), "content.not_in_review", id="with_other_notes"
        ),
        pytest.param(
            IN_RULING, (BRAND, RequestRevision(D1, S3, ("Smaller",))), "content.not_in_review", id="nor_for_the_ruling"
        ),
        pytest.param(PUBLISHED, publish(), [], id="reported_again"),
        pytest.param(
            PUBLISHED,
            (CREATOR, replace(REPORTED, post_url="https://post.test/2")),
            "content.already_published",
            id="under_another_address",
        ),
        pytest.param(
            PUBLISHED,
            (CREATOR, replace(REPORTED, text=f"{REPORTED.text} !")),
            "content.already_published",
            id="with_another_text",
        ),
    ],
)
def test_collaborations(given: Sequence[Step], when: Step, then: Sequence[Any] | str) -> None:
    run(given, when, then)
