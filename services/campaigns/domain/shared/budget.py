"""The budget at the head: what a campaign may spend, what it has promised, and the brief in force.

Both are inline tables: they are written in the transaction of the append, so whoever accepts has seen every promise made
before, in whatever order acceptances, cancellations and amendments come.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from kernel.core.canonical import Hashed
from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from kernel.core.faults import Refused
from kernel.core.ids import split_stream
from services.campaigns.domain.shared.brief import Brief
from services.campaigns.domain.shared.events import (
    ApplicationAccepted,
    ApplicationReleased,
    BriefAmended,
    BriefPublished,
    CampaignCancelled,
    CampaignClosed,
    CampaignPaused,
    CampaignResumed,
)
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.domain.shared.work_events import (
    CollaborationCancelled,
    DeliverableClawedBack,
    DeliverableLapsed,
    DeliverableSettled,
)


@dataclass(frozen=True, slots=True)
class Budget:
    """0 <= committed_minor <= budget_minor, always; both include the brand's fee. `status` is the campaign's."""

    campaign_id: str
    brand_id: str
    status: str
    currency: str
    budget_minor: int
    committed_minor: int

    @property
    def free_minor(self) -> int:
        return self.budget_minor - self.committed_minor


@dataclass(frozen=True, slots=True)
class BriefInForce:
    """What an offer is made and a contract drawn up under."""

    campaign_id: str
    brand_id: str
    version: int
    brief: Hashed[Brief]
    terms: Hashed[Terms]

    @property
    def platforms(self) -> tuple[str, ...]:
        """Where the content is to appear, each once."""
        return tuple(dict.fromkeys(spec.platform.value for spec in self.brief.value.deliverables))


def commit(budget: Budget, needed_minor: int, tenant: str) -> None:
    """Raises Refused `budget.exceeded` unless the amount fits into what is free; only the budget's own brand is told how much
    that is."""
    if needed_minor <= budget.free_minor:
        return
    currency = budget.currency
    if tenant == budget.brand_id:
        raise Refused("budget.exceeded", needed_minor=needed_minor, free_minor=budget.free_minor, currency=currency)
    raise Refused("budget.exceeded", needed_minor=needed_minor, currency=currency)


def _fold_budget(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, Budget | None]]:
    event = fact.event
    if isinstance(event, BriefPublished):
        campaign_id = split_stream(fact.stream)[1]
        brief = event.brief.value
        return [
            ((campaign_id,), Budget(campaign_id, event.brand_id, "published", brief.currency, brief.budget_minor, 0))
        ]
    key = (_campaign_of(fact),)
    row = rows.get(BUDGETS, key)
    return [(key, CHANGES[type(event)](row, event))] if row else []


def _campaign_of(fact: DecidedEvent[Any]) -> str:
    match fact.event:
        case ApplicationAccepted() as event:
            return event.contract.value.campaign_id
        case event if type(event) in FREEING:
            campaign_id: str = event.parties.campaign_id
            return campaign_id
        case _:
            return split_stream(fact.stream)[1]


def _freed(row: Budget, event: Any) -> Budget:
    return replace(row, committed_minor=row.committed_minor - event.freed_minor)


FREEING = (ApplicationReleased, CollaborationCancelled, DeliverableLapsed, DeliverableSettled, DeliverableClawedBack)
CHANGES: dict[type, Callable[[Budget, Any], Budget]] = {
    BriefAmended: lambda row, event: replace(row, budget_minor=event.brief.value.budget_minor),
    CampaignPaused: lambda row, _: replace(row, status="paused"),
    CampaignResumed: lambda row, _: replace(row, status="published"),
    CampaignClosed: lambda row, _: replace(row, status="closed"),
    CampaignCancelled: lambda row, _: replace(row, status="cancelled"),
    ApplicationAccepted: lambda row, event: replace(
        row, committed_minor=row.committed_minor + event.contract.value.committed_minor
    ),
    **dict.fromkeys(FREEING, _freed),
}
"""A budget after each event that changes one."""


def _fold_brief(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, BriefInForce | None]]:
    event = fact.event
    if isinstance(event, BriefAmended) and event.closes_at is None:
        return []
    campaign_id = split_stream(fact.stream)[1]
    return [((campaign_id,), BriefInForce(campaign_id, event.brand_id, event.version, event.brief, event.terms))]


BUDGETS = InlineTable("budgets", Budget, ("campaign_id",), (BriefPublished, *CHANGES), _fold_budget)
BRIEFS = InlineTable("briefs", BriefInForce, ("campaign_id",), (BriefPublished, BriefAmended), _fold_brief)
