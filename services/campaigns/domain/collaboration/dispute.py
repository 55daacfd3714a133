"""A dispute: opened by a side, ruled by staff within its clock, or withdrawn by the side that opened it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kernel.core.decider import Context
from kernel.core.faults import Forbidden, Refused
from kernel.core.money import BASIS_POINTS
from services.campaigns.domain.collaboration.breach import claw_back, excused
from services.campaigns.domain.collaboration.commands import Outcome
from services.campaigns.domain.collaboration.deliverable import AT_THE_LEDGER, BREACH, CLOSED, Deliverable, Stage
from services.campaigns.domain.collaboration.ending import cancelled
from services.campaigns.domain.collaboration.standing import (
    MAX_ESCALATIONS,
    after_s,
    check_running,
    escalation_s,
    side_of,
)
from services.campaigns.domain.collaboration.state import State
from services.campaigns.domain.shared.checks import reason_code, valid
from services.campaigns.domain.shared.content_events import Ruler
from services.campaigns.domain.shared.contract import Contract
from services.campaigns.domain.shared.work_events import (
    WITHDRAWN,
    DisputeEscalated,
    DisputeOpened,
    DisputeRuled,
    Due,
    WorkEvent,
)


def open_dispute(reason: str, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    """Freezes the payment of everything that is not being paid already, and stops the clocks."""
    reason_code(reason)
    side = side_of(contract, context.actor)
    if side not in (Ruler.BRAND, Ruler.CREATOR) and not (side is Ruler.STAFF and state.awaits):
        raise Forbidden("collaboration.only_the_parties")
    if state.disputed_at is not None:
        if side is not state.disputed_by:
            raise Refused("collaboration.already_disputed", do="withdraw it if it is yours, or wait for the ruling")
        return []
    breached = _breached(state)
    if not breached:
        check_running(state)
    if not breached and not _open(state):
        raise Refused("collaboration.nothing_to_dispute")
    return [opened(side, reason, contract, context)]


def opened(by: Ruler, reason: str, contract: Contract, context: Context) -> DisputeOpened:
    """The dispute, with the time that staff have for their ruling."""
    due_at = after_s(context, contract.terms.value.clocks.dispute_s)
    return DisputeOpened(contract.parties, by, reason, context.at, due_at)


def _open(state: State) -> list[Deliverable]:
    return [each for each in state.deliverables if each.stage not in (Stage.PAYING, *CLOSED)]


def _breached(state: State) -> list[Deliverable]:
    return [each for each in state.deliverables if each.stage in BREACH]


def rule_dispute(
    outcome: Outcome, share_bps: int, contract: Contract, state: State, context: Context
) -> Sequence[WorkEvent]:
    """Staff's ruling. Stopped clocks go on with the time they had left. A share that the creator is to keep of what is not paid
    it also keeps of what was paid for a breached post."""
    context.actor.require("operator", "reviewer")
    valid(0 <= share_bps <= BASIS_POINTS, "dispute.share_out_of_range", limit_bps=BASIS_POINTS)
    if state.ruling == (outcome.value, share_bps):
        return []
    disputed_at = _disputed_at(state)
    if outcome is Outcome.RESUME:
        return _resumed(Ruler.STAFF, disputed_at, contract, state, context)
    ruled = _ruled(outcome.value, share_bps, contract, state, context.at - disputed_at)
    open_ = _open(state)
    ends = [cancelled(contract, state, Ruler.STAFF, "dispute.ruled", context.at, open_, share_bps)] if open_ else []
    return [ruled, *ends, *_clawed_back(share_bps, contract, state, context)]


def _clawed_back(kept_bps: int, contract: Contract, state: State, context: Context) -> list[WorkEvent]:
    """Of each breached post: the rest of what the creator keeps."""
    due_at, share_bps = after_s(context, contract.terms.value.clocks.payment_retry_s), BASIS_POINTS - kept_bps
    if not share_bps:
        return [excused(each, contract, Ruler.STAFF) for each in _breached(state)]
    return [event for each in _breached(state) for event in claw_back(each, contract, share_bps, due_at)]


def _resumed(
    by: Ruler, disputed_at: datetime, contract: Contract, state: State, context: Context
) -> Sequence[WorkEvent]:
    """The work goes on. A breach whose time was over when the dispute began was what it was about: it is excused."""
    over = [each for each in _breached(state) if each.due_at is not None and each.due_at <= disputed_at]
    ruled = _ruled(Outcome.RESUME.value, 0, contract, state, context.at - disputed_at)
    return [ruled, *(excused(each, contract, by) for each in over)]


def _disputed_at(state: State) -> datetime:
    if state.disputed_at is None:
        raise Refused("collaboration.not_disputed", status=state.status.value)
    return state.disputed_at


def withdraw_dispute(contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    """The side that opened it gives it up; the other side may open its own."""
    is_withdrawn = state.ruling == (WITHDRAWN, 0)
    disputed_at = context.at if is_withdrawn else _disputed_at(state)
    if side_of(contract, context.actor) is not state.disputed_by:
        raise Forbidden("collaboration.only_who_opened_the_dispute")
    if is_withdrawn:
        return []
    return [_ruled(WITHDRAWN, 0, contract, state, context.at - disputed_at)]


def expire_dispute(due_at: datetime, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    """Staff did not rule in time: they are told again and again. Their silence decides for neither side; after about a
    year, just before the escrow's own end, the work goes on as agreed."""
    context.actor.require("system")
    if state.disputed_at is None or state.dispute_due_at != due_at:
        return []
    if state.escalations >= MAX_ESCALATIONS:
        return _resumed(Ruler.CLOCK, state.disputed_at, contract, state, context)
    next_at = after_s(context, escalation_s(state.escalations))
    return [DisputeEscalated(contract.parties, state.escalations + 1, next_at)]


def _ruled(outcome: str, share_bps: int, contract: Contract, state: State, stopped: timedelta) -> DisputeRuled:
    """A payment that the ledger was asked for was never stopped: the payment's clock stays as it is."""
    clocks = [
        Due(each.terms.deliverable_id, each.due_at + stopped)
        for each in state.deliverables
        if each.due_at is not None and each.stage not in AT_THE_LEDGER
    ]
    product_due_at = state.due_at + stopped if state.due_at else None
    return DisputeRuled(contract.parties, outcome, share_bps, tuple(clocks), product_due_at)
