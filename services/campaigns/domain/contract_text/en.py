"""The contract's phrases in English. Titles have the clause's id, lines `<clause>/<line>`; facts stand in braces."""

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "title": "Collaboration contract: {title}",
        "parties": "Parties",
        "parties/brand": "Brand: {brand_id}.",
        "parties/creator": "Creator: {creator_id}.",
        "parties/campaign": "Campaign: {title}. It is to bring {objective}.",
        "parties/law": "The advertising law of {jurisdiction} binds the content.",
        "work": "Work",
        "work/item": "{ordinal}. {platform}, {format}.",
        "work/outline": " The brand agrees to an outline before the draft.",
        "work/later": " Its time begins {starts_after_s} after that of the first.",
        "work/freedom": "Creative freedom: {freedom}.",
        "work/key_message": "To be told: {text}",
        "work/must": "Required: {text}",
        "work/must_not": "Not allowed: {text}",
        "products": "Products",
        "products/sent": "{name}, worth {value_minor}, is sent to the creator.",
        "products/kept": "{name}, worth {value_minor}, is not sent.",
        "products/clock": (
            "The brand sends within {product_s} after the money is held, and the creator confirms the arrival within "
            "{product_s} after that. The work begins with the arrival. Past either time the contract ends and the money "
            "goes back."
        ),
        "price": "Price",
        "price/gift": "No money is paid: the product is the pay.",
        "price/fee": (
            "Deliverable {ordinal}: the creator's fee is {fee_minor}; on top of it the brand pays {brand_fee_minor} "
            "({brand_fee_bps}) to the platform."
        ),
        "price/total": "Escrow holds {escrow_minor} in all.",
        "price/creator_fee": "Of each fee the creator leaves {creator_fee_bps} to the platform.",
        "price/policy": (
            "Both of the platform's fees are those of its policy {fee_policy}. Tax that the law asks for is withheld from the "
            "creator's part."
        ),
        "funding": "Funding",
        "funding/clock": (
            "The brand's deposit covers the escrow within {funding_s} of this contract. Otherwise the contract ends, what "
            "is held goes back, and nobody owes anything."
        ),
        "review": "Draft and review",
        "review/draft": "The creator hands in each draft within {draft_s} of the start of the work or of the agreed outline.",
        "review/compliance": (
            "Compliance answers within {compliance_s}. The platform's silence costs neither party: their clocks stand."
        ),
        "review/brand": (
            "The brand answers within {brand_review_s} of a clear review. It is then reminded, and after another "
            "{review_reminder_s} without an answer the content counts as approved."
        ),
        "review/revisions": (
            "Revisions that the brand may ask for: {max_revisions}. The creator hands in each within {revision_s}."
        ),
        "review/ruling": "If the brand still objects, the platform's staff rule within {ruling_s}.",
        "publication": "Publication",
        "publication/window": (
            "The post is published from {first} to {last} (days of {timezone}), with the approved text and the label that "
            "compliance attached."
        ),
        "publication/clock": (
            "It is published within {publish_s} of its approval or, where a time is scheduled, within {publish_grace_s} of that "
            "time. A deliverable that is not published in time ends unpaid."
        ),
        "payment": "Payment",
        "payment/look": "The platform looks at the post from {live_check_after_s} after publication on.",
        "payment/paid": (
            "A post that is found as approved is owed. It is paid {settlement_delay_s} later, unless a dispute is open."
        ),
        "protection": "Protection of the post",
        "protection/stays": "The post stays public, unchanged and labelled for {protection_s} from its publication.",
        "protection/cure": "If it is found otherwise, the creator has {cure_s} to restore it.",
        "protection/claw_back": (
            "If it is not restored, {claw_back_bps} of what the creator was paid for it goes back to the brand."
        ),
        "protection/dispute": "If it is not restored, a dispute decides.",
        "rights": "Rights",
        "rights/usage": "The brand may use the content for {usage_days} from its publication.",
        "rights/exclusive": "The creator advertises for no competitor for {exclusivity_days} from the publication.",
        "rights/not_exclusive": "The creator may work for competitors.",
        "cancellation": "Cancellation",
        "cancellation/brand": (
            "If the brand cancels once the money is held, the creator is paid this share of the fee of each deliverable that is "
            "not verified:"
        ),
        "cancellation/rung": "{stage}: {share_bps}.",
        "cancellation/creator": (
            "If the creator cancels, nothing is paid for what is not verified. Before the money is held nobody pays. What is "
            "verified is paid."
        ),
        "disputes": "Disputes",
        "disputes/open": (
            "Either side may open a dispute. It stops the clocks and every payment that is not on its way. Staff rule within "
            "{dispute_s}: the work goes on, or it ends with a share for the creator."
        ),
        "record": "Record",
        "record/sealed": (
            "The agreement is the platform's record of version {brief_version} of the brief and its terms, sealed by SHA-256 as "
            "{terms_hash}. This text says what stands in it."
        ),
        "record/amended": "A later version of the brief binds the creator only with its consent.",
        "unit/days": "{count} days",
        "unit/days/one": "{count} day",
        "unit/hours": "{count} hours",
        "unit/hours/one": "{count} hour",
        "unit/minutes": "{count} minutes",
        "unit/minutes/one": "{count} minute",
        "unit/seconds": "{count} seconds",
        "unit/seconds/one": "{count} second",
        "word/xiaohongshu": "Xiaohongshu",
        "word/douyin": "Douyin",
        "word/weibo": "Weibo",
        "word/bilibili": "Bilibili",
        "word/tiktok": "TikTok",
        "word/instagram": "Instagram",
        "word/youtube": "YouTube",
        "word/image_note": "image note",
        "word/video": "video",
        "word/live_hour": "hour of live stream",
        "word/story": "story",
        "word/exposure": "exposure",
        "word/reads": "reads",
        "word/engagement": "engagement",
        "word/sales": "sales",
        "word/low": "low",
        "word/medium": "medium",
        "word/high": "high",
        "word/CN": "China",
        "word/US": "the United States",
        "word/UK": "the United Kingdom",
        "word/EU": "the European Union",
        "word/FR": "France",
        "word/before_outline": "Before an outline or a draft",
        "word/after_outline": "After an outline",
        "word/after_draft": "After a draft",
        "word/after_feedback": "After the second feedback, or from the day of publication on",
    }
)
