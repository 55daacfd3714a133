"""Saved searches and the creators told of each; owned by the projection `saved_searches`."""

import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, UtcTime
from services.discovery.tables.columns import text

_READ = sa.MetaData()
SAVED_SEARCHES = sa.Table(
    "saved_searches",
    _READ,
    sa.Column("search_id", sa.Text, primary_key=True),
    text("owner"),
    text("name"),
    text("criteria"),
    text("view"),
    sa.Column("watched", sa.Boolean, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("saved_at", UtcTime, nullable=False),
    sa.Column("looked_total", sa.BigInteger),
    sa.Column("matches", sa.Integer, nullable=False),
    sa.Column("seen", sa.Integer, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("saved_searches_owner", "owner", "saved_at", "search_id"),
)
"""`criteria` are a SearchCreatorsRequest as JSON; `looked_total` is how many matched at the first look, None before it."""

SAVED_SEARCH_MATCHES = sa.Table(
    "saved_search_matches",
    _READ,
    sa.Column("search_id", sa.Text, primary_key=True),
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("matched_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("saved_search_matches_number", "search_id", "number"),
)
"""Creators that are no news any more: number 0 of the first look, the others numbered from 1 as they came to match."""
