"""Given events, when a command, then events or a fault's code; a command that decided is repeated and must then be silent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kernel.core.decider import Actor, Decider
from kernel.core.faults import Fault
from services.compliance.domain.findings import Content
from services.compliance.domain.review import About
from services.compliance.wiring import SERVICE
from tests.kit import decide

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
    service, stream = replace(SERVICE, deciders=[decider]), f"{decider.category}-{SUBMISSION}"
    return decide.decided(service, given, when, at=at, actor=actor, stream=stream, tenant=BRAND)


def refused(
    decider: Decider[Any, Any, Any], given: Sequence[object], when: object, actor: Actor = SYSTEM, at: datetime = NOON
) -> str:
    """The code of the fault that `when` raises after `given`."""
    try:
        events = decided(decider, given, when, actor, at)
    except Fault as fault:
        return fault.code
    raise AssertionError(f"decided {events}")
