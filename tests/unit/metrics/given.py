"""What the tests of metrics start from, and a check that folds, decides, and demands silence when told again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kernel.core.decider import Actor, DecidedEvent, Decider, GivenRows, InlineTable
from kernel.core.ids import derived_id
from services.metrics.domain.attribution import Placement
from services.metrics.domain.site.events import site_id_of
from services.metrics.domain.site.site import Site
from services.metrics.wiring import SERVICE
from tests.kit import decide
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


def site_rows(
    host: str = "shop.example", status: str = "proven", covers: str = "domain", brand: str = RED
) -> GivenRows:
    """The inline row of a site."""
    return GivenRows({("site_claims", (brand, host)): Site(brand, host, site_id_of(brand, host), status, covers)})


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
    assert decider.owner(when) in (None, RED), "a new stream is the brand's"
    known, stream = None if rows is None else rows.rows, f"{decider.category}-{id}"
    decide.check(SERVICE, given, when, then, at=NOON, actor=actor, stream=stream, rows=known, tenant=tenant)
