"""A row per version of a brief: who was invited under it, or may apply, reads it after a later one is in force."""

from collections.abc import Sequence
from typing import Any

from kernel.core.decider import Key
from kernel.core.events import Delivered
from kernel.core.ids import split_stream
from kernel.processors.projector import Target, fold_rows
from services.campaigns.domain.shared.brief import Mode
from services.campaigns.domain.shared.events import (
    BriefAmended,
    BriefPublished,
    CampaignDrafted,
    CreatorInvited,
    OfferRenewed,
)
from services.campaigns.projections.campaigns import RECRUITS, sealed
from services.campaigns.projections.rows import STAFF, Row
from services.campaigns.tables import BRIEF_VERSIONS


async def apply_briefs(target: Target, events: Sequence[Delivered[Any]]) -> None:
    await fold_rows(target, BRIEF_VERSIONS, events, key, fold)


def key(incoming: Delivered[Any]) -> Key | None:
    """The version an event is about."""
    match incoming.event:
        case CampaignDrafted():
            return _key(split_stream(incoming.stream)[1], 1)
        case BriefPublished(version=version) | BriefAmended(version=version):
            return _key(split_stream(incoming.stream)[1], version)
        case CreatorInvited(parties=parties, offer=offer):
            return _key(parties.campaign_id, offer.brief_version)
        case OfferRenewed(parties=parties, brief_version=version):
            return _key(parties.campaign_id, version)
        case _:
            return None


def _key(campaign_id: str, version: int) -> Key:
    return (f"{campaign_id}@{version}",)


def fold(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    """The row after an event; a publication is of the version that stood there as a draft."""
    match incoming.event:
        case CampaignDrafted() as event:
            return _made(event, 1, incoming)
        case BriefAmended(closes_at=closes_at) as event:
            made = _made(event, event.version, incoming)
            return made if closes_at is None else _open(made, event, incoming)
        case BriefPublished() as event:
            return _open(row or _made(event, event.version, incoming), event, incoming)
        case event:
            return row | {"readers": sorted({*row["readers"], event.parties.creator_id})} if row else None


def _made(event: CampaignDrafted | BriefAmended | BriefPublished, version: int, incoming: Delivered[Any]) -> Row:
    campaign_id = split_stream(incoming.stream)[1]
    return {
        "version_id": _key(campaign_id, version)[0],
        "campaign_id": campaign_id,
        "version": version,
        "brand_id": event.brand_id,
        **sealed(event),
        "made_at": incoming.at,
        "published_at": None,
        "readers": [event.brand_id, *STAFF],
    }


def _open(row: Row, event: BriefAmended | BriefPublished, incoming: Delivered[Any]) -> Row:
    recruits = () if event.brief.value.mode is Mode.INVITE else RECRUITS
    return row | sealed(event) | {"published_at": incoming.at, "readers": [*row["readers"], *recruits]}
