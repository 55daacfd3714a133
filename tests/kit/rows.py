"""Inline rows for tests of Deciders and folds that read none."""

from typing import TypeVar

from kernel.core.decider import InlineTable, Key

R = TypeVar("R")


class NoRows:
    """Fails the test that asks for a row: the Decider or the fold should not read any."""

    def get(self, table: InlineTable[R], key: Key) -> R | None:
        raise LookupError(f"{table.name}{key} was not named by reads()")

    def find(self, table: InlineTable[R], **columns: str) -> R | None:
        raise LookupError(f"{table.name}: only a fold of the whole log finds {columns}")
