"""Funding: from acceptance to money in escrow, and back again when it cannot be held or the work ends early.

ApplicationAccepted -> contract -> CollaborationContracted -> one hold per priced deliverable -> all held -> fund. What the
brand's deposit does not cover is waited for, until the funding clock ends the collaboration, and asked for again after
FundingRetried.
Whatever is held when a deliverable ends unpaid is returned, at the price the collaboration says. An escrow that the ledger ends
otherwise (finance, its own clock) ends its deliverable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, assert_never

from kernel.core.canonical import Hashed
from kernel.core.decider import Context, Decider
from kernel.core.events import CommandRefused, Delivered
from kernel.core.ids import split_stream
from services.campaigns.domain.funding.causes import EscrowHeld, EscrowRefused, RefundIssued
from services.campaigns.domain.funding.events import (
    ContractRequested,
    EndRequested,
    EscrowConfirmed,
    EscrowRequested,
    EscrowUncovered,
    FundingCompleted,
    FundingEvent,
    FundingFailed,
    FundingRequested,
    FundingStopped,
    FundingWaitNoted,
    ReleaseRequested,
    ReturnRequested,
)
from services.campaigns.domain.shared.contract import Contract, DeliverableTerms
from services.campaigns.domain.shared.events import ApplicationAccepted
from services.campaigns.domain.shared.fees import sealed_policy
from services.campaigns.domain.shared.floors import escrow_life_s
from services.campaigns.domain.shared.funding_events import FundingRetried
from services.campaigns.domain.shared.requests import RequestRefused
from services.campaigns.domain.shared.work_events import (
    CollaborationCancelled,
    CollaborationContracted,
    CollaborationFunded,
    DeliverableLapsed,
    Ended,
)

CATEGORY = "funding"
OWN = (
    ApplicationAccepted, CollaborationContracted, CollaborationFunded, CollaborationCancelled, DeliverableLapsed, FundingRetried,
)  # fmt: skip


class Step(StrEnum):
    NEW = "new"
    CONTRACTING = "contracting"
    HOLDING = "holding"
    FUNDING = "funding"
    FUNDED = "funded"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Funding:
    """Where the money stands: ids of deliverables whose escrow is `held`, and of those that were `returned`, as was asked or
    otherwise; `refused` is the id of the command refused last. `uncovered` are those not held, of `attempt`."""

    step: Step = Step.NEW
    document: Hashed[Contract] | None = None
    held: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    reason: str = ""
    refused: str = ""
    uncovered: tuple[str, ...] = ()
    attempt: int = 1

    @property
    def contract(self) -> Contract | None:
        return self.document.value if self.document else None

    @property
    def awaited(self) -> set[str]:
        """Deliverables with a price whose escrow is not confirmed."""
        terms = self.contract.deliverables if self.contract else ()
        return {each.deliverable_id for each in terms if each.escrow_minor} - set(self.held)

    @property
    def uncovered_minor(self) -> int:
        terms = self.contract.deliverables if self.contract else ()
        return sum(each.escrow_minor for each in terms if each.deliverable_id in self.uncovered)


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per collaboration."""
    match incoming.event:
        case EscrowHeld() | EscrowRefused() | RefundIssued() as event:
            return f"{CATEGORY}-{event.collaboration_id}"
        case CommandRefused(requester=requester):
            return requester if split_stream(requester)[0] == CATEGORY else None
        case ApplicationAccepted(contract=contract):
            return f"{CATEGORY}-{contract.value.collaboration_id}"
        case event if isinstance(event, OWN):
            return f"{CATEGORY}-{split_stream(incoming.stream)[1]}"
        case _:
            return None


def decide(incoming: Delivered[Any], state: Funding, context: Context) -> Sequence[FundingEvent]:
    """The next step; a late or repeated event decides nothing."""
    match incoming.event:
        case ApplicationAccepted(_, contract, seal):
            return [ContractRequested(contract, seal)] if state.step is Step.NEW else []
        case CollaborationContracted(contract=contract):
            return _hold(contract.value, state)
        case EscrowHeld(_, deliverable_id):
            return _held(deliverable_id, state)
        case EscrowRefused(_, deliverable_id, code):
            return _uncovered(deliverable_id, code, state)
        case FundingRetried(_, attempt):
            return _again(attempt, state)
        case RefundIssued() as event:
            return _ended_elsewhere(event, state)
        case CollaborationFunded():
            return [FundingCompleted()] if state.step is Step.FUNDING else []
        case CollaborationCancelled() as event:
            return _stop(event, state)
        case DeliverableLapsed() as event:
            return _returns([event.ended], event.reason, state)
        case CommandRefused() as event:
            return [] if event.command_id == state.refused else _refused(event, state)
        case _:
            return []


def _hold(contract: Contract, state: Funding) -> Sequence[FundingEvent]:
    if state.step not in (Step.NEW, Step.CONTRACTING):
        return []
    priced = [each for each in contract.deliverables if each.escrow_minor]
    if not priced:
        return [FundingRequested(contract.collaboration_id)]
    return _asked(contract, priced, 1)


def _asked(contract: Contract, priced: Sequence[DeliverableTerms], attempt: int) -> Sequence[FundingEvent]:
    return [
        EscrowRequested(
            contract.collaboration_id,
            contract.parties,
            each.deliverable_id,
            each.fee_minor,
            each.brand_fee_minor,
            contract.currency,
            contract.brief.value.jurisdiction.value,
            sealed_policy(contract.terms.value),
            escrow_life_s(contract.terms.value, each.starts_after_s),
            attempt,
        )
        for each in priced
    ]


