"""Writes the read model of judgements from discovery's own log.

No clock, random or float: a rebuild gives the same bytes.
"""

from collections.abc import Callable, Sequence
from typing import Any

from kernel.core.canonical import canonical
from kernel.core.events import Delivered
from kernel.core.ids import PUBLIC, split_stream
from kernel.core.personal import ErasureDone
from kernel.processors.projector import Target, fold_rows
from services.discovery.domain.authenticity.events import (
    AuthenticityAppealed,
    AuthenticityAssessed,
    AuthenticityRuled,
    LiftProposed,
)
from services.discovery.tables.authenticity import AUTHENTICITY

Row = dict[str, Any]
PERSONAL = {"statement": "", "ruling_reason": "", "proposed_reason": ""}
NEW: Row = PERSONAL | {"appealed_at": None, "proposed_by": "", "verdict": "", "ruled_at": None}


async def apply_authenticity(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """A row per judged creator."""
    await fold_rows(target, AUTHENTICITY, events, _key, _fold)


def _key(incoming: Delivered[Any]) -> tuple[str, ...] | None:
    if isinstance(incoming.event, ErasureDone):
        return (incoming.event.subject_id,)
    return (split_stream(incoming.stream)[1],) if type(incoming.event) in FOLDS else None


def _fold(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    """Erasing who was never judged makes no row; every stream of judgements begins with an assessment."""
    if isinstance(incoming.event, ErasureDone):
        return None if row is None else row | PERSONAL
    return FOLDS[type(incoming.event)](row or {}, incoming)


def _assessed(row: Row, incoming: Delivered[AuthenticityAssessed]) -> Row:
    event, score = incoming.event, incoming.event.score
    return {
        **(row or NEW),
        "creator_id": split_stream(incoming.stream)[1],
        "score": score.score,
        "low": score.low,
        "high": score.high,
        "standing": event.standing.value,
        "assessed": canonical(event).decode(),
        "holds": event.holds.value,
        "assessed_at": incoming.at,
        "readers": [PUBLIC],
    }


def _appealed(row: Row, incoming: Delivered[AuthenticityAppealed]) -> Row:
    return row | {"statement": incoming.event.statement, "appealed_at": incoming.at}


def _proposed(row: Row, incoming: Delivered[LiftProposed]) -> Row:
    return row | {"proposed_by": incoming.event.reviewer_id, "proposed_reason": incoming.event.reason}


def _ruled(row: Row, incoming: Delivered[AuthenticityRuled]) -> Row:
    event = incoming.event
    ruled = {"verdict": event.verdict.value, "ruling_reason": event.reason, "ruled_at": incoming.at}
    after = {"standing": event.standing.value, "holds": event.holds.value}
    return row | ruled | after | {"appealed_at": None, "proposed_by": "", "proposed_reason": ""}


FOLDS: dict[type, Callable[[Row, Delivered[Any]], Row]] = {
    AuthenticityAssessed: _assessed,
    AuthenticityAppealed: _appealed,
    LiftProposed: _proposed,
    AuthenticityRuled: _ruled,
}
