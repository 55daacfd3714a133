"""A paid post that breaks the agreement within its protection days: notice, time to restore it, claw-back."""

from collections.abc import Sequence
from datetime import datetime

from kernel.core.ids import derived_id
from kernel.core.money import share_down
from services.campaigns.domain.collaboration.commands import (
    RecordClawBack,
    RefuseClawBack,
    TakeDownContent,
    VerifyContent,
)
from services.campaigns.domain.collaboration.deliverable import Deliverable, Stage
from services.campaigns.domain.collaboration.work import Work
from services.campaigns.domain.shared.content_events import BreachCured, BreachNoticed, Ruler
from services.campaigns.domain.shared.contract import Contract
from services.campaigns.domain.shared.posts import AUTHOR_DIFFERS
from services.campaigns.domain.shared.work_events import (
    ClawBackOrdered,
    ClawBackRefused,
    DeliverableClawedBack,
    WorkEvent,
)


def notice(command: TakeDownContent, work: Work) -> Sequence[WorkEvent]:
    """The creator has `cure_s` from the first bad look. Reporting a post that is not restored wins no time: the notice runs on
    to the same moment. Looks after the protection days concern nobody, but for the one that a report of restoring waits for;
    nor do looks after a claw-back that was refused."""
    one, looked_at = work.deliverable, command.looked_at or work.context.at
    over = one.protected_until is not None and looked_at >= one.protected_until
    if (over or one.claw_attempts) and one.stage is not Stage.CURING:
        return []
    due_at = one.cure_by or work.after(work.contract.terms.value.clocks.cure_s)
    where = (work.contract.parties, one.terms.deliverable_id, command.look_id, command.reason)
    anothers = one.stage is Stage.CURING and command.reason == AUTHOR_DIFFERS
    post = (one.terms.platform.value, one.post_id) if anothers else ("", "")
    return [BreachNoticed(*where, max(due_at, work.after(0)), *post)]


def cured(command: VerifyContent, work: Work) -> BreachCured:
    """A good look ends the notice."""
    return BreachCured(work.contract.parties, command.deliverable_id, command.look_id, Ruler.SYSTEM)


def excused(one: Deliverable, contract: Contract, by: Ruler) -> BreachCured:
    """A ruling ends it."""
    return BreachCured(contract.parties, one.terms.deliverable_id, "", by)


def claw_back(one: Deliverable, contract: Contract, share_bps: int, due_at: datetime) -> Sequence[WorkEvent]:
    """The order to the ledger, at most what the creator was paid; where nothing was paid it is done with."""
    deliverable_id = one.terms.deliverable_id
    where = (contract.parties, deliverable_id, derived_id("claw back", deliverable_id))
    ordered = ClawBackOrdered(
        *where,
        attempt=one.claw_attempts + 1,
        share_bps=share_bps,
        amount_minor=share_down(one.creator_net_minor, share_bps),
        currency=contract.currency,
        reason=one.breach,
        due_at=due_at,
    )
    return [ordered] if ordered.amount_minor else [ordered, DeliverableClawedBack(*where, 0, 0, contract.currency)]


def refuse_claw_back(command: RefuseClawBack, work: Work) -> Sequence[WorkEvent]:
    """The ledger refuses a claw-back for good, and asking again would be refused again: the creator keeps what it was paid."""
    work.context.actor.require("system")
    one = work.deliverable
    if one.stage is not Stage.CLAWING:
        return []
    return [ClawBackRefused(work.contract.parties, command.deliverable_id, command.claw_back_id, command.code)]


def record_claw_back(command: RecordClawBack, work: Work) -> Sequence[WorkEvent]:
    """The ledger has booked it."""
    work.context.actor.require("system")
    one = work.deliverable
    if one.stage is Stage.CLAWED_BACK:
        return []
    if one.stage is not Stage.CLAWING:
        raise work.refuse("content.not_being_clawed_back")
    where = (work.contract.parties, command.deliverable_id, command.claw_back_id)
    return [DeliverableClawedBack(*where, command.taken_minor, command.owed_minor, work.contract.currency)]
