"""Engagement as both rows measure it: the same observations as columnar envelopes and as single events, on two topics."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
from dandelion.metrics.v1 import events_pb2 as pb

from kernel.adapters.bus import PARTITIONS, Message, TopicPartition
from kernel.adapters.kafka import KafkaBus
from kernel.core.ids import derived_id, partition_of
from services.metrics.domain.engagement import Batch, Envelope, Kind, Provenance, Traffic, split
from services.metrics.publish import envelope_message
from services.metrics.subscribe import ENGAGEMENT

SINGLES = "bench.engagement.single.v1"
TENANT = "tenant-1"
CONTENTS, METRICS, MINUTES = 300, 4, 10
"""Up to 12,000 sums: contents of a busy campaign in ten minutes."""
START_MS = 1_780_000_020_000
RECEIVED_AT = datetime(2026, 6, 1, tzinfo=UTC)
BATCH_ROWS = 60_000
SEND_S = 60.0


def batch(number: int, rows: int) -> Batch:
    """Increments of random contents and metrics; the same for the same number."""
    dice = np.random.default_rng(number)

    def all_of(code: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        return np.full(rows, code, dtype=np.int64)

    return Batch(
        tuple(derived_id("content", str(n)) for n in range(CONTENTS)),
        dice.integers(0, CONTENTS, rows), 1 + dice.integers(0, METRICS, rows), all_of(Kind.INCREMENT),
        all_of(Traffic.ORGANIC), all_of(Provenance.PLATFORM), START_MS + dice.integers(0, MINUTES * 60_000, rows),
        1 + dice.integers(0, 3, rows),
    )  # fmt: skip


def envelopes(events: int) -> Iterator[Envelope]:
    for number, start in enumerate(range(0, events, BATCH_ROWS)):
        yield from split(batch(number, min(BATCH_ROWS, events - start)), TENANT, f"batch-{number}")


def singles(events: int) -> Iterator[tuple[int, Message]]:
    """Each row of the envelopes as the message that the subscriber helper yields, with its partition."""
    for envelope in envelopes(events):
        rows = envelope.rows
        for row in range(len(rows)):
            content = rows.contents[rows.content[row]]
            message = pb.EngagementRecorded(
                envelope_id=envelope.id, row=row, tenant=TENANT, batch_id=envelope.batch_id, content_id=content,
                metric=pb.Metric.ValueType(int(rows.metric[row])), value=int(rows.value[row]),
                kind=pb.OBSERVATION_KIND_INCREMENT,
            )  # fmt: skip
            message.observed_at.FromMilliseconds(int(rows.at[row]))
            yield partition_of(content, PARTITIONS), Message(content.encode(), message.SerializeToString())


async def publish(bus: KafkaBus, events: int, single_events: int) -> None:
    """Fills both topics."""
    await bus.ensure_topics({ENGAGEMENT.name: PARTITIONS, SINGLES: PARTITIONS})
    messages = ((each.partition, envelope_message(each, RECEIVED_AT, {})) for each in envelopes(events))
    await _send(bus, ENGAGEMENT.name, messages, 1_000)
    await _send(bus, SINGLES, singles(single_events), 20_000)


async def _send(bus: KafkaBus, topic: str, messages: Iterator[tuple[int, Message]], at_once: int) -> None:
    producer = await bus.producer()
    batches: dict[TopicPartition, list[Message]] = {}
    for count, (partition, message) in enumerate(messages, start=1):
        batches.setdefault((topic, partition), []).append(message)
        if count % at_once == 0:
            await producer.send(batches, SEND_S)
            batches = {}
    await producer.send(batches, SEND_S)
    await producer.close()
