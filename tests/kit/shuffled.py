"""A bus whose readers bring partitions in a random order, a few records at a time: what a rebuild may meet on any day."""

import random
from collections.abc import Mapping, Sequence

from kernel.adapters.bus import Bus, BusRecord, Producer, Reader, TopicPartition

MOST_RECORDS = 50


class Shuffled:
    """The order depends on the seed alone. Within a partition it is kept, as every bus keeps it."""

    def __init__(self, bus: Bus, seed: int) -> None:
        self._bus, self._random = bus, random.Random(seed)

    async def reader(self, positions: Mapping[TopicPartition, int], group: str) -> "ShuffledReader":
        readers = {where: await self._bus.reader({where: offset}, group) for where, offset in positions.items()}
        return ShuffledReader(readers, self._random)

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        await self._bus.ensure_topics(topics)

    async def producer(self) -> Producer:
        return await self._bus.producer()

    async def end_offsets(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        return await self._bus.end_offsets(topics)

    async def remake_topics(self, topics: Mapping[str, int]) -> None:
        await self._bus.remake_topics(topics)

    async def close(self) -> None:
        await self._bus.close()


class ShuffledReader:
    """One reader per partition; each read asks them in another order until one has something."""

    def __init__(self, readers: Mapping[TopicPartition, Reader], order: random.Random) -> None:
        self._readers, self._random = readers, order

    async def read(self, limit: int, wait_s: float) -> dict[TopicPartition, list[BusRecord]]:
        for where in self._random.sample(sorted(self._readers), len(self._readers)):
            few = min(limit, self._random.randint(1, MOST_RECORDS))
            if found := await self._readers[where].read(few, 0):
                return found
        last = next(iter(self._readers.values()))
        return await last.read(limit, wait_s)

    async def end_offsets(self) -> dict[TopicPartition, int]:
        ends: dict[TopicPartition, int] = {}
        for reader in self._readers.values():
            ends |= await reader.end_offsets()
        return ends

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Nothing looks at the lag of a shuffled reader."""

    async def close(self) -> None:
        for reader in self._readers.values():
            await reader.close()
