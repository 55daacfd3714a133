"""Writes the read model of creators from discovery's own log: profiles, labels, prices.

No clock, random or float: a rebuild gives the same bytes. What is personal stands here as long as the person's key does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from kernel.core.canonical import canonical
from kernel.core.codec import adapter
from kernel.core.events import Delivered
from kernel.core.ids import PUBLIC, split_stream
from kernel.core.personal import ErasureDone
from kernel.processors.projector import Target
from services.discovery.domain.audience import DIMENSIONS
from services.discovery.domain.creator import CREATOR
from services.discovery.domain.events import (
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    AudienceReported,
    CreatorForgotten,
    CreatorProfileChanged,
    CreatorRegistered,
    RateCardChanged,
)
from services.discovery.domain.state import INITIAL, State, Status, evolve
from services.discovery.domain.tiers import tier_of
from services.discovery.search.lookalikes import looks_of
from services.discovery.search.words import normal
from services.discovery.tables.audience_shares import CREATOR_SHARES
from services.discovery.tables.creators import CREATOR_LABELS, CREATOR_PRICES, CREATORS

Row = dict[str, Any]
RELABELS = (
    CreatorRegistered, CreatorProfileChanged, AccountLinked, AccountRenamed, AccountVerified, RateCardChanged, CreatorForgotten,
)  # fmt: skip
DELETE_AT_ONCE = 5_000


async def apply_creators(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Folds events of `creator-` streams with the domain's own `evolve`; rewrites labels and prices where they changed.

    CreatorForgotten takes what is personal out of a row; ErasureDone does so for creators erased before there was that event.
    """
    own = [
        one for one in events if split_stream(one.stream)[0] == CREATOR.category or isinstance(one.event, ErasureDone)
    ]
    stored = await target.rows(CREATORS, ((creator_of(incoming),) for incoming in own))
    rows = {key[0]: row for key, row in stored.items()}
    states = {creator_id: adapter(State).validate_json(row["state"]) for creator_id, row in rows.items()}
    for incoming in own:
        creator_id = creator_of(incoming)
        if not isinstance(incoming.event, ErasureDone):
            states[creator_id] = evolve(states.get(creator_id, INITIAL), incoming.event)
            rows[creator_id] = _stamped(rows.get(creator_id), incoming)
        elif creator_id in states:
            states[creator_id] = _forgotten(states[creator_id])
            rows[creator_id] |= {"position": incoming.position, "changed_at": incoming.at}
    await target.upsert(
        CREATORS,
        [
            rows[creator_id] | searched(state) | {"state": canonical(state).decode(), "readers": [PUBLIC]}
            for creator_id, state in states.items()
        ],
    )
    relabelled = {creator_of(incoming) for incoming in own if isinstance(incoming.event, RELABELS)}
    await _rewrite(target, CREATOR_LABELS, relabelled, (row for one in relabelled for row in labels(one, states[one])))
    measured = {creator_of(incoming) for incoming in own if isinstance(incoming.event, AudienceReported)}
    await _rewrite(target, CREATOR_SHARES, measured, (row for one in measured for row in shares(one, states[one])))
    repriced = {creator_of(incoming) for incoming in own if isinstance(incoming.event, RateCardChanged)}
    await _rewrite(target, CREATOR_PRICES, repriced, (row for one in repriced for row in prices(one, states[one])))


def creator_of(incoming: Delivered[Any]) -> str:
    """Whose row an event changes."""
    forgotten = isinstance(incoming.event, ErasureDone)
    return str(incoming.event.subject_id) if forgotten else split_stream(incoming.stream)[1]


def _forgotten(state: State) -> State:
    if state.profile is None:
        return state
    return replace(
        state, profile=replace(state.profile, display_name_revision="", bio_revision="", contact_revision="")
    )


