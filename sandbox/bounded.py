"""A dictionary that forgets its oldest entry when it is full: the stand-ins run for days in bounded memory."""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")
LIMIT = 100_000


class Bounded(Generic[V]):
    """At most `limit` entries, in order of arrival."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, V] = OrderedDict()

    def get(self, key: str) -> V | None:
        return self._kept.get(key)

    def put(self, key: str, value: V) -> None:
        self._kept[key] = value
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)

    def values(self) -> list[V]:
        return list(self._kept.values())
