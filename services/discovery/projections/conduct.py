"""What creators did, from campaigns and compliance: a row an invitation, delivery, request, contract, dispute and review."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from kernel.core.events import Delivered
from kernel.processors.projector import Target, fold_rows
from services.discovery.subscribe import Applied, Happened, Mark, Marked, Stage, Worked
from services.discovery.tables.measured import CREATOR_CONDUCT

Row = dict[str, Any]
REPLY_WITHIN = timedelta(hours=48)
ANSWERS = (Stage.COUNTERED, Stage.ACCEPTED, Stage.ENDED)
EXPIRED = "clock"
"""Who ends an invitation that nobody answered."""


async def apply_conduct(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Rows of one fact and subject come from one stream, in its order."""
    await fold_rows(target, CREATOR_CONDUCT, [one for one in events if key(one)], key, fold)


def key(incoming: Delivered[Any]) -> tuple[str, str] | None:
    """Which fact the event is of; None for those that say nothing of a creator's conduct."""
    match incoming.event:
        case Applied(stage=stage) as event if stage is Stage.INVITED or stage in ANSWERS:
            return "reply", event.application_id
        case Worked(stage=Stage.CONTRACTED) as event:
            return "contract", event.collaboration_id
        case Worked(stage=Stage.CANCELLED, by="creator") as event:
            return "cancelled", event.collaboration_id
        case Happened() as event:
            return event.fact, event.subject
        case Marked(mark=Mark.FINDINGS) as event:
            return "finding", event.subject
    return None


def fold(row: Row | None, incoming: Delivered[Any]) -> Row:
    event = incoming.event
    known = row or _blank(incoming)
    if isinstance(event, Applied):
        return _reply(known, row is not None, incoming)
    if isinstance(event, Marked):
        return known | {"amount": event.amount}
    if isinstance(event, Happened):
        return known | {"good": event.good}
    return known


def _blank(incoming: Delivered[Any]) -> Row:
    named = key(incoming)
    assert named is not None, "only events of conduct are folded"
    fact, subject = named
    creator_id = incoming.event.creator_id
    return {"fact": fact, "subject": subject, "creator_id": creator_id, "at": incoming.at, "good": None, "amount": 1}


def _reply(row: Row, was_invited: bool, incoming: Delivered[Any]) -> Row:
    """The first answer of the creator decides; without one, that the clock ran out. `amount` 0: it applied by itself."""
    event: Applied = incoming.event
    if not was_invited:
        return row | {"amount": int(event.stage is Stage.INVITED)}
    if row["good"] is not None or event.stage is Stage.INVITED:
        return row
    if event.by == "creator":
        return row | {"good": incoming.at - row["at"] <= REPLY_WITHIN}
    return row | {"good": False} if event.by == EXPIRED else row
