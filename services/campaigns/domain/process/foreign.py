"""What other services say that campaigns acts on; subscribe.py makes these of their public messages."""

from dataclasses import dataclass

from services.campaigns.domain.shared.content_events import LabelPlacement, Verdict


@dataclass(frozen=True, slots=True)
class EscrowHeld:
    """ledger: the money of a deliverable is held."""

    collaboration_id: str
    deliverable_id: str


@dataclass(frozen=True, slots=True)
class EscrowRefused:
    """ledger: the brand's deposit does not cover it."""

    collaboration_id: str
    deliverable_id: str
    code: str


@dataclass(frozen=True, slots=True)
class PaymentReleased:
    """ledger: a verified deliverable is paid; `creator_net_minor` is after fees and tax."""

    collaboration_id: str
    deliverable_id: str
    release_id: str
    creator_net_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ReviewCompleted:
    """compliance: the verdict on a submission; after `needs_human` a second one follows."""

    submission_id: str
    verdict: Verdict
    findings: int


@dataclass(frozen=True, slots=True)
class DisclosureAttached:
    """compliance: the label that the post of a submission must carry."""

    submission_id: str
    label: str
    placement: LabelPlacement | None


@dataclass(frozen=True, slots=True)
class ContentLookedAt:
    """compliance: a look at a published post."""

    collaboration_id: str
    deliverable_id: str
    look_id: str
    found: bool
    label_present: bool
    text_unchanged: bool

    @property
    def ok(self) -> bool:
        return self.found and self.label_present and self.text_unchanged