def _stamped(row: Row | None, incoming: Delivered[Any]) -> Row:
    return {
        "creator_id": creator_of(incoming),
        "version": incoming.version,
        "position": incoming.position,
        "registered_at": row["registered_at"] if row else incoming.at,
        "changed_at": incoming.at,
    }


def searched(state: State) -> Row:
    """The columns that searches filter and sort by."""
    followers = state.largest_followers()
    return {
        "followers": followers,
        "tier": tier_of(followers).value,
        "availability": state.availability.availability.value if state.availability else "",
        "engagement_rate_bps": state.engagement_rate_bps(),
        "suspended": state.status is Status.SUSPENDED,
        "suspended_until": state.suspension.until if state.suspension else None,
    }


async def _rewrite(target: Target, table: sa.Table, creators: Iterable[str], rows: Iterable[Row]) -> None:
    """All rows of the given creators anew."""
    gone, physical = sorted(creators), target[table]
    for start in range(0, len(gone), DELETE_AT_ONCE):
        named = physical.c.creator_id.in_(gone[start : start + DELETE_AT_ONCE])
        await target.connection.execute(sa.delete(physical).where(named))
    await target.upsert(table, list(rows))


def labels(creator_id: str, state: State) -> Iterable[Row]:
    """Everything a creator is found by exactly; a second-level category and a city count for their wider ones too.

    Tags and places are free texts: they are folded as a question's are.
    """
    found = _said(state) | {("verified", platform.value) for platform in state.verified}
    if state.card is not None and state.card.commission_bps is not None:
        found.add(("commission", "yes"))
    return [{"creator_id": creator_id, "kind": kind, "value": value} for kind, value in sorted(found)]


def _said(state: State) -> set[tuple[str, str]]:
    """What a creator says of itself, by kind. Of a birth year the decade is known to searches, no more."""
    profile = state.profile
    if profile is None:
        return set()
    found = {("platform", account.platform.value) for account in state.accounts}
    found |= {("looks", looks_of(account)) for account in state.accounts}
    found |= {("handle", normal(account.handle)) for account in state.accounts}
    found |= {("tag", normal(tag)) for tag in profile.tags} | {("language", language) for language in profile.languages}
    found |= {("category", part) for category in profile.categories for part in (category, category.partition("/")[0])}
    place = ""
    for part in filter(None, (profile.country, profile.province, profile.city)):
        place = f"{place}/{part}" if place else part
        found.add(("location", normal(place)))
    told = {
        "gender": profile.gender.value,
        "agency": profile.agency_id,
        "generation": f"{profile.birth_year // 10 * 10}s" if profile.birth_year else "",
        "virtual_human": "yes" if profile.virtual_human else "",
    }
    return found | {(kind, value) for kind, value in told.items() if value}


QUALITY = {"active": "active_bps", "read": "read_bps", "engaged": "engaged_bps", "paying": "paying_bps"}
"""Shares of followers by what they do."""


def shares(creator_id: str, state: State) -> Iterable[Row]:
    """The latest report on each population, a row per share. Names are free texts, folded as a question's are."""
    for audience in state.audiences:
        told = {(DIMENSIONS[name], normal(one.name)): one.bps for name in DIMENSIONS for one in getattr(audience, name)}
        told |= {
            ("quality", name): bps for name, field in QUALITY.items() if (bps := getattr(audience, field)) is not None
        }
        for (dimension, value), bps in sorted(told.items()):
            row = {"creator_id": creator_id, "population": audience.kind.value, "dimension": dimension}
            yield row | {"value": value, "share_bps": bps}


def prices(creator_id: str, state: State) -> Iterable[Row]:
    """The formats that are for sale."""
    card = state.card
    if card is None:
        return []
    return [
        {
            "creator_id": creator_id,
            "format": price.format.value,
            "currency": card.currency,
            "price_minor": price.price_minor,
            "next_minor": price.next_minor,
            "next_from": price.next_from,
        }
        for price in card.prices
        if price.format not in card.closed
    ]
