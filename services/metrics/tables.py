"""Metrics' tables. `metadata()` is what migrations make: the kernel's and the inline tables. The others are read models."""

import sqlalchemy as sa

from kernel.adapters import schema
from kernel.adapters.schema import ExactSum, RowReaders, UtcTime


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _key(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, primary_key=True) for name in names]


def _big(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _money(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, ExactSum, nullable=False) for name in names]


def _number_key(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False) for name in names]


STAFF_ROLES = ("operator", "finance", "auditor", "reviewer", "system")
"""Who reads every row beside the parties."""
PLACEMENT = ("campaign_id", "collaboration_id", "deliverable_id", "creator_id")


def metadata() -> sa.MetaData:
    """A new MetaData of the kernel's tables and the inline ones; columns are named as their rows' fields."""
    made = sa.MetaData()
    schema.define(made)
    sa.Table("link_codes", made, *_key("code"), *_text("link_id", "brand_id", *PLACEMENT, "target_url"))
    sa.Table(
        "clicks",
        made,
        *_key("click_id"),
        *_text("link_id", "brand_id", *PLACEMENT),
        sa.Column("clicked_at", UtcTime, nullable=False),
    )
    sa.Table(
        "coupon_codes",
        made,
        *_key("brand_id", "code"),
        *_text("coupon_id", *PLACEMENT),
        sa.Column("discount_bps", sa.Integer, nullable=False),
        sa.Column("issued_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
    )
    for counted in ("link_counts", "coupon_counts"):
        sa.Table(counted, made, *_key("brand_id"), *_big("issued"))
    sa.Table("site_claims", made, *_key("brand_id", "host"), *_text("site_id", "status", "covers"))
    sa.Table("site_counts", made, *_key("brand_id"), *_big("claimed"))
    sa.Table("order_numbers", made, *_key("brand_id", "order_number"), *_text("order_id"))
    return made


_READ = sa.MetaData()

CAMPAIGNS = sa.Table(
    "campaigns",
    _READ,
    *_key("campaign_id"),
    *_text("brand_id"),
    sa.Column("readers", RowReaders, nullable=False),
)
"""Whose a campaign is."""

CONTENTS = sa.Table(
    "contents",
    _READ,
    *_key("content_id"),
    sa.Column("number", sa.BigInteger, nullable=False),
    *_text("campaign_id", "collaboration_id", "creator_id", "brand_id", "platform", "format"),
    sa.Column("published_at", UtcTime),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("contents_number", "number", unique=True),
    sa.Index("contents_campaign", "campaign_id", "creator_id"),
    sa.Index("contents_creator", "creator_id", "published_at"),
)
"""What a content belongs to: a deliverable, or a creator's own post, which has "" for campaign,
collaboration and brand; `number` is totals.content_number of its id."""

ENVELOPES = sa.Table("envelopes", _READ, *_key("envelope_id"), sqlite_with_rowid=False)
"""Envelopes counted: one that comes again is dropped."""

MINUTES = sa.Table("minutes", _READ, *_number_key("content", "cell", "minute"), *_big("added"), sqlite_with_rowid=False)
"""Sums of increments, keys as in totals.Minutes."""

CELLS = sa.Table(
    "cells",
    _READ,
    *_number_key("content", "cell"),
    *_big("snapshot_at", "snapshot", "first_minute", "increments", "after", "fresh_ms"),
    sqlite_with_rowid=False,
)
"""What each counter stands at (totals.Standing): `snapshot + after`, where `after` sums the minutes from `first_minute`.

`increments` sums all; `fresh_ms` is when the newest of it was received, ms since 1970 UTC."""

READINGS = sa.Table(
    "readings", _READ, *_number_key("content", "cell", "hour"), *_big("at", "value"), sqlite_with_rowid=False
)
"""The platform's totals: of each hour the latest (of one time the larger), keys as in totals.readings."""

COSTS = sa.Table(
    "costs",
    _READ,
    *_key("content_id", "currency"),
    *_money("gross_minor", "fee_minor"),
    *_big("fresh_ms"),
)
"""What left escrow for a deliverable, less what was clawed back: `gross_minor` is the cost, `fee_minor` the creator's part."""

REVENUE = sa.Table(
    "revenue",
    _READ,
    *_key("content_id", "brand_id", "currency"),
    *_money("gross_minor", "refunded_minor"),
    *_big("orders", "new_customers", "fresh_ms"),
)
"""Orders of a brand attributed to a deliverable; counts leave out completely refunded orders."""

STANDS, REFUNDED = "standing", "refunded"
"""Status of an order."""

ORDERS = sa.Table(
    "orders",
    _READ,
    *_key("order_id"),
    *_text("brand_id", "order_number", "currency", "status"),
    *_big("amount_minor", "refunded_minor", "items"),
    sa.Column("new_customer", sa.Boolean, nullable=False),
    sa.Column("ordered_at", UtcTime, nullable=False),
    sa.Column("recorded_at", UtcTime, nullable=False),
    *_text("source", "source_id", "touch_id", *PLACEMENT, "model", "evidence"),
    *_big("window_s", "passed_over", "version"),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("orders_ordered", "ordered_at", "order_id"),
    sa.Index("orders_number", "brand_id", "order_number"),
    sa.Index("orders_campaign", "campaign_id", "ordered_at"),
)
"""Orders of brands' stores: `amount_minor` before refunds; `status` is "standing" or "refunded" (nothing is left of it).

`source` is "link", "coupon", "reported", or "" for an order that is nobody's; then the ids of the placement are "".
`evidence` is canonical JSON: a list of {source, at, outcome}."""

ORDER_CONTACTS = sa.Table(
    "order_contacts",
    _READ,
    *_key("order_id"),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    *_text("source", *PLACEMENT),
    sa.Column("touched_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("order_contacts_campaign", "campaign_id", "order_id"),
)
"""The contacts before each order, oldest first from `place` 0; of orders of before contacts were kept, the one that decided."""

SITES = sa.Table(
    "sites",
    _READ,
    *_key("brand_id", "host"),
    *_text("site_id", "status", "covers", "why"),
    sa.Column("claimed_at", UtcTime, nullable=False),
    sa.Column("looked_at", UtcTime),
    sa.Column("proven_at", UtcTime),
    sa.Column("next_look_at", UtcTime),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("sites_claimed", "claimed_at", "site_id"),
)
"""Hosts that brands claim: `status` is claimed, proven or lost, `why` the code of what the last look found in place of a proof;
`proven_at` is when the proof was seen last."""

RELEASED_EXCESS = sa.Table(
    "released_excess",
    _READ,
    *_key("content_id", "metric"),
    *_big("released"),
    *_text("reason"),
    sa.Column("released_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
)
"""Of a content's metric, how much of the excess that the band sets aside staff found payable."""

ANOMALIES = sa.Table(
    "anomalies",
    _READ,
    *_key("anomaly_id"),
    *_text("kind", "content_id", "campaign_id", "creator_id", "brand_id", "formula"),
    sa.Column("metric", sa.Integer, nullable=False),
    *_big("window_start_ms", "window_s", "observed", "expected_max"),
    sa.Column("detected_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("anomalies_detected", "detected_at", "anomaly_id"),
    sa.Index("anomalies_campaign", "campaign_id", "detected_at"),
    sa.Index("anomalies_creator", "creator_id", "detected_at"),
)
"""What was found, for the brand and creator it concerns and staff."""

ORDER_HOURS = sa.Table("order_hours", _READ, *_key("campaign_id"), *_number_key("hour"), *_big("orders", "refunds"))
"""Of each campaign and hour (since 1970, UTC) the orders recorded, and those completely refunded."""

SENTIMENT = sa.Table(
    "sentiment",
    _READ,
    *_key("content_id", "day", "language", "model"),
    *_big("mentions", "negatives", "neutrals", "positives", "net_micros", "net_square_micros"),
)
"""Of the comments on a content by day (UTC, "2026-12-01"), language and model: how many were most likely what, the sum of their
net sentiments (probability of positive less that of negative, in millionths) and of the squares of these. Whose a content is
stands in CONTENTS."""
