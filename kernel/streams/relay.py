"""Relay: sends the log's events to topics; the log is the outbox.

A round reads events behind the checkpoint, sends one batch per partition, and then moves the checkpoint. A lease elects one
relay. The checkpoint's compare-and-set fences a second relay, which can only send repeats. After any send error the relay
closes the producer, opens a new one, and starts the round again at the checkpoint.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.adapters.bus import MAX_MESSAGE_BYTES, PARTITIONS, Bus, Message, Producer, TopicPartition
from kernel.adapters.leases import Leases
from kernel.core.codec import Codec, delivered
from kernel.core.events import Delivered, Recorded
from kernel.core.faults import BUGS, Fault, Internal, Poison, Unavailable
from kernel.core.ids import derived_id, partition_of
from kernel.eventlog.log import StoredLog
from kernel.runtime import telemetry
from kernel.runtime.health import Watchdog
from kernel.runtime.wakeup import wait
from kernel.streams.tail import LogTail

logger = logging.getLogger(__name__)

SEND_DEADLINE_S = 15.0
HALT_S = 30.0
UNSENDABLE = (Poison, Internal, *BUGS)
"""Errors of an event that is too large, cannot be decoded, or that `publish` fails on. Skipping it would leave a hole."""
ROUND_EVENTS = 4_000
POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """The public form of an event of a published stream: `type` is the protobuf message's full name."""

    type: str
    value: bytes


@dataclass(frozen=True, slots=True)
class OutgoingCommand:
    """A command to another service (or this one): `key` is the id of the target's stream; it decides the partition."""

    target: str
    key: str
    type: str
    value: bytes


Publish = Callable[[Delivered[Any]], Sequence[PublicEvent | OutgoingCommand]]
"""Pure: decides the form, never whether or where. A published stream's event gives exactly one PublicEvent."""


@dataclass(slots=True)
class Checkpoint:
    """The last position sent, and the last position per topic partition (`topic/partition`)."""

    position: int = 0
    last: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Round:
    """One round: the messages by partition, the checkpoint after them, and the count of events they were made of."""

    batches: dict[TopicPartition, list[Message]]
    checkpoint: Checkpoint
    events: int


