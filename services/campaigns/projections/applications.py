"""A row per application: its status and the offer on the table."""

from collections.abc import Sequence
from typing import Any

from kernel.core.events import Delivered
from kernel.core.ids import split_stream
from kernel.processors.projector import Target
from services.campaigns.domain.application.application import APPLICATION
from services.campaigns.domain.application.state import State, evolve
from services.campaigns.projections.rows import STAFF, Row
from services.campaigns.tables import APPLICATIONS


async def apply_applications(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Events of `application-` streams: each touched application is read once and written once, folded by the domain."""
    own = [incoming for incoming in events if split_stream(incoming.stream)[0] == APPLICATION.category]
    rows = {key[0]: row for key, row in (await target.rows(APPLICATIONS, map(_key, own))).items()}
    states: dict[str, State] = {uuid: row["state"] for uuid, row in rows.items()}
    for incoming in own:
        uuid = _key(incoming)[0]
        states[uuid] = evolve(states.get(uuid, APPLICATION.initial), incoming.event)
        rows[uuid] = _stamped(rows.get(uuid), incoming)
    await target.upsert(APPLICATIONS, [row | _columns(states[uuid]) for uuid, row in rows.items()])


def _key(incoming: Delivered[Any]) -> tuple[str]:
    return (split_stream(incoming.stream)[1],)


def _stamped(row: Row | None, incoming: Delivered[Any]) -> Row:
    """`created_at` stays that of the first invitation or application."""
    first = row or {"application_id": _key(incoming)[0], "created_at": incoming.at}
    return first | {"version": incoming.version, "changed_at": incoming.at}


def _columns(state: State) -> Row:
    if state.parties is None or state.offer is None:
        raise ValueError("an application begins with an offer between parties")
    return {
        "campaign_id": state.parties.campaign_id,
        "brand_id": state.parties.brand_id,
        "creator_id": state.parties.creator_id,
        "status": state.status.value,
        "state": state,
        "expires_at": state.expires_at,
        "readers": [state.parties.brand_id, state.parties.creator_id, *STAFF],
    }
