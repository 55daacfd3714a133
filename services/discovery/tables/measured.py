"""What is measured of creators, as searches filter and sort. Ratios are whole millionths (`_micros`); NULL: not measured."""

import sqlalchemy as sa

from kernel.adapters.schema import UtcTime
from services.discovery.tables.columns import text

_READ = sa.MetaData()
MICROS = 1_000_000


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger) for name in names]


CREATOR_GRID = sa.Table(
    "creator_grid",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("format", sa.Text, primary_key=True),
    sa.Column("window_days", sa.Integer, primary_key=True),
    sa.Column("traffic", sa.Text, primary_key=True),
    *_numbers("exposures", "reads", "engagements", "store_visits", "contents"),
    *_numbers("read_rate_micros", "engagement_rate_micros", "follower_engagement_rate_micros"),
    *_numbers("hundred_like_micros", "thousand_like_micros", "viral_rate_micros"),
    *_numbers("completion_micros", "three_second_micros"),
    text("provenance"),
    text("formula"),
    sa.Column("measured_at", UtcTime),
    sa.Index("creator_grid_cell", "purpose", "format", "window_days", "traffic", "creator_id"),
)
"""A row per cell: purpose daily, cooperation or reported (by hand), 30 or 90 days, traffic all or organic. Counts are medians."""

CREATOR_GROWTH = sa.Table(
    "creator_growth",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("followers", sa.BigInteger, nullable=False),
    sa.Column("observed_at", UtcTime),
    *_numbers(*[f"before_{months}m" for months in range(1, 7)]),
)
"""Followers now, and so many months before, NULL where nobody knows."""

CREATOR_CONDUCT = sa.Table(
    "creator_conduct",
    _READ,
    sa.Column("fact", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("creator_id", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("good", sa.Boolean, nullable=False),
    sa.Index("creator_conduct_creator", "creator_id", "fact", "at"),
)
"""A row per reply, delivery, cancelled job, dispute, revision and finding, and whether it was as agreed."""

CREATOR_ACTIVITY = sa.Table(
    "creator_activity", _READ, sa.Column("creator_id", sa.Text, primary_key=True), *_numbers("posts_30d")
)
"""How much a creator posts."""

CREATOR_LIVE = sa.Table(
    "creator_live",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    *_numbers("sessions_30d", "average_viewers", "average_gmv_90d_minor"),
    text("currency"),
)
"""Live sessions: how many in 30 days, their average viewers, and the average sales of one over 90 days in minor units."""
