"""Every event of a published stream has one public message; every request of a process is understood where it arrives."""

from datetime import UTC
from typing import Any

import pytest
from dandelion.campaigns.v1 import commands_pb2 as commands
from dandelion.campaigns.v1 import events_pb2 as pb
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import commands_pb2 as compliance_commands
from dandelion.compliance.v1 import events_pb2 as compliance
from dandelion.discovery.v1 import events_pb2 as discovery
from dandelion.ledger.v1 import commands_pb2 as ledger_commands
from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion_contracts.wire import stamp
from google.protobuf import symbol_database

from kernel.core.canonical import Hashed
from kernel.core.events import CommandRefused, Delivered
from kernel.core.personal import Erased, ErasureAsked, ErasureDone
from kernel.streams.relay import OutgoingCommand, PublicEvent
from services.campaigns.domain.application.commands import ReleaseApplication
from services.campaigns.domain.collaboration.commands import (
    CancelCollaboration,
    ContractCollaboration,
    EndDeliverable,
    FundCollaboration,
    NoteFundingWait,
    NotePaymentWait,
    RecordClawBack,
    RecordReview,
    RefuseClawBack,
    SettleDeliverable,
    TakeDownContent,
    VerifyContent,
)
from services.campaigns.domain.conduct.events import ConductEvent
from services.campaigns.domain.creators.causes import AvailabilityChanged, CreatorSuspended
from services.campaigns.domain.creators.events import CreatorHeard
from services.campaigns.domain.fees.causes import FeePolicyChanged
from services.campaigns.domain.fees.events import FeePolicyHeard
from services.campaigns.domain.funding.causes import EscrowHeld, EscrowRefused, RefundIssued
from services.campaigns.domain.funding.events import FundingEvent
from services.campaigns.domain.parties.events import PartyHeard
from services.campaigns.domain.review.causes import DisclosureAttached
from services.campaigns.domain.review.causes import ReviewCompleted as Completed
from services.campaigns.domain.review.events import ReviewEvent
from services.campaigns.domain.settlement.causes import ContentLookedAt, PaymentDeferred, PaymentReleased
from services.campaigns.domain.settlement.events import SettlementEvent
from services.campaigns.domain.shared.content_events import ContentEvent, LabelPlacement, Verdict
from services.campaigns.domain.shared.events import CampaignDrafted
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.domain.shared.work_events import WorkEvent
from services.campaigns.publish import content, publish, requests, work
from services.campaigns.subscribe import decode, decode_command
from tests.kit.campaigns import APPLICATION_ID, BRAND_ID, CAMPAIGN_ID, CREATOR_ID, NOON, brief
from tests.kit.forms import check_forms
from tests.unit.campaigns import samples
from tests.unit.campaigns.samples import DID, SEAL, SID

PUBLISHED = [
    *(("campaign", CAMPAIGN_ID, event) for event in samples.CAMPAIGN),
    *(("application", APPLICATION_ID, event) for event in samples.APPLICATION),
    *(("collaboration", APPLICATION_ID, event) for event in samples.COLLABORATION),
    ("refusal", DID, samples.REFUSED),
]


def incoming(category: str, uuid: str, event: Any) -> Delivered[Any]:
    stream = f"{category}-{uuid}"
    return Delivered("campaigns", f"{stream}@1", stream, 1, 1, BRAND_ID, NOON, event)


def message(announce: PublicEvent | OutgoingCommand) -> Any:
    return symbol_database.Default().GetSymbol(announce.type).FromString(announce.value)


def of(event: Any) -> Any:
    category, uuid, _ = next(one for one in PUBLISHED if one[2] is event)
    (announce,) = publish(incoming(category, uuid, event))
    return message(announce)


@pytest.mark.parametrize(("category", "uuid", "event"), PUBLISHED, ids=lambda value: type(value).__name__)
def test_one_message_per_event(category: str, uuid: str, event: Any) -> None:
    (announce,) = publish(incoming(category, uuid, event))
    assert isinstance(announce, PublicEvent)
    assert announce.type.startswith("dandelion.campaigns.v1.")
    assert all(field.type != field.TYPE_FLOAT for field in message(announce).DESCRIPTOR.fields)


