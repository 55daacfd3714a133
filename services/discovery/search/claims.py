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
from services.discovery.tables import CREATOR_LABELS, CREATORS

ALIKE_LIMIT = 20
"""So many creators with handles that look the same are looked at."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`lost`: another creator was verified for the handle. `looks_like`: other handles that look the same."""

    lost: bool = False
    looks_like: tuple[str, ...] = ()


UNSEEN = Standing()


async def claims_of(database: Database, creator_id: str, accounts: Sequence[Account]) -> Mapping[Account, Standing]:
    """Of all accounts of one creator, in two queries."""
    if not accounts:
        return {}
    verified: Any = database.metadata.tables["verified_handles"].c
    places = [(account.platform.value, account.handle) for account in accounts]
    held = sa.select(verified.platform, verified.handle).where(
        sa.tuple_(verified.platform, verified.handle).in_(places), verified.creator_id != creator_id
    )
    labels = CREATOR_LABELS.c
    alike = sa.select(labels.creator_id).where(
        labels.kind == "looks", labels.value.in_(sorted(map(looks_of, accounts))), labels.creator_id != creator_id
    )
    others = sa.select(CREATORS.c.state).where(CREATORS.c.creator_id.in_(alike.limit(ALIKE_LIMIT)))
    async with database.reading() as connection:
        lost = {(row[0], row[1]) for row in await connection.execute(held)}
        states = [adapter(State).validate_json(text) for text in (await connection.execute(others)).scalars()]
    return {one: Standing((one.platform.value, one.handle) in lost, _alike(one, states)) for one in accounts}


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
