"""How a creator's claims to its handles stand: which are lost to another's verification, and whose handles look the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.codec import adapter
from services.discovery.domain.profile import Account
from services.discovery.domain.state import State
from services.discovery.search.lookalikes import looks_of
from services.discovery.tables.creators import CREATOR_LABELS, CREATORS

ALIKE_LIMIT = 20
"""So many creators with handles that look the same are looked at, first those with a verified account: whoever registers many
look-alikes hides none of these."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`lost`: another creator was verified for the handle, or was renamed to it since this one was. `looks_like`: other handles
    that look the same."""

    lost: bool = False
    looks_like: tuple[str, ...] = ()


UNSEEN = Standing()


async def claims_of(database: Database, creator_id: str, state: State) -> Mapping[Account, Standing]:
    """Of all accounts of one creator, in two queries."""
    accounts = state.accounts
    if not accounts:
        return {}
    verified: Any = database.metadata.tables["verified_handles"].c
    places = [(account.platform.value, account.handle) for account in accounts]
    held = sa.select(verified.platform, verified.handle, verified.creator_id).where(
        sa.tuple_(verified.platform, verified.handle).in_(places)
    )
    labels = CREATOR_LABELS.c
    alike = sa.select(labels.creator_id).where(
        labels.kind == "looks", labels.value.in_(sorted(map(looks_of, accounts))), labels.creator_id != creator_id
    )
    proven = sa.exists().where(verified.creator_id == labels.creator_id)
    alike = alike.order_by(proven.desc(), labels.creator_id).limit(ALIKE_LIMIT)
    others = sa.select(CREATORS.c.state).where(CREATORS.c.creator_id.in_(alike))
    async with database.reading() as connection:
        holders = {(row[0], row[1]): row[2] for row in await connection.execute(held)}
        states = [adapter(State).validate_json(text) for text in (await connection.execute(others)).scalars()]
    return {one: Standing(_lost(one, creator_id, state, holders), _alike(one, states)) for one in accounts}


async def lost_by(database: Database, states: Mapping[str, State]) -> Mapping[str, Mapping[Account, Standing]]:
    """Of several creators, by id: the accounts that they were verified for and whose handles they have lost. One query."""
    proven = {
        one: [account for account in state.accounts if account.platform in state.verified]
        for one, state in states.items()
        if state.verified
    }
    if not proven:
        return {}
    verified: Any = database.metadata.tables["verified_handles"].c
    query = sa.select(verified.creator_id, verified.platform, verified.handle).where(verified.creator_id.in_(proven))
    async with database.reading() as connection:
        held = {(row[0], row[1], row[2]) for row in await connection.execute(query)}
    return {
        one: {each: Standing(lost=True) for each in accounts if (one, each.platform.value, each.handle) not in held}
        for one, accounts in proven.items()
    }


def _lost(account: Account, creator_id: str, state: State, holders: Mapping[tuple[str, str], str]) -> bool:
    """Held by another, or by nobody any more though this creator was verified for it."""
    holder = holders.get((account.platform.value, account.handle), "")
    return holder != creator_id if holder else account.platform in state.verified


def _alike(account: Account, others: Sequence[State]) -> tuple[str, ...]:
    """Verified handles first: they are whom a look-alike would be taken for."""
    looks = looks_of(account)
    found = {
        (one.platform not in state.verified, one.handle)
        for state in others
        for one in state.accounts
        if one.handle != account.handle and looks_of(one) == looks
    }
    return tuple(dict.fromkeys(handle for _, handle in sorted(found)))
