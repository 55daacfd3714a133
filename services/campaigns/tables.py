"""Campaigns' tables. `metadata()` is what migrations make: the kernel's and the inline ones. The others are read models."""

from typing import Any

import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, UtcTime, define
from kernel.adapters.vault import personal
from kernel.core.canonical import Hashed, canonical
from kernel.core.codec import adapter
from services.campaigns.domain.application.state import State as ApplicationState
from services.campaigns.domain.collaboration.state import State as CollaborationState
from services.campaigns.domain.creators.events import AccountHeard
from services.campaigns.domain.fees.events import FeePolicyHeard
from services.campaigns.domain.parties.events import ClearedHeard
from services.campaigns.domain.shared.brief import Brief
from services.campaigns.domain.shared.terms import Terms


class Stored(sa.types.TypeDecorator[Any]):
    """A domain value as canonical JSON text. Rows are compared as they are read, so a type may grow a field with a default."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else canonical(value).decode()

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else adapter(self.kind).validate_json(value)


def flags(*names: str) -> list[sa.Column[bool]]:
    """Columns that are true or false."""
    return [sa.Column(name, sa.Boolean, nullable=False) for name in names]


def metadata() -> sa.MetaData:
    """The kernel's tables, and the rows that must be exact at the head: agreements, budgets, briefs in force, open drafts,
    creators and their jobs, organisations' accounts, reported posts, fee policies."""
    made = sa.MetaData()
    define(made)
    personal.define(made)
    text, big = sa.Text, sa.BigInteger
    sa.Table(
        "budgets", made,
        sa.Column("campaign_id", text, primary_key=True), sa.Column("brand_id", text, nullable=False),
        sa.Column("status", text, nullable=False), sa.Column("currency", text, nullable=False),
        sa.Column("budget_minor", big, nullable=False), sa.Column("committed_minor", big, nullable=False),
        sa.CheckConstraint("committed_minor BETWEEN 0 AND budget_minor", name="budgets_never_over_committed"),
    )  # fmt: skip
    sa.Table(
        "briefs", made,
        sa.Column("campaign_id", text, primary_key=True), sa.Column("brand_id", text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False), sa.Column("brief", Stored(Hashed[Brief]), nullable=False),
        sa.Column("terms", Stored(Hashed[Terms]), nullable=False),
    )  # fmt: skip
    agreed = map(_text, ("brand_id", "creator_id", "step"))
    sa.Table("agreements", made, sa.Column("collaboration_id", text, primary_key=True), *agreed)
    sa.Table(
        "creators", made,
        sa.Column("creator_id", text, primary_key=True), sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("max_parallel_jobs", sa.Integer, nullable=False), sa.Column("suspended", sa.Boolean, nullable=False),
        sa.Column("suspended_until", UtcTime), sa.Column("forgotten", sa.Boolean, nullable=False),
        sa.Column("accounts", Stored(tuple[AccountHeard, ...]), nullable=False),
        sa.Column("agency_id", text, nullable=False), *flags("offers_held", "barred", "virtual_human"),
    )  # fmt: skip
    sa.Table(
        "parties", made,
        sa.Column("owner_id", text, primary_key=True),
        sa.Column("account_ids", Stored(tuple[str, ...]), nullable=False),
        sa.Column("cleared", Stored(tuple[ClearedHeard, ...]), nullable=False),
    )  # fmt: skip
    sa.Table(
        "posts", made,
        sa.Column("platform", text, primary_key=True), sa.Column("post_id", text, primary_key=True),
        sa.Column("deliverable_id", text, nullable=False), sa.Column("spent_by", Stored(tuple[str, ...]), nullable=False),
    )  # fmt: skip
    sa.Table(
        "drafts", made, sa.Column("brand_id", text, primary_key=True), sa.Column("open", big, nullable=False),
        sa.CheckConstraint("open >= 0", name="drafts_never_below_none"),
    )  # fmt: skip
    sa.Table("jobs", made, sa.Column("creator_id", text, primary_key=True), sa.Column("running", big, nullable=False))
    sa.Table(
        "fee_policies", made,
        sa.Column("owner", text, primary_key=True),
        sa.Column("policies", Stored(tuple[FeePolicyHeard, ...]), nullable=False),
    )  # fmt: skip
    return made


_READ = sa.MetaData()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _stored(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, Stored(kind), nullable=False)


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcTime, nullable=nullable)


CAMPAIGNS = sa.Table(
    "campaigns", _READ,
    sa.Column("campaign_id", sa.Text, primary_key=True), _text("brand_id"), _text("status"), _text("campaign_type"),
    _big("version"), _big("brief_version"), _stored("brief", Hashed[Brief]),
    _stored("terms", Hashed[Terms]), _text("terms_sha256"), _big("budget_minor"),
    _big("reserved_minor"), _big("applications"), _big("collaborations"), _big("collaborations_settled"),
    _big("collaborations_cancelled"), _time("drafted_at"), _time("published_at", nullable=True), _time("changed_at"),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("campaigns_changed", "changed_at", "campaign_id"),
    sa.Index("campaigns_drafted", "drafted_at", "campaign_id"),
    sa.Index("campaigns_brand", "brand_id", "changed_at"),
)  # fmt: skip
"""A row per campaign. `reserved_minor` is what is committed of `budget_minor`; the counts are of collaborations."""

