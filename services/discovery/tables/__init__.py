"""Discovery's tables: `metadata()` is what migrations make; a module per projection holds the tables that the projection owns."""

import sqlalchemy as sa

from kernel.adapters import schema
from kernel.adapters.vault import personal
from services.discovery.tables import search_changes, shortlists


def metadata() -> sa.MetaData:
    """What migrations make."""
    made = sa.MetaData()
    schema.define(made)
    personal.define(made)
    search_changes.define(made)
    shortlists.define(made)
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
