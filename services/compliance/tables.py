"""Compliance's tables: the kernel's for migrations, and the read models that projections make."""

import sqlalchemy as sa

from kernel.adapters import schema
from kernel.adapters.schema import RowReaders, UtcTime
from kernel.adapters.vault import personal

METADATA = sa.MetaData()
schema.define(METADATA)
personal.define(METADATA)
_READ = sa.MetaData()


def metadata() -> sa.MetaData:
    """What migrations make."""
    return METADATA


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


REVIEWS = sa.Table(
    "reviews",
    _READ,
    sa.Column("review_id", sa.Text, primary_key=True),
    *[_text(name) for name in ("deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id")],
    *[_text(name) for name in ("stage", "platform", "format", "jurisdiction", "product_category", "title", "text")],
    *[_text(name) for name in ("tags", "links", "evidence", "findings", "rule_packs", "voices")],
    *[_text(name) for name in ("language", "text_hash")],
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("product_used", sa.Boolean, nullable=False),
    sa.Column("ai_made", sa.Boolean, nullable=False),
    _text("verdict"),
    sa.Column("by_reviewer", sa.Boolean, nullable=False),
    *[_text(name) for name in ("note", "label", "placement")],
    sa.Column("submitted_at", UtcTime, nullable=False),
    sa.Column("completed_at", UtcTime),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("reviews_queue", "verdict", "submitted_at", "review_id"),
    sa.Index("reviews_creator", "creator_id", "review_id"),
    sa.Index("reviews_submitted", "submitted_at", "review_id"),
    sa.Index("reviews_deliverable", "deliverable_id", "submitted_at"),
    sa.Index("reviews_collaboration", "collaboration_id", "submitted_at"),
)
"""A row per submission under review; `verdict` is "" at first.

`tags`, `links`, `evidence`, `findings`, `rule_packs` and `voices` (projections.py `Voice`) are canonical JSON lists.
"""

LOOKS = sa.Table(
    "looks",
    _READ,
    sa.Column("look_id", sa.Text, primary_key=True),
    sa.Column("ordinal", sa.Integer, nullable=False),
    *[_text(name) for name in ("deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id")],
    *[_text(name) for name in ("platform", "post_id", "url", "label", "jurisdiction", "unreadable")],
    *[
        sa.Column(name, sa.Boolean, nullable=False)
        for name in ("ok", "found", "label_present", "text_unchanged", "author_differs")
    ],
    sa.Column("requested_at", UtcTime, nullable=False),
    sa.Column("looked_at", UtcTime),
    sa.Column("next_at", UtcTime),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("looks_requested", "requested_at", "look_id"),
    sa.Index("looks_deliverable", "deliverable_id", "requested_at"),
    sa.Index("looks_collaboration", "collaboration_id", "requested_at"),
    sa.Index("looks_campaign", "campaign_id", "requested_at"),
)
"""A row per look at a published post, from its request on; `looked_at` is empty while it is under way."""

ERASURES = sa.Table(
    "erasures",
    _READ,
    sa.Column("subject_id", sa.Text, primary_key=True),
    *[_text(name) for name in ("step", "reason")],
    sa.Column("since", UtcTime, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("erasures_waiting", "step", "since", "subject_id"),
)
"""A row per person who was to be erased: where that stands (domain/erasure.py `Step`) and since when."""

FINDINGS = sa.Table(
    "findings",
    _READ,
    sa.Column("review_id", sa.Text, primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    *[_text(name) for name in ("campaign_id", "brand_id", "creator_id", "verdict", "rule_id", "finding")],
    sa.Column("severity", sa.Integer, nullable=False),
    sa.Column("found_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("findings_found", "found_at", "review_id", "ordinal"),
    sa.Index("findings_campaign", "campaign_id", "found_at"),
    sa.Index("findings_creator", "creator_id", "found_at"),
)
"""A row per finding of a review, in the review's order; `finding` is canonical JSON.

`severity` is 1 notice, 2 warning, 3 blocking, as in the wire's enum.
"""
