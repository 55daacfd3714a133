"""A row per collaboration and one per deliverable, folded by the domain; the times of its steps are added here."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kernel.core.events import Delivered
from kernel.core.ids import split_stream
from kernel.processors.projector import Target
from services.campaigns.domain.collaboration.collaboration import COLLABORATION
from services.campaigns.domain.collaboration.deliverable import PAID, Deliverable
from services.campaigns.domain.collaboration.state import State, evolve
from services.campaigns.domain.shared.content_events import ContentPublished, ContentVerified
from services.campaigns.domain.shared.contract import Contract
from services.campaigns.domain.shared.work_events import (
    AmendmentConsented,
    CollaborationCancelled,
    CollaborationContracted,
    CollaborationFunded,
    DeliverableSettled,
)
from services.campaigns.projections.rows import STAFF, Row, blank, taken
from services.campaigns.tables import COLLABORATIONS, DELIVERABLES


async def apply_work(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Events of `collaboration-` streams: each touched collaboration is read once and written once, whole."""
    own = [incoming for incoming in events if split_stream(incoming.stream)[0] == COLLABORATION.category]
    rows = {key[0]: row for key, row in (await target.rows(COLLABORATIONS, map(_key, own))).items()}
    states: dict[str, State] = {uuid: row["state"] for uuid, row in rows.items()}
    marks: dict[str, Row] = {}
    for incoming in own:
        uuid = _key(incoming)[0]
        states[uuid] = evolve(states.get(uuid, COLLABORATION.initial), incoming.event)
        rows[uuid] = _stamped(rows.get(uuid), incoming)
        _mark(marks, incoming)
    await target.upsert(COLLABORATIONS, [row | _columns(states[uuid]) for uuid, row in rows.items()])
    await _write_deliverables(target, states, marks)


def _key(incoming: Delivered[Any]) -> tuple[str]:
    return (split_stream(incoming.stream)[1],)


def _stamped(row: Row | None, incoming: Delivered[Any]) -> Row:
    event = incoming.event
    stamped = row or {
        "collaboration_id": _key(incoming)[0],
        "reason": "",
        "contract_sha256": "",
        "contracted_at": incoming.at,
        "funded_at": None,
    }
    stamped = stamped | {"version": incoming.version, "changed_at": incoming.at}
    match event:
        case CollaborationContracted(contract_sha256=seal) | AmendmentConsented(contract_sha256=seal):
            return stamped | {"contract_sha256": seal}
        case CollaborationFunded():
            return stamped | {"funded_at": incoming.at}
        case CollaborationCancelled(reason=reason):
            return stamped | {"reason": reason}
        case _:
            return stamped


def _columns(state: State) -> Row:
    contract = _contract(state)
    return {
        "campaign_id": contract.campaign_id,
        "brand_id": contract.brand_id,
        "creator_id": contract.creator_id,
        "status": state.status.value,
        "awaits": state.awaits,
        "state": _without_texts(state),
        "readers": _readers(contract),
    }


def _without_texts(state: State) -> State:
    """Personal fields stay in the log, where they are encrypted."""
    works = tuple(replace(one, text="", notes=()) for one in state.deliverables)
    return replace(state, shipment=State().shipment, deliverables=works)


def _contract(state: State) -> Contract:
    assert state.contract is not None, "a collaboration begins with its contract"
    return state.contract.value


def _readers(contract: Contract) -> list[str]:
    return [contract.brand_id, contract.creator_id, *STAFF]


STAMPS: dict[type, str] = {
    ContentPublished: "published_at",
    ContentVerified: "verified_at",
    DeliverableSettled: "settled_at",
}
"""The column that takes the time of an event of this type."""


def _mark(marks: dict[str, Row], incoming: Delivered[Any]) -> None:
    """What a deliverable's state does not keep: what the event calls as the table does, and the times of its steps."""
    event = incoming.event
    if not hasattr(event, "deliverable_id"):
        return
    mark = taken(DELIVERABLES, event)
    if type(event) in STAMPS:
        mark[STAMPS[type(event)]] = incoming.at
    marks.setdefault(event.deliverable_id, {}).update(mark)


async def _write_deliverables(target: Target, states: dict[str, State], marks: dict[str, Row]) -> None:
    found = [(uuid, state, one) for uuid, state in states.items() for one in state.deliverables]
    stored = await target.rows(DELIVERABLES, ((one.terms.deliverable_id,) for _, _, one in found))
    rows = [
        _deliverable(uuid, state, one, stored.get((one.terms.deliverable_id,)), marks) for uuid, state, one in found
    ]
    await target.upsert(DELIVERABLES, rows)


def _deliverable(uuid: str, state: State, one: Deliverable, row: Row | None, marks: dict[str, Row]) -> Row:
    deliverable_id = one.terms.deliverable_id
    return {
        **(row or blank(DELIVERABLES)),
        **marks.get(deliverable_id, {}),
        "deliverable_id": deliverable_id,
        "collaboration_id": uuid,
        "campaign_id": _contract(state).campaign_id,
        "ordinal": one.terms.ordinal,
        "stage": one.stage.value,
        "paid_minor": one.terms.escrow_minor - one.clawed_back_minor if one.stage in PAID else 0,
        "due_at": one.due_at,
        "publish_at": one.publish_at,
        "readers": _readers(_contract(state)),
    }
