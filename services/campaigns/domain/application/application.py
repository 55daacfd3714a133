"""An application: invitation or application, counter-offers, and one answer. Accepting commits the budget at the head."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, assert_never

from kernel.core.decider import Actor, Context, Decider, InlineTable, Key
from kernel.core.faults import Forbidden, NotFound, Refused
from kernel.core.ids import checked_id
from services.campaigns.domain.application.commands import (
    AcceptApplication,
    Apply,
    Command,
    CounterOffer,
    DeclineApplication,
    ExpireInvitation,
    InviteCreator,
    ReleaseApplication,
    RenewOffer,
    WithdrawApplication,
)
from services.campaigns.domain.application.state import OPEN, State, Status, evolve
from services.campaigns.domain.shared.agreements import agreement_keys, is_over
from services.campaigns.domain.shared.apart import keys_of as keys_of_both
from services.campaigns.domain.shared.apart import person_of, signs
from services.campaigns.domain.shared.brief import Mode
from services.campaigns.domain.shared.budget import BRIEFS, BUDGETS, BriefInForce, commit
from services.campaigns.domain.shared.checks import reason_code
from services.campaigns.domain.shared.contract import Offer, Parties
from services.campaigns.domain.shared.creators import check_bookable, keys_of
from services.campaigns.domain.shared.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationEvent,
    ApplicationExpired,
    ApplicationReleased,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    CreatorInvited,
    DealMarked,
    OfferCountered,
    OfferRenewed,
    Side,
)
from services.campaigns.domain.shared.fees import ONLY, POLICIES
from services.campaigns.domain.shared.recruiting import (
    check_affordable,
    check_fees_seen,
    check_seen,
    contract_for,
    expiry,
    in_force,
    offered,
    open_to,
    parties_of,
    recruiting,
)

MAX_ROUNDS = 10


def decide(command: Command, state: State, context: Context) -> Sequence[ApplicationEvent]:
    """The decisions; codes `application.*`, `offer.*`, `creator.*`, `budget.exceeded`."""
    match command:
        case InviteCreator(campaign_id, creator_id, fees_minor):
            return _invite(campaign_id, creator_id, fees_minor, state, context)
        case Apply(campaign_id, fees_minor):
            return _apply(campaign_id, fees_minor, state, context)
        case CounterOffer(fees_minor, seen):
            return _counter(fees_minor, seen, state, context)
        case AcceptApplication(brief_version, seen):
            return _accept(brief_version, seen, state, context)
        case RenewOffer(brief_version):
            return _renew(brief_version, state, context)
        case DeclineApplication(reason):
            return _decline(reason, state, context)
        case WithdrawApplication(reason):
            return _withdraw(reason, state, context)
        case ExpireInvitation(due_at):
            return _expire(due_at, state, context)
        case ReleaseApplication(reason):
            return _release(reason, state, context)
        case _:
            assert_never(command)


def _invite(
    campaign_id: str, creator_id: str, fees_minor: tuple[int, ...], state: State, context: Context
) -> Sequence[ApplicationEvent]:
    context.actor.require("brand", "agency")
    brief = in_force(campaign_id, context)
    if context.actor.tenant != brief.brand_id:
        raise Refused("campaign.not_published")
    parties = parties_of(brief, checked_id(creator_id), context)
    offer = offered(parties, fees_minor, 1, state.agreements + 1, brief, context)
    if _repeats(state, Side.BRAND, offer):
        return []
    _check_free(state, context)
    check_affordable(recruiting(campaign_id, context), offer)
    check_bookable(parties.creator_id, context)
    return [CreatorInvited(parties, offer, expiry(brief, context), person_of(context.actor))]


def _apply(campaign_id: str, fees_minor: tuple[int, ...], state: State, context: Context) -> Sequence[ApplicationEvent]:
    context.actor.require("creator")
    brief = open_to(state.parties is not None, campaign_id, context)
    parties = parties_of(brief, context.actor.tenant, context)
    offer = offered(parties, fees_minor, 1, state.agreements + 1, brief, context)
    if _repeats(state, Side.CREATOR, offer):
        return []
    _check_free(state, context)
    recruiting(campaign_id, context)
    if brief.brief.value.mode is Mode.INVITE:
        raise Refused("application.by_invitation_only")
    check_bookable(parties.creator_id, context, brief.platforms)
    return [ApplicationSubmitted(parties, offer, expiry(brief, context), person_of(context.actor))]


def _repeats(state: State, by: Side, offer: Offer) -> bool:
    """Whether the offer is on the table already: the same prices, with the same fees of the platform on them."""
    if state.offer is None or state.status not in OPEN or state.by is not by:
        return False
    return state.offer.priced == offer.priced


def _check_free(state: State, context: Context) -> None:
    """An application begins anew once it is answered and what came of it has ended, however it ended."""
    if state.status in OPEN:
        raise Refused("application.already_open", status=state.status.value, do="answer the offer, or withdraw it")
    if state.status is Status.ACCEPTED and not is_over(state.collaboration_id, context):
        raise Refused("application.still_at_work", do="wait until the collaboration has ended")


def _standing(state: State, context: Context) -> tuple[Parties, Offer, Side]:
    """Whom and what the application is about and which side the actor is.

    Raises NotFound `application.unknown` where there is none, and to strangers where there is: who applied is nobody else's.
    """
    if state.parties is not None and state.offer is not None:
        sides = {state.parties.brand_id: Side.BRAND, state.parties.creator_id: Side.CREATOR}
        side = sides.get(context.actor.tenant)
        if side is not None:
            return state.parties, state.offer, side
    raise NotFound("application.unknown")


def _check_open(state: State) -> None:
    if state.status not in OPEN:
        raise Refused("application.not_open", status=state.status.value)


def _check_round(seen: int | None, offer: Offer) -> None:
    """Raises Refused `application.offer_changed` where another offer than the one that was read is on the table."""
    if seen is not None and seen != offer.round:
        raise Refused("application.offer_changed", standing=offer.round, seen=seen)


def _counter(
    fees_minor: tuple[int, ...], seen: int | None, state: State, context: Context
) -> Sequence[ApplicationEvent]:
    parties, offer, side = _standing(state, context)
    brief = in_force(parties.campaign_id, context)
    renewed = offered(parties, fees_minor, offer.round + 1, state.agreements + 1, brief, context)
    if _repeats(state, side, renewed):
        return []
    _check_open(state)
    _check_round(seen, offer)
    if offer.round >= MAX_ROUNDS:
        raise Refused("application.too_many_counter_offers", limit=MAX_ROUNDS)
    budget = recruiting(parties.campaign_id, context)
    if side is Side.BRAND:
        check_affordable(budget, renewed)
    check_bookable(parties.creator_id, context)
    return [OfferCountered(parties, side, renewed, expiry(brief, context), person_of(context.actor))]


def _accept(brief_version: int, seen: int | None, state: State, context: Context) -> Sequence[ApplicationEvent]:
    parties, offer, side = _standing(state, context)
    if state.status is not Status.ACCEPTED:
        _check_open(state)
    _check_round(seen, offer)
    _check_others_offer(side, state)
    if state.status is Status.ACCEPTED:
        return _accepted_before(brief_version, state)
    budget = recruiting(parties.campaign_id, context)
    brief = in_force(parties.campaign_id, context)
    _check_version(brief_version, side, state, brief)
    check_bookable(parties.creator_id, context, brief.platforms if side is Side.CREATOR else ())
    contract = contract_for(parties, offer.fees_minor, state.agreements + 1, brief, context)
    check_fees_seen(offer, brief, contract.value)
    commit(budget, contract.value.committed_minor, context.actor.tenant)
    reasons = signs(parties.brand_id, parties.creator_id, state.person, context)
    marked = [DealMarked(parties, reasons)] if reasons else []
    return [ApplicationAccepted(side, contract, contract.sha256), *marked]


def _check_others_offer(side: Side, state: State) -> None:
    """Nobody answers its own offer, also not once it has been answered."""
    if state.by is side:
        raise Refused("application.own_offer", by=side.value)


def _accepted_before(brief_version: int, state: State) -> Sequence[ApplicationEvent]:
    """Only the same acceptance is a repeat: one of another version of the brief did not happen."""
    if brief_version != state.renewed:
        raise Refused("application.already_accepted", accepted=state.renewed, seen=brief_version)
    return []


def _check_version(brief_version: int, side: Side, state: State, brief: BriefInForce) -> None:
    """Nobody is bound by a brief it has not seen: not who accepts, and not the creator whose offer is accepted."""
    check_seen(brief_version, brief)
    if side is Side.BRAND and state.renewed != brief.version:
        raise Refused("application.creator_has_not_seen_amendment", in_force=brief.version, seen=state.renewed)


def _renew(brief_version: int, state: State, context: Context) -> Sequence[ApplicationEvent]:
    parties, _, side = _standing(state, context)
    _check_open(state)
    if side is not Side.CREATOR:
        raise Forbidden("application.only_the_creator_renews")
    check_seen(brief_version, in_force(parties.campaign_id, context))
    return [] if state.renewed == brief_version else [OfferRenewed(parties, brief_version)]


def _decline(reason: str, state: State, context: Context) -> Sequence[ApplicationEvent]:
    parties, _, side = _standing(state, context)
    reason_code(reason)
    if state.status is not Status.DECLINED:
        _check_open(state)
    _check_others_offer(side, state)
    return [] if state.status is Status.DECLINED else [ApplicationDeclined(parties, side, reason)]


def _withdraw(reason: str, state: State, context: Context) -> Sequence[ApplicationEvent]:
    parties, _, side = _standing(state, context)
    reason_code(reason)
    if state.status is not Status.WITHDRAWN:
        _check_open(state)
    if state.by is not side:
        raise Refused("application.not_own_offer", by=state.by.value)
    return [] if state.status is Status.WITHDRAWN else [ApplicationWithdrawn(parties, side, reason)]


def _expire(due_at: datetime, state: State, context: Context) -> Sequence[ApplicationEvent]:
    context.actor.require("system")
    if state.parties is None or state.status not in OPEN or state.expires_at != due_at:
        return []
    return [ApplicationExpired(state.parties, due_at)]


def _release(reason: str, state: State, context: Context) -> Sequence[ApplicationEvent]:
    context.actor.require("system")
    if state.parties is None or state.status is not Status.ACCEPTED:
        return []
    return [ApplicationReleased(state.parties, reason, state.committed_minor, state.collaboration_id)]


def _reads(command: Command, state: State) -> Iterable[tuple[InlineTable[Any], Key]]:
    """The campaign's rows and the creator's, so that a whole batch of applications loads them in one query."""
    agreed = agreement_keys(state.collaboration_id) if state.status is Status.ACCEPTED else []
    match command:
        case InviteCreator(campaign_id, creator_id):
            return [*_campaign(campaign_id), *keys_of(creator_id), *agreed]
        case Apply(campaign_id):
            return [*_campaign(campaign_id), *agreed]
        case _ if state.parties is not None:
            both = keys_of_both(state.parties.brand_id, state.parties.creator_id)
            return [*_campaign(state.parties.campaign_id), *keys_of(state.parties.creator_id), *both]
        case _:
            return []


def _campaign(campaign_id: str) -> list[tuple[InlineTable[Any], Key]]:
    return [(BRIEFS, (campaign_id,)), (BUDGETS, (campaign_id,)), (POLICIES, ONLY)]


def _concerns(command: Command, state: State, actor: Actor) -> bool:
    """True for both sides and the system, and for whoever begins an application."""
    if isinstance(command, InviteCreator | Apply) or "system" in actor.roles:
        return True
    return state.parties is not None and actor.tenant in (state.parties.brand_id, state.parties.creator_id)


def _leads_to(command: Command, state: State) -> str | None:
    """An acceptance to its collaboration."""
    is_agreed = isinstance(command, AcceptApplication) and state.agreements
    return f"collaboration-{state.collaboration_id}" if is_agreed else None


APPLICATION = Decider("application", State(), decide, evolve, reads=_reads, concerns=_concerns, leads_to=_leads_to)
