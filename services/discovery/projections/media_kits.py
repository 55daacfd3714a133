"""Writes the read models of media kits from discovery's own log: the version shown, the addresses, openings by day.

No clock, random or float: a rebuild gives the same bytes. Whoever is forgotten has no kit and no address.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kernel.core.canonical import canonical
from kernel.core.events import Delivered
from kernel.core.ids import PUBLIC, role_reader, split_stream
from kernel.core.personal import ErasureDone
from kernel.processors.projector import Target, fold_rows
from services.discovery.domain.events import CreatorForgotten
from services.discovery.domain.media_kit.events import (
    KitOpened,
    KitPublished,
    KitShared,
    KitShareRevoked,
    KitWithdrawn,
)
from services.discovery.tables.media_kits import MEDIA_KIT_LINKS, MEDIA_KIT_OPENINGS, MEDIA_KITS

Row = dict[str, Any]
GONE = (CreatorForgotten, ErasureDone)


async def apply_media_kits(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """A row per kit and per address; of the forgotten none."""
    await fold_rows(target, MEDIA_KITS, events, _kit_key, _kit)
    await fold_rows(target, MEDIA_KIT_LINKS, events, _link_key, _link)
    opened = Counter(
        (one.event.link_id, one.event.day.isoformat()) for one in events if isinstance(one.event, KitOpened)
    )
    days = [{"link_id": link_id, "day": day, "openings": count} for (link_id, day), count in opened.items()]
    await target.upsert(MEDIA_KIT_OPENINGS, days, add=("openings",))
    for creator_id in {_creator(one) for one in events if isinstance(one.event, GONE)}:
        links = target[MEDIA_KIT_LINKS]
        await target.connection.execute(sa.delete(links).where(links.c.creator_id == creator_id))


def _creator(incoming: Delivered[Any]) -> str:
    if isinstance(incoming.event, ErasureDone):
        return str(incoming.event.subject_id)
    return split_stream(incoming.stream)[1]


def _kit_key(incoming: Delivered[Any]) -> tuple[str, ...] | None:
    return (_creator(incoming),) if isinstance(incoming.event, (KitPublished, KitWithdrawn, *GONE)) else None


def _kit(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    event = incoming.event
    if isinstance(event, KitWithdrawn):
        return None if row is None else row | {"published": False}
    if not isinstance(event, KitPublished):
        return None
    shown = {name: canonical(getattr(event, name)).decode() for name in ("sections", "figures", "examples")}
    told = {"version": event.version, "published": True, "published_at": incoming.at, "readers": [PUBLIC]}
    return {"creator_id": _creator(incoming), **told, **shown}


def _link_key(incoming: Delivered[Any]) -> tuple[str, ...] | None:
    known = isinstance(incoming.event, KitShared | KitShareRevoked | KitOpened)
    return (incoming.event.link_id,) if known else None


def _link(row: Row | None, incoming: Delivered[Any]) -> Row | None:
    match incoming.event:
        case KitShared() as shared:
            told = {"link_id": shared.link_id, "label": shared.label, "expires_at": shared.expires_at}
            creator_id = _creator(incoming)
            readers = sorted([creator_id, role_reader("operator"), role_reader("auditor")])
            new = {"revoked_at": None, "openings": 0, "opened_at": None, "readers": readers}
            return {**told, "creator_id": creator_id, "shared_at": incoming.at, **new}
        case KitShareRevoked() if row:
            return row | {"revoked_at": incoming.at}
        case KitOpened() if row:
            return row | {"openings": row["openings"] + 1, "opened_at": incoming.at}
        case _:
            return row
