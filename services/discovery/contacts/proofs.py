"""Proofs of a creator's accounts as read: for itself with the codes, for staff without."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from kernel.core.decider import Actor
from kernel.core.faults import NotFound
from kernel.core.ids import checked_id
from kernel.host.app import App
from kernel.processors.access import may_read, reading_as
from services.discovery.tables.proofs import PROOFS


async def proofs_of(app: App, creator_id: str, actor: Actor) -> tuple[Sequence[Any], Mapping[str, str]]:
    """The rows by platform, and the standing codes by platform; raises NotFound `creator.not_found` for strangers."""
    checked_id(creator_id)
    itself = actor.tenant == creator_id
    if not itself and actor.roles.isdisjoint({"operator", "auditor"}):
        raise NotFound("creator.not_found")
    query = sa.select(PROOFS).where(PROOFS.c.creator_id == creator_id, may_read(PROOFS, actor))
    async with reading_as(app.database, app.service.name, actor) as connection:
        rows = (await connection.execute(query.order_by(PROOFS.c.platform))).mappings().all()
    standing = [row["platform"] for row in rows if itself and row["state"] != "accepted"]
    async with app.database.reading() as connection:
        texts = await app.personal.open_many(connection, [(creator_id, f"proof.{one}") for one in standing])
    return rows, {one: texts.get((creator_id, f"proof.{one}"), "") for one in standing}
