"""What was measured of a creator and how it works with brands: owned by the projection `measured`.

Ratios are whole millionths; NULL: not measured, which is never 0.
"""

import sqlalchemy as sa

from kernel.adapters.schema import UtcTime
from services.discovery.tables.columns import text

_READ = sa.MetaData()
MEDIANS = ("exposures", "reads", "engagements")
RATES = ("read_rate_micros", "engagement_rate_micros", "hundred_like_micros", "thousand_like_micros")
MONTHS = (1, 2, 3, 4, 5, 6)
MICROS = 1_000_000
NOT_YET = (
    "store_visits", "follower_engagement_rate_micros", "viral_rate_micros", "completion_micros", "three_second_micros",
)  # fmt: skip
"""What searches may ask for, and nothing measures so far: empty."""


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger) for name in names]


CREATOR_GRID = sa.Table(
    "creator_grid",
    _READ,
    *[sa.Column(name, sa.Text, primary_key=True) for name in ("creator_id", "purpose", "format", "traffic")],
    sa.Column("window_days", sa.Integer, primary_key=True, autoincrement=False),
    *_numbers(*MEDIANS, *RATES, *NOT_YET),
    sa.Column("contents", sa.Integer),
    text("provenance"),
    text("formula"),
    sa.Column("measured_at", UtcTime, nullable=False),
    sa.Index("creator_grid_exposures", "purpose", "format", "window_days", "traffic", "exposures", "creator_id"),
    sa.Index("creator_grid_reads", "purpose", "format", "window_days", "traffic", "reads", "creator_id"),
    sa.Index("creator_grid_engagements", "purpose", "format", "window_days", "traffic", "engagements", "creator_id"),
)
"""Medians per content: `purpose` is daily or cooperation as metrics measured it, or reported, which the creator or a file
says of all its contents and which stands beside the others; `traffic` is all or organic,
`contents` how many contents the cell rests on."""

FOLLOWER_HISTORY = sa.Table(
    "follower_history",
    _READ,
    *[sa.Column(name, sa.Text, primary_key=True) for name in ("creator_id", "platform", "day")],
    sa.Column("followers", sa.BigInteger, nullable=False),
    text("provenance"),
    sa.Column("observed_at", UtcTime, nullable=False),
)
"""The last report of each day (YYYY-MM-DD, UTC) on the account that is linked now."""

CREATOR_GROWTH = sa.Table(
    "creator_growth",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    text("platform"),
    sa.Column("followers", sa.BigInteger, nullable=False),
    sa.Column("observed_at", UtcTime, nullable=False),
    *_numbers(*[f"before_{months}m" for months in MONTHS]),
)
"""Of the account with most followers: the newest count, and what it had 1 to 6 times 30 days before (the last report before that
moment, at most 30 days older than it). Growth is followers / before - 1."""

CREATOR_CONDUCT = sa.Table(
    "creator_conduct",
    _READ,
    sa.Column("fact", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("creator_id", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("good", sa.Boolean),
    sa.Column("amount", sa.Integer, nullable=False),
    sa.Index("creator_conduct_creator", "creator_id", "fact", "at"),
)
"""What a creator did, by what it was done on: `reply` (an invitation; good: answered within 48 hours; NULL: still open, or taken
back), `delivery` (a deliverable; good: published before its clock ran out), `revision`, `contract`, `cancelled` (by the creator),
`dispute`, `finding` (`amount` of them in a review)."""

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
