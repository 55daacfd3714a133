"""A contract whose money is not held yet: it waits, is asked for again, and the funding clock alone ends the wait."""

from collections.abc import Sequence

from kernel.core.decider import Context
from kernel.core.faults import Refused
from services.campaigns.domain.collaboration.commands import NoteFundingWait, RetryFunding
from services.campaigns.domain.collaboration.standing import after_s, check_running, only
from services.campaigns.domain.collaboration.state import State, Status
from services.campaigns.domain.shared.contract import Contract
from services.campaigns.domain.shared.funding_events import FundingRetried, FundingWaits
from services.campaigns.domain.shared.work_events import WorkEvent

MAX_ATTEMPTS = 200
"""More than the clock makes in the longest funding time; the ledger takes 1,000 revisions of an escrow."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 900, 6 * 3600


def pause_s(attempt: int) -> int:
    """Until the platform tries again by itself: a quarter of an hour, then twice as long each time, at most six hours."""
    return min(FIRST_PAUSE_S << min(attempt - 1, 10), LONGEST_PAUSE_S)


def note_wait(command: NoteFundingWait, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    """Said once for each attempt, and not once the collaboration is funded or over."""
    context.actor.require("system")
    if state.status is not Status.CONTRACTED or state.funding_waits_for or state.funding_attempt != command.attempt:
        return []
    retry_at = after_s(context, pause_s(command.attempt))
    told = (command.reason, command.uncovered_minor, contract.currency, command.attempt, retry_at)
    return [FundingWaits(contract.parties, *told)]


def retry(command: RetryFunding, contract: Contract, state: State, context: Context) -> Sequence[WorkEvent]:
    """Decides nothing while an attempt is under way, nor once all is held."""
    if command.due_at is not None:
        context.actor.require("system")
        if state.funding_retry_at != command.due_at or state.funding_attempt >= MAX_ATTEMPTS:
            return []
        return [FundingRetried(contract.parties, state.funding_attempt + 1)]
    only(contract.brand_id, "collaboration.only_the_brand", context)
    check_running(state)
    if not state.funding_waits_for:
        return []
    if state.funding_attempt >= MAX_ATTEMPTS:
        raise Refused("collaboration.too_many_funding_attempts", limit=MAX_ATTEMPTS)
    return [FundingRetried(contract.parties, state.funding_attempt + 1)]
