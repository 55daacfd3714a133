"""Writes how the proofs of accounts stand. Of who is erased no row is left."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kernel.core.events import Delivered
from kernel.core.ids import role_reader
from kernel.core.personal import ErasureDone
from kernel.processors.projector import Target, fold_rows
from services.discovery.domain.proofs.events import ProofAccepted, ProofAsked, ProofLookRequested, ProofMissed
from services.discovery.tables.proofs import PROOFS

Row = dict[str, Any]
OF_PROOFS = (ProofAsked, ProofLookRequested, ProofAccepted, ProofMissed)


async def apply_proofs(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Runs of events between erasures are folded set-wise: an erasure takes what came before it, and nothing after."""
    run: list[Delivered[Any]] = []
    for incoming in events:
        if isinstance(incoming.event, ErasureDone):
            await fold_rows(target, PROOFS, run, _key, _fold)
            run = []
            gone = target[PROOFS].c.creator_id == incoming.event.subject_id
            await target.connection.execute(sa.delete(target[PROOFS]).where(gone))
        elif isinstance(incoming.event, OF_PROOFS):
            run.append(incoming)
    await fold_rows(target, PROOFS, run, _key, _fold)


def _key(incoming: Delivered[Any]) -> tuple[str, str]:
    event = incoming.event
    account = event.account if isinstance(event, ProofAsked | ProofLookRequested) else event
    return event.creator_id, account.platform.value


def _fold(row: Row | None, incoming: Delivered[Any]) -> Row:
    event, (creator_id, platform) = incoming.event, _key(incoming)
    known = row or {"looks": 0, "asked_at": None, "expires_at": None}
    named = {"creator_id": creator_id, "platform": platform, "changed_at": incoming.at, "reason": ""}
    named["readers"] = [creator_id, *map(role_reader, ("operator", "auditor"))]
    match event:
        case ProofAsked():
            told: Row = {"state": "asked", "looks": 0, "asked_at": event.asked_at, "expires_at": event.expires_at}
        case ProofLookRequested():
            told = {"state": "looking", "looks": event.look, "expires_at": event.expires_at}
        case ProofAccepted():
            told = {"state": "accepted"}
        case _:
            told = {"state": "missed", "reason": event.reason}
    return known | named | told
