"""The order in which people read a text: directional overrides (UAX 9) turn what stands between them round.

Only overrides matter here: Chinese and Latin letters keep their own direction inside embeddings and isolates.
"""

from collections.abc import Sequence
from itertools import groupby

RIGHT_TO_LEFT, LEFT_TO_RIGHT = "\u202e", "\u202d"
OPENING = frozenset("\u202a\u202b\u2066\u2067\u2068")
CLOSING = frozenset("\u202c\u2069")
LINE_ENDS = frozenset("\n\r\u2029")
DEEPEST = 8
"""Overrides inside overrides beyond this many are read as the last of them: nobody could read such a text."""


def reading_order(original: str) -> Sequence[int]:
    """The indices of the characters as they are read; as they stand unless there is an override."""
    if RIGHT_TO_LEFT not in original:
        return range(len(original))
    levels = _levels(original)
    order = list(range(len(original)))
    for level in range(max(levels), 0, -1):
        order = _turned(order, levels, level)
    return order


def _levels(original: str) -> list[int]:
    """For each character how often its direction was turned, odd for right to left."""
    levels, stack = [], [0]
    for character in original:
        level = stack[-1]
        if character in LINE_ENDS:
            stack, level = [0], 0
        elif character in CLOSING:
            stack = stack[:-1] or stack
        elif character == RIGHT_TO_LEFT:
            stack.append(min(level + 1 + level % 2, DEEPEST - 1))
        elif character == LEFT_TO_RIGHT or character in OPENING:
            stack.append(min(level + level % 2, DEEPEST))
        levels.append(level)
    return levels


def _turned(order: Sequence[int], levels: Sequence[int], level: int) -> list[int]:
    """Every run of characters of at least this level, reversed."""
    turned: list[int] = []
    for at_least, run in groupby(order, key=lambda index: levels[index] >= level):
        found = list(run)
        turned += reversed(found) if at_least else found
    return turned
