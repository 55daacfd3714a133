"""How a collaboration ends: settled, cancelled by the ladder, by a clock, or by the ruling of a dispute."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kernel.core.decider import Context
from kernel.core.faults import Forbidden, Refused
from kernel.core.money import BASIS_POINTS
from services.campaigns.domain.collaboration.commands import Outcome
from services.campaigns.domain.collaboration.deliverable import OVER, OWED, Deliverable, Stage, ended
from services.campaigns.domain.collaboration.standing import check_running, side_of
from services.campaigns.domain.collaboration.state import Product, State, Status
from services.campaigns.domain.shared.checks import reason_code, valid
from services.campaigns.domain.shared.content_events import Ruler
from services.campaigns.domain.shared.contract import Contract
from services.campaigns.domain.shared.work_events import (
    CollaborationCancelled,
    CollaborationSettled,
    DisputeOpened,
    DisputeRuled,
    Due,
    WorkEvent,
)


def cancel(reason: str, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    """The brand pays by the ladder; a creator who leaves gets nothing, nor does anyone before the money is held."""
    reason_code(reason)
    if state.status is Status.CANCELLED:
        return []
    check_running(state)
    if state.disputed_at is not None:
        raise Refused("collaboration.disputed")
    side = side_of(contract, context) or Ruler.SYSTEM
    by_ladder = side is Ruler.BRAND and state.status is Status.FUNDED
    open_ = [each for each in state.deliverables if each.stage not in (*OWED, *OVER)]
    if not open_:
        raise Refused("collaboration.nothing_to_cancel")
    return [_cancelled(contract, state, side, reason, context.at, open_, None if by_ladder else 0)]


def _cancelled(
    contract: Contract,
    state: State,
    by: Ruler,
    reason: str,
    at: datetime,
    open_: Sequence[Deliverable],
    share_bps: int | None,
) -> CollaborationCancelled:
    return CollaborationCancelled(
        contract.parties,
        by,
        reason,
        state.status is Status.FUNDED,
        contract.terms.value.creator_fee_bps,
        contract.currency,
        tuple(ended(each, contract, at, share_bps) for each in open_),
    )


def expire_collaboration(due_at: datetime, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    """Funding or the product is overdue: everything ends, nobody is owed anything yet."""
    context.actor.require("system")
    if state.disputed_at is not None or state.due_at != due_at:
        return []
    reason = "funding.expired"
    if state.status is Status.FUNDED:
        reason = "product.not_received" if state.product is Product.SENT else "product.not_sent"
    return [_cancelled(contract, state, Ruler.CLOCK, reason, context.at, state.deliverables, 0)]


def open_dispute(reason: str, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    """Freezes the payment of everything that is not being paid already, and stops the clocks."""
    reason_code(reason)
    side = side_of(contract, context)
    if side not in (Ruler.BRAND, Ruler.CREATOR):
        raise Forbidden("collaboration.only_the_parties")
    if state.disputed_at is not None:
        return []
    check_running(state)
    if not _disputable(state):
        raise Refused("collaboration.nothing_to_dispute")
    return [DisputeOpened(contract.parties, side, reason, context.at)]


def _disputable(state: State) -> list[Deliverable]:
    return [each for each in state.deliverables if each.stage not in (Stage.PAYING, *OVER)]


def rule_dispute(
    outcome: Outcome, share_bps: int, contract: Contract, state: State, context: Context
) -> Sequence[WorkEvent]:
    """Staff's ruling. Stopped clocks go on with the time they had left."""
    context.actor.require("operator", "reviewer")
    valid(0 <= share_bps <= BASIS_POINTS, "dispute.share_out_of_range", limit_bps=BASIS_POINTS)
    if state.ruling == (outcome.value, share_bps):
        return []
    if state.disputed_at is None:
        raise Refused("collaboration.not_disputed", status=state.status.value)
    stopped = context.at - state.disputed_at
    ruled = _ruled(outcome, share_bps, contract, state, stopped)
    if outcome is Outcome.RESUME:
        return [ruled]
    open_ = _disputable(state)
    return [ruled, _cancelled(contract, state, Ruler.STAFF, "dispute.ruled", context.at, open_, share_bps)]


def _ruled(outcome: Outcome, share_bps: int, contract: Contract, state: State, stopped: timedelta) -> DisputeRuled:
    clocks = [
        Due(each.terms.deliverable_id, each.due_at + stopped) for each in state.deliverables if each.due_at is not None
    ]
    product_due_at = state.due_at + stopped if state.due_at else None
    return DisputeRuled(contract.parties, outcome.value, share_bps, tuple(clocks), product_due_at)


def closing(state: State, contract: Contract) -> Sequence[WorkEvent]:
    """What follows when every deliverable has come to its end."""
    if state.status is not Status.FUNDED or any(each.stage not in OVER for each in state.deliverables):
        return []
    settled = [each for each in state.deliverables if each.stage is Stage.SETTLED]
    if not settled:
        fee_bps = contract.terms.value.creator_fee_bps
        lapsed = "collaboration.all_lapsed"
        return [CollaborationCancelled(contract.parties, Ruler.CLOCK, lapsed, True, fee_bps, contract.currency, ())]
    net_minor, ended_ = sum(each.creator_net_minor for each in settled), len(state.deliverables) - len(settled)
    return [CollaborationSettled(contract.parties, len(settled), ended_, net_minor, contract.currency)]
