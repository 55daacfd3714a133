"""What happens to the content of a deliverable, from the first outline to the verified post. Stored for ever."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import Interval, Len

from kernel.core.bounds import Asked
from kernel.core.personal import PersonalData
from services.campaigns.domain.shared.brief import CampaignType, Format, Jurisdiction, Platform, Product
from services.campaigns.domain.shared.compensation import CompensationKind
from services.campaigns.domain.shared.contract import Parties

WholeText = Annotated[str, Asked(Len(1, 20_000))]
"""The whole text of a draft or of a post."""

BLOCKED = "compliance.blocked"
"""The one note of a revision that compliance asks for."""


class SubmissionStage(StrEnum):
    """Which step of the work a submission is; an outline is not reviewed by compliance."""

    OUTLINE = "outline"
    DRAFT = "draft"
    FINAL = "final"


class Verdict(StrEnum):
    """Compliance's answer."""

    CLEAR = "clear"
    NEEDS_HUMAN = "needs_human"
    BLOCKED = "blocked"


class LabelPlacement(StrEnum):
    """Where on the post the label stands."""

    TITLE_START = "title_start"
    TEXT_START = "text_start"
    PLATFORM_TOGGLE = "platform_toggle"
    OVERLAY = "overlay"


class Disclosure(StrEnum):
    """How a post shows that it is paid: by its text, by the platform's own switch, or by words on the picture."""

    TEXT = "text"
    PLATFORM_TOGGLE = "platform_toggle"
    OVERLAY = "overlay"


class Ruler(StrEnum):
    """Who decided: one of the sides, compliance, a clock that ran out, or staff by a ruling."""

    BRAND = "brand"
    CREATOR = "creator"
    COMPLIANCE = "compliance"
    CLOCK = "clock"
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Media:
    """An `image`, `video` or `audio` by its SHA-256 in hexadecimal; `ai_made` asks for the mark the law demands."""

    sha256: str
    kind: str
    duration_ms: Annotated[int, Asked(Interval(ge=0, le=86_400_000))] = 0
    ai_made: bool = False


class EvidenceKind(StrEnum):
    """What a proof is: a name that is registered, an approval of goods, a report on an effect, the source of a figure.

    `product_owned`: the creator owns the product; an order or a receipt takes the place of a product that was received.
    `disclosure`: what will show that the post is paid; its phrase is a word of Disclosure other than "text".
    """

    REGISTERED_NAME = "registered_name"
    APPROVAL = "approval"
    EFFICACY_REPORT = "efficacy_report"
    SOURCE = "source"
    PRODUCT_OWNED = "product_owned"
    DISCLOSURE = "disclosure"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A proof for the words `phrase` ("": for all of the content); a person can look up `reference` until `expires_on`."""

    kind: EvidenceKind
    phrase: Annotated[str, Asked(Len(0, 200)), PersonalData()]
    reference: Annotated[str, Asked(Len(1, 200)), PersonalData()]
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What would be published: text in characters, links as URLs, media by hash, language as BCP 47; and what proves it."""

    title: Annotated[str, Asked(Len(0, 200)), PersonalData()]
    text: Annotated[WholeText, PersonalData()]
    tags: Annotated[tuple[str, ...], Asked(Len(0, 50), each=Len(1, 100)), PersonalData(())] = ()
    links: Annotated[tuple[str, ...], Asked(Len(0, 20), each=Len(1, 2_000)), PersonalData(())] = ()
    media: Annotated[tuple[Media, ...], Asked(Len(0, 30))] = ()
    language: Annotated[str, Asked(Len(1, 35))] = "zh"
    evidence: Annotated[tuple[Evidence, ...], Asked(Len(0, 20))] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What a judge of the content has to know about the deal behind it."""

    campaign_type: CampaignType
    compensation_kind: CompensationKind
    platform: Platform
    format: Format
    jurisdiction: Jurisdiction
    product_category: str
    products: tuple[Product, ...]
    product_used: bool
    virtual_human: bool = False


@dataclass(frozen=True, slots=True)
class ContentSubmitted:
    parties: Parties
    deliverable_id: str
    submission_id: str
    stage: SubmissionStage
    round: int
    content: Content
    text_sha256: str
    setting: Setting
    submitted_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ContentReviewed:
    parties: Parties
    deliverable_id: str
    submission_id: str
    verdict: Verdict
    findings: int
    label: str
    placement: LabelPlacement | None
    due_at: datetime


@dataclass(frozen=True, slots=True)
class RevisionRequested:
    parties: Parties
    deliverable_id: str
    submission_id: str
    by: Ruler
    notes: Annotated[tuple[str, ...], PersonalData(())]
    revisions: int
    max_revisions: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class RulingRequested:
    """The revisions are used up and the brand still objects: staff decide."""

    parties: Parties
    deliverable_id: str
    submission_id: str
    notes: Annotated[tuple[str, ...], PersonalData(())]
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewReminded:
    """The brand has not answered; at `due_at` the content is deemed approved."""

    parties: Parties
    deliverable_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ContentApproved:
    parties: Parties
    deliverable_id: str
    submission_id: str
    stage: SubmissionStage
    by: Ruler
    text_sha256: str
    label: str
    placement: LabelPlacement | None
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ContentScheduled:
    parties: Parties
    deliverable_id: str
    submission_id: str
    publish_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ContentPublished:
    """A public post. `text_sha256` covers the text as published, label included, in `normal_form` ("": as it came);
    `author_sha256` is the digest of the creator's verified account there ("": not compared)."""

    parties: Parties
    deliverable_id: str
    submission_id: str
    setting: Setting
    post_id: str
    post_url: str
    label: str
    placement: LabelPlacement | None
    text_sha256: str
    published_at: datetime
    live_check_after_s: int
    protection_s: int
    fee_minor: int
    currency: str
    due_at: datetime
    normal_form: str = ""
    author_sha256: str = ""


@dataclass(frozen=True, slots=True)
class ContentTakenDown:
    """The post is gone, changed, somebody else's, or has lost its label; it may be published again until `due_at`.

    `platform` and `post_id` name the post that no longer counts."""

    parties: Parties
    deliverable_id: str
    reason: str
    due_at: datetime
    platform: str = ""
    post_id: str = ""


@dataclass(frozen=True, slots=True)
class ContentVerified:
    """The post was looked at and is as approved. It is paid at `due_at` unless a dispute is open."""

    parties: Parties
    deliverable_id: str
    submission_id: str
    look_id: str
    fee_minor: int
    brand_fee_minor: int
    creator_fee_bps: int
    currency: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class BreachNoticed:
    """Within the protection days a look found a paid post gone, changed, or without its label. The creator restores it until
    `due_at`, and says so by reporting it once more. `post_id` is a post that was reported in its place and is somebody else's."""

    parties: Parties
    deliverable_id: str
    look_id: str
    reason: str
    due_at: datetime
    platform: str = ""
    post_id: str = ""


@dataclass(frozen=True, slots=True)
class BreachCured:
    """A look found the post as agreed again, or a ruling excused it (`by` staff), or nobody looked in time (`by` the clock)."""

    parties: Parties
    deliverable_id: str
    look_id: str
    by: Ruler


ContentEvent = (
    ContentSubmitted
    | ContentReviewed
    | RevisionRequested
    | RulingRequested
    | ReviewReminded
    | ContentApproved
    | ContentScheduled
    | ContentPublished
    | ContentTakenDown
    | ContentVerified
    | BreachNoticed
    | BreachCured
)