def _held(deliverable_id: str, state: Funding) -> Sequence[FundingEvent]:
    """Money that arrives after the end goes straight back."""
    if state.contract is None or deliverable_id not in state.awaited:
        return []
    confirmed = EscrowConfirmed(deliverable_id)
    if state.step is Step.STOPPED:
        return [confirmed, _return(state.contract, deliverable_id, 0, state.reason)]
    if state.awaited == {deliverable_id}:
        return [confirmed, FundingRequested(state.contract.collaboration_id)]
    return [confirmed, *_waiting(evolve(state, confirmed), "escrow.not_covered")]


def _uncovered(deliverable_id: str, code: str, state: Funding) -> Sequence[FundingEvent]:
    """The money is not there now: what is held stays held, and the funding clock runs on."""
    if state.step is not Step.HOLDING or deliverable_id not in state.awaited - set(state.uncovered):
        return []
    noted = EscrowUncovered(deliverable_id, code)
    return [noted, *_waiting(evolve(state, noted), code)]


def _waiting(state: Funding, code: str) -> Sequence[FundingEvent]:
    """Once every escrow of the attempt is answered: the collaboration is told what is missing."""
    if state.contract is None or not state.uncovered or state.awaited != set(state.uncovered):
        return []
    missing = (state.uncovered_minor, state.contract.currency, state.attempt)
    return [FundingWaitNoted(state.contract.collaboration_id, code, *missing)]


def _again(attempt: int, state: Funding) -> Sequence[FundingEvent]:
    """Only what is not held, as the next revision of its escrow."""
    if state.contract is None or state.step is not Step.HOLDING:
        return []
    missing = [each for each in state.contract.deliverables if each.deliverable_id in state.uncovered]
    return _asked(state.contract, missing, attempt)


def _return(contract: Contract, deliverable_id: str, kill_fee_minor: int, reason: str) -> ReturnRequested:
    fee_bps = contract.terms.value.creator_fee_bps
    where = (contract.collaboration_id, contract.parties, deliverable_id)
    return ReturnRequested(*where, kill_fee_minor, fee_bps, contract.currency, reason)


def _fail(code: str, state: Funding) -> Sequence[FundingEvent]:
    """What is held goes back whole, and the collaboration is called off."""
    if state.contract is None:
        return []
    back = [_return(state.contract, each, 0, code) for each in state.held if each not in state.returned]
    return [*back, FundingFailed(state.contract.collaboration_id, code)]


def _ended_elsewhere(event: RefundIssued, state: Funding) -> Sequence[FundingEvent]:
    """Before the work could begin the whole is called off; later its one deliverable ends."""
    if state.contract is None or event.deliverable_id in state.returned:
        return []
    end = EndRequested(event.collaboration_id, event.deliverable_id, event.reason, event.returned_minor, event.currency)
    if state.step in (Step.HOLDING, Step.FUNDING):
        return [end, *_fail(event.reason, evolve(state, end))]
    return [end]


def _stop(event: CollaborationCancelled, state: Funding) -> Sequence[FundingEvent]:
    if state.step is Step.STOPPED:
        return []
    return [*_returns(event.deliverables, event.reason, state), FundingStopped(event.reason)]


def _returns(ended: Sequence[Ended], reason: str, state: Funding) -> Sequence[FundingEvent]:
    if state.contract is None:
        return []
    open_ = [each for each in ended if each.deliverable_id in state.held and each.deliverable_id not in state.returned]
    return [_return(state.contract, each.deliverable_id, each.kill_fee_minor, reason) for each in open_]


def _refused(event: CommandRefused, state: Funding) -> Sequence[FundingEvent]:
    noted = RequestRefused(event.command_id, event.command, event.code)
    match state.step:
        case Step.CONTRACTING if state.contract is not None:
            return [noted, ReleaseRequested(state.contract.application_id, event.code)]
        case Step.HOLDING | Step.FUNDING:
            return [noted, *_fail(event.code, state)]
        case _:
            return [noted]


def evolve(state: Funding, event: FundingEvent) -> Funding:
    """The fold; total."""
    match event:
        case ContractRequested(contract, _):
            return replace(state, step=Step.CONTRACTING, document=contract)
        case EscrowRequested(deliverable_id=deliverable_id):
            uncovered = tuple(one for one in state.uncovered if one != deliverable_id)
            return replace(state, step=Step.HOLDING, uncovered=uncovered, attempt=event.attempt)
        case EscrowUncovered(deliverable_id):
            return replace(state, uncovered=(*state.uncovered, deliverable_id))
        case FundingWaitNoted():
            return state
        case EscrowConfirmed(deliverable_id):
            return replace(state, held=(*state.held, deliverable_id))
        case FundingRequested():
            return replace(state, step=Step.FUNDING)
        case FundingCompleted():
            return replace(state, step=Step.FUNDED)
        case FundingFailed(_, reason) | FundingStopped(reason) | ReleaseRequested(_, reason):
            return replace(state, step=Step.STOPPED, reason=reason)
        case ReturnRequested(deliverable_id=deliverable_id) | EndRequested(deliverable_id=deliverable_id):
            return replace(state, returned=(*state.returned, deliverable_id))
        case RequestRefused(command_id=command_id):
            return replace(state, refused=command_id)
        case _:
            assert_never(event)


FUNDING = Decider(CATEGORY, Funding(), decide, evolve, published=False)
