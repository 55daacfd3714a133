"""What an offer rests on: the brief in force, a campaign that recruits, and the contract the offer would lead to."""

from datetime import datetime, timedelta

from kernel.core.canonical import Hashed
from kernel.core.decider import Context
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import split_stream
from services.campaigns.domain.shared.budget import BRIEFS, BUDGETS, BriefInForce, Budget
from services.campaigns.domain.shared.compensation import check_fees, check_payable
from services.campaigns.domain.shared.contract import Contract, Offer, Parties, application_id, draw_up, offer_of


def in_force(campaign_id: str, context: Context) -> BriefInForce:
    """The published brief as it stands at the head; Refused `campaign.not_published` before that."""
    brief = context.rows.get(BRIEFS, (campaign_id,))
    if brief is None:
        raise Refused("campaign.not_published")
    return brief


def recruiting(campaign_id: str, context: Context) -> Budget:
    """The campaign's budget row, if the campaign takes new agreements now."""
    budget = context.rows.get(BUDGETS, (campaign_id,))
    if budget is None or budget.status != "published":
        raise Refused("campaign.not_published", status=budget.status if budget else None)
    return budget


def parties_of(brief: BriefInForce, creator_id: str, context: Context) -> Parties:
    """Raises Invalid unless the stream is the one application that campaign and creator may have."""
    expected = application_id(brief.campaign_id, creator_id)
    if split_stream(context.stream)[1] != expected:
        raise Invalid("application.id_not_derived", expected=expected)
    return Parties(brief.campaign_id, brief.brand_id, creator_id)


def contract_for(parties: Parties, fees_minor: tuple[int, ...], brief: BriefInForce) -> Hashed[Contract]:
    """The contract at these fees under the brief in force; Invalid if the fees do not fit it or nobody reckons its pay."""
    asked = brief.brief.value
    check_payable(asked.compensation)
    check_fees(asked.compensation, fees_minor, sum(spec.occurrences for spec in asked.deliverables))
    return draw_up(parties, fees_minor, brief.version, brief.brief, brief.terms)


def offered(parties: Parties, fees_minor: tuple[int, ...], round_: int, brief: BriefInForce) -> Offer:
    """The same as an offer that the other side may accept."""
    return offer_of(contract_for(parties, fees_minor, brief), round_)


def expiry(brief: BriefInForce, context: Context) -> datetime:
    """When an offer made now lapses unanswered."""
    return context.at + timedelta(seconds=brief.terms.value.clocks.invitation_expiry_s)
