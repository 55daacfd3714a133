"""Given events, when a command, then events or a fault's code; a command that decided is repeated and must then be silent."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from kernel.core.decider import Actor, Context, Decider
from kernel.core.faults import Fault
from services.compliance.domain.findings import Content
from services.compliance.domain.review import About
from tests.kit.rows import NoRows

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SUBMISSION, DELIVERABLE, COLLABORATION, CAMPAIGN, BRAND, CREATOR = (
    f"018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4e{n}0" for n in range(6)
)
ABOUT = About(SUBMISSION, DELIVERABLE, COLLABORATION, CAMPAIGN, BRAND, CREATOR)
SYSTEM = Actor("process:review", BRAND, frozenset({"system"}))
REVIEWER = Actor("rev-1", "platform", frozenset({"reviewer"}))
SECOND = Actor("rev-2", "platform", frozenset({"reviewer"}))
PARTY = Actor("rev-3", BRAND, frozenset({"brand", "reviewer"}))
OUTSIDER = Actor("someone", CREATOR, frozenset({"creator"}))
CLEAN = Content(
    text="【广告】周末出门妆，持妆不错", platform="xiaohongshu", product_category="美妆", compensation="fixed"
)


def decided(
    decider: Decider[Any, Any, Any], given: Sequence[object], when: object, actor: Actor = SYSTEM, at: datetime = NOON
) -> list[Any]:
    """What `when` decides after `given`; decided twice, the second time it must be silent."""
    state = decider.initial
    for event in given:
        state = decider.evolve(state, event)
    context = Context(at, actor, NoRows(), f"{decider.category}-{SUBMISSION}", BRAND)
    events = list(decider.decide(when, state, context))
    for event in events:
        state = decider.evolve(state, event)
    assert list(decider.decide(when, state, context)) == []
    return events


def refused(
    decider: Decider[Any, Any, Any], given: Sequence[object], when: object, actor: Actor = SYSTEM, at: datetime = NOON
) -> str:
    """The code of the fault that `when` raises after `given`."""
    try:
        events = decided(decider, given, when, actor, at)
    except Fault as fault:
        return fault.code
    raise AssertionError(f"decided {events}")
