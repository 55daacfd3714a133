"""Events of `application-` streams in public."""

from typing import Any, assert_never

from dandelion.campaigns.v1 import events_pb2 as pb
from dandelion.common.v1 import common_pb2 as common
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.core.events import Delivered
from services.campaigns.domain.shared.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationEvent,
    ApplicationExpired,
    ApplicationReleased,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    CreatorInvited,
    DealMarked,
    OfferCountered,
    OfferRenewed,
    Side,
)
from services.campaigns.publish.wire import who, wire_compensation, wire_deliverable, wire_offer, wire_terms

SIDES = {Side.BRAND: pb.PARTY_BRAND, Side.CREATOR: pb.PARTY_CREATOR}


def wire_application(event: ApplicationEvent, application_id: str, incoming: Delivered[Any]) -> Message:
    """One message per event."""
    at = stamp(incoming.at)
    if isinstance(event, ApplicationAccepted):
        return _accepted(event, at)
    ids = {"application_id": application_id, **who(event.parties)}
    match event:
        case CreatorInvited():
            return pb.CreatorInvited(**ids, **_offered(event), invited_at=at)
        case ApplicationSubmitted():
            return pb.ApplicationSubmitted(**ids, **_offered(event), submitted_at=at)
        case OfferCountered(_, by, offer, expires_at):
            until = stamp(expires_at)
            return pb.OfferCountered(
                **ids, countered_by=SIDES[by], offer=wire_offer(offer), countered_at=at, expires_at=until
            )
        case OfferRenewed(_, version):
            return pb.OfferRenewed(**ids, brief_version=version, renewed_at=at)
        case DealMarked(_, reasons):
            return pb.DealMarked(**ids, reasons=reasons, marked_at=at)
        case ApplicationDeclined(_, by, reason):
            return pb.ApplicationDeclined(**ids, declined_by=SIDES[by], reason=reason, declined_at=at)
        case ApplicationWithdrawn(_, by, reason):
            return pb.ApplicationWithdrawn(**ids, withdrawn_by=SIDES[by], reason=reason, withdrawn_at=at)
        case ApplicationExpired():
            return pb.ApplicationExpired(**ids, expired_at=at)
        case ApplicationReleased(_, reason, freed_minor):
            return pb.ApplicationReleased(**ids, reason=reason, freed_minor=freed_minor, released_at=at)
        case _:
            assert_never(event)


def _offered(event: CreatorInvited | ApplicationSubmitted) -> dict[str, Any]:
    return {
        "brief_version": event.offer.brief_version,
        "terms_hash": event.offer.contract_sha256,
        "offer": wire_offer(event.offer),
        "expires_at": stamp(event.expires_at),
    }


def _accepted(event: ApplicationAccepted, at: Timestamp | None) -> Message:
    contract = event.contract.value
    brief = contract.brief.value
    return pb.ApplicationAccepted(
        **who(contract.parties),
        application_id=contract.application_id,
        collaboration_id=contract.collaboration_id,
        accepted_by=SIDES[event.by],
        brief_version=contract.brief_version,
        terms_hash=event.contract_sha256,
        deliverables=map(wire_deliverable, contract.deliverables),
        currency=contract.currency,
        total_minor=contract.escrow_minor,
        type=number(common.CampaignType, brief.campaign_type),
        compensation=wire_compensation(brief.compensation),
        product_category=brief.product_category,
        jurisdiction=brief.jurisdiction,
        terms=wire_terms(contract.terms.value, brief),
        accepted_at=at,
    )
