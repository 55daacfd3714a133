"""The position guard: repeats are skipped, holes are seen. Pure; it ships in the contracts wheel too.

A relay sends in position order and a zombie relay can only repeat, so per (consumer, source, partition) two numbers are all
the memory that exactly-once needs: the next offset and the position of the last event applied.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Positioned(Protocol):
    """A record of an event topic: its offset, `ce_position`, and `ce_previous` (the message before it in the partition)."""

    @property
    def offset(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def previous(self) -> int: ...


P = TypeVar("P", bound=Positioned)


@dataclass(frozen=True, slots=True)
class Admitted(Generic[P]):
    """What to apply, in order, and where the guard stands afterwards."""

    fresh: list[P]
    next_offset: int
    last_position: int
    held: int = 0
    """Records of this batch behind a hole: not applied, and still expected again from the relay."""
    hole: int | None = None
    """Offset of the first record behind a hole that is still open after the batch."""


@dataclass(slots=True)
class Guard:
    """Where a consumer stands in one partition. Start: offset 0 with last_position 0, or a chosen later offset with
    last_position = `ce_previous` of the record there."""

    next_offset: int = 0
    last_position: int = 0
    hole: int | None = field(default=None)
    """Offset of the first record behind an open hole; a restart reads from there again."""

    def admit(self, records: Sequence[P]) -> Admitted[P]:
        """Sorts a batch into fresh, repeated and held; changes nothing until `move`."""
        fresh: list[P] = []
        next_offset, last, hole, held = self.next_offset, self.last_position, self.hole, 0
        for record in records:
            if record.offset < self.next_offset or record.position <= last:
                next_offset = max(next_offset, record.offset + 1)
            elif record.previous != last:
                hole, held = record.offset if hole is None else hole, held + 1
            else:
                fresh.append(record)
                last, hole, held = record.position, None, 0
                next_offset = record.offset + 1
        return Admitted(fresh, next_offset if hole is None else hole, last, held, hole)

    def move(self, admitted: Admitted[P]) -> None:
        self.next_offset, self.last_position = admitted.next_offset, admitted.last_position
        self.hole = admitted.hole
