"""Whose rows each projection changed, and when: what search indexes follow. No read model: it is no function of the events."""

import sqlalchemy as sa


def define(metadata: sa.MetaData) -> sa.Table:
    """`stamp` is the transaction that wrote the row last: its id on PostgreSQL, the next number on SQLite."""
    return sa.Table(
        "search_changes",
        metadata,
        sa.Column("projection", sa.Text, primary_key=True),
        sa.Column("creator_id", sa.Text, primary_key=True),
        sa.Column("stamp", sa.BigInteger, nullable=False),
        sa.Index("search_changes_stamp", "stamp", "projection", "creator_id"),
    )


SEARCH_CHANGES = define(sa.MetaData())
