"""A row per deliverable whose payment waits: fed by the ledger's topic alone, where one escrow's events come in order."""

from collections.abc import Sequence
from typing import Any

from kernel.core.decider import Key
from kernel.core.events import Delivered
from kernel.processors.projector import Target, fold_rows
from services.campaigns.domain.funding.causes import RefundIssued
from services.campaigns.domain.settlement.causes import PaymentDeferred, PaymentReleased
from services.campaigns.projections.rows import STAFF, Row
from services.campaigns.tables import PAYMENT_WAITS


async def apply_waits(target: Target, events: Sequence[Delivered[Any]]) -> None:
    await fold_rows(target, PAYMENT_WAITS, events, key, fold)


def key(incoming: Delivered[Any]) -> Key | None:
    event = incoming.event
    return (event.deliverable_id,) if isinstance(event, PaymentDeferred | PaymentReleased | RefundIssued) else None


def fold(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    """The row while the payment waits; money that left the escrow ends it."""
    event = incoming.event
    if not isinstance(event, PaymentDeferred):
        return None
    return {
        "deliverable_id": event.deliverable_id,
        "waits_for": event.reason,
        "readers": [event.brand_id, event.creator_id, *STAFF],
    }
