"""A campaign: draft, publish, amend, pause, resume, close, cancel. Read top to bottom; a repeat decides nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from kernel.core.canonical import Hashed
from kernel.core.decider import Context, Decider, InlineTable, Key
from kernel.core.faults import NotFound, Refused
from kernel.core.ids import split_stream
from services.campaigns.domain.shared.brief import Brief, check_brief, posting_window
from services.campaigns.domain.shared.budget import BUDGETS
from services.campaigns.domain.shared.checks import reason_code, valid
from services.campaigns.domain.shared.compensation import check_payable
from services.campaigns.domain.shared.drafts import DRAFTS_PER_BRAND, check_drafts
from services.campaigns.domain.shared.events import (
    BriefAmended,
    BriefPublished,
    CampaignCancelled,
    CampaignClosed,
    CampaignDrafted,
    CampaignEvent,
    CampaignPaused,
    CampaignResumed,
)
from services.campaigns.domain.shared.fees import ONLY, POLICIES, policy_in_force, same_but_fees, under_policy
from services.campaigns.domain.shared.floors import check_floors
from services.campaigns.domain.shared.terms import Terms, check_terms


@dataclass(frozen=True, slots=True)
class DraftCampaign:
    """`short_clocks` is the setting of a development platform, never a caller's: clocks may be below their floors."""

    brief: Brief
    terms: Terms = field(default_factory=Terms)
    short_clocks: bool = False
    limit: int = DRAFTS_PER_BRAND
    """Open drafts that the brand may have; the edge says it, from a setting."""


@dataclass(frozen=True, slots=True)
class PublishBrief:
    short_clocks: bool = False


@dataclass(frozen=True, slots=True)
class AmendBrief:
    """The whole new brief. It binds applications accepted later, and others only by the creator's consent.

    `version` is that of the brief it was made from; None where the caller does not say.
    """

    brief: Brief
    short_clocks: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True)
class PauseCampaign:
    reason: str


@dataclass(frozen=True, slots=True)
class ResumeCampaign:
    pass


@dataclass(frozen=True, slots=True)
class CloseCampaign:
    reason: str


@dataclass(frozen=True, slots=True)
class CancelCampaign:
    reason: str


@dataclass(frozen=True, slots=True)
class ExpireCampaign:
    """The clock's: the posting window that ended at `due_at` is over."""

    due_at: datetime


Command = (
    DraftCampaign
    | PublishBrief
    | AmendBrief
    | PauseCampaign
    | ResumeCampaign
    | CloseCampaign
    | CancelCampaign
    | ExpireCampaign
)


class Status(StrEnum):
    NEW = "new"
    DRAFT = "draft"
    PUBLISHED = "published"
    PAUSED = "paused"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class State:
    """A campaign as its decisions need it; `version` counts briefs from 1, at `closes_at` the campaign closes by itself."""

    status: Status = Status.NEW
    brand_id: str = ""
    version: int = 0
    brief: Hashed[Brief] | None = None
    terms: Hashed[Terms] | None = None
    closes_at: datetime | None = None

    def drafted_as(self, brief: Brief, terms: Terms) -> bool:
        """Whether brief and terms mean the same, whatever fields they have grown since; fees are nobody's choice."""
        if self.brief is None or self.terms is None:
            return False
        return self.brief.value == brief and same_but_fees(self.terms.value, terms)


def decide(command: Command, state: State, context: Context) -> Sequence[CampaignEvent]:
    """The decisions; codes `campaign.*`."""
    if isinstance(command, DraftCampaign):
        return _draft(command, state, context)
    _known_to(state, context)
    match command:
        case PublishBrief():
            return _publish(command, state, context)
        case AmendBrief():
            return _amend(command, state, context)
        case PauseCampaign(reason):
            return _move(state, Status.PAUSED, CampaignPaused(_word(reason)), Status.PUBLISHED)
        case ResumeCampaign():
            return _move(state, Status.PUBLISHED, CampaignResumed(), Status.PAUSED)
        case CloseCampaign(reason):
            return _move(state, Status.CLOSED, CampaignClosed(_word(reason)), Status.PUBLISHED, Status.PAUSED)
        case CancelCampaign(reason):
            return _cancel(reason, state, context)
        case ExpireCampaign(due_at):
            return _expire(due_at, state, context)
        case _:
            assert_never(command)


def _known_to(state: State, context: Context) -> None:
    """Raises NotFound `campaign.unknown` for what is not there, and to strangers for what is."""
    staff = not context.actor.roles.isdisjoint({"system", "operator"})
    if state.status is Status.NEW or not (staff or context.actor.tenant == state.brand_id):
        raise NotFound("campaign.unknown")


def _word(reason: str) -> str:
    reason_code(reason)
    return reason


def _draft(command: DraftCampaign, state: State, context: Context) -> Sequence[CampaignEvent]:
    context.actor.require("brand", "agency")
    check_brief(command.brief)
    check_terms(command.terms)
    check_floors(command.terms, command.brief, command.short_clocks)
    terms = under_policy(Hashed.of(command.terms), policy_in_force(context))
    drafted = CampaignDrafted(context.actor.tenant, Hashed.of(command.brief), terms)
    if state.status is Status.NEW:
        check_drafts(command.limit, context)
        return [drafted]
    if context.actor.tenant != state.brand_id:
        raise Refused("campaign.already_drafted")
    if state.drafted_as(command.brief, command.terms):
        return []
    raise Refused("campaign.already_drafted", status=state.status.value)


