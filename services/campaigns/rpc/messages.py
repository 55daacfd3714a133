"""Rows of the read models as public messages."""

from typing import Any

from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.common.v1 import common_pb2 as common
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number

from kernel.core.decider import Actor
from services.campaigns.domain.application.application import State as ApplicationState
from services.campaigns.domain.collaboration.deliverable import Deliverable, Stage
from services.campaigns.domain.collaboration.state import State as CollaborationState
from services.campaigns.publish.applications import SIDES
from services.campaigns.publish.wire import (
    placement_of,
    wire_brief,
    wire_compensation,
    wire_deliverable,
    wire_offer,
    wire_terms,
    wire_timezone,
)

Row = dict[str, Any]
STAFF_ROLES = frozenset({"operator", "reviewer", "finance", "auditor"})
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
            "applications",
            "collaborations",
            "collaborations_settled",
            "collaborations_cancelled",
        ):
            made.ClearField(name)
    return made


def _campaign(row: Row) -> pb.Campaign:
    return pb.Campaign(
        campaign_id=row["campaign_id"],
        brand_id=row["brand_id"],
        status=number(pb.CampaignStatus, row["status"]),
        brief=wire_brief(row["brief"].value, row["terms"].value, row["brief_version"], row["terms_sha256"]),
        reserved_minor=row["reserved_minor"],
        applications=row["applications"],
        collaborations=row["collaborations"],
        collaborations_settled=row["collaborations_settled"],
        collaborations_cancelled=row["collaborations_cancelled"],
        drafted_at=stamp(row["drafted_at"]),
        published_at=stamp(row["published_at"]),
        changed_at=stamp(row["changed_at"]),
        version=row["version"],
    )


def application(row: Row) -> pb.Application:
    """A row of `applications`."""
    state: ApplicationState = row["state"]
    return pb.Application(
        application_id=row["application_id"],
        campaign_id=row["campaign_id"],
        brand_id=row["brand_id"],
        creator_id=row["creator_id"],
        status=number(pb.ApplicationStatus, state.status),
        offered_by=SIDES[state.by],
        offer=wire_offer(state.offer) if state.offer else None,
        brief_version=state.offer.brief_version if state.offer else 0,
        created_at=stamp(row["created_at"]),
        expires_at=stamp(row["expires_at"]),
        changed_at=stamp(row["changed_at"]),
        version=row["version"],
    )


def collaboration(row: Row, deliverables: list[Row]) -> pb.Collaboration:
    """A row of `collaborations` with its rows of `deliverables`."""
    state: CollaborationState = row["state"]
    assert state.contract is not None, "a collaboration begins with its contract"
    contract, brief = state.contract.value, state.contract.value.brief.value
    states = {one.terms.deliverable_id: one for one in state.deliverables}
    return pb.Collaboration(
        collaboration_id=row["collaboration_id"],
        campaign_id=row["campaign_id"],
        brand_id=row["brand_id"],
        creator_id=row["creator_id"],
        status=number(pb.CollaborationStatus, row["status"]),
        type=number(common.CampaignType, brief.campaign_type),
        compensation=wire_compensation(brief.compensation),
        deliverables=[deliverable(states[one["deliverable_id"]], one) for one in deliverables],
        currency=contract.currency,
        total_minor=contract.escrow_minor,
        brief_version=contract.brief_version,
        terms_hash=row["contract_sha256"],
        terms=wire_terms(contract.terms.value, brief),
        jurisdiction=brief.jurisdiction,
        product_category=brief.product_category,
        reason=row["reason"],
        contracted_at=stamp(row["contracted_at"]),
        funded_at=stamp(row["funded_at"]),
        changed_at=stamp(row["changed_at"]),
        version=row["version"],
        timezone=wire_timezone(brief),
    )


def deliverable(state: Deliverable, row: Row) -> pb.DeliverableView:
    """A deliverable as its collaboration's state and its own row have it."""
    return pb.DeliverableView(
        deliverable=wire_deliverable(state.terms, state.due_at),
        status=STAGES[state.stage],
        submission_id=state.submission_id,
        stage=number(common.SubmissionStage, state.submitted or ""),
        verdict=number(common.Verdict, state.verdict or ""),
        findings=row["findings"],
        revisions=state.revisions,
        label=state.label,
        placement=placement_of(state.placement),
        url=row["post_url"],
        post_id=state.post_id,
        publish_at=stamp(state.publish_at),
        published_at=stamp(row["published_at"]),
        verified_at=stamp(row["verified_at"]),
        settled_at=stamp(row["settled_at"]),
        creator_net_minor=state.creator_net_minor,
    )


def posting(row: Row) -> pb.Posting:
    """A row of `postings`."""
    return pb.Posting(
        deliverable_id=row["deliverable_id"],
        collaboration_id=row["collaboration_id"],
        campaign_id=row["campaign_id"],
        brand_id=row["brand_id"],
        creator_id=row["creator_id"],
        status=number(pb.PostingStatus, row["status"]),
        publish_at=stamp(row["publish_at"]),
        published_at=stamp(row["published_at"]),
        url=row["post_url"],
    )
