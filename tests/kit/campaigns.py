"""Values of the campaigns domain for tests: change what a test is about, leave the rest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kernel.core.canonical import Hashed
from kernel.core.decider import Actor
from services.campaigns.domain.creators.events import AccountHeard
from services.campaigns.domain.shared.brief import (
    Brief,
    CampaignType,
    DeliverableSpec,
    Format,
    Jurisdiction,
    Mode,
    Objective,
    Platform,
    Product,
)
from services.campaigns.domain.shared.compensation import Compensation, CompensationKind
from services.campaigns.domain.shared.contract import Contract, Parties, application_id, collaboration_id, draw_up
from services.campaigns.domain.shared.creators import Creator
from services.campaigns.domain.shared.terms import Clocks, Terms

CAMPAIGN_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
BRAND_ID = "018f3a10-0000-7000-8000-00000000b001"
CREATOR_ID = "018f3a10-0000-7000-8000-00000000c001"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SPEC = DeliverableSpec(Platform.XIAOHONGSHU, Format.IMAGE_NOTE)
SERUM = Product("sku-1", "Serum", "cosmetics", 29_900)
BRIEF = Brief(
    title="Spring serum",
    campaign_type=CampaignType.BRANDED_CONTENT,
    mode=Mode.OPEN,
    objective=Objective.ENGAGEMENT,
    product_category="cosmetics",
    jurisdiction=Jurisdiction.CN,
    deliverables=(SPEC,),
    posting_from=NOON - timedelta(days=1),
    posting_until=NOON + timedelta(days=60),
    budget_minor=1_000_000,
    currency="CNY",
    compensation=Compensation(CompensationKind.FIXED),
)


def brief(**changes: Any) -> Brief:
    """BRIEF with other values in some fields."""
    return replace(BRIEF, **changes)


BRAND = Actor("bella", BRAND_ID, frozenset({"brand"}))
CREATOR = Actor("clara", CREATOR_ID, frozenset({"creator"}))
STRANGER = Actor("sam", "018f3a10-0000-7000-8000-00000000d001", frozenset({"brand", "creator"}))
OPERATOR = Actor("olga", "platform", frozenset({"operator"}))
SYSTEM = Actor("clock", "platform", frozenset({"system"}))
APPLICATION_ID = application_id(CAMPAIGN_ID, CREATOR_ID)
PARTIES = Parties(CAMPAIGN_ID, BRAND_ID, CREATOR_ID)


ACCOUNTS = tuple(AccountHeard(platform, f"handle on {platform}", verified=True) for platform in Platform)
"""Verified on every platform; the digests are any texts here."""


def bookable(creator_id: str = CREATOR_ID, **changes: Any) -> dict[Any, Any]:
    """The row of a creator who takes new jobs, as it stands at the head."""
    row = Creator(creator_id, True, 0, False, None, False, ACCOUNTS)
    return {("creators", (creator_id,)): replace(row, **changes)}


def terms(**clocks: int) -> Terms:
    """The default terms with other clocks."""
    return Terms(clocks=replace(Clocks(), **clocks))


def contract(
    fees_minor: Sequence[int] = (100_000,), value: Brief = BRIEF, rules: Terms | None = None, agreement: int = 1
) -> Contract:
    """The contract of CREATOR with BRAND at these fees."""
    work_id = collaboration_id(APPLICATION_ID, agreement)
    return draw_up(PARTIES, fees_minor, 1, Hashed.of(value), Hashed.of(rules or Terms()), work_id).value
