"""Opening of a projector's transaction on PostgreSQL: the lock, the guards' move and the usual checks in one round trip."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Entry, GuardMove
from kernel.adapters.postgres.driver import INDEXES_ONLY, array_literal, literal

_MOVE = """
UPDATE guards AS g SET next_offset = u.next_offset, last_position = u.last_position
FROM unnest(CAST({} AS text[]), CAST({} AS int[]), CAST({} AS bigint[]), CAST({} AS bigint[]), CAST({} AS bigint[]),
CAST({} AS bigint[])) AS u(source, partition, from_offset, from_position, next_offset, last_position)
WHERE g.consumer = {consumer} AND g.source = u.source AND g.partition = u.partition
AND g.next_offset = u.from_offset AND g.last_position = u.from_position
"""
MOVE_BOUND = sa.text(_MOVE.format(*[f":{name}" for name in "abcdef"], consumer=":consumer"))
"""With arrays `a` to `f`, the columns of a GuardMove."""


def opening(name: str, entry: Entry | None) -> str:
    """The lock, then the entry as a statement of its own, which sees the commit of the lock's last holder."""
    return locking(name) if entry is None else f"{locking(name)}; {entering(entry)}"


def locking(name: str) -> str:
    """Locks the name: replicas own different partitions, but may fold into the same row.

    The commit does not wait for the disk: a crash loses rows and guard alike, and the events are read once more.
    """
    return (
        f"SET LOCAL synchronous_commit = off; SET LOCAL {INDEXES_ONLY}; "
        f"SELECT pg_advisory_xact_lock(hashtextextended({literal(name)}, 0))"
    )


def entering(entry: Entry) -> str:
    """Moves the guards if this generation is live and no key is parked. If fewer moved, the caller checks each condition."""
    return (
        f"{moving(entry)} AND NOT EXISTS (SELECT FROM parked WHERE consumer = {literal(entry.consumer)}) "
        f"AND NOT EXISTS (SELECT FROM projections WHERE name = {literal(entry.projection)} "
        f"AND generation > {entry.generation})"
    )


def moving(entry: Entry) -> str:
    """The guards' compare-and-set as a statement of literals; it ends with its WHERE."""
    return _MOVE.format(*map(array_literal, columns_of(entry.moves)), consumer=literal(entry.consumer))


def columns_of(moves: Sequence[GuardMove]) -> list[list[Any]]:
    return [list(column) for column in zip(*moves, strict=True)]
