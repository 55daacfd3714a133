"""What the tests of metrics start from, and a check that folds, decides, and demands silence when told again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kernel.core.decider import Actor, Context, DecidedEvent, Decider, GivenRows, InlineTable
from kernel.core.faults import Fault
from kernel.core.ids import derived_id
from services.metrics.domain.attribution import Placement
from tests.kit.rows import NoRows

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RED = derived_id("test", "red")
"""A brand's tenant."""
BLUE = derived_id("test", "blue")
BRAND = Actor("bea", RED, frozenset({"brand"}))
RIVAL = Actor("rob", BLUE, frozenset({"brand"}))
SYSTEM = Actor("funding", "platform", frozenset({"system"}))
CREATOR = Actor("cai", derived_id("test", "cai"), frozenset({"creator"}))
PLACE = Placement(*(derived_id("test", name) for name in ("campaign", "collaboration", "deliverable", "creator")))
OTHER_PLACE = Placement(
    *(derived_id("test", "other", name) for name in ("campaign", "collab", "deliverable", "creator"))
)


def rows_of(*inlines_and_events: tuple[InlineTable[Any], str, object], at: datetime = NOON) -> GivenRows:
    """The inline rows that events of a tenant leave behind: (table, tenant, event)."""
    rows: dict[tuple[str, tuple[str, ...]], Any] = {}
    for inline, tenant, event in inlines_and_events:
        for key, row in inline.fold(DecidedEvent("test", tenant, 1, at, event), NoRows()):
            rows[inline.name, key] = row
    return GivenRows(rows)


def check(
    decider: Decider[Any, Any, Any],
    given: Sequence[object],
    when: object,
    then: Sequence[object] | str,
    *,
    id: str,
    actor: Actor = BRAND,
    rows: GivenRows | None = None,
    tenant: str = RED,
) -> None:
    """`then` is the events decided, or the code of the fault; events decided once are not decided again."""
    state = decider.initial
    for event in given:
        state = decider.evolve(state, event)
    context = Context(NOON, actor, rows or GivenRows({}), f"{decider.category}-{id}", tenant)
    list(decider.reads(when, state))
    assert decider.owner(when) in (None, RED), "a new stream is the brand's"
    if isinstance(then, str):
        with pytest.raises(Fault) as fault:
            decider.decide(when, state, context)
        assert fault.value.code == then
        return
    assert list(decider.decide(when, state, context)) == list(then)
    for event in then:
        state = decider.evolve(state, event)
    assert list(decider.decide(when, state, context)) == []