def test_no_event_of_a_collaboration_is_forgotten() -> None:
    check_forms(work.FORMS, WorkEvent)
    check_forms(content.FORMS, ContentEvent)


def test_no_event_of_a_process_is_forgotten() -> None:
    erasure, heard = ErasureAsked | ErasureDone, CreatorHeard | FeePolicyHeard | PartyHeard
    events = (heard, FundingEvent, ReviewEvent, SettlementEvent, ConductEvent, erasure)
    check_forms(requests.REQUESTS, *events)


def test_messages_name_the_parties() -> None:
    for _, _, event in PUBLISHED:
        made = of(event)
        for name, value in (("campaign_id", CAMPAIGN_ID), ("brand_id", BRAND_ID), ("creator_id", CREATOR_ID)):
            if name in made.DESCRIPTOR.fields_by_name:
                assert getattr(made, name) == value, type(event).__name__


def test_a_brief_in_public() -> None:
    said = of(samples.CAMPAIGN[2]).brief
    assert (said.version, said.type, said.mode) == (2, common.CAMPAIGN_TYPE_BRANDED_CONTENT, pb.RECRUIT_MODE_OPEN)
    assert (said.compensation.performance_metric, said.compensation.floor_minor) == ("cpe", 1_000)
    assert [(step.stage, step.share_bps) for step in said.terms.ladder][-1] == ("after_feedback", 10_000)
    assert (said.platforms, said.formats) == ([common.PLATFORM_XIAOHONGSHU], [common.FORMAT_IMAGE_NOTE])
    assert said.products[0].product_id == "sku-1"


def test_a_brief_in_the_default_zone_looks_as_before_it_had_one() -> None:
    assert "timezone" not in {field.name for field, _ in of(samples.CAMPAIGN[2]).brief.ListFields()}
    paris = CampaignDrafted(BRAND_ID, Hashed.of(brief(timezone="Europe/Paris")), Hashed.of(Terms()))
    (announce,) = publish(incoming("campaign", CAMPAIGN_ID, paris))
    assert message(announce).brief.timezone == "Europe/Paris"


def test_an_offer_in_public() -> None:
    offer = of(samples.APPLICATION[0]).offer
    assert (offer.round, offer.total_minor, offer.commission_bps, offer.currency) == (1, 88_000, 300, "CNY")
    assert of(samples.APPLICATION[2]).countered_by == pb.PARTY_CREATOR


def test_a_publication_in_public() -> None:
    post = of(samples.COLLABORATION[15])
    assert (post.post_id, post.label, post.placement) == ("p1", "广告", common.LABEL_PLACEMENT_TEXT_START)
    assert (post.live_check_after_s, post.protection_s, post.fee_minor) == (3_600, 86_400, 80_000)


def test_a_cancellation_in_public() -> None:
    cancelled = of(samples.COLLABORATION[5])
    assert (cancelled.cancelled_by, cancelled.freed_minor, cancelled.funded) == (pb.PARTY_BRAND, 59_000, True)
    assert (cancelled.deliverables[0].stage, cancelled.deliverables[0].kill_fee_minor) == ("after_draft", 40_000)


def test_a_refusal_in_public() -> None:
    found = {fact.name: fact.value for fact in of(samples.REFUSED).facts}
    assert found == {"needed_minor": "5", "ok": "false", "why": "x"}


def asked(event: Any) -> OutgoingCommand:
    (request,) = publish(incoming("funding", APPLICATION_ID, event))
    assert isinstance(request, OutgoingCommand)
    return request


@pytest.mark.parametrize("event", samples.STEPS, ids=lambda event: type(event).__name__)
def test_steps_ask_for_nothing(event: Any) -> None:
    assert publish(incoming("funding", APPLICATION_ID, event)) == []


OWN = f"collaboration-{APPLICATION_ID}"
CAME = RecordReview(DID, SID, Verdict.CLEAR, 1, "广告", LabelPlacement.TEXT_START)


