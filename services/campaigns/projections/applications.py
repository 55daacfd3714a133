"""A row per application: its status and the offer on the table."""

from collections.abc import Sequence
from typing import Any

from kernel.codec import adapter, canonical
from kernel.ids import split_stream
from kernel.model import Incoming, Key
from kernel.projector import Target, fold_rows
from services.campaigns.domain.application import APPLICATION, State, evolve
from services.campaigns.projections.rows import STAFF, Row
from services.campaigns.tables import APPLICATIONS


async def apply_applications(target: Target, events: Sequence[Incoming[Any]]) -> None:
    """Events of `application-` streams, folded by the domain."""
    await fold_rows(target, APPLICATIONS, events, key, fold)


def key(incoming: Incoming[Any]) -> Key | None:
    category, uuid = split_stream(incoming.stream)
    return (uuid,) if category == APPLICATION.category else None


def fold(row: Row | None, incoming: Incoming[Any]) -> Row | None:
    """The row after an event; `created_at` stays that of the first invitation or application."""
    before = adapter(State).validate_json(row["state"]) if row else APPLICATION.initial
    state = evolve(before, incoming.event)
    if state.parties is None or state.offer is None:
        return None
    return {
        "application_id": split_stream(incoming.stream)[1],
        "campaign_id": state.parties.campaign_id,
        "brand_id": state.parties.brand_id,
        "creator_id": state.parties.creator_id,
        "status": state.status.value,
        "state": canonical(state).decode(),
        "version": incoming.version,
        "created_at": row["created_at"] if row else incoming.at,
        "expires_at": state.expires_at,
        "changed_at": incoming.at,
        "readers": [state.parties.brand_id, state.parties.creator_id, *STAFF],
    }
