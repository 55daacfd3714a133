"""Media kits: what each version shows, whether one is shown now, and the addresses; owned by the projection `media_kits`."""

import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, UtcTime
from services.discovery.tables.columns import text

_READ = sa.MetaData()
MEDIA_KITS = sa.Table(
    "media_kits",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("published", sa.Boolean, nullable=False),
    sa.Column("published_at", UtcTime, nullable=False),
    text("sections"),
    text("figures"),
    text("examples"),
    sa.Column("readers", RowReaders, nullable=False),
)
"""The version published last; `published` is False once it was withdrawn. `sections`, `figures`, `examples` are JSON texts."""

MEDIA_KIT_LINKS = sa.Table(
    "media_kit_links",
    _READ,
    sa.Column("link_id", sa.Text, primary_key=True),
    sa.Column("creator_id", sa.Text, nullable=False),
    text("label"),
    sa.Column("shared_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime),
    sa.Column("revoked_at", UtcTime),
    sa.Column("openings", sa.BigInteger, nullable=False),
    sa.Column("opened_at", UtcTime),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("media_kit_links_creator", "creator_id", "shared_at"),
)
"""Addresses of a kit, for the creator and operators; `opened_at` is the last opening that was counted."""

MEDIA_KIT_OPENINGS = sa.Table(
    "media_kit_openings",
    _READ,
    sa.Column("link_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("openings", sa.BigInteger, nullable=False),
)
"""Openings by day (UTC, "2026-12-01")."""
