"""Request bodies. Money is minor units, durations are seconds, shares basis points, times RFC 3339 with an offset.

They mirror the domain's values field by field; what a value may be is the domain's to say.
"""

from typing import Annotated, Any, TypeVar

from pydantic import Field, StringConstraints

from kernel.core.bounds import each, whole
from kernel.core.codec import adapter
from kernel.edge.fields import (
    REASON_WORDS,
    AmountMinor,
    Body,
    Bps,
    Currency,
    Day,
    LongText,
    PositiveMinor,
    ShortText,
    UtcDatetime,
    Uuid,
    worded,
)
from services.campaigns.domain.collaboration.commands import Outcome, PublishContent, RequestRevision, SendProduct
from services.campaigns.domain.shared.brief import (
    SHANGHAI,
    Brief,
    CampaignType,
    DeliverableSpec,
    Format,
    Freedom,
    Jurisdiction,
    Mode,
    Objective,
    Platform,
    Product,
)
from services.campaigns.domain.shared.compensation import CompensationKind, Metric
from services.campaigns.domain.shared.content_events import (
    Content,
    Disclosure,
    Evidence,
    EvidenceKind,
    Media,
    SubmissionStage,
)
from services.campaigns.domain.shared.terms import Clocks, Ladder, Terms

D = TypeVar("D")
Clock = Annotated[int, whole(Clocks, "funding_s")]
Reason = Annotated[
    str, StringConstraints(pattern=worded(r"^[a-z][a-z0-9_.]{0,59}$", REASON_WORDS)), Field(examples=["budget_cut"])
]
"""A word, never free text: reasons are stored for ever."""
Sha256 = Annotated[
    str, StringConstraints(pattern=worded(r"^[0-9a-f]{64}$", "a SHA-256 as 64 small hexadecimal digits"))
]
Fees = Annotated[tuple[AmountMinor, ...], Field(min_length=1, max_length=24)]
"""One fee per deliverable of the brief, in order."""
Sentences = Annotated[tuple[Annotated[ShortText, each(Brief, "must")], ...], whole(Brief, "must")]
Version = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


def value_of(kind: type[D], body: Body) -> D:
    """The domain's value that a body mirrors."""
    return adapter(kind).validate_python(body.model_dump())


class CompensationBody(Body):
    kind: CompensationKind
    metric: Metric | None = None
    rate_minor: AmountMinor = 0
    floor_minor: AmountMinor = 0
    cap_minor: AmountMinor = 0
    commission_bps: Bps = 0


class ProductBody(Body):
    product_id: Annotated[ShortText, whole(Product, "product_id")]
    name: Annotated[ShortText, whole(Product, "name")]
    category: Annotated[ShortText, whole(Product, "category")]
    value_minor: AmountMinor
    brand_name: Annotated[str, whole(Product, "brand_name")] = ""
    approval_number: Annotated[str, whole(Product, "approval_number")] = ""
    shipped: bool = True


class DeliverableBody(Body):
    platform: Platform
    format: Format
    outline_required: bool = False
    occurrences: Annotated[int, whole(DeliverableSpec, "occurrences")] = 1
    every_s: Annotated[int, whole(DeliverableSpec, "every_s")] = 0


class BriefBody(Body):
    title: Annotated[ShortText, whole(Brief, "title")]
    campaign_type: CampaignType
    mode: Mode
    objective: Objective
    product_category: Annotated[ShortText, whole(Brief, "product_category")]
    jurisdiction: Jurisdiction
    deliverables: Annotated[tuple[DeliverableBody, ...], whole(Brief, "deliverables")]
    posting_from: UtcDatetime
    posting_until: UtcDatetime
    budget_minor: PositiveMinor
    currency: Currency
    compensation: CompensationBody
    key_messages: Sentences = ()
    must: Sentences = ()
    must_not: Sentences = ()
    products: Annotated[tuple[ProductBody, ...], whole(Brief, "products")] = ()
    creative_freedom: Freedom = Freedom.MEDIUM
    exclusivity_days: Annotated[int, whole(Brief, "exclusivity_days")] = 0
    usage_days: Annotated[int, whole(Brief, "usage_days")] = 365
    timezone: Annotated[ShortText, Field(max_length=64, examples=["Europe/Paris"])] = SHANGHAI

    def brief(self) -> Brief:
        return value_of(Brief, self)


def _defaults(kind: Any) -> dict[str, Any]:
    """The domain's defaults, so that they stand in one place."""
    return {name: field.default for name, field in kind.__dataclass_fields__.items()}


_CLOCKS, _LADDER, _TERMS = _defaults(Clocks), _defaults(Ladder), _defaults(Terms)


