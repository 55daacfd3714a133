"""Questions about creators, answered from the read models. Personal texts are joined here, at reading time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.vault.personal import Personal
from kernel.core.codec import adapter
from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.core.ids import checked_id
from kernel.edge.page_tokens import Cursor
from kernel.host.app import App
from kernel.processors.access import may_read, reading_as
from services.discovery.domain.criteria import Criteria
from services.discovery.domain.guardians.events import GuardianConsented
from services.discovery.domain.profile import Account, AgeClass, age_class
from services.discovery.domain.state import State
from services.discovery.search.asked.matches import Met, met
from services.discovery.search.claims import Standing, claims_of, lost_by
from services.discovery.search.facets import USUAL, Facet, facets
from services.discovery.search.following.answers import counted, fields_of, listed, named_by
from services.discovery.search.following.keeper import Index
from services.discovery.search.index.snapshot import Snapshot
from services.discovery.search.query import matching, ordered
from services.discovery.tables.creators import CREATORS
from services.discovery.tables.track_records import CREATOR_BRANDS, CREATOR_RECORDS, RECORDS

SERVICE = "discovery"
BRANDS_LIMIT = 50
TEXTS = ("display_name", "bio")
CONTACT_ROLES = frozenset({"operator"})


@dataclass(frozen=True, slots=True)
class Card:
    """One creator as read: `records` counts by name (tables.RECORDS); texts are "" where erased or not for the caller."""

    creator_id: str
    version: int
    registered_at: datetime
    changed_at: datetime
    state: State
    suspended: bool
    records: Mapping[str, int]
    past_brands: tuple[str, ...]
    display_name: str = ""
    bio: str = ""
    contact: str = ""
    claims: Mapping[Account, Standing] = field(default_factory=dict)
    """How the claims to its accounts stand; of several creators, which verified ones are lost."""
    birth_year: int | None = None
    """For the creator itself and operators; everybody else has the class."""
    guardian: GuardianConsented | None = None
    barred: bool = False
    """Both for the creator itself and operators."""
    age_class: AgeClass = AgeClass.UNTOLD


@dataclass(frozen=True, slots=True)
class Page:
    """`after` is None on the last page; `total` is exact; `position` is that of the last event read; `met` is by creator."""

    cards: tuple[Card, ...]
    after: Cursor | None
    total: int
    position: int
    met: Mapping[str, Met]
    indexed: bool
    """Whether the index in memory answered; else SQL did, as long as the index is being loaded."""


@dataclass(frozen=True, slots=True)
class CreatorReads:
    """Reads as the caller who asks."""

    database: Database
    personal: Personal
    index: Index

    async def search(self, criteria: Criteria, at: datetime, after: Cursor | None, size: int, actor: Actor) -> Page:
        """One page of checked criteria, with the prices of that moment. Suspended creators are not found."""
        snapshot = await self._snapshot(criteria)
        async with reading_as(self.database, SERVICE, actor) as connection:
            if snapshot is None:
                ids, behind, total = await listed_by_sql(connection, criteria, at, after, size, actor)
            else:
                ids, behind, total = await listed(connection, snapshot, criteria, at, after, size, actor)
            position = (await connection.execute(sa.select(sa.func.max(CREATORS.c.position)))).scalar() or 0
            cards, why = await _cards(connection, ids, at), await met(connection, criteria, at, ids)
        lost = await lost_by(self.database, {card.creator_id: card.state for card in cards})
        cards = [replace(card, claims=lost.get(card.creator_id, {})) for card in cards]
        return Page(await self._named(cards, TEXTS), behind, total, position, why, snapshot is not None)

    async def count(
        self, criteria: Criteria, at: datetime, actor: Actor, names: Sequence[str] = USUAL
    ) -> tuple[list[Facet], int]:
        """How many match checked criteria, by the value of each of these filters and in all."""
        snapshot = await self._snapshot(criteria)
        async with reading_as(self.database, SERVICE, actor) as connection:
            if snapshot is not None:
                return await counted(connection, snapshot, criteria, at, actor, names)
            total = await _total(connection, matching(criteria, at, None, actor))
            return await facets(connection, criteria, at, None, actor, names), total

    async def get(self, creator_id: str, actor: Actor, at: datetime) -> Card:
        """Raises NotFound `creator.not_found`, Invalid `id.malformed`. The contact is for itself and operators."""
        checked_id(creator_id)
        async with reading_as(self.database, SERVICE, actor) as connection:
            own = (CREATORS.c.creator_id == creator_id) & may_read(CREATORS, actor)
            if (await connection.execute(sa.select(CREATORS.c.version).where(own))).first() is None:
                raise NotFound("creator.not_found")
            cards = await _cards(connection, [creator_id], at)
        trusted = actor.tenant == creator_id or not CONTACT_ROLES.isdisjoint(actor.roles)
        card = (await self._named(cards, (*TEXTS, "contact") if trusted else TEXTS))[0]
        profile = card.state.profile
        return replace(
            card,
            claims=await claims_of(self.database, creator_id, card.state),
            birth_year=profile.birth_year if trusted and profile else None,
            guardian=card.state.guardian if trusted else None,
            barred=card.state.barred and trusted,
        )

    async def get_many(self, creator_ids: Sequence[str], actor: Actor, at: datetime) -> tuple[Card, ...]:
        """Those that the actor may see, in the order asked; raises Invalid `id.malformed`."""
        wanted = [checked_id(one) for one in dict.fromkeys(creator_ids)]
        async with reading_as(self.database, SERVICE, actor) as connection:
            seen = sa.select(CREATORS.c.creator_id).where(CREATORS.c.creator_id.in_(wanted), may_read(CREATORS, actor))
            there = set((await connection.execute(seen)).scalars())
            cards = await _cards(connection, [one for one in wanted if one in there], at)
        return await self._named(cards, TEXTS)

    async def found(self, criteria: Criteria) -> set[str] | None:
        """Whom the text index names for a search's words; None where there are no words."""
        if not criteria.text.strip():
            return None
        snapshot = await self._snapshot(criteria)
        return set() if snapshot is None else named_by(snapshot, criteria.text)

    async def _snapshot(self, criteria: Criteria) -> Snapshot | None:
        """The index at the read model's state; None while it is being loaded, for which a question of words waits."""
        if criteria.text.strip():
            await self.index.refresh()
            return self.index.snapshot
        return await self.index.fresh()

    def text_fields(self, creator_id: str, text: str) -> list[str]:
        """In which of a creator's texts the words of a question stand."""
        snapshot = self.index.snapshot
        return [] if snapshot is None else fields_of(snapshot, creator_id, text)

    async def _named(self, cards: Sequence[Card], fields: Sequence[str]) -> tuple[Card, ...]:
        wanted = [(card.creator_id, name) for card in cards for name in fields]
        async with self.database.reading() as connection:
            texts = await self.personal.open_many(connection, wanted)
        return tuple(
            _with_texts(card, {name: texts.get((card.creator_id, name), "") for name in fields}) for card in cards
        )


