"""Open drafts of a brand, counted at the head: a draft costs a brand nothing, so their number has a limit."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from kernel.core.decider import Context, DecidedEvent, InlineTable, Key, Rows
from kernel.core.faults import Refused
from kernel.core.ids import split_stream
from services.campaigns.domain.shared.budget import BUDGETS
from services.campaigns.domain.shared.events import BriefPublished, CampaignCancelled, CampaignDrafted

DRAFTS_PER_BRAND = 1_000


@dataclass(frozen=True, slots=True)
class Drafts:
    """Inline row: campaigns of a brand that are drafted and neither published nor cancelled."""

    brand_id: str
    open: int


def check_drafts(limit: int, context: Context) -> None:
    """Raises Refused `campaign.too_many_drafts` for one more than the limit."""
    row = context.rows.get(DRAFTS, (context.actor.tenant,))
    if row is not None and row.open >= limit:
        raise Refused("campaign.too_many_drafts", limit=limit, do="publish or cancel drafts that stand")


def _fold(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, Drafts]]:
    if isinstance(fact.event, CampaignCancelled) and rows.get(BUDGETS, (split_stream(fact.stream)[1],)) is not None:
        return  # it was published before
    row = rows.get(DRAFTS, (fact.tenant,)) or Drafts(fact.tenant, 0)
    change = 1 if isinstance(fact.event, CampaignDrafted) else -1
    yield (fact.tenant,), replace(row, open=max(0, row.open + change))


DRAFTS: InlineTable[Drafts] = InlineTable(
    "drafts", Drafts, ("brand_id",), (CampaignDrafted, BriefPublished, CampaignCancelled), _fold
)