class ClocksBody(Body):
    invitation_expiry_s: Clock = _CLOCKS["invitation_expiry_s"]
    funding_s: Clock = _CLOCKS["funding_s"]
    product_s: Clock = _CLOCKS["product_s"]
    draft_s: Clock = _CLOCKS["draft_s"]
    compliance_s: Clock = _CLOCKS["compliance_s"]
    brand_review_s: Clock = _CLOCKS["brand_review_s"]
    review_reminder_s: Clock = _CLOCKS["review_reminder_s"]
    revision_s: Clock = _CLOCKS["revision_s"]
    ruling_s: Clock = _CLOCKS["ruling_s"]
    publish_s: Clock = _CLOCKS["publish_s"]
    publish_grace_s: Clock = _CLOCKS["publish_grace_s"]
    verify_s: Clock = _CLOCKS["verify_s"]
    settlement_delay_s: Clock = _CLOCKS["settlement_delay_s"]
    payment_retry_s: Clock = _CLOCKS["payment_retry_s"]
    live_check_after_s: Clock = _CLOCKS["live_check_after_s"]
    protection_s: Clock = _CLOCKS["protection_s"]
    dispute_s: Clock = _CLOCKS["dispute_s"]
    cure_s: Annotated[int, whole(Clocks, "cure_s")] = _CLOCKS["cure_s"]


class LadderBody(Body):
    before_outline_bps: Bps = _LADDER["before_outline_bps"]
    after_outline_bps: Bps = _LADDER["after_outline_bps"]
    after_draft_bps: Bps = _LADDER["after_draft_bps"]
    after_feedback_bps: Bps = _LADDER["after_feedback_bps"]


class TermsBody(Body):
    """The platform's fees are not among them: its fee policy decides those."""

    max_revisions: Annotated[int, whole(Terms, "max_revisions")] = _TERMS["max_revisions"]
    clocks: ClocksBody = ClocksBody()
    ladder: LadderBody = LadderBody()
    claw_back_bps: Annotated[int, whole(Terms, "claw_back_bps")] = _TERMS["claw_back_bps"]

    def terms(self) -> Terms:
        return value_of(Terms, self)


class DraftBody(Body):
    brief: BriefBody
    terms: TermsBody = TermsBody()


class AmendBody(Body):
    """`brief_version`: the version that was amended; with it a brief that somebody else has amended since is refused."""

    brief: BriefBody
    brief_version: Version | None = None


class ReasonBody(Body):
    reason: Reason


class InviteBody(Body):
    creator_id: Uuid
    fees_minor: Fees


class OfferBody(Body):
    fees_minor: Fees


class CounterBody(OfferBody):
    """`offer_round`: of the offer that is answered; with it an offer that has changed since is refused."""

    offer_round: Version | None = None


class VersionBody(Body):
    brief_version: Version


class AcceptBody(VersionBody):
    """`offer_round`: of the offer that is accepted; with it an offer that has changed since is refused."""

    offer_round: Version | None = None


class ProductSentBody(Body):
    carrier: Annotated[ShortText, whole(SendProduct, "carrier")]
    tracking: Annotated[ShortText, whole(SendProduct, "tracking")]


class RuleDisputeBody(Body):
    outcome: Outcome
    share_bps: Bps = 0


class MediaBody(Body):
    sha256: Sha256
    kind: Annotated[str, StringConstraints(pattern=worded(r"^(image|video|audio)$", "image, video or audio"))]
    duration_ms: Annotated[int, whole(Media, "duration_ms")] = 0
    ai_made: bool = False


class EvidenceBody(Body):
    """What shows that the words `phrase` ("": the whole) may stand; `expires_on` is the last day on which it holds.

    `product_owned` with an order or a receipt as `reference` stands in for a product that the brand does not send.
    """

    kind: EvidenceKind
    phrase: Annotated[LongText, whole(Evidence, "phrase")] = ""
    reference: Annotated[ShortText, whole(Evidence, "reference")]
    expires_on: Day | None = None


class ContentBody(Body):
    title: Annotated[LongText, whole(Content, "title")]
    text: Annotated[LongText, whole(Content, "text")]
    tags: Annotated[tuple[Annotated[ShortText, each(Content, "tags")], ...], whole(Content, "tags")] = ()
    links: Annotated[tuple[Annotated[LongText, each(Content, "links")], ...], whole(Content, "links")] = ()
    media: Annotated[tuple[MediaBody, ...], whole(Content, "media")] = ()
    language: Annotated[ShortText, whole(Content, "language")] = "zh"
    evidence: Annotated[tuple[EvidenceBody, ...], whole(Content, "evidence")] = ()


class SubmitBody(Body):
    """`submission_id` is chosen by the caller."""

    deliverable_id: Uuid
    submission_id: Uuid
    stage: SubmissionStage
    content: ContentBody


class SubmissionBody(Body):
    deliverable_id: Uuid
    submission_id: Uuid


class RevisionBody(SubmissionBody):
    notes: Annotated[
        tuple[Annotated[LongText, each(RequestRevision, "notes")], ...],
        whole(RequestRevision, "notes"),
        Field(min_length=1),
    ]


class RuleContentBody(SubmissionBody):
    approved: bool


class ScheduleBody(Body):
    deliverable_id: Uuid
    publish_at: UtcDatetime


class PublishBody(Body):
    """`text` is the post's whole text as it stands on the platform, label included.

    Where the label is not in the text, `disclosure` says what shows it: the platform's own switch, or words on the picture.
    """

    deliverable_id: Uuid
    post_id: Annotated[ShortText, whole(PublishContent, "post_id")]
    post_url: Annotated[LongText, whole(PublishContent, "post_url"), Field(min_length=9)]
    text: Annotated[LongText, whole(PublishContent, "text")]
    disclosure: Disclosure = Disclosure.TEXT
