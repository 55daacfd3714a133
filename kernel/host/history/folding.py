"""Folding a projection in memory: the rows that some events alone make, for the state of one thing at a past moment."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from kernel.core.decider import Key
from kernel.core.events import Delivered
from kernel.processors.projector import Target

Apply = Callable[[Target, Sequence[Delivered[Any]]], Awaitable[None]]
Row = dict[str, Any]


class MemoryTarget(Target):
    """Target of a projection that keeps rows in memory, under the keys of their tables. Projections that write SQL of their own
    cannot be folded so."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[Key, Row]] = {}

    async def upsert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, add: Sequence[str] = ()) -> None:
        kept, names = self.kept(table), [column.name for column in table.primary_key.columns]
        for row in rows:
            key = tuple(row[name] for name in names)
            before = kept.get(key, {})
            kept[key] = {**before, **row, **{name: before.get(name, 0) + row[name] for name in add}}

    async def rows(self, table: sa.Table, keys: Iterable[Key]) -> dict[Key, Row]:
        kept = self.kept(table)
        return {key: dict(kept[key]) for key in set(keys) if key in kept}

    async def delete(self, table: sa.Table, keys: Iterable[Key]) -> None:
        for key in keys:
            self.kept(table).pop(key, None)

    def kept(self, table: sa.Table) -> dict[Key, Row]:
        """The rows of a table as they are now, by primary key."""
        return self._kept.setdefault(table.name, {})


async def folded(apply: Apply, events: Sequence[Delivered[Any]]) -> MemoryTarget:
    """What a projection's `apply` makes of these events, and of nothing else."""
    made = MemoryTarget()
    await apply(made, events)
    return made
