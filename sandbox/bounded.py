"""A dictionary that forgets its oldest entry when it is full: the stand-ins run for days in bounded memory."""

from collections import OrderedDict
from typing import Generic, TypeVar

from sandbox.store import Shelf

V = TypeVar("V")
LIMIT = 100_000


class Bounded(Generic[V]):
    """At most `limit` entries, in order of arrival; those of the shelf, if there is one, to begin with."""

    def __init__(self, limit: int = LIMIT, shelf: Shelf[V] | None = None) -> None:
        self._limit, self._shelf = limit, shelf
        self._kept: OrderedDict[str, V] = OrderedDict(shelf.all() if shelf else ())

    def get(self, key: str) -> V | None:
        return self._kept.get(key)

    def put(self, key: str, value: V) -> None:
        self._kept[key] = value
        if self._shelf:
            self._shelf.put(key, value)
        while len(self._kept) > self._limit:
            oldest, _ = self._kept.popitem(last=False)
            if self._shelf:
                self._shelf.drop(oldest)

    def values(self) -> list[V]:
        return list(self._kept.values())

    def newest_key(self) -> str:
        """ "" while there is none."""
        return next(reversed(self._kept), "")
