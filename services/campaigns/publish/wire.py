"""Values in their public form."""

from datetime import datetime
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as pb
from dandelion.common.v1 import common_pb2 as common
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number

from services.campaigns.domain.shared.brief import SHANGHAI, Brief, Product
from services.campaigns.domain.shared.compensation import Compensation
from services.campaigns.domain.shared.content_events import LabelPlacement, Ruler
from services.campaigns.domain.shared.contract import DeliverableTerms, Offer, Parties
from services.campaigns.domain.shared.terms import LadderStage, Terms, ladder_share
from services.campaigns.domain.shared.work_events import Due, Ended

PARTIES = {Ruler.BRAND: pb.PARTY_BRAND, Ruler.CREATOR: pb.PARTY_CREATOR, Ruler.STAFF: pb.PARTY_STAFF}
"""Compliance, clocks and processes are the system."""


def party(ruler: Ruler) -> pb.Party.ValueType:
    """Who did it, as the public enum says."""
    return PARTIES.get(ruler, pb.PARTY_SYSTEM)


def who(parties: Parties) -> dict[str, Any]:
    """The three ids that nearly every message has."""
    return {"campaign_id": parties.campaign_id, "brand_id": parties.brand_id, "creator_id": parties.creator_id}


def placement_of(placement: LabelPlacement | None) -> common.LabelPlacement.ValueType:
    return number(common.LabelPlacement, placement or "")


def wire_terms(terms: Terms, brief: Brief) -> pb.Terms:
    clocks = terms.clocks
    ladder = [pb.LadderStep(stage=stage, share_bps=ladder_share(terms.ladder, stage)) for stage in LadderStage]
    return pb.Terms(
        invitation_expiry_s=clocks.invitation_expiry_s,
        funding_s=clocks.funding_s,
        product_s=clocks.product_s,
        draft_s=clocks.draft_s,
        compliance_s=clocks.compliance_s,
        brand_review_s=clocks.brand_review_s,
        review_reminder_s=clocks.review_reminder_s,
        revision_s=clocks.revision_s,
        ruling_s=clocks.ruling_s,
        publish_s=clocks.publish_s,
        publish_grace_s=clocks.publish_grace_s,
        verify_s=clocks.verify_s,
        settlement_delay_s=clocks.settlement_delay_s,
        payment_retry_s=clocks.payment_retry_s,
        live_check_after_s=clocks.live_check_after_s,
        protection_s=clocks.protection_s,
        max_revisions=terms.max_revisions,
        ladder=ladder,
        brand_fee_bps=terms.brand_fee_bps,
        creator_fee_bps=terms.creator_fee_bps,
        exclusivity_days=brief.exclusivity_days,
        usage_rights_days=brief.usage_days,
    )


def wire_compensation(rule: Compensation) -> pb.Compensation:
    return pb.Compensation(
        kind=number(common.CompensationKind, rule.kind),
        commission_bps=rule.commission_bps,
        performance_metric=rule.metric or "",
        performance_rate_minor=rule.rate_minor,
        floor_minor=rule.floor_minor,
        cap_minor=rule.cap_minor,
    )


def wire_product(product: Product) -> pb.Product:
    return pb.Product(
        product_id=product.product_id,
        name=product.name,
        brand_name=product.brand_name,
        category=product.category,
        approval_number=product.approval_number,
        value_minor=product.value_minor,
    )


def wire_brief(brief: Brief, terms: Terms, version: int, seal: str) -> pb.Brief:
    """The whole brief with its terms; `seal` is the SHA-256 over both as stored."""
    return pb.Brief(
        version=version,
        terms_hash=seal,
        title=brief.title,
        objective=brief.objective,
        type=number(common.CampaignType, brief.campaign_type),
        mode=number(pb.RecruitMode, brief.mode),
        compensation=wire_compensation(brief.compensation),
        budget_minor=brief.budget_minor,
        currency=brief.currency,
        product_category=brief.product_category,
        products=map(wire_product, brief.products),
        jurisdiction=brief.jurisdiction,
        platforms=[number(common.Platform, one) for one in dict.fromkeys(spec.platform for spec in brief.deliverables)],
        formats=[number(common.Format, one) for one in dict.fromkeys(spec.format for spec in brief.deliverables)],
        key_messages=brief.key_messages,
        must=brief.must,
        must_not=brief.must_not,
        posting_from=stamp(brief.posting_from),
        posting_until=stamp(brief.posting_until),
        terms=wire_terms(terms, brief),
        timezone=wire_timezone(brief),
    )


def wire_timezone(brief: Brief) -> str:
    """Left out where it is the default: events stored before it keep the public form that they were published in."""
    return brief.timezone if brief.timezone != SHANGHAI else ""


def wire_deliverable(terms: DeliverableTerms, due_at: datetime | None = None) -> pb.Deliverable:
    return pb.Deliverable(
        deliverable_id=terms.deliverable_id,
        ordinal=terms.ordinal,
        platform=number(common.Platform, terms.platform),
        format=number(common.Format, terms.format),
        fee_minor=terms.fee_minor,
        brand_fee_minor=terms.brand_fee_minor,
        due_at=stamp(due_at),
    )


def wire_offer(offer: Offer) -> pb.Offer:
    return pb.Offer(
        round=offer.round,
        deliverables=map(wire_deliverable, offer.deliverables),
        currency=offer.currency,
        total_minor=sum(each.escrow_minor for each in offer.deliverables),
        commission_bps=offer.commission_bps,
    )


def wire_ended(ended: Ended) -> pb.CancelledDeliverable:
    return pb.CancelledDeliverable(
        deliverable_id=ended.deliverable_id,
        stage=ended.stage,
        share_bps=ended.share_bps,
        fee_minor=ended.fee_minor,
        brand_fee_minor=ended.brand_fee_minor,
        kill_fee_minor=ended.kill_fee_minor,
    )


def wire_due(due: Due) -> pb.DeliverableDue:
    return pb.DeliverableDue(deliverable_id=due.deliverable_id, due_at=stamp(due.due_at))
