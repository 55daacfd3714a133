"""Positions of a subscriber, and stores for them. Any object with `load` and `save` is a store, e.g. over a table of your own."""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dandelion_contracts.errors import BadPositions
from dandelion_contracts.source import TopicPartition


@dataclass(frozen=True, slots=True)
class Position:
    """Position in one partition: the offset to read next, and the log position of the last event done.

    Of raw engagement `last_position` is the number of rows done of the envelope at `next_offset`: it may be inside one.
    Of events it is None after a start in the middle of a topic, until the first record there tells it.
    """

    next_offset: int
    last_position: int | None


Positions = Mapping[TopicPartition, Position]


class PositionStore(Protocol):
    """Store of one subscriber's positions. To apply each event exactly once, store `event.after` in your own transaction."""

    async def load(self) -> Positions:
        """All stored positions; empty for a new subscriber."""

    async def save(self, positions: Positions) -> None:
        """Replaces the positions of the given partitions and leaves the others."""


async def begin_again(store: PositionStore, topic: str) -> None:
    """Restarts the subscriber at the topic's beginning, after the topic was recreated and republished (PositionLost).

    Events that were done before are skipped. For event topics only: raw engagement has no log to republish it from.
    """
    stored = await store.load()
    await store.save({place: Position(0, each.last_position) for place, each in stored.items() if place[0] == topic})


class MemoryPositions:
    """Store in memory: its positions are lost when the process ends."""

    def __init__(self, positions: Positions | None = None) -> None:
        self.positions: dict[TopicPartition, Position] = dict(positions or {})

    async def load(self) -> Positions:
        return dict(self.positions)

    async def save(self, positions: Positions) -> None:
        self.positions.update(positions)


class FilePositions:
    """JSON file `{topic: {partition: [next_offset, last_position]}}`, replaced atomically and durably. For one process."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._known: dict[TopicPartition, Position] = {}

    async def load(self) -> Positions:
        self._known = await asyncio.to_thread(self._read)
        return dict(self._known)

    async def save(self, positions: Positions) -> None:
        self._known.update(positions)
        await asyncio.to_thread(self._write, dict(self._known))

    def _read(self) -> dict[TopicPartition, Position]:
        if not self.path.exists():
            return {}
        try:
            return _parsed(json.loads(self.path.read_text()))
        except (ValueError, TypeError, AttributeError) as error:
            raise BadPositions(f"{self.path} does not hold positions: {error}") from error

    def _write(self, positions: Positions) -> None:
        stored: dict[str, dict[str, list[int | None]]] = {}
        for (topic, partition), position in sorted(positions.items()):
            stored.setdefault(topic, {})[str(partition)] = [position.next_offset, position.last_position]
        fresh = self.path.with_name(self.path.name + ".new")
        with fresh.open("w") as file:
            json.dump(stored, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        _sync_folder(self.path.parent)


def _parsed(stored: dict[str, dict[str, Any]]) -> dict[TopicPartition, Position]:
    return {
        (topic, int(partition)): Position(_offset(next_offset), None if last is None else _offset(last))
        for topic, partitions in stored.items()
        for partition, (next_offset, last) in partitions.items()
    }


def _offset(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not an offset")
    return value


def _sync_folder(folder: Path) -> None:
    """Flushes the folder to disk, which makes the rename durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
