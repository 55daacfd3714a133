"""The ledger's tables: `metadata()` is what migrations make, the kernel's and the inline tables; the others are projections'."""

from typing import Any

import sqlalchemy as sa

from kernel.adapters import schema
from kernel.adapters.schema import RowReaders, UtcTime
from kernel.core.canonical import canonical
from kernel.core.codec import adapter
from services.ledger.domain.accounts import bound_check_sql
from services.ledger.domain.fees import FeePolicy
from services.ledger.tables.columns import keys, minors, texts


class Policies(sa.types.TypeDecorator[Any]):
    """Fee policies as canonical JSON text."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else canonical(value).decode()

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else adapter(tuple[FeePolicy, ...]).validate_json(value)


class Ids(sa.types.TypeDecorator[Any]):
    """Ids as canonical JSON text."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else canonical(value).decode()

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else adapter(tuple[str, ...]).validate_json(value)


METADATA = sa.MetaData()
schema.define(METADATA)


def metadata() -> sa.MetaData:
    """What migrations make."""
    return METADATA


AMOUNTS = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
ACCOUNTS = sa.Table(
    "accounts",
    METADATA,
    *keys("currency", "code", "owner"),
    *minors(*AMOUNTS),
    sa.Column("closed", sa.Boolean, nullable=False),
    sa.CheckConstraint(bound_check_sql(), name="accounts_bound"),
    sa.CheckConstraint(" AND ".join(f"{name} >= 0" for name in AMOUNTS), name="accounts_amounts"),
)
CLIENT_MONEY = sa.Table("client_money", METADATA, *keys("currency"), *minors("assets_minor", "claims_minor"))
CLEARING = sa.Table(
    "clearing",
    METADATA,
    *keys("currency"),
    *minors("due_minor", "owed_minor"),
    sa.CheckConstraint("due_minor >= 0 AND owed_minor >= 0", name="clearing_bound"),
)
ESCROWS = sa.Table(
    "escrows",
    METADATA,
    *keys("deliverable_id"),
    *texts("status", "collaboration_id", "campaign_id", "brand_id", "creator_id", "agency_id", "jurisdiction"),
    *texts("currency", "policy_id"),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("agency_bps", sa.Integer, nullable=False),
    *minors("fee_minor", "brand_fee_minor", "fee_left_minor", "brand_fee_left_minor"),
    *minors("released_minor", "returned_minor", "clawed_back_minor"),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.CheckConstraint("fee_left_minor >= 0 AND brand_fee_left_minor >= 0", name="escrows_left"),
)
TRANSFERS = sa.Table(
    "transfers",
    METADATA,
    *keys("transfer_id"),
    *texts("kind", "status", "owner", "account", "currency", "source_id", "instrument", "provider_ref"),
    *minors("amount_minor", "refunded_minor", "due_minor", "owed_minor", "settled_minor", "reversed_minor"),
    sa.Column("said_at", UtcTime),
    sa.CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="transfers_refunded"),
    sa.CheckConstraint("due_minor >= 0 AND owed_minor >= 0 AND settled_minor >= 0", name="transfers_settled"),
    sa.CheckConstraint("reversed_minor BETWEEN 0 AND amount_minor", name="transfers_reversed"),
)
sa.Table("settled_lines", METADATA, *keys("name"), *texts("chain_id"))
TAX_YEARS = sa.Table(
    "tax_years",
    METADATA,
    *keys("creator_id", "tax_year"),
    sa.Column("first_month", sa.Integer, nullable=False),
    *minors("income_minor", "withheld_minor"),
)
PAYOUT_ACCOUNTS = sa.Table(
    "payout_accounts",
    METADATA,
    *keys("owner", "currency"),
    *texts("instrument", "next_instrument"),
    sa.Column("proven", sa.Boolean, nullable=False),
    sa.Column("next_usable_at", UtcTime),
)
sa.Table("payout_holds", METADATA, *keys("owner"), *texts("reason"))
sa.Table("fee_policies", METADATA, *keys("owner"), sa.Column("policies", Policies, nullable=False))
sa.Table("tax_residences", METADATA, *keys("payee_id"), *texts("country", "reference"))
sa.Table("reference_rates", METADATA, *keys("currency", "month"), *minors("cny_minor", "per_minor"))
sa.Table(
    "waiting_payments",
    METADATA,
    *keys("deliverable_id"),
    *texts("payee_id", "currency", "reason", "chain_id", "command"),
    sa.Column("cancels", sa.Boolean, nullable=False),
    sa.Index("waiting_payments_payee", "payee_id", "deliverable_id"),
)
DISCREPANCIES = sa.Table(
    "discrepancies",
    METADATA,
    *keys("discrepancy_id"),
    *texts("origin", "word", "reference", "currency", "provider_ref", "code"),
    *minors("gross_minor", "fee_minor"),
    sa.Column("noted_at", UtcTime, nullable=False),
    sa.Index("discrepancies_noted", "noted_at", "discrepancy_id"),
)
sa.Table(
    "proposals",
    METADATA,
    *keys("proposal_id"),
    *texts("status", "command", "data", "proposed_by", "approved_by"),
    sa.Column("expires_at", UtcTime, nullable=False),
)
sa.Table("hand_sums", METADATA, *keys("person", "currency", "day"), *minors("amount_minor"))
sa.Table("pay_accounts", METADATA, *keys("instrument"), *texts("account_id"))
sa.Table("account_uses", METADATA, *keys("owner", "account_id"))
sa.Table(
    "parties", METADATA, *keys("owner"), sa.Column("account_ids", Ids, nullable=False),
    sa.Column("payer_ids", Ids, nullable=False),
)  # fmt: skip
sa.Table("cleared_ties", METADATA, *keys("brand_id", "payee_id"), sa.Column("account_ids", Ids, nullable=False))
SEALS = sa.Table(
    "seals",
    METADATA,
    *keys("journal"),
    *minors("up_to_position"),
    *texts("root"),
    sa.Column("formula", sa.Integer, nullable=False),
)