@pytest.mark.parametrize(
    ("event", "stream", "command"),
    [
        pytest.param(samples.REQUESTS[0], OWN, ContractCollaboration(samples.DOCUMENT, SEAL), id="contract"),
        pytest.param(samples.REQUESTS[2], OWN, FundCollaboration(), id="fund"),
        pytest.param(samples.REQUESTS[3], OWN, CancelCollaboration("escrow.not_covered"), id="cancel"),
        pytest.param(
            samples.REQUESTS[5], f"application-{APPLICATION_ID}", ReleaseApplication("no_contract"), id="release"
        ),
        pytest.param(samples.REQUESTS[7], OWN, CAME, id="review"),
        pytest.param(samples.REQUESTS[8], OWN, VerifyContent(DID, "look-1"), id="verify"),
        pytest.param(samples.REQUESTS[9], OWN, TakeDownContent(DID, "content.gone", "look-1"), id="take_down"),
        pytest.param(samples.REQUESTS[11], OWN, SettleDeliverable(DID, "release-1", 76_000), id="settle"),
        pytest.param(samples.REQUESTS[12], OWN, EndDeliverable(DID, "escrow.expired", 88_000), id="end"),
        pytest.param(samples.REQUESTS[13], OWN, RecordClawBack(DID, "claw-1", 30_000, 8_000), id="clawed_back"),
        pytest.param(samples.REQUESTS[16], OWN, RefuseClawBack(DID, "claw-1", "escrow.not_released"), id="refused"),
        pytest.param(samples.REQUESTS[17], OWN, NotePaymentWait(DID, "tax.residence_unknown"), id="waits"),
        pytest.param(samples.REQUESTS[18], OWN, NoteFundingWait("escrow.not_covered", 88_000, 1), id="not_covered"),
    ],
)
def test_own_requests_come_back_as_commands(event: Any, stream: str, command: object) -> None:
    request = asked(event)
    assert (request.target, request.key) == ("campaigns", stream)
    assert decode_command(request.type, request.value) == (stream, command)


@pytest.mark.parametrize(
    ("event", "target", "kind"),
    [
        pytest.param(samples.REQUESTS[1], "ledger", ledger_commands.HoldEscrow, id="hold"),
        pytest.param(samples.REQUESTS[4], "ledger", ledger_commands.CancelEscrow, id="return"),
        pytest.param(samples.REQUESTS[10], "ledger", ledger_commands.ReleasePayment, id="pay"),
        pytest.param(samples.REQUESTS[14], "ledger", ledger_commands.ClawBackPayment, id="claw_back"),
        pytest.param(samples.REQUESTS[6], "compliance", compliance_commands.ReviewContent, id="review"),
    ],
)
def test_requests_to_others(event: Any, target: str, kind: Any) -> None:
    request = asked(event)
    made = message(request)
    assert (request.target, type(made).DESCRIPTOR.full_name) == (target, kind.DESCRIPTOR.full_name)
    assert (made.collaboration_id, made.requester) == (APPLICATION_ID, f"funding-{APPLICATION_ID}")
    assert request.key in (f"escrow-{DID}", f"review-{SID}")


def test_a_sanction_is_discoverys_to_carry_out() -> None:
    request = asked(samples.REQUESTS[15])
    made = message(request)
    assert (request.target, request.key) == ("discovery", f"creator-{CREATOR_ID}")
    assert (made.creator_id, made.reason, made.until.ToDatetime(UTC)) == (CREATOR_ID, "sanction.breach_not_cured", NOON)


def test_compliance_gets_all_it_needs() -> None:
    made = message(asked(samples.REQUESTS[6]))
    assert (made.text, made.jurisdiction, made.product_category, made.product_used) == (
        "A serum",
        "CN",
        "cosmetics",
        True,
    )
    assert (made.links, made.media[0].ai_made, made.compensation_kind) == (
        ["https://shop.test"], True, common.COMPENSATION_KIND_HYBRID,
    )  # fmt: skip
    (proof,) = made.evidence
    assert (proof.kind, proof.phrase, proof.reference, proof.expires_on) == ("approval", "serum", "No. 7", "2027-03-01")


