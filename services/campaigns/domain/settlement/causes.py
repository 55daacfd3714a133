"""Causes of settlement from other services; subscribe.py makes each of a public message."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PaymentReleased:
    """ledger: a deliverable is paid; `creator_net_minor` is after fees and tax. `partial`: its escrow still holds a rest."""

    collaboration_id: str
    deliverable_id: str
    release_id: str
    creator_net_minor: int
    currency: str
    partial: bool = False


@dataclass(frozen=True, slots=True)
class PaymentDeferred:
    """ledger: a payment is owed and waits for `reason`; it is made by itself once that is settled."""

    collaboration_id: str
    deliverable_id: str
    campaign_id: str
    brand_id: str
    creator_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentClawedBack:
    """ledger: money of a paid deliverable went back to the brand; `owed_minor` of it is the creator's debt."""

    collaboration_id: str
    deliverable_id: str
    claw_back_id: str
    taken_minor: int
    owed_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ContentLookedAt:
    """compliance: a look at a published post. An `unreadable` one proves nothing for or against its author."""

    collaboration_id: str
    deliverable_id: str
    look_id: str
    found: bool
    label_present: bool
    text_unchanged: bool
    looked_at: datetime | None = None
    unreadable: str = ""
    author_differs: bool = False

    @property
    def ok(self) -> bool:
        return self.found and self.label_present and self.text_unchanged and not self.author_differs
