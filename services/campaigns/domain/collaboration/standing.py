"""Who the actor is in a collaboration, and whether it still runs."""

from datetime import datetime, timedelta

from kernel.core.decider import Context
from kernel.core.faults import Forbidden, Refused
from services.campaigns.domain.collaboration.state import State, Status
from services.campaigns.domain.shared.content_events import Ruler
from services.campaigns.domain.shared.contract import Contract
from services.campaigns.domain.shared.terms import DAY_S

MAX_ESCALATIONS = 16
"""About a year. An escrow ends a little later, by the ledger's own clock, and what it paid for with it."""


def known_to(state: State, context: Context) -> Contract:
    """The contract, for the two sides, staff and the system; Forbidden for everybody else."""
    if state.contract is None:
        raise Refused("collaboration.not_contracted", status=state.status.value)
    if side_of(state.contract.value, context) is None:
        raise Forbidden("collaboration.not_a_party")
    return state.contract.value


def side_of(contract: Contract, context: Context) -> Ruler | None:
    """Which side the actor is, or None for a stranger.

    A process acts for the tenant of what caused it, and for neither side: what the platform cannot do is nobody's act.
    """
    if "system" in context.actor.roles:
        return Ruler.SYSTEM
    if context.actor.tenant in (contract.brand_id, contract.creator_id):
        return Ruler.BRAND if context.actor.tenant == contract.brand_id else Ruler.CREATOR
    return None if context.actor.roles.isdisjoint({"operator", "reviewer"}) else Ruler.STAFF


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
