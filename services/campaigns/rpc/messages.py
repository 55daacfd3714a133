"""Rows of the read models as public messages."""

from typing import Any

from dandelion.campaigns.v1 import events_pb2 as pb_events
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.common.v1 import common_pb2 as common
from dandelion_contracts.words import number

from kernel.core.decider import Actor
from services.campaigns.domain.application.state import State as ApplicationState
from services.campaigns.domain.collaboration.deliverable import Deliverable, Stage
from services.campaigns.domain.collaboration.state import State as CollaborationState
from services.campaigns.domain.shared.brief import Brief, DeliverableSpec
from services.campaigns.domain.shared.content_events import Ruler
from services.campaigns.domain.shared.usual import unusual_terms
from services.campaigns.publish.applications import SIDES
from services.campaigns.publish.wire import (
    named,
    party,
    placement_of,
    wire_brief,
    wire_compensation,
    wire_deliverable,
    wire_offer,
    wire_terms,
    wire_timezone,
    wire_unusual,
)
from services.campaigns.reads import STAFF_ROLES

Row = dict[str, Any]
STAGES: dict[Stage, pb.DeliverableStatus.ValueType] = {
    Stage.WAITING: pb.DELIVERABLE_STATUS_OPEN,
    Stage.OPEN: pb.DELIVERABLE_STATUS_OPEN,
    Stage.OUTLINE_SUBMITTED: pb.DELIVERABLE_STATUS_REVIEWED,
    Stage.OUTLINED: pb.DELIVERABLE_STATUS_OUTLINED,
    Stage.DRAFT_SUBMITTED: pb.DELIVERABLE_STATUS_IN_REVIEW,
    Stage.IN_REVIEW: pb.DELIVERABLE_STATUS_REVIEWED,
    Stage.REVISION_REQUESTED: pb.DELIVERABLE_STATUS_REVISION_REQUESTED,
    Stage.IN_RULING: pb.DELIVERABLE_STATUS_REVIEWED,
    Stage.APPROVED: pb.DELIVERABLE_STATUS_APPROVED,
    Stage.SCHEDULED: pb.DELIVERABLE_STATUS_SCHEDULED,
    Stage.PUBLISHED: pb.DELIVERABLE_STATUS_PUBLISHED,
    Stage.TAKEN_DOWN: pb.DELIVERABLE_STATUS_TAKEN_DOWN,
    Stage.VERIFIED: pb.DELIVERABLE_STATUS_VERIFIED,
    Stage.PAYING: pb.DELIVERABLE_STATUS_VERIFIED,
    Stage.SETTLED: pb.DELIVERABLE_STATUS_SETTLED,
    Stage.BREACHED: pb.DELIVERABLE_STATUS_BREACHED,
    Stage.CURING: pb.DELIVERABLE_STATUS_BREACHED,
    Stage.CLAWING: pb.DELIVERABLE_STATUS_BREACHED,
    Stage.CLAWED_BACK: pb.DELIVERABLE_STATUS_CLAWED_BACK,
    Stage.ENDED: pb.DELIVERABLE_STATUS_CANCELLED,
}
"""IN_REVIEW is compliance's turn, REVIEWED the brand's (or staff's)."""


def campaign(row: Row, caller: Actor) -> pb.Campaign:
    """A row of `campaigns`; what the brand can spend and how many came is for the brand and the staff."""
    made = _campaign(row)
    if caller.tenant != row["brand_id"] and caller.roles.isdisjoint(STAFF_ROLES):
        made.brief.budget_minor = 0
        for name in (
            "reserved_minor",
            "paid_minor",
            "applications",
            "collaborations",
            "collaborations_settled",
            "collaborations_cancelled",
        ):
            made.ClearField(name)
    return made


def _campaign(row: Row) -> pb.Campaign:
    return pb.Campaign(
        **named(pb.Campaign, row),
        status=number(pb.CampaignStatus, row["status"]),
        brief=wire_brief(row["brief"].value, row["terms"].value, row["brief_version"], row["terms_sha256"]),
        unusual_terms=map(wire_unusual, unusual_terms(row["terms"].value, row["brief"].value)),
        detail=brief_detail(row["brief"].value),
    )


