"""A row per campaign: its brief, what is reserved of the budget, and how many came how far."""

from collections.abc import Sequence
from typing import Any

from kernel.core.canonical import sha256_of
from kernel.core.decider import Key
from kernel.core.events import Delivered
from kernel.core.ids import role_reader, split_stream
from kernel.processors.projector import Target, fold_rows
from services.campaigns.domain.campaign.campaign import CAMPAIGN, Status
from services.campaigns.domain.shared.brief import Mode, shared
from services.campaigns.domain.shared.budget import FREEING
from services.campaigns.domain.shared.events import (
    ApplicationAccepted,
    ApplicationSubmitted,
    BriefAmended,
    BriefPublished,
    CampaignCancelled,
    CampaignClosed,
    CampaignDrafted,
    CampaignPaused,
    CampaignResumed,
    CreatorInvited,
)
from services.campaigns.domain.shared.work_events import (
    CollaborationCancelled,
    CollaborationContracted,
    CollaborationSettled,
)
from services.campaigns.projections.rows import STAFF, Row
from services.campaigns.tables import CAMPAIGNS

STATUS: dict[type, Status] = {
    CampaignPaused: Status.PAUSED,
    CampaignResumed: Status.PUBLISHED,
    CampaignClosed: Status.CLOSED,
    CampaignCancelled: Status.CANCELLED,
}
COUNTED: dict[type, str] = {
    CreatorInvited: "applications",
    ApplicationSubmitted: "applications",
    CollaborationContracted: "collaborations",
    CollaborationSettled: "collaborations_settled",
    CollaborationCancelled: "collaborations_cancelled",
}

RECRUITS = tuple(map(role_reader, ("creator", "agency")))
"""Who may read an open campaign beside its brand and the staff; other brands may not."""


async def apply_campaigns(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """The campaign's own events, and those of its applications and collaborations that count."""
    await fold_rows(target, CAMPAIGNS, events, key, fold)


def key(incoming: Delivered[Any]) -> Key | None:
    """The campaign an event is about."""
    category, uuid = split_stream(incoming.stream)
    event = incoming.event
    if category == CAMPAIGN.category:
        return (uuid,)
    match event:
        case ApplicationAccepted(contract=contract) | CollaborationContracted(contract=contract):
            return (contract.value.campaign_id,)
        case _ if type(event) in COUNTED or isinstance(event, FREEING):
            return (event.parties.campaign_id,)
        case _:
            return None


def fold(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    """The row after an event."""
    event = incoming.event
    if isinstance(event, CampaignDrafted):
        return _drafted(event, incoming)
    if row is None:
        return None
    if split_stream(incoming.stream)[0] == CAMPAIGN.category:
        return _stepped(row | {"version": incoming.version, "changed_at": incoming.at}, event, incoming)
    return _counted(row, event)


def _drafted(event: CampaignDrafted, incoming: Delivered[Any]) -> Row:
    counts = dict.fromkeys((*COUNTED.values(), "reserved_minor"), 0)
    return counts | {
        "campaign_id": split_stream(incoming.stream)[1],
        "brand_id": event.brand_id,
        "status": Status.DRAFT.value,
        "campaign_type": event.brief.value.campaign_type.value,
        "version": incoming.version,
        "brief_version": 1,
        **sealed(event),
        "budget_minor": event.brief.value.budget_minor,
        "drafted_at": incoming.at,
        "published_at": None,
        "changed_at": incoming.at,
        "readers": [event.brand_id, *STAFF],
    }


def _stepped(row: Row, event: Any, incoming: Delivered[Any]) -> Row:
    match event:
        case BriefPublished():
            recruits = [] if event.brief.value.mode is Mode.INVITE else RECRUITS
            readers = [*row["readers"], *recruits]
            opened = {"status": Status.PUBLISHED.value, "published_at": incoming.at, "readers": readers}
            return row | opened | sealed(event)
        case BriefAmended():
            return row | {
                "brief_version": event.version,
                "campaign_type": event.brief.value.campaign_type.value,
                "budget_minor": event.brief.value.budget_minor,
                **sealed(event),
            }
        case _:
            return row | {"status": STATUS[type(event)].value}


def sealed(event: CampaignDrafted | BriefPublished | BriefAmended) -> Row:
    """The documents and their hash: publication and amendment take the fees of their day."""
    return {"brief": event.brief, "terms": event.terms, "terms_sha256": sha256_of(shared(event.brief), event.terms)}


def _counted(row: Row, event: Any) -> Row:
    counter = COUNTED.get(type(event))
    if counter:
        row = row | {counter: row[counter] + 1}
    if isinstance(event, ApplicationAccepted):
        return row | {"reserved_minor": row["reserved_minor"] + event.contract.value.committed_minor}
    if isinstance(event, FREEING):
        return row | {"reserved_minor": row["reserved_minor"] - event.freed_minor}
    if isinstance(event, CreatorInvited):
        return row | {"readers": sorted({*row["readers"], event.parties.creator_id})}
    return row
