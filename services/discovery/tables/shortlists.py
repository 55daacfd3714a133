"""Shortlists and who is on each; owned by the projection `shortlists`."""

import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, UtcTime
from services.discovery.tables.columns import text

_READ = sa.MetaData()
SHORTLISTS = sa.Table(
    "shortlists",
    _READ,
    sa.Column("shortlist_id", sa.Text, primary_key=True),
    text("owner"),
    text("name"),
    sa.Column("begun_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("shortlists_owner", "owner", "changed_at", "shortlist_id"),
)
"""A row per list that stands, for its owner alone."""

SHORTLISTED = sa.Table(
    "shortlisted",
    _READ,
    sa.Column("shortlist_id", sa.Text, primary_key=True),
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("added_at", UtcTime, nullable=False),
    text("note"),
    sa.Column("noted_at", UtcTime),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("shortlisted_added", "shortlist_id", "added_at", "creator_id"),
    sa.Index("shortlisted_creator", "creator_id"),
)
"""A row per creator on a list, for the owner alone; of who was forgotten there is none, and no note."""


def define(metadata: sa.MetaData) -> sa.Table:
    """The inline table of how many lists an owner has."""
    return sa.Table(
        "shortlist_counts",
        metadata,
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("lists", sa.BigInteger, nullable=False),
    )