_READ = sa.MetaData()
BALANCES = sa.Table(
    "balances",
    _READ,
    *keys("owner", "account", "currency"),
    *minors(*AMOUNTS),
    sa.Column("closed", sa.Boolean, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
)
"""A row per account, as the log makes it; equal to `accounts` when both stand at one position."""

STATEMENT_LINES = sa.Table(
    "statement_lines",
    _READ,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    *texts("owner", "account", "currency", "chain_id", "kind", "counterparty"),
    *texts("campaign_id", "collaboration_id", "deliverable_id"),
    *minors("amount_minor", "balance_minor"),
    sa.Column("recorded_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("statement_lines_owner", "owner", "position", "line"),
    sa.Index("statement_lines_account", "account", "currency", "recorded_at"),
)
"""Two lines per posted leg (both accounts); `amount_minor` is signed on the account's normal side."""

HELD_ESCROWS = sa.Table(
    "held_escrows",
    _READ,
    *keys("deliverable_id"),
    *texts("collaboration_id", "campaign_id", "brand_id", "creator_id", "currency"),
    *minors("held_minor"),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("held_escrows_brand", "brand_id", "currency"),
    sa.Index("held_escrows_creator", "creator_id", "currency"),
)
"""What is in escrow now, per deliverable; a row leaves when its escrow ends."""

RESIDENCES = sa.Table(
    "residences",
    _READ,
    *keys("payee_id"),
    *texts("country", "reference"),
    sa.Column("verified_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
)
"""Where a payee is resident for tax, as finance verified it; for the payee and staff."""

RATES = sa.Table(
    "rates",
    _READ,
    *keys("currency", "month"),
    *minors("cny_minor", "per_minor"),
    sa.Column("set_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
)
"""The rates at which pay in other currencies is taxed in China; for everybody."""

DEFERRED_PAYMENTS = sa.Table(
    "deferred_payments",
    _READ,
    *keys("deliverable_id"),
    *texts("collaboration_id", "campaign_id", "brand_id", "creator_id", "payee_id", "reason", "currency"),
    *minors("amount_minor"),
    sa.Column("deferred_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("deferred_payments_since", "deferred_at", "deliverable_id"),
)
"""Payments that wait, per deliverable, with the reason; a row leaves when its payment is made or its escrow ends."""

HAND_MOVES = sa.Table(
    "hand_moves",
    _READ,
    *keys("proposal_id"),
    *texts("move", "status", "command", "proposed_by", "approved_by", "rejected_by", "reason", "sums"),
    sa.Column("proposed_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("hand_moves_proposed", "proposed_at", "proposal_id"),
)
"""What finance moves by hand, from the proposal on: the work list of staff, and the notice to those whose money it is."""

POLICIES = sa.Table(
    "policies",
    _READ,
    *keys("policy_id"),
    *texts("name", "status", "proposed_by", "approved_by", "reason"),
    sa.Column("since", UtcTime, nullable=False),
    sa.Column("brand_fee_bps", sa.Integer, nullable=False),
    sa.Column("creator_fee_bps", sa.Integer, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("policies_since", "since", "policy_id"),
)
"""Fee policies: approved ones for everybody, the others for staff."""
