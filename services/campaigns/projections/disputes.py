"""A row per dispute, from its opening to its end. Only its opening says that it is another: the others are of the newest."""

from collections.abc import Iterator, Sequence
from typing import Any

from kernel.core.decider import Key
from kernel.core.events import Delivered
from kernel.core.ids import derived_id, split_stream
from kernel.processors.projector import Target
from services.campaigns.domain.shared.work_events import WITHDRAWN, DisputeEscalated, DisputeOpened, DisputeRuled
from services.campaigns.projections.rows import STAFF, Row, taken
from services.campaigns.tables import DISPUTE_COUNTS, DISPUTES

STATUSES = {WITHDRAWN: "withdrawn", "moot": "moot"}
"""What a dispute is after an outcome; after any other it is ruled."""


async def apply_disputes(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Each touched dispute is read once and written once."""
    own = [one for one in events if isinstance(one.event, DisputeOpened | DisputeEscalated | DisputeRuled)]
    counts = {key[0]: row["number"] for key, row in (await target.rows(DISPUTE_COUNTS, map(_key, own))).items()}
    numbered = list(_numbered(own, counts))
    stored = await target.rows(DISPUTES, ((_id(incoming, number),) for incoming, number in numbered))
    rows = {key[0]: row for key, row in stored.items()}
    for incoming, number in numbered:
        dispute_id = _id(incoming, number)
        rows[dispute_id] = _folded(rows.get(dispute_id), incoming, number)
    await target.upsert(DISPUTES, list(rows.values()))
    kept = [{"collaboration_id": uuid, "number": number, "readers": [*STAFF]} for uuid, number in counts.items()]
    await target.upsert(DISPUTE_COUNTS, kept)


def _key(incoming: Delivered[Any]) -> Key:
    return (split_stream(incoming.stream)[1],)


def _numbered(own: Sequence[Delivered[Any]], counts: dict[str, int]) -> Iterator[tuple[Delivered[Any], int]]:
    """Each event with the number of its dispute; `counts` goes on."""
    for incoming in own:
        (uuid,) = _key(incoming)
        counts[uuid] = counts.get(uuid, 0) + isinstance(incoming.event, DisputeOpened)
        yield incoming, counts[uuid]


def _id(incoming: Delivered[Any], number: int) -> str:
    return derived_id("dispute", *_key(incoming), str(number))


def _folded(row: Row | None, incoming: Delivered[Any], number: int) -> Row:
    match incoming.event:
        case DisputeOpened() as event:
            return _opened(event, incoming, number)
        case DisputeEscalated(escalations=escalations, due_at=due_at):
            return _there(row) | {"escalations": escalations, "due_at": due_at}
        case DisputeRuled(outcome=outcome, share_bps=share_bps):
            ended = {"outcome": outcome, "share_bps": share_bps, "ended_at": incoming.at}
            return _there(row) | ended | {"status": STATUSES.get(outcome, "ruled")}
        case event:
            raise TypeError(f"{type(event).__name__} is of no dispute")


def _there(row: Row | None) -> Row:
    if row is None:
        raise ValueError("a dispute begins with its opening")
    return row


def _opened(event: DisputeOpened, incoming: Delivered[Any], number: int) -> Row:
    parties = event.parties
    return {
        **taken(DISPUTES, parties),
        **taken(DISPUTES, event),
        "dispute_id": _id(incoming, number),
        "collaboration_id": _key(incoming)[0],
        "number": number,
        "status": "open",
        "opened_by": event.by.value,
        "due_at": event.rule_by,
        "escalations": 0,
        "outcome": "",
        "share_bps": 0,
        "ended_at": None,
        "readers": [parties.brand_id, parties.creator_id, *STAFF],
    }
