"""Judgements of creators as they stand: owned by the projection `authenticity`."""

import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, UtcTime
from services.discovery.tables.columns import text

_READ = sa.MetaData()
AUTHENTICITY = sa.Table(
    "creator_authenticity",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("score", sa.Integer, nullable=False),
    sa.Column("low", sa.Integer, nullable=False),
    sa.Column("high", sa.Integer, nullable=False),
    text("standing"),
    text("assessed"),
    text("holds"),
    sa.Column("assessed_at", UtcTime, nullable=False),
    text("statement"),
    sa.Column("appealed_at", UtcTime),
    text("proposed_by"),
    text("proposed_reason"),
    text("verdict"),
    text("ruling_reason"),
    sa.Column("ruled_at", UtcTime),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("creator_authenticity_score", "score", "creator_id"),
    sa.Index("creator_authenticity_standing", "standing", "score", "creator_id"),
)
"""A row per creator that was judged: `assessed` is canonical JSON of AuthenticityAssessed, the other columns what is asked for.

`appealed_at` is set while an appeal waits; `statement` goes with the person when the creator is erased."""
