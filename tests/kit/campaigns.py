"""Values of the campaigns domain for tests: change what a test is about, leave the rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.campaigns.domain.brief import (
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
from services.campaigns.domain.compensation import Compensation, CompensationKind

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
