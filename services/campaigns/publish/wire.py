"""Values in their public form."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as pb
from dandelion.common.v1 import common_pb2 as common
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number
from google.protobuf.descriptor import FieldDescriptor

from services.campaigns.domain.shared.brief import SHANGHAI, Brief, Product
from services.campaigns.domain.shared.compensation import Compensation
from services.campaigns.domain.shared.content_events import LabelPlacement, Ruler
from services.campaigns.domain.shared.contract import DeliverableTerms, Offer, Parties
from services.campaigns.domain.shared.terms import FIRST_POLICY, Clocks, LadderStage, Terms, ladder_share
from services.campaigns.domain.shared.usual import UnusualTerm
from services.campaigns.domain.shared.work_events import Due, Ended

PARTIES = {Ruler.BRAND: pb.PARTY_BRAND, Ruler.CREATOR: pb.PARTY_CREATOR, Ruler.STAFF: pb.PARTY_STAFF}
"""Compliance, clocks and processes are the system."""


INSIDE = {
    "url": "post_url", "text_hash": "text_sha256", "terms_hash": "contract_sha256", "tracking_number": "tracking",
    "usage_rights_days": "usage_days", "author_hash": "author_sha256",
}  # fmt: skip
"""Public fields that are stored under another name: both are promises, and this is the one place where they meet."""


def named(kind: Any, *sources: object) -> dict[str, Any]:
    """The texts, numbers and times of a message that its sources (values, or rows of a read model) have by the same name.

    What has no name in common is given by hand: enums, lists, messages, and what is not the message's to say.
    """
    found: dict[str, Any] = {}
    for source in sources:
        for name, inside, is_time in _plain(kind):
            value: Any = source.get(inside, found) if isinstance(source, Mapping) else getattr(source, inside, found)
            if value is not found:
                found[name] = stamp(value) if is_time else value
    return found


@cache
def _plain(kind: Any) -> list[tuple[str, str, bool]]:
    """The fields that can be taken by name: public name, name inside, whether it is a time."""
    fields = [
        field for field in kind.DESCRIPTOR.fields if not field.is_repeated and field.type != FieldDescriptor.TYPE_ENUM
    ]
    times = {field.name: bool(field.message_type) for field in fields if _is_plain(field)}
    return [(name, INSIDE.get(name, name), is_time) for name, is_time in times.items()]


def _is_plain(field: Any) -> bool:
    return field.message_type is None or field.message_type.full_name == "google.protobuf.Timestamp"


def party(ruler: Ruler) -> pb.Party.ValueType:
    """Who did it, as the public enum says."""
    return PARTIES.get(ruler, pb.PARTY_SYSTEM)


def who(parties: Parties) -> dict[str, Any]:
    """The three ids that nearly every message has."""
    return {"campaign_id": parties.campaign_id, "brand_id": parties.brand_id, "creator_id": parties.creator_id}


def placement_of(placement: LabelPlacement | None) -> common.LabelPlacement.ValueType:
    return number(common.LabelPlacement, placement or "")


def wire_terms(terms: Terms, brief: Brief) -> pb.Terms:
    ladder = [pb.LadderStep(stage=stage, share_bps=ladder_share(terms.ladder, stage)) for stage in LadderStage]
    return pb.Terms(**named(pb.Terms, terms.clocks, terms, brief) | _left_out(terms), ladder=ladder)


def _left_out(terms: Terms) -> dict[str, Any]:
    """Clocks that came later, and the first fee policy, are left out where they are the default, as in `wire_timezone`."""
    default = Clocks()
    clocks = {name: 0 for name in LATER_CLOCKS if getattr(terms.clocks, name) == getattr(default, name)}
    return clocks | ({"fee_policy": ""} if terms.fee_policy == FIRST_POLICY else {})


LATER_CLOCKS = ("dispute_s", "cure_s")


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
    return pb.Product(**named(pb.Product, product))


def wire_brief(brief: Brief, terms: Terms, version: int, seal: str) -> pb.Brief:
    """The whole brief with its terms; `seal` is the SHA-256 over both, without the budget."""
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
        brand_fee_bps=offer.brand_fee_bps,
        creator_fee_bps=offer.creator_fee_bps,
        fee_policy=offer.fee_policy,
        unusual_terms=map(wire_unusual, offer.unusual),
    )


def wire_unusual(term: UnusualTerm) -> pb.UnusualTerm:
    return pb.UnusualTerm(**named(pb.UnusualTerm, term))


def wire_ended(ended: Ended) -> pb.CancelledDeliverable:
    return pb.CancelledDeliverable(**named(pb.CancelledDeliverable, ended))


def wire_due(due: Due) -> pb.DeliverableDue:
    return pb.DeliverableDue(deliverable_id=due.deliverable_id, due_at=stamp(due.due_at))
