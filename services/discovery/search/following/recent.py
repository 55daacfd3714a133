"""Whom the index of a process took in lately, for those who ask it again and again: they ask of these alone."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

LIMIT = 5_000
"""Creators that are remembered. When more than these changed, everybody may have."""


@dataclass(slots=True)
class Recent:
    """`turn` counts what was taken in, from 1."""

    turn: int = 0
    _taken: deque[tuple[int, Sequence[str]]] = field(default_factory=deque)
    _held: int = 0

    def note(self, changed: Sequence[str]) -> None:
        """These creators were taken in."""
        self.turn += 1
        self._taken.append((self.turn, changed))
        self._held += len(changed)
        while self._held > LIMIT:
            self._held -= len(self._taken.popleft()[1])

    def reset(self) -> None:
        """Everybody was taken in."""
        self.turn += 1
        self._taken.clear()
        self._held = 0

    def since(self, turn: int) -> frozenset[str] | None:
        """Who was taken in after that turn; None where everybody may have been."""
        if turn == self.turn:
            return frozenset()
        if not self._taken or turn < self._taken[0][0] - 1:
            return None
        return frozenset(one for at, ids in self._taken if at > turn for one in ids)
