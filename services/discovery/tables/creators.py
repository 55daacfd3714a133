"""What a creator says of itself, and what searches filter and sort by: owned by the projection `creators`."""

import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, UtcTime
from services.discovery.tables.columns import text

_READ = sa.MetaData()
CREATORS = sa.Table(
    "creators",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("registered_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    text("state"),
    sa.Column("followers", sa.BigInteger, nullable=False),
    text("tier"),
    text("availability"),
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