def brief_detail(brief: Brief) -> pb.BriefDetail:
    """What the public form of a brief leaves out."""
    return pb.BriefDetail(
        deliverables=map(_spec, brief.deliverables),
        creative_freedom=brief.creative_freedom,
        products_shipped=[product.shipped for product in brief.products],
    )


def _spec(spec: DeliverableSpec) -> pb.DeliverableSpec:
    return pb.DeliverableSpec(
        **named(pb.DeliverableSpec, spec),
        platform=number(common.Platform, spec.platform),
        format=number(common.Format, spec.format),
    )


def brief_version(row: Row, caller: Actor) -> pb.BriefVersion:
    """A row of `brief_versions`; the budget is for the brand and the staff."""
    made = pb.BriefVersion(
        **named(pb.BriefVersion, row),
        brief=wire_brief(row["brief"].value, row["terms"].value, row["version"], row["terms_sha256"]),
        detail=brief_detail(row["brief"].value),
        unusual_terms=map(wire_unusual, unusual_terms(row["terms"].value, row["brief"].value)),
    )
    if caller.tenant != row["brand_id"] and caller.roles.isdisjoint(STAFF_ROLES):
        made.brief.budget_minor = 0
    return made


def application(row: Row) -> pb.Application:
    """A row of `applications`."""
    state: ApplicationState = row["state"]
    return pb.Application(
        **named(pb.Application, state.offer, row),
        status=number(pb.ApplicationStatus, state.status),
        offered_by=SIDES[state.by],
        collaboration_id=state.collaboration_id,
        offer=wire_offer(state.offer) if state.offer else None,
    )


def collaboration(row: Row, deliverables: list[Row]) -> pb.Collaboration:
    """A row of `collaborations` with its rows of `deliverables`."""
    state: CollaborationState = row["state"]
    assert state.contract is not None, "a collaboration begins with its contract"
    contract, brief = state.contract.value, state.contract.value.brief.value
    states = {one.terms.deliverable_id: one for one in state.deliverables}
    return pb.Collaboration(
        **named(pb.Collaboration, state, brief, contract, row) | {"timezone": wire_timezone(brief)},
        status=number(pb.CollaborationStatus, row["status"]),
        type=number(common.CampaignType, brief.campaign_type),
        compensation=wire_compensation(brief.compensation),
        deliverables=[deliverable(states[one["deliverable_id"]], one) for one in deliverables],
        total_minor=contract.escrow_minor,
        terms=wire_terms(contract.terms.value, brief),
        unusual_terms=map(wire_unusual, unusual_terms(contract.terms.value, brief)),
        disputed_by=_party(state.disputed_by),
        cancelled_by=_party(state.cancelled_by),
    )


def _party(ruler: Ruler | None) -> pb_events.Party.ValueType:
    return party(ruler) if ruler else pb_events.PARTY_UNSPECIFIED


def deliverable(state: Deliverable, row: Row) -> pb.DeliverableView:
    """A deliverable as its collaboration's state and its own row have it."""
    return pb.DeliverableView(
        **named(pb.DeliverableView, state.terms, state, row),
        deliverable=wire_deliverable(state.terms, state.due_at),
        status=STAGES[state.stage],
        stage=number(common.SubmissionStage, state.submitted or ""),
        verdict=number(common.Verdict, state.verdict or ""),
        placement=placement_of(state.placement),
        step=state.stage,
    )


def dispute(row: Row) -> pb.Dispute:
    """A row of `disputes`."""
    return pb.Dispute(
        **named(pb.Dispute, row),
        status=number(pb.DisputeStatus, row["status"]),
        opened_by=party(Ruler(row["opened_by"])),
    )


def posting(row: Row) -> pb.Posting:
    """A row of `postings`."""
    return pb.Posting(**named(pb.Posting, row), status=number(pb.PostingStatus, row["status"]))


def marked_deal(row: Row) -> pb.MarkedDeal:
    """A row of `marked_deals`."""
    return pb.MarkedDeal(**named(pb.MarkedDeal, row), reasons=row["reasons"])