def reads_of(app: App) -> CreatorReads:
    """The questions of an app, the same for whoever asks: a process keeps one index."""
    if app not in _OF_APPS:
        index = Index(app.database, app.personal, getattr(app.settings, "search_file", None))
        _OF_APPS[app] = CreatorReads(app.database, app.personal, index)
    return _OF_APPS[app]


_OF_APPS: "WeakKeyDictionary[App, CreatorReads]" = WeakKeyDictionary()


async def listed_by_sql(
    connection: AsyncConnection, criteria: Criteria, at: datetime, after: Cursor | None, size: int, actor: Actor
) -> tuple[list[str], Cursor | None, int]:  # fmt: skip
    """A page by SQL: ids, where it ends, and how many match in all."""
    matched = matching(criteria, at, None, actor)
    query, order = ordered(matched, criteria.order)
    page = await order.read(connection, query, after, size)
    return [row["creator_id"] for row in page.rows], page.next, await _total(connection, matched)


async def _total(connection: AsyncConnection, matched: sa.Select[Any]) -> int:
    counted = await connection.execute(sa.select(sa.func.count()).select_from(matched.subquery()))
    return int(counted.scalar_one())


def _with_texts(card: Card, texts: Mapping[str, str]) -> Card:
    return replace(
        card,
        display_name=texts.get("display_name", ""),
        bio=texts.get("bio", ""),
        contact=texts.get("contact", ""),
    )


async def _cards(connection: AsyncConnection, ids: Sequence[str], at: datetime) -> list[Card]:
    """In the order of the ids."""
    rows = {
        row.creator_id: row
        for row in await connection.execute(sa.select(CREATORS).where(CREATORS.c.creator_id.in_(ids)))
    }
    records, brands = await _records(connection, ids), await _brands(connection, ids)
    return [_card(rows[one], records.get(one, {}), brands.get(one, ()), at) for one in ids if one in rows]


def _card(row: Any, records: Mapping[str, int], brands: tuple[str, ...], at: datetime) -> Card:
    suspended = row.suspended and (row.suspended_until is None or row.suspended_until > at)
    state = adapter(State).validate_json(row.state)
    return Card(
        row.creator_id,
        row.version,
        row.registered_at,
        row.changed_at,
        state,
        suspended,
        {name: records.get(name, 0) for name in RECORDS},
        brands,
        age_class=age_class(state.profile.birth_year if state.profile else None, at),
    )


async def _records(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Mapping[str, int]]:
    query = sa.select(CREATOR_RECORDS).where(CREATOR_RECORDS.c.creator_id.in_(ids))
    return {row["creator_id"]: dict(row) for row in (await connection.execute(query)).mappings()}


async def _brands(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Up to 50 brands each, the latest last."""
    brands = CREATOR_BRANDS.c
    latest = sa.func.max(brands.contracted_at)
    newest = sa.func.row_number().over(partition_by=brands.creator_id, order_by=[latest.desc(), brands.brand_id])
    ranked = (
        sa.select(brands.creator_id, brands.brand_id, newest.label("place"))
        .where(brands.creator_id.in_(ids))
        .group_by(brands.creator_id, brands.brand_id)
        .subquery()
    )
    query = sa.select(ranked).where(ranked.c.place <= BRANDS_LIMIT).order_by(ranked.c.creator_id, ranked.c.place.desc())
    found: dict[str, tuple[str, ...]] = {}
    for row in await connection.execute(query):
        found[row.creator_id] = (*found.get(row.creator_id, ()), row.brand_id)
    return found
