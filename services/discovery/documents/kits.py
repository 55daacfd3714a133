"""Media kits as their readers see them: the version shown, with the texts that may be shown now; and the addresses of a kit."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.codec import adapter
from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.core.ids import checked_id
from kernel.processors.access import may_read, reading_as
from services.discovery.domain.media_kit.commands import Figure, Section
from services.discovery.reads import SERVICE, Card, CreatorReads
from services.discovery.tables.media_kits import MEDIA_KIT_LINKS, MEDIA_KIT_OPENINGS, MEDIA_KITS

MAC_BYTES = 16
LINKS_SHOWN = 200
DAYS_SHOWN = 90


@dataclass(frozen=True, slots=True)
class Kit:
    """One version as it is shown now: chosen sections, figures as they stood at `published_at`, and the creator's card of today,
    of which name, texts, accounts and categories are shown."""

    creator_id: str
    version: int
    published_at: datetime
    sections: tuple[Section, ...]
    figures: tuple[Figure, ...]
    examples: tuple[str, ...]
    card: Card


@dataclass(frozen=True, slots=True)
class Link:
    """An address: whom it is for, when it ends, how often it was opened in all and by day (newest last)."""

    link_id: str
    label: str
    shared_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    openings: int
    opened_at: datetime | None
    by_day: tuple[tuple[str, int], ...]


def token_of(key: bytes, link_id: str) -> str:
    """The part of an address that nobody can guess: the link's id and its code under the service's own key."""
    raw = UUID(link_id).bytes
    return base64.urlsafe_b64encode(raw + _mac(key, raw)).rstrip(b"=").decode()


def link_of(key: bytes, token: str) -> str:
    """The link's id of an address; raises NotFound `media_kit.not_there` for one that was never given out."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != 16 + MAC_BYTES or not hmac.compare_digest(raw[16:], _mac(key, raw[:16])):
        raise NotFound("media_kit.not_there")
    return str(UUID(bytes=raw[:16]))


def _mac(key: bytes, raw: bytes) -> bytes:
    return hmac.digest(key, b"media-kit address" + raw, "sha256")[:MAC_BYTES]


@dataclass(frozen=True, slots=True)
class KitReads:
    """Kits and their addresses."""

    database: Database
    creators: CreatorReads

    async def kit(self, creator_id: str, actor: Actor, at: datetime) -> Kit:
        """Raises NotFound `media_kit.not_there` where no kit is shown, or the creator is suspended."""
        checked_id(creator_id)
        query = sa.select(MEDIA_KITS).where(MEDIA_KITS.c.creator_id == creator_id, MEDIA_KITS.c.published)
        async with reading_as(self.database, SERVICE, actor) as connection:
            row = (await connection.execute(query.where(may_read(MEDIA_KITS, actor)))).mappings().first()
        if row is None:
            raise NotFound("media_kit.not_there")
        card = await self.creators.get(creator_id, actor, at)
        if card.suspended:
            raise NotFound("media_kit.not_there")
        return _kit(row, card)

    async def at_address(self, link_id: str, at: datetime) -> Kit:
        """The kit behind an address, whoever asks; raises NotFound `media_kit.not_there` once the address ended."""
        links = MEDIA_KIT_LINKS.c
        lives = links.revoked_at.is_(None) & (links.expires_at.is_(None) | (links.expires_at > at))
        async with self.database.reading() as connection:
            found = await connection.execute(sa.select(links.creator_id).where(links.link_id == link_id, lives))
            creator_id = found.scalar()
        if creator_id is None:
            raise NotFound("media_kit.not_there")
        return await self.kit(creator_id, Actor("address", str(creator_id), frozenset()), at)

    async def links(self, creator_id: str, actor: Actor) -> tuple[Link, ...]:
        """The newest first; nothing for whom they are not."""
        links, opened = MEDIA_KIT_LINKS.c, MEDIA_KIT_OPENINGS.c
        query = sa.select(MEDIA_KIT_LINKS).where(links.creator_id == checked_id(creator_id))
        query = query.where(may_read(MEDIA_KIT_LINKS, actor)).order_by(links.shared_at.desc(), links.link_id)
        async with reading_as(self.database, SERVICE, actor) as connection:
            rows = (await connection.execute(query.limit(LINKS_SHOWN))).mappings().all()
        days = sa.select(MEDIA_KIT_OPENINGS).where(opened.link_id.in_([row["link_id"] for row in rows]))
        async with self.database.reading() as connection:
            counted = (await connection.execute(days.order_by(opened.day.desc()).limit(LINKS_SHOWN * DAYS_SHOWN))).all()
        return tuple(
            _link(row, [(one.day, one.openings) for one in counted if one.link_id == row["link_id"]]) for row in rows
        )


def _kit(row: Any, card: Card) -> Kit:
    return Kit(
        row["creator_id"],
        row["version"],
        row["published_at"],
        adapter(tuple[Section, ...]).validate_json(row["sections"]),
        adapter(tuple[Figure, ...]).validate_json(row["figures"]),
        adapter(tuple[str, ...]).validate_json(row["examples"]),
        card,
    )


def _link(row: Any, by_day: Sequence[tuple[str, int]]) -> Link:
    named = {
        name: row[name]
        for name in ("link_id", "label", "shared_at", "expires_at", "revoked_at", "openings", "opened_at")
    }
    return Link(**named, by_day=tuple(reversed(by_day[:DAYS_SHOWN])))
