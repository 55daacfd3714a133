"""Sites: a row per brand and host, with what the last look found."""

from collections.abc import Sequence
from typing import Any

from kernel.core.events import Delivered
from kernel.processors.projector import Projection, Target, fold_rows
from services.metrics.domain.site.events import Outcome, SiteClaimed, SiteLooked, SiteLookRequested, SiteStatus
from services.metrics.projections.rows import STAFF, Row
from services.metrics.tables import SITES


async def apply_sites(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """A row per site."""
    await fold_rows(target, SITES, events, _key, _fold)


def _key(incoming: Delivered[Any]) -> tuple[str, str] | None:
    event = incoming.event
    return (event.brand_id, event.host) if isinstance(event, SiteClaimed | SiteLookRequested | SiteLooked) else None


def _fold(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    match incoming.event:
        case SiteClaimed(site_id, brand_id, host):
            return {
                "brand_id": brand_id, "host": host, "site_id": site_id, "status": SiteStatus.CLAIMED.value, "covers": "",
                "why": "", "claimed_at": incoming.at, "looked_at": None, "proven_at": None, "next_look_at": None,
                "readers": sorted([brand_id, *STAFF]),
            }  # fmt: skip
        case SiteLookRequested() if row:
            return row | {"next_look_at": None}
        case SiteLooked() as looked if row:
            seen = looked.outcome in (Outcome.DOMAIN, Outcome.HOST)
            return row | {
                "status": looked.status.value, "covers": looked.covers, "why": looked.why, "looked_at": looked.looked_at,
                "proven_at": looked.looked_at if seen else row["proven_at"], "next_look_at": looked.next_look_at,
            }  # fmt: skip
        case _:
            return row


SITE_LIST = Projection("sites", 1, (SITES,), apply_sites)
