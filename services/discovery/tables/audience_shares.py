"""Whom creators reach, as searches filter by it: owned by the projection `creators`."""

import sqlalchemy as sa

_READ = sa.MetaData()
CREATOR_SHARES = sa.Table(
    "creator_shares",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("population", sa.Text, primary_key=True),
    sa.Column("dimension", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("share_bps", sa.Integer, nullable=False),
    sa.Index("creator_shares_share", "population", "dimension", "value", "share_bps", "creator_id"),
)
"""A row per share of the latest report on each population (viewers, followers, buyers), in basis points of its sample.

Dimensions are those of AudienceShare, and `quality`: the followers that are active, read, engage, pay. Values are folded."""
