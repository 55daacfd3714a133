"""What happens to campaigns and applications. Stored for ever; docs/change-an-event.md says how one changes."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kernel.core.canonical import Hashed
from services.campaigns.domain.shared.brief import Brief
from services.campaigns.domain.shared.contract import Contract, Offer, Parties
from services.campaigns.domain.shared.terms import Terms


@dataclass(frozen=True, slots=True)
class CampaignDrafted:
    brand_id: str
    brief: Hashed[Brief]
    terms: Hashed[Terms]


@dataclass(frozen=True, slots=True)
class BriefPublished:
    """The brief is in force as `version` and its budget reserved; at `closes_at` the campaign closes by itself."""

    brand_id: str
    version: int
    brief: Hashed[Brief]
    terms: Hashed[Terms]
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class BriefAmended:
    """A new version of the brief; `closes_at` is None while the campaign is a draft."""

    brand_id: str
    version: int
    brief: Hashed[Brief]
    terms: Hashed[Terms]
    closes_at: datetime | None


@dataclass(frozen=True, slots=True)
class CampaignPaused:
    reason: str


@dataclass(frozen=True, slots=True)
class CampaignResumed:
    pass


@dataclass(frozen=True, slots=True)
class CampaignClosed:
    """No new agreements; the collaborations under way go on."""

    reason: str


@dataclass(frozen=True, slots=True)
class CampaignCancelled:
    reason: str


class Side(StrEnum):
    """Who of the two made an offer."""

    BRAND = "brand"
    CREATOR = "creator"


@dataclass(frozen=True, slots=True)
class CreatorInvited:
    parties: Parties
    offer: Offer
    expires_at: datetime
    person: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ApplicationSubmitted:
    parties: Parties
    offer: Offer
    expires_at: datetime
    person: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class OfferCountered:
    parties: Parties
    by: Side
    offer: Offer
    expires_at: datetime
    person: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class OfferRenewed:
    """The creator agrees that the open offer also stands under a later version of the brief."""

    parties: Parties
    brief_version: int


@dataclass(frozen=True, slots=True)
class ApplicationAccepted:
    """The moment the budget is committed: `contract` is what both sides are bound to, `contract_sha256` its seal."""

    by: Side
    contract: Hashed[Contract]
    contract_sha256: str


@dataclass(frozen=True, slots=True)
class ApplicationDeclined:
    parties: Parties
    by: Side
    reason: str


@dataclass(frozen=True, slots=True)
class ApplicationWithdrawn:
    parties: Parties
    by: Side
    reason: str


@dataclass(frozen=True, slots=True)
class ApplicationExpired:
    parties: Parties
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ApplicationReleased:
    """No contract came of the acceptance: its commitment goes back to the budget. One without `collaboration_id` is of before it
    was told, and is the application's first."""

    parties: Parties
    reason: str
    freed_minor: int
    collaboration_id: str = ""


@dataclass(frozen=True, slots=True)
class DealMarked:
    """A deal that was agreed shows signs that its parties are one (`apart.signs`): for staff to look at."""

    parties: Parties
    reasons: tuple[str, ...]


CampaignEvent = (
    CampaignDrafted
    | BriefPublished
    | BriefAmended
    | CampaignPaused
    | CampaignResumed
    | CampaignClosed
    | CampaignCancelled
)
ApplicationEvent = (
    CreatorInvited
    | ApplicationSubmitted
    | OfferCountered
    | OfferRenewed
    | ApplicationAccepted
    | ApplicationDeclined
    | ApplicationWithdrawn
    | ApplicationExpired
    | ApplicationReleased
    | DealMarked
)
