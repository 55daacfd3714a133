"""How a collaboration ends: settled, or cancelled by the ladder, by a clock, or by a ruling (dispute.py)."""

from collections.abc import Sequence
from datetime import datetime

from kernel.core.decider import Context
from kernel.core.faults import Refused
from services.campaigns.domain.collaboration.deliverable import BREACH, CLOSED, OWED, PAID, Deliverable, ended
from services.campaigns.domain.collaboration.standing import check_running, side_of
from services.campaigns.domain.collaboration.state import Product, State, Status
from services.campaigns.domain.shared.checks import reason_code
from services.campaigns.domain.shared.content_events import Ruler
from services.campaigns.domain.shared.contract import Contract
from services.campaigns.domain.shared.work_events import (
    CollaborationCancelled,
    CollaborationSettled,
    DisputeRuled,
    WorkEvent,
)


def cancel(reason: str, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    """The brand pays by the ladder; a creator who leaves gets nothing, nor does anyone before the money is held."""
    reason_code(reason)
    side = side_of(contract, context.actor) or Ruler.SYSTEM
    if state.status is Status.CANCELLED and side in (Ruler.SYSTEM, state.cancelled_by):
        return []
    check_running(state)
    if state.disputed_at is not None:
        raise Refused("collaboration.disputed")
    by_ladder = side is Ruler.BRAND and state.status is Status.FUNDED
    open_ = [each for each in state.deliverables if each.stage not in (*OWED, *CLOSED)]
    if not open_:
        raise Refused("collaboration.nothing_to_cancel")
    return [cancelled(contract, state, side, reason, context.at, open_, None if by_ladder else 0)]


def cancelled(
    contract: Contract,
    state: State,
    by: Ruler,
    reason: str,
    at: datetime,
    open_: Sequence[Deliverable],
    share_bps: int | None,
) -> CollaborationCancelled:
    """The end of these deliverables, each by the ladder unless a share is given."""
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
    open_ = [each for each in state.deliverables if each.stage not in CLOSED]
    return [cancelled(contract, state, Ruler.CLOCK, reason, context.at, open_, 0)]


def closing(state: State, contract: Contract) -> Sequence[WorkEvent]:
    """What follows when every deliverable has come to its end, also before the work began: the ledger may have ended it."""
    running = state.status in (Status.CONTRACTED, Status.FUNDED)
    if not running or any(each.stage not in CLOSED for each in state.deliverables):
        return []
    is_moot = state.disputed_at is not None and all(each.stage not in BREACH for each in state.deliverables)
    moot = [DisputeRuled(contract.parties, "moot", 0, (), None)] if is_moot else []
    return [*moot, _closed(state, contract)]


def _closed(state: State, contract: Contract) -> WorkEvent:
    settled = [each for each in state.deliverables if each.stage in PAID]
    if not settled:
        funded, fee_bps = state.status is Status.FUNDED, contract.terms.value.creator_fee_bps
        lapsed = "collaboration.all_lapsed"
        return CollaborationCancelled(contract.parties, Ruler.CLOCK, lapsed, funded, fee_bps, contract.currency, ())
    net_minor, ended_ = sum(each.creator_net_minor for each in settled), len(state.deliverables) - len(settled)
    return CollaborationSettled(contract.parties, len(settled), ended_, net_minor, contract.currency)