class Relay:
    """Role `relay` of one service."""

    def __init__(
        self, service: str, log: StoredLog, bus: Bus, codec: Codec, publish: Publish, partitions: int = PARTITIONS,
        watchdog: Watchdog | None = None, tail: LogTail | None = None,
    ) -> None:  # fmt: skip
        self._service, self._log, self._bus, self._codec, self._publish = service, log, bus, codec, publish
        self._partitions, self._watchdog = partitions, watchdog or Watchdog()
        self._tail = tail or LogTail(log, service, codec)
        self._table = log.database.metadata.tables["relay_checkpoint"]
        self._producer: Producer | None = None
        self._at: Checkpoint | None = None
        """The checkpoint as this relay last read or moved it; None: read it before the next round."""
        self._behind: list[Recorded] | None = None
        """Events behind the checkpoint, as read by the statement that moved the checkpoint; None: not read."""

    async def run(self, stop: asyncio.Event) -> None:
        """Sends appended events until `stop`. It halts with an alarm at an event that cannot be sent."""
        woken = self._log.signal.listen()
        lease = Leases(self._log.database, "relay", ["relay"])
        telemetry.gauge("relay_stopped", 0)
        try:
            while not stop.is_set():
                woken.clear()
                try:
                    if not await self._round_or_wait(lease) and not await wait(woken, POLL_S):
                        self._forget()  # an operator may have set the checkpoint back
                except UNSENDABLE as error:
                    await self._halt(error, stop)
        finally:
            self._log.signal.leave(woken)
            self._watchdog.forget("relay")
            await self.close()
            with suppress(Fault):
                await lease.release()

    async def _halt(self, error: BaseException, stop: asyncio.Event) -> None:
        """Waits before the event is tried again. Nothing is skipped, so this goes on until a person mends the cause."""
        telemetry.gauge("relay_stopped", 1)
        self._watchdog.forget("relay")
        self._watchdog.stop("relay", getattr(error, "code", type(error).__name__))
        logger.error("relay halted: an event cannot be sent, will retry", exc_info=error)
        await wait(stop, HALT_S)
        telemetry.gauge("relay_stopped", 0)

    async def _round_or_wait(self, lease: Leases) -> bool:
        """Runs one round if this relay holds the lease; True if there may be more to send at once."""
        try:
            if await lease.held():
                return await self.round()
        except Unavailable as fault:
            logger.warning(
                "relay restarted at its checkpoint: dependency unavailable", exc_info=fault, extra={"code": fault.code}
            )
            telemetry.count("relay_restarts_total")
            await self.close()
            await asyncio.sleep(0.2 + random.random() * 0.3)
            return True
        self._watchdog.forget("relay")
        self._forget()
        return False

    def _forget(self) -> None:
        self._at = self._behind = None

    def _begin_again(self) -> None:
        """Reads the checkpoint and the log anew: the checkpoint moved, or the connection was lost."""
        self._forget()
        self._tail.clear()

    async def round(self) -> bool:
        """Runs one round; True if there may be more to send."""
        before = self._at = self._at or await self.checkpoint()
        events, self._behind = self._behind or await self._tail.recorded(before.position, ROUND_EVENTS), None
        end = before.position + len(events)
        self._watchdog.progress("relay", before.position, end)
        if not events:
            return False
        made = self.build_round(events, before)
        if made.batches:
            self._producer = self._producer or await self._bus.producer()
            traces = (orjson.loads(recorded.meta)["traceparent"] for recorded in events[: made.events])
            with telemetry.batch_span(f"relay {self._service}", traces):
                await self._producer.send(made.batches, SEND_DEADLINE_S)
        for topic in {topic for topic, _ in made.batches}:
            count = sum(len(messages) for where, messages in made.batches.items() if where[0] == topic)
            telemetry.count("messages_relayed_total", count, topic=topic)
        if await self._move(before, made.checkpoint):
            self._at = made.checkpoint
        else:
            self._begin_again()
        self._watchdog.progress("relay", made.checkpoint.position, end)
        return self._behind != []

    def build_round(self, events: Sequence[Recorded], before: Checkpoint) -> Round:
        """The messages of the events that fit one record batch per partition, and the checkpoint after them."""
        made = Round({}, Checkpoint(before.position, dict(before.last)), 0)
        sizes: dict[TopicPartition, int] = {}
        for recorded in events:
            messages = self._messages(recorded, made.checkpoint.last)
            is_full = False
            for where, message in messages:
                size = message.size()
                if size > MAX_MESSAGE_BYTES:
                    raise Poison("message.too_large", event=recorded.id, limit_bytes=MAX_MESSAGE_BYTES)
                sizes[where] = sizes.get(where, 0) + size
                is_full = is_full or sizes[where] > MAX_MESSAGE_BYTES
            if made.events and is_full:
                break  # the rest waits for the next round; an event with many requests may alone need more than one batch
            for where, message in messages:
                made.batches.setdefault(where, []).append(message)
                made.checkpoint.last[_name(where)] = recorded.position
            made.checkpoint.position = recorded.position
            made.events += 1
        return made

    def _messages(self, recorded: Recorded, last: Mapping[str, int]) -> list[tuple[TopicPartition, Message]]:
        meta = orjson.loads(recorded.meta)
        incoming = delivered(self._service, recorded, self._codec, meta)
        found = self._publish(incoming)
        announced = [message for message in found if isinstance(message, PublicEvent)]
        if len(announced) != (recorded.partition is not None):
            raise Internal("publish.not_one_message", event=recorded.id, name=recorded.name)
        messages = []
        for number, message in enumerate(found):
            if isinstance(message, PublicEvent):
                where = (f"{self._service}.events.v1", recorded.partition or 0)
                headers = _event_headers(incoming, message, meta["causation"], last.get(_name(where), 0))
                messages.append((where, Message(recorded.stream.encode(), message.value, headers)))
            else:
                where = (f"{message.target}.commands.v1", partition_of(message.key, self._partitions))
                headers = _request_headers(incoming, message, number)
                messages.append((where, Message(message.key.encode(), message.value, headers)))
        return messages

    async def checkpoint(self) -> Checkpoint:
        rows = await self._log.database.rows("SELECT position, last FROM relay_checkpoint", {})
        return Checkpoint(rows[0][0], orjson.loads(rows[0][1])) if rows else Checkpoint()

    async def _move(self, before: Checkpoint, after: Checkpoint) -> bool:
        """Compare-and-set of the checkpoint; False when another relay moved it, so that this round sent only repeats.

        On PostgreSQL the same statement reads the events behind the checkpoint, which saves the next round a query.
        """
        moved = await self._log.move_checkpoint(before.position, **_row(after), limit=ROUND_EVENTS)
        self._behind = moved.behind
        return moved.done

    async def rewind(self, to: Checkpoint) -> None:
        """Sets the checkpoint back, never forward: all events after `to` are sent again, those of a round under way included."""
        async with self._log.database.transaction() as connection:
            await connection.execute(
                sa.update(self._table).where(self._table.c.position > to.position).values(_row(to))
            )
        self._forget()

    async def close(self) -> None:
        """Closes the producer; the next round opens a new one and starts at the checkpoint."""
        self._begin_again()
        if self._producer is not None:
            producer, self._producer = self._producer, None
            with suppress(Fault):
                await producer.close()


def _row(checkpoint: Checkpoint) -> dict[str, Any]:
    last = orjson.dumps(checkpoint.last, option=orjson.OPT_SORT_KEYS).decode()
    return {"position": checkpoint.position, "last": last}


def _name(where: TopicPartition) -> str:
    return f"{where[0]}/{where[1]}"


def _event_headers(
    incoming: Delivered[Any], message: PublicEvent, causation: str, previous: int
) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0 binary mode with the extensions sequence (stream version), position and previous."""
    values = {
        "ce_specversion": "1.0", "ce_id": incoming.id, "ce_source": incoming.source, "ce_type": message.type,
        "ce_time": incoming.at.isoformat(), "ce_subject": incoming.stream, "ce_tenant": incoming.tenant,
        "ce_sequence": str(incoming.version), "ce_position": str(incoming.position), "ce_previous": str(previous),
        "ce_correlation": incoming.correlation, "ce_causation": causation, "traceparent": incoming.traceparent,
    }  # fmt: skip
    return [(name, value.encode()) for name, value in values.items() if value]


def _request_headers(incoming: Delivered[Any], message: OutgoingCommand, number: int) -> list[tuple[str, bytes]]:
    values = {
        "ce_specversion": "1.0", "ce_id": derived_id("request", incoming.source, incoming.id, str(number)),
        "ce_source": incoming.source, "ce_type": message.type, "ce_time": incoming.at.isoformat(),
        "ce_tenant": incoming.tenant, "ce_requester": incoming.stream, "ce_causation": incoming.id,
        "ce_correlation": incoming.correlation, "traceparent": incoming.traceparent,
    }  # fmt: skip
    return [(name, value.encode()) for name, value in values.items() if value]
