"""Events of `campaign-` streams in public; the stream's tenant is the brand."""

from typing import Any, assert_never

from dandelion.campaigns.v1 import events_pb2 as pb
from dandelion_contracts.wire import stamp
from google.protobuf.message import Message

from kernel.core.canonical import sha256_of
from kernel.core.events import Delivered
from services.campaigns.domain.shared.brief import shared
from services.campaigns.domain.shared.events import (
    BriefAmended,
    BriefPublished,
    CampaignCancelled,
    CampaignClosed,
    CampaignDrafted,
    CampaignEvent,
    CampaignPaused,
    CampaignResumed,
)
from services.campaigns.publish.wire import wire_brief


def wire_campaign(event: CampaignEvent, campaign_id: str, incoming: Delivered[Any]) -> Message:
    """One message per event."""
    at, ids = stamp(incoming.at), {"campaign_id": campaign_id, "brand_id": incoming.tenant}
    match event:
        case CampaignDrafted():
            return pb.CampaignDrafted(**ids, brief=_brief(event, 1), drafted_at=at)
        case BriefPublished():
            return pb.BriefPublished(**ids, brief=_brief(event, event.version), published_at=at)
        case BriefAmended():
            brief, before = _brief(event, event.version), event.version - 1
            return pb.BriefAmended(**ids, brief=brief, previous_version=before, amended_at=at)
        case CampaignPaused(reason):
            return pb.CampaignPaused(**ids, reason=reason, paused_at=at)
        case CampaignResumed():
            return pb.CampaignResumed(**ids, resumed_at=at)
        case CampaignClosed():
            return pb.CampaignClosed(**ids, closed_at=at)
        case CampaignCancelled(reason):
            return pb.CampaignCancelled(**ids, reason=reason, cancelled_at=at)
        case _:
            assert_never(event)


def _brief(event: CampaignDrafted | BriefPublished | BriefAmended, version: int) -> pb.Brief:
    return wire_brief(event.brief.value, event.terms.value, version, sha256_of(shared(event.brief), event.terms))
