"""Writes the weights of a match from discovery's own log, and what they may be learned from out of campaigns' events.

An application's stream writes `answer`, its contract's stream writes `work`, so that the two come in any order.
"""

from collections.abc import Sequence
from typing import Any

from kernel.core.canonical import canonical
from kernel.core.events import Delivered
from kernel.core.ids import role_reader
from kernel.processors.projector import Target, fold_rows
from services.discovery.domain.match_weights.events import WeightsAdopted
from services.discovery.subscribe import Applied, Briefed, Stage, Worked
from services.discovery.tables.match_weights import MATCH_BRIEFS, MATCH_OUTCOMES, MATCH_WEIGHTS

Row = dict[str, Any]
READERS = sorted(map(role_reader, ("operator", "auditor")))
BRAND, CREATOR = "brand", "creator"


async def apply_match_weights(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """A row per version, per published campaign, and per application that the brand or the work decided."""
    adopted = [_adopted(one) for one in events if isinstance(one.event, WeightsAdopted)]
    await target.upsert(MATCH_WEIGHTS, adopted)
    await fold_rows(target, MATCH_BRIEFS, events, _brief_key, _brief)
    await fold_rows(target, MATCH_OUTCOMES, events, _outcome_key, _outcome)


def _adopted(incoming: Delivered[WeightsAdopted]) -> Row:
    event = incoming.event
    return {
        "version": event.version,
        "since": incoming.at,
        "weights": canonical(event.weights).decode(),
        "learning": canonical(event.learning).decode() if event.learning else "",
        "adopted_by": event.by,
        "reason": event.reason,
        "restored": event.restored,
        "readers": READERS,
    }


def _brief_key(incoming: Delivered[Any]) -> tuple[str, ...] | None:
    return (incoming.event.campaign_id,) if isinstance(incoming.event, Briefed) else None


def _brief(row: Row | None, incoming: Delivered[Briefed]) -> Row:
    event = incoming.event
    told = {name: getattr(event, name) for name in ("campaign_id", "text", "goal", "format", "currency")}
    return {**told, "published_at": row["published_at"] if row else incoming.at, "readers": READERS}


def _outcome_key(incoming: Delivered[Any]) -> tuple[str, ...] | None:
    match incoming.event:
        case Applied() as applied if _answer(applied):
            return (applied.application_id,)
        case Worked() as worked if _work(worked):
            return (worked.collaboration_id,)
    return None


def _outcome(row: Row | None, incoming: Delivered[Any]) -> Row:
    event: Applied | Worked = incoming.event
    if isinstance(event, Applied):
        told = {"application_id": event.application_id, "answer": _answer(event)}
    else:
        told = {"application_id": event.collaboration_id, "work": _work(event)}
    known = row or {"answer": "", "work": ""}
    return {**known, "campaign_id": event.campaign_id, "creator_id": event.creator_id, "readers": READERS, **told}


def _answer(event: Applied) -> str:
    """ "" where it says nothing of what the brand thought of the creator."""
    if event.stage is Stage.ACCEPTED:
        return "taken"
    return "refused" if event.stage is Stage.ENDED and event.by == BRAND else ""


def _work(event: Worked) -> str:
    """How far the contract came; "broken" by the creator, "ended" by anybody else."""
    if event.stage is Stage.CANCELLED:
        return "broken" if event.by == CREATOR else "ended"
    return {Stage.CONTRACTED: "running", Stage.SETTLED: "settled"}.get(event.stage, "")
