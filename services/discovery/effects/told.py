"""What effects share: sealed texts of a creator, and the metadata of what an effect records."""

from typing import Any

from kernel.adapters.vault.personal import SubjectKey
from kernel.core.decider import Actor, Meta
from kernel.core.events import Delivered
from kernel.core.ids import derived_id
from kernel.host.app import App
from kernel.processors.processes import SYSTEM


def meta(incoming: Delivered[Any], what: str) -> Meta:
    """Of a command that follows from an intent: the same for each try."""
    actor = Actor("effect:discovery", "platform", SYSTEM)
    return Meta(derived_id(what, incoming.id), actor, "", incoming.correlation, incoming.id, incoming.traceparent)


async def opened(app: App, creator_id: str, *names: str) -> tuple[tuple[str, ...], SubjectKey | None]:
    """Sealed texts of the creator as they stand at one moment, and its key; "" and None where they were erased.

    Texts that belong together, as an address and the code that goes to it, are asked for in one call: one query reads them, so
    none of them is of another moment than the others.
    """
    async with app.database.reading() as connection:
        texts = await app.personal.open_many(connection, [(creator_id, name) for name in names])
        keys = await app.personal.keys(connection, [creator_id])
    return tuple(texts.get((creator_id, name), "") for name in names), keys.get(creator_id)
