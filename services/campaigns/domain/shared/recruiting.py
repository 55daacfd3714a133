"""What an offer rests on: the brief in force, a campaign that recruits, and the contract the offer would lead to."""

from datetime import datetime, timedelta

from kernel.core.canonical import Hashed
from kernel.core.decider import Context
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import split_stream
from services.campaigns.domain.shared.apart import check_apart
from services.campaigns.domain.shared.brief import Mode
from services.campaigns.domain.shared.budget import BRIEFS, BUDGETS, BriefInForce, Budget
from services.campaigns.domain.shared.compensation import check_fees, check_payable
from services.campaigns.domain.shared.contract import (
    Contract,
    Offer,
    Parties,
    application_id,
    collaboration_id,
    draw_up,
    offer_of,
)
from services.campaigns.domain.shared.fees import policy_in_force, under_policy


def in_force(campaign_id: str, context: Context) -> BriefInForce:
    """The published brief as it stands at the head; Refused `campaign.not_published` before that."""
    brief = context.rows.get(BRIEFS, (campaign_id,))
    if brief is None:
        raise Refused("campaign.not_published")
    return brief


def open_to(invited: bool, campaign_id: str, context: Context) -> BriefInForce:
    """The published brief for a creator who applies; Refused `campaign.not_open_to_applicants` before that, and alike where the
    campaign takes only whom it invites: that there is one is nobody else's business."""
    brief = context.rows.get(BRIEFS, (campaign_id,))
    if brief is None or (brief.brief.value.mode is Mode.INVITE and not invited):
        raise Refused(
            "campaign.not_open_to_applicants", do="choose one that GET /campaigns lists, or wait to be invited"
        )
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


def contract_for(
    parties: Parties, fees_minor: tuple[int, ...], agreement: int, brief: BriefInForce, context: Context
) -> Hashed[Contract]:
    """The contract at these fees under the brief and the fee policy in force; Invalid where they do not fit. `agreement` counts
    those of the application from 1, and so names the collaboration."""
    check_apart(parties.brand_id, parties.creator_id, context)
    asked = brief.brief.value
    check_payable(asked.compensation)
    check_fees(asked.compensation, fees_minor, sum(spec.occurrences for spec in asked.deliverables))
    terms = under_policy(brief.terms, policy_in_force(context))
    work_id = collaboration_id(application_id(parties.campaign_id, parties.creator_id), agreement)
    return draw_up(parties, fees_minor, brief.version, brief.brief, terms, work_id)


def offered(
    parties: Parties, fees_minor: tuple[int, ...], round_: int, agreement: int, brief: BriefInForce, context: Context
) -> Offer:
    """The same as an offer that the other side may accept."""
    return offer_of(contract_for(parties, fees_minor, agreement, brief, context), round_)


def check_seen(brief_version: int, brief: BriefInForce) -> None:
    """Raises Refused `application.brief_amended` for a version of before, `application.brief_version_unknown` for one to come."""
    if brief_version < brief.version:
        raise Refused("application.brief_amended", in_force=brief.version, seen=brief_version)
    if brief_version > brief.version:
        do = "read the campaign, and name the version that you read"
        raise Refused("application.brief_version_unknown", in_force=brief.version, seen=brief_version, do=do)


def check_affordable(budget: Budget, offer: Offer) -> None:
    """Raises Refused `budget.exceeded` for an offer of the brand's that its whole budget does not bear."""
    needed_minor = sum(each.committed_minor for each in offer.deliverables)
    if needed_minor > budget.budget_minor:
        do = "offer less, or amend the brief to a larger budget first"
        raise Refused(
            "budget.exceeded",
            needed_minor=needed_minor,
            budget_minor=budget.budget_minor,
            currency=budget.currency,
            do=do,
        )


def check_fees_seen(offer: Offer, brief: BriefInForce, contract: Contract) -> None:
    """Nobody is bound to fees that the offer did not show; Refused `application.fees_changed`."""
    seen, now = offer if offer.fee_policy else brief.terms.value, contract.terms.value
    if (seen.brand_fee_bps, seen.creator_fee_bps) != (now.brand_fee_bps, now.creator_fee_bps):
        raise Refused(
            "application.fees_changed",
            fee_policy=now.fee_policy,
            do="make the offer again: the platform's fees changed",
        )


def expiry(brief: BriefInForce, context: Context) -> datetime:
    """When an offer made now lapses unanswered."""
    return context.at + timedelta(seconds=brief.terms.value.clocks.invitation_expiry_s)