IDS: dict[str, Any] = {"collaboration_id": APPLICATION_ID, "deliverable_id": DID}
SETTLED = ledger.PaymentReleased(
    **IDS, release_id="r", kind=ledger.RELEASE_KIND_SETTLEMENT, creator_net_minor=5, currency="CNY"
)
OWES = ledger.EscrowRefused(**IDS, code="escrow.brand_owes")
RETURNED = ledger.RefundIssued(**IDS, amount_minor=5, currency="CNY", reason="In words of finance's own")
KILL_FEE = ledger.PaymentReleased(**IDS, release_id="r", kind=ledger.RELEASE_KIND_KILL_FEE)
WAITS = ledger.PaymentDeferred(**IDS, creator_id=CREATOR_ID, reason="tax.rate_unknown")
POLICY = ledger.FeePolicyChanged(fee_policy="fees@x", since=stamp(NOON), brand_fee_bps=1_200, creator_fee_bps=300)
CLOSED = discovery.AvailabilityChanged(
    creator_id=CREATOR_ID, availability=discovery.AVAILABILITY_CLOSED, max_parallel_jobs=2
)
BARRED = discovery.CreatorSuspended(creator_id=CREATOR_ID, until=stamp(NOON))
HUMAN = compliance.ReviewCompleted(
    submission_id=SID, verdict=common.VERDICT_NEEDS_HUMAN, findings=[compliance.Finding()] * 2
)
PLAIN = compliance.DisclosureAttached(submission_id=SID, label="#ad")
SEEN = compliance.ContentLookedAt(**IDS, look_id="l", found=True, label_present=True, text_unchanged=True)


@pytest.mark.parametrize(
    ("wire", "event"),
    [
        pytest.param(ledger.EscrowHeld(**IDS), EscrowHeld(APPLICATION_ID, DID), id="held"),
        pytest.param(ledger.EscrowRefused(**IDS, code="x"), EscrowRefused(APPLICATION_ID, DID, "x"), id="refused"),
        pytest.param(OWES, EscrowRefused(APPLICATION_ID, DID, "escrow.not_covered"), id="whose_brand_owes"),
        pytest.param(RETURNED, RefundIssued(APPLICATION_ID, DID, "escrow.returned", 5, "CNY"), id="returned"),
        pytest.param(SETTLED, PaymentReleased(APPLICATION_ID, DID, "r", 5, "CNY"), id="paid"),
        pytest.param(KILL_FEE, None, id="a_kill_fee"),
        pytest.param(WAITS, PaymentDeferred(APPLICATION_ID, DID, "", "", CREATOR_ID, "tax.rate_unknown"), id="waits"),
        pytest.param(POLICY, FeePolicyChanged("fees@x", NOON, 1_200, 300), id="fees"),
        pytest.param(CLOSED, AvailabilityChanged(CREATOR_ID, False, 2), id="closed"),
        pytest.param(BARRED, CreatorSuspended(CREATOR_ID, NOON), id="suspended"),
        pytest.param(
            discovery.CreatorSuspended(creator_id=CREATOR_ID), CreatorSuspended(CREATOR_ID, None), id="barred"
        ),
        pytest.param(compliance.SubjectErased(subject_id=CREATOR_ID), Erased(CREATOR_ID), id="erased"),
        pytest.param(HUMAN, Completed(SID, Verdict.NEEDS_HUMAN, 2), id="reviewed"),
        pytest.param(PLAIN, DisclosureAttached(SID, "#ad", None), id="labelled"),
        pytest.param(SEEN, ContentLookedAt(APPLICATION_ID, DID, "l", True, True, True), id="looked"),
        pytest.param(
            ledger.CommandRefused(command_id="i", requester="funding-x", code="c", command="HoldEscrow"),
            CommandRefused("i", "funding-x", "HoldEscrow", "c", "{}"),
            id="command_refused",
        ),
        pytest.param(ledger.DepositConfirmed(), None, id="not_its_business"),
    ],
)
def test_others_events(wire: Any, event: object) -> None:
    assert decode(wire.DESCRIPTOR.full_name, wire.SerializeToString()) == event


@pytest.mark.parametrize("kind", ["ledger.v1.EscrowHeld", "compliance.v1.ReviewCompleted"])
def test_bytes_that_are_no_message(kind: str) -> None:
    with pytest.raises(ValueError):
        decode(f"dandelion.{kind}", b"\xff\xff")


def test_commands_that_are_none() -> None:
    assert decode_command("dandelion.campaigns.v1.Unknown", b"") is None
    wire = asked(samples.REQUESTS[0])
    forged = commands.ContractCollaboration.FromString(wire.value)
    forged.terms_hash = "0" * 64
    with pytest.raises(ValueError, match="does not match its hash"):
        decode_command(wire.type, forged.SerializeToString())