def _publish(command: PublishBrief, state: State, context: Context) -> Sequence[CampaignEvent]:
    if state.status is Status.PUBLISHED:
        return []
    if state.status is not Status.DRAFT or state.brief is None or state.terms is None:
        raise Refused("campaign.not_a_draft", status=state.status.value)
    check_payable(state.brief.value.compensation)
    check_floors(state.terms.value, state.brief.value, command.short_clocks)
    closes_at = _closing(state.brief.value, context)
    terms = under_policy(state.terms, policy_in_force(context))
    return [BriefPublished(state.brand_id, state.version, state.brief, terms, closes_at)]


def _closing(brief: Brief, context: Context) -> datetime:
    _, ends_at = posting_window(brief)
    valid(ends_at > context.at, "campaign.posting_window_over")
    return ends_at


def _amend(command: AmendBrief, state: State, context: Context) -> Sequence[CampaignEvent]:
    """The terms stay; they keep the floors of the place whose law the new brief names."""
    brief = command.brief
    if state.status not in (Status.DRAFT, Status.PUBLISHED, Status.PAUSED) or state.terms is None:
        raise Refused("campaign.not_amendable", status=state.status.value)
    check_brief(brief)
    check_floors(state.terms.value, brief, command.short_clocks)
    if state.drafted_as(brief, state.terms.value):
        return []
    if command.version is not None and command.version != state.version:
        raise Refused("campaign.brief_changed", in_force=state.version, seen=command.version)
    closes_at = None
    if state.status is not Status.DRAFT:
        _check_amendment(brief, state, context)
        closes_at = _closing(brief, context)
    terms = under_policy(state.terms, policy_in_force(context))
    return [BriefAmended(state.brand_id, state.version + 1, Hashed.of(brief), terms, closes_at)]


def _check_amendment(brief: Brief, state: State, context: Context) -> None:
    """What creators have relied on since publication stays: the type, the currency, the money promised."""
    old = state.brief.value if state.brief else None
    fixed = old is not None and (old.campaign_type, old.currency) == (brief.campaign_type, brief.currency)
    valid(fixed, "campaign.type_and_currency_are_fixed")
    committed_minor, _ = _committed(context)
    if brief.budget_minor < committed_minor:
        raise Refused("campaign.budget_below_commitments", committed_minor=committed_minor, currency=brief.currency)


def _committed(context: Context) -> tuple[int, str]:
    """What is promised of the budget, and its currency."""
    row = context.rows.get(BUDGETS, (split_stream(context.stream)[1],))
    return (row.committed_minor, row.currency) if row else (0, "")


def _move(state: State, target: Status, event: CampaignEvent, *sources: Status) -> Sequence[CampaignEvent]:
    if state.status is target:
        return []
    if state.status not in sources:
        raise Refused(f"campaign.not_{sources[0].value}", status=state.status.value)
    return [event]


def _cancel(reason: str, state: State, context: Context) -> Sequence[CampaignEvent]:
    """Only a campaign nobody works for can be cancelled; collaborations are cancelled one by one, by the ladder."""
    committed_minor, currency = (0, "") if state.status is Status.DRAFT else _committed(context)
    if committed_minor:
        raise Refused("campaign.has_commitments", committed_minor=committed_minor, currency=currency)
    event = CampaignCancelled(_word(reason))
    return _move(state, Status.CANCELLED, event, Status.PUBLISHED, Status.DRAFT, Status.PAUSED)


def _expire(due_at: datetime, state: State, context: Context) -> Sequence[CampaignEvent]:
    context.actor.require("system")
    open_ = state.status in (Status.PUBLISHED, Status.PAUSED)
    return [CampaignClosed("posting_window_over")] if open_ and state.closes_at == due_at else []


def evolve(state: State, event: CampaignEvent) -> State:
    """The fold; total."""
    match event:
        case CampaignDrafted(brand_id, brief, terms):
            return State(Status.DRAFT, brand_id, 1, brief, terms)
        case BriefPublished():
            return replace(state, status=Status.PUBLISHED, terms=event.terms, closes_at=event.closes_at)
        case BriefAmended():
            changed = replace(state, brief=event.brief, terms=event.terms)
            return replace(changed, version=event.version, closes_at=event.closes_at)
        case CampaignPaused():
            return replace(state, status=Status.PAUSED)
        case CampaignResumed():
            return replace(state, status=Status.PUBLISHED)
        case CampaignClosed():
            return replace(state, status=Status.CLOSED)
        case CampaignCancelled():
            return replace(state, status=Status.CANCELLED)
        case _:
            assert_never(event)


def _reads(command: Command, _state: State) -> Iterable[tuple[InlineTable[Any], Key]]:
    """The fee policies, which every draft and publication is under."""
    return [(POLICIES, ONLY)] if isinstance(command, DraftCampaign | PublishBrief | AmendBrief) else []


CAMPAIGN = Decider("campaign", State(), decide, evolve, reads=_reads)
