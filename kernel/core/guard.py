"""Position guard: skips repeated records and detects missing ones. Pure; the contracts wheel ships a copy of this file.

A relay sends in order of position, and a zombie relay can only repeat. Therefore two numbers per (consumer, source,
partition) are enough for exactly-once: the next offset, and the position of the last event applied.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Positioned(Protocol):
    """A record of an event topic: its offset, its `ce_position`, and `ce_previous` (the position before it in the partition)."""

    @property
    def offset(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def previous(self) -> int: ...


P = TypeVar("P", bound=Positioned)


@dataclass(frozen=True, slots=True)
class Admitted(Generic[P]):
    """Result of admitting a batch: the records to apply, in order, and the guard's state afterwards."""

    fresh: list[P]
    next_offset: int
    last_position: int
    held: int = 0
    """Count of records behind a hole: they are not applied, and the relay is expected to send them again."""
    hole: int | None = None
    """Offset of the first record behind a hole, when the hole is still open after the batch."""


@dataclass(slots=True)
class Guard:
    """Guard of a consumer in one partition.

    It starts at offset 0 with last_position 0, or at a chosen later offset with last_position = `ce_previous` of the
    record there.
    """

    next_offset: int = 0
    last_position: int = 0
    hole: int | None = field(default=None)
    """Offset of the first record behind an open hole; after a restart the consumer reads from it again."""

    def admit(self, records: Sequence[P]) -> Admitted[P]:
        """Sorts a batch into fresh, repeated and held records. The guard itself changes only by `move`."""
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
        """Moves the guard behind an admitted batch."""
        self.next_offset, self.last_position = admitted.next_offset, admitted.last_position
        self.hole = admitted.hole
