"""Weights of a match by version, and past work to learn them from: owned by the projection `match_weights`."""

import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, UtcTime
from services.discovery.tables.columns import text

_READ = sa.MetaData()
MATCH_WEIGHTS = sa.Table(
    "match_weights",
    _READ,
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("since", UtcTime, nullable=False),
    text("weights"),
    text("learning"),
    text("adopted_by"),
    text("reason"),
    sa.Column("restored", sa.BigInteger),
    sa.Column("readers", RowReaders, nullable=False),
)
"""Weights that were adopted; `weights` and `learning` are JSON texts, the latter "" for none. A match shows its weights to
whoever asks; who adopted them and why is for operators and auditors."""

MATCH_BRIEFS = sa.Table(
    "match_briefs",
    _READ,
    sa.Column("campaign_id", sa.Text, primary_key=True),
    sa.Column("published_at", UtcTime, nullable=False),
    text("text"),
    text("goal"),
    text("format"),
    text("currency"),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("match_briefs_published", "published_at", "campaign_id"),
)
"""What each published campaign asked for, as far as creators are matched with it; for operators and auditors."""

MATCH_OUTCOMES = sa.Table(
    "match_outcomes",
    _READ,
    sa.Column("application_id", sa.Text, primary_key=True),
    sa.Column("campaign_id", sa.Text, nullable=False),
    sa.Column("creator_id", sa.Text, nullable=False),
    text("answer"),
    text("work"),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("match_outcomes_campaign", "campaign_id", "creator_id"),
)
"""What came of each application: `answer` "taken", "refused" (by the brand) or "", `work` "running", "settled", "broken" (by the
creator), "ended" (by another) or "" for no contract; for operators and auditors."""
