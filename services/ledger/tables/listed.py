"""Read models of what money did, a row a thing: transfers, escrows, releases and payout accounts.

But for the releases, a row has the columns of the inline table of the same thing, its times, and who may read it.
"""

import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, UtcTime
from services.ledger.tables.columns import keys, minors, texts

_READ = sa.MetaData()
LISTED_TRANSFERS = sa.Table(
    "listed_transfers",
    _READ,
    *keys("transfer_id"),
    *texts("kind", "status", "owner", "account", "currency", "source_id", "instrument", "provider_ref", "reason"),
    *minors("amount_minor", "refunded_minor", "due_minor", "owed_minor", "settled_minor", "reversed_minor"),
    sa.Column("said_at", UtcTime),
    sa.Column("requested_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("listed_transfers_requested", "requested_at", "transfer_id"),
    sa.Index("listed_transfers_owner", "owner", "requested_at", "transfer_id"),
    sa.Index("listed_transfers_status", "status", "requested_at", "transfer_id"),
)
"""Deposits, payouts and refunds; `reason` is the code of what went wrong, "" for nothing."""

LISTED_ESCROWS = sa.Table(
    "listed_escrows",
    _READ,
    *keys("deliverable_id"),
    *texts("status", "collaboration_id", "campaign_id", "brand_id", "creator_id", "agency_id", "jurisdiction"),
    *texts("currency", "policy_id"),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("agency_bps", sa.Integer, nullable=False),
    *minors("fee_minor", "brand_fee_minor", "fee_left_minor", "brand_fee_left_minor"),
    *minors("released_minor", "returned_minor", "clawed_back_minor"),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Column("held_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("listed_escrows_held", "held_at", "deliverable_id"),
    sa.Index("listed_escrows_brand", "brand_id", "held_at", "deliverable_id"),
    sa.Index("listed_escrows_creator", "creator_id", "held_at", "deliverable_id"),
    sa.Index("listed_escrows_campaign", "campaign_id", "held_at", "deliverable_id"),
)
"""Every escrow that there was, per deliverable; `held_escrows` has only those that hold money now."""

RELEASES = sa.Table(
    "releases",
    _READ,
    *keys("chain_id"),
    *texts("release_id", "deliverable_id", "collaboration_id", "campaign_id", "brand_id", "creator_id", "agency_id"),
    *texts("kind", "currency", "policy_id", "payees"),
    *minors("gross_minor", "fee_minor", "brand_revenue_minor", "creator_revenue_minor", "vat_minor", "agency_minor"),
    sa.Column("agency_bps", sa.Integer, nullable=False),
    sa.Column("final", sa.Boolean, nullable=False),
    sa.Column("released_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("releases_released", "released_at", "chain_id"),
    sa.Index("releases_creator", "creator_id", "released_at", "chain_id"),
    sa.Index("releases_campaign", "campaign_id", "released_at", "chain_id"),
)
"""What left escrows towards creators, with every number of the chain; `payees` is canonical JSON of domain.events `Payee`s."""

LISTED_PAYOUT_ACCOUNTS = sa.Table(
    "listed_payout_accounts",
    _READ,
    *keys("owner", "currency"),
    *texts("instrument", "next_instrument"),
    sa.Column("proven", sa.Boolean, nullable=False),
    sa.Column("next_usable_at", UtcTime),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("listed_payout_accounts_changed", "changed_at", "owner", "currency"),
)
"""Where earned money goes; answers show the last characters of an account only."""
