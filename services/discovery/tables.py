"""Discovery's tables: `metadata()` is what migrations make; the tables below belong to projections."""

import sqlalchemy as sa

from kernel.adapters import schema
from kernel.adapters.schema import RowReaders, UtcTime
from kernel.adapters.vault import personal


def metadata() -> sa.MetaData:
    """What migrations make."""
    made = sa.MetaData()
    schema.define(made)
    personal.define(made)
    sa.Table(
        "handles",
        made,
        sa.Column("platform", sa.Text, primary_key=True),
        sa.Column("handle", sa.Text, primary_key=True),
        sa.Column("creator_id", sa.Text, primary_key=True),
        sa.Index("handles_creator", "creator_id"),
    )
    sa.Table(
        "verified_handles",
        made,
        sa.Column("platform", sa.Text, primary_key=True),
        sa.Column("handle", sa.Text, primary_key=True),
        sa.Column("creator_id", sa.Text, nullable=False),
        sa.Index("verified_handles_creator", "creator_id"),
    )
    sa.Table(
        "account_ids",
        made,
        sa.Column("platform", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("creator_id", sa.Text, nullable=False),
        sa.Index("account_ids_creator", "creator_id"),
    )
    sa.Table("forgotten", made, sa.Column("subject_id", sa.Text, primary_key=True))
    return made


_READ = sa.MetaData()
RECORDS = ("contracted", "settled", "cancelled", "findings", "disclosures_missing", "orders")
"""`contracted` counts contracts that run; the first three are stages of work, the others marks."""


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, default=default)


CREATORS = sa.Table(
    "creators",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("registered_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    _text("state"),
    sa.Column("followers", sa.BigInteger, nullable=False),
    _text("tier"),
    _text("availability"),
    sa.Column("engagement_rate_bps", sa.Integer),
    sa.Column("suspended", sa.Boolean, nullable=False),
    sa.Column("suspended_until", UtcTime),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("creators_followers", "followers", "creator_id"),
    sa.Index("creators_engagement", "engagement_rate_bps", "creator_id"),
    sa.Index("creators_registered", "registered_at", "creator_id"),
    sa.Index("creators_position", "position"),
)
"""A row per creator: `state` is canonical JSON of domain.state.State, the other columns are what searches filter and sort by.

`position` is that of the last event, `followers` of the largest account, `engagement_rate_bps` see State."""

CREATOR_LABELS = sa.Table(
    "creator_labels",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Index("creator_labels_value", "kind", "value", "creator_id"),
)
"""What a creator is filtered by: kinds category (both levels), tag, language, platform, location (each prefix); and `looks`,
platform and skeleton of each handle."""

CREATOR_PRICES = sa.Table(
    "creator_prices",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("format", sa.Text, primary_key=True),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("price_minor", sa.BigInteger, nullable=False),
    sa.Column("next_minor", sa.BigInteger),
    sa.Column("next_from", UtcTime),
    sa.Index("creator_prices_price", "format", "currency", "price_minor", "creator_id"),
)
"""A row per format that is for sale."""

CREATOR_WORK = sa.Table(
    "creator_work",
    _READ,
    sa.Column("application_id", sa.Text, primary_key=True),
    sa.Column("creator_id", sa.Text, nullable=False),
    sa.Column("campaign_id", sa.Text, nullable=False),
    sa.Column("brand_id", sa.Text, nullable=False),
    _text("application"),
    _text("collaboration"),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("creator_work_campaign", "campaign_id", "creator_id"),
)
"""A row per application and the collaboration of the same id: how far each came, "" for not yet. For its parties only."""

CREATOR_MARKS = sa.Table(
    "creator_marks",
    _READ,
    sa.Column("mark", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("creator_id", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
)
"""Findings per review, missing labels per look, orders: what others counted for a creator, by what it was counted on."""

CREATOR_RECORDS = sa.Table(
    "creator_records",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    *[sa.Column(name, sa.BigInteger, nullable=False) for name in RECORDS],
)
"""Sums over work and marks: counts only, for everybody."""

CREATOR_BRANDS = sa.Table(
    "creator_brands",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text, primary_key=True),
    sa.Column("contracted_at", UtcTime, nullable=False),
)
"""Brands a creator had a contract with, and when the latest was made."""
