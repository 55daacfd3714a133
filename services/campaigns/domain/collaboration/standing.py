"""Who the actor is in a collaboration, and whether it still runs."""

from datetime import datetime, timedelta

from kernel.core.decider import Actor, Context
from kernel.core.faults import Forbidden, NotFound, Pending, Refused
from kernel.core.ids import split_stream
from services.campaigns.domain.collaboration.state import State, Status
from services.campaigns.domain.shared.agreements import AGREED, AGREEMENTS
from services.campaigns.domain.shared.content_events import Ruler
from services.campaigns.domain.shared.contract import Contract
from services.campaigns.domain.shared.terms import DAY_S

MAX_ESCALATIONS = 16
"""About a year. An escrow ends a little later, by the ledger's own clock, and what it paid for with it."""


def known_to(state: State, context: Context) -> Contract:
    """The contract, for the two sides, staff and the system.

    Raises Pending `collaboration.pending` to them while the contract of an acceptance is still to come. Raises NotFound
    `collaboration.unknown` where there is none, and to strangers where there is, after the same work: who is contracted is nobody
    else's.
    """
    if state.contract is not None and side_of(state.contract.value, context.actor) is not None:
        return state.contract.value
    agreed = context.rows.get(AGREEMENTS, (split_stream(context.stream)[1],))
    if state.contract is None and agreed is not None and agreed.step == AGREED and agreed.is_for(context.actor):
        raise Pending("collaboration.pending", retry_after_s=1)
    raise NotFound("collaboration.unknown")


def side_of(contract: Contract, actor: Actor) -> Ruler | None:
    """Which side the actor is, or None for a stranger.

    A process acts for the tenant of what caused it, and for neither side: what the platform cannot do is nobody's act.
    """
    if "system" in actor.roles:
        return Ruler.SYSTEM
    if actor.tenant in (contract.brand_id, contract.creator_id):
        return Ruler.BRAND if actor.tenant == contract.brand_id else Ruler.CREATOR
    return None if actor.roles.isdisjoint({"operator", "reviewer"}) else Ruler.STAFF


def only(tenant: str, code: str, context: Context) -> None:
    """Forbidden `code` for every other tenant."""
    if context.actor.tenant != tenant:
        raise Forbidden(code)


def check_running(state: State) -> None:
    """Refuses what makes no sense before the contract or after the end."""
    if state.status not in (Status.CONTRACTED, Status.FUNDED):
        raise Refused("collaboration.not_running", status=state.status.value)


def escalation_s(escalations: int) -> int:
    """Until staff are told again: a day, then twice as long each time, at most 30 days."""
    return min(DAY_S << min(escalations, 5), 30 * DAY_S)


def after_s(context: Context, seconds: int) -> datetime:
    """So many seconds from now."""
    return context.at + timedelta(seconds=seconds)