APPLICATIONS = sa.Table(
    "applications", _READ,
    sa.Column("application_id", sa.Text, primary_key=True), _text("campaign_id"), _text("brand_id"),
    _text("creator_id"), _text("status"), _stored("state", ApplicationState), _big("version"),
    _time("created_at"), _time("expires_at"), _time("changed_at"), sa.Column("readers", RowReaders, nullable=False),
    sa.Index("applications_campaign", "campaign_id", "changed_at"),
    sa.Index("applications_creator", "creator_id", "changed_at"),
    sa.Index("applications_changed", "changed_at", "application_id"),
    sa.Index("applications_created", "created_at", "application_id"),
)  # fmt: skip
"""A row per application; `state` is the application as its decisions know it."""

COLLABORATIONS = sa.Table(
    "collaborations", _READ,
    sa.Column("collaboration_id", sa.Text, primary_key=True), _text("campaign_id"), _text("brand_id"),
    _text("creator_id"), _text("status"), _text("reason"), _text("contract_sha256"), _text("awaits"),
    _stored("state", CollaborationState), _big("version"),
    _time("contracted_at"), _time("funded_at", nullable=True), _time("changed_at"),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("collaborations_campaign", "campaign_id", "changed_at"),
    sa.Index("collaborations_creator", "creator_id", "changed_at"),
    sa.Index("collaborations_changed", "changed_at", "collaboration_id"),
    sa.Index("collaborations_contracted", "contracted_at", "collaboration_id"),
    sa.Index("collaborations_awaits", "awaits", "changed_at"),
)  # fmt: skip
"""A row per collaboration; `state` is the collaboration as its decisions know it. `awaits` names whom of the platform's own it
waits for past the time, or is empty."""

DELIVERABLES = sa.Table(
    "deliverables", _READ,
    sa.Column("deliverable_id", sa.Text, primary_key=True), _text("collaboration_id"), _text("campaign_id"),
    _big("ordinal"), _text("stage"), _big("paid_minor"),
    _time("due_at", nullable=True), _time("publish_at", nullable=True), _big("findings"),
    _text("post_url"), _time("published_at", nullable=True), _time("verified_at", nullable=True),
    _time("settled_at", nullable=True), sa.Column("readers", RowReaders, nullable=False),
    sa.Index("deliverables_collaboration", "collaboration_id", "ordinal"),
    sa.Index("deliverables_campaign", "campaign_id"),
)  # fmt: skip
"""A row per deliverable: what its collaboration's state does not hold. `paid_minor` has left escrow for it and did not come back,
both fees."""

POSTINGS = sa.Table(
    "postings", _READ,
    sa.Column("deliverable_id", sa.Text, primary_key=True), _text("collaboration_id"), _text("campaign_id"),
    _text("brand_id"), _text("creator_id"), _text("status"), _time("publish_at"),
    _time("published_at", nullable=True), _text("post_url"), sa.Column("readers", RowReaders, nullable=False),
    sa.Index("postings_campaign", "campaign_id", "publish_at"),
    sa.Index("postings_creator", "creator_id", "publish_at"),
    sa.Index("postings_publish", "publish_at", "deliverable_id"),
)  # fmt: skip
"""The posting calendar: a row per deliverable that has been given a time."""

MARKED_DEALS = sa.Table(
    "marked_deals", _READ,
    sa.Column("application_id", sa.Text, primary_key=True), _text("campaign_id"), _text("brand_id"),
    _text("creator_id"), _stored("reasons", tuple[str, ...]), _time("marked_at"),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("marked_deals_marked", "marked_at", "application_id"),
)  # fmt: skip
"""Deals whose parties look like one, with the signs; for staff."""

BRIEF_VERSIONS = sa.Table(
    "brief_versions", _READ,
    sa.Column("version_id", sa.Text, primary_key=True), _text("campaign_id"), _big("version"), _text("brand_id"),
    _stored("brief", Hashed[Brief]), _stored("terms", Hashed[Terms]), _text("terms_sha256"),
    _time("made_at"), _time("published_at", nullable=True), sa.Column("readers", RowReaders, nullable=False),
    sa.Index("brief_versions_campaign", "campaign_id", "version"),
)  # fmt: skip
"""A row per version of a campaign's brief, with the fees of the day it was published or amended."""

DISPUTES = sa.Table(
    "disputes", _READ,
    sa.Column("dispute_id", sa.Text, primary_key=True), _text("collaboration_id"), _big("number"),
    _text("campaign_id"), _text("brand_id"), _text("creator_id"), _text("status"), _text("opened_by"),
    _text("reason"), _time("opened_at"), _time("due_at"), _big("escalations"), _text("outcome"),
    _big("share_bps"), _time("ended_at", nullable=True), sa.Column("readers", RowReaders, nullable=False),
    sa.Index("disputes_opened", "opened_at", "dispute_id"),
    sa.Index("disputes_due", "due_at", "dispute_id"),
    sa.Index("disputes_collaboration", "collaboration_id", "opened_at"),
)  # fmt: skip
"""A row per dispute; those of one collaboration are numbered from 1."""

DISPUTE_COUNTS = sa.Table(
    "dispute_counts", _READ,
    sa.Column("collaboration_id", sa.Text, primary_key=True), _big("number"),
    sa.Column("readers", RowReaders, nullable=False),
)  # fmt: skip
"""Number of the newest dispute of a collaboration: the one that a ruling is about. Nobody reads it but the projection."""

PAYMENT_WAITS = sa.Table(
    "payment_waits", _READ,
    sa.Column("deliverable_id", sa.Text, primary_key=True), _text("waits_for"),
    sa.Column("readers", RowReaders, nullable=False),
)  # fmt: skip
"""Reason for which the payment of a deliverable waits, as the ledger says; no row: none."""
