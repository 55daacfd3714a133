"""What is told of an order's evidence: whose it made the order, and what became of each piece."""

from typing import Any

from services.metrics.domain.order.events import Attribution, Contact, OrderRecorded, Usable

PLACE = ("campaign_id", "collaboration_id", "deliverable_id", "creator_id")


def outcomes(order: OrderRecorded) -> list[dict[str, Any]]:
    """Each piece of evidence and what became of it; events of 0.1.0 name what was used by the attribution alone."""
    usable = order.usable or ((Usable(order.attribution.basis, 0, True),) if order.attribution else ())
    told = [(one.basis, one.at, "used" if one.used else "outdone") for one in usable]
    told += [(one.basis, one.at, one.why.value) for one in order.unusable]
    return [{"source": basis.value, "at": at, "outcome": outcome} for basis, at, outcome in sorted(told)]


def attributed_to(found: Attribution | None) -> dict[str, Any]:
    """The placement and the rule that led to it; empty texts and 0 for an order that is nobody's."""
    if found is None:
        return dict.fromkeys(("source", "source_id", "touch_id", "model", *PLACE), "") | {"window_s": 0}
    placed = {name: getattr(found.placement, name) for name in PLACE}
    rule = {"source": found.basis.value, "source_id": found.source_id, "touch_id": found.touch_id}
    return {**placed, **rule, "model": found.model.value, "window_s": found.window_s}


def contacts_of(order: OrderRecorded) -> tuple[Contact, ...]:
    """Oldest first; of an order recorded before contacts were kept the one that decided, at the time of the order."""
    found = order.attribution
    if order.contacts or found is None:
        return order.contacts
    return (Contact(found.basis, found.source_id, found.touch_id, found.placement, order.ordered_at),)
