"""The log replayed: its topics must hold what it publishes, its inline tables what it folds to."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence

from kernel.adapters.bus import BusRecord, Message, TopicPartition
from kernel.core.check import Check, CheckResult
from kernel.core.faults import Fault
from kernel.eventlog.log import READ_LIMIT
from kernel.streams.relay import UNSENDABLE, Checkpoint, Relay
from kernel.verify.subject import Subject

READ_RECORDS = 5_000
SILENT_READS = 10
"""After so many seconds without a record a topic is taken to end before its end offset."""
Sent = dict[TopicPartition, dict[str, bytes]]
"""Per partition in position order: `ce_position` of an event or `ce_id` of a request, and the digest of its form."""


async def check_topics(app: Subject) -> list[CheckResult]:
    """Every public event up to the checkpoint is on the topic, in order and chained, and nothing else is; repeats may be.

    Requests to other services alike, without the chain. Memory grows with what was sent, some 150 bytes a message.
    """
    relay = Relay(app.service.name, app.log, app.bus, app.service.codec, app.service.publish, app.deciders.partitions)
    position, form = (await relay.checkpoint()).position, Check("topic_as_published")
    sent = await _sent(app, relay, position, form)
    own, events = f"{app.service.name}.events.v1", _Events(app.service.name, sent, position, form)
    names = {own, *(topic for topic, _ in sent)}
    async for record in _records(app, sorted(names), form):
        events.open(record)
        if record.topic == own:
            events.look(record)
        elif record.header("ce_source") == app.service.name:
            events.look_at_request(record)
    events.end((await app.log.head()).position)
    return [look.done() for look in (events.complete, events.committed, events.order, events.requests, form)]


async def _sent(app: Subject, relay: Relay, upto: int, form: Check) -> Sent:
    """What the relay has sent up to the checkpoint, as it would make it now."""
    sent: Sent = {}
    before = Checkpoint()
    try:
        while before.position < upto and (events := await app.log.read(before.position, READ_LIMIT, upto)):
            while events:
                made = relay.prepare(events, before)
                for where, messages in made.batches.items():
                    sent.setdefault(where, {}).update(_forms(messages))
                events, before = events[made.events :], made.checkpoint
    except (*UNSENDABLE, Fault) as error:
        form.wrong(f"after position {before.position}: {type(error).__name__}: {error}")
    return sent


def _forms(messages: Sequence[Message]) -> dict[str, bytes]:
    headers = [{name: value.decode() for name, value in message.headers} for message in messages]
    return {
        head.get("ce_position") or head["ce_id"]: _digest(head["ce_type"], message.key, message.value)
        for head, message in zip(headers, messages, strict=True)
    }


def _digest(kind: str, key: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(b"\x1f".join((kind.encode(), key, value)), digest_size=8).digest()


async def _records(app: Subject, names: Sequence[str], form: Check) -> AsyncIterator[BusRecord]:
    """Everything that is on the topics now, each partition in order."""
    ends = {where: end for where, end in (await app.bus.end_offsets(names)).items() if end > 0}
    if not ends:
        return
    at, silent = dict.fromkeys(ends, 0), 0
    reader = await app.bus.reader(at, f"{app.service.name}.invariants")
    try:
        while any(at[where] < end for where, end in ends.items()) and silent < SILENT_READS:
            found = await reader.read(READ_RECORDS, 1.0)
            silent = 0 if found else silent + 1
            for where, records in found.items():
                at[where] = records[-1].offset + 1
                for record in records:
                    yield record
    finally:
        await reader.close()
    for where, end in ends.items():
        if at[where] < end:
            form.wrong(f"{where[0]}/{where[1]} ends at {at[where]} instead of {end}")


class _Events:
    """The records of a topic against what was sent: first occurrences in order, each naming the one before it."""

    def __init__(self, service: str, sent: Sent, position: int, form: Check) -> None:
        self._topic, self._sent, self._position, self._form = f"{service}.events.v1", sent, position, form
        self.complete, self.committed = Check("topic_complete"), Check("topic_committed")
        self.order, self.requests = Check("topic_in_order"), Check("requests_sent")
        self._last: dict[TopicPartition, int] = {}
        self._seen: dict[TopicPartition, set[str]] = {}
        self._kept_from: dict[TopicPartition, str] = {}
        self._begun: set[TopicPartition] = set()
        self._forgetful: set[TopicPartition] = set()
        self._ahead = 0

    def open(self, record: BusRecord) -> None:
        """A partition whose first record is not its first ever has forgotten what came before."""
        where = (record.topic, record.partition)
        if where not in self._begun and record.offset > 0:
            self._forgetful.add(where)
        self._begun.add(where)

    def look(self, record: BusRecord) -> None:
        where, place = (record.topic, record.partition), f"{record.topic}/{record.partition} offset {record.offset}"
        try:
            position, previous = int(record.header("ce_position")), int(record.header("ce_previous"))
        except ValueError:
            self.committed.at(False, f"{place} is no event of this service")
            return
        seen, last = self._seen.setdefault(where, set()), self._last.get(where, 0)
        if position > last:
            self.order.at(previous == last, f"{place}: {position} names {previous} before it, not {last}")
            self._last[where] = position
        elif str(position) not in seen:
            self.order.at(False, f"{place}: {position} comes after {last}")
        seen.add(str(position))
        self._look_at_form(where, str(position), record, place)
        if position > self._position:
            self._ahead = max(self._ahead, position)
        else:
            known = str(position) in self._sent.get(where, {})
            self.committed.at(known, f"{place}: position {position} has no place in this partition")

    def look_at_request(self, record: BusRecord) -> None:
        """Only what a topic still keeps can be asked for: command topics forget after a week."""
        where, place = (record.topic, record.partition), f"{record.topic}/{record.partition} offset {record.offset}"
        name = record.header("ce_id")
        if name in self._sent.get(where, {}):
            if where in self._forgetful:
                self._kept_from.setdefault(where, name)
            self._seen.setdefault(where, set()).add(name)
            self._look_at_form(where, name, record, place)
        else:
            self.requests.wrong(f"{place}: no event up to the checkpoint asks for {name}")

    def _look_at_form(self, where: TopicPartition, name: str, record: BusRecord, place: str) -> None:
        wanted = self._sent.get(where, {}).get(name)
        if wanted is not None:
            same = wanted == _digest(record.header("ce_type"), record.key, record.value)
            self._form.at(same, f"{place}: {record.header('ce_type')} is not what is published of {name}")

    def end(self, head: int) -> None:
        """What should have come and did not."""
        self.committed.at(self._ahead <= head, f"position {self._ahead} is on the topic, the log ends at {head}")
        for where, sent in sorted(self._sent.items()):
            look = self.complete if where[0] == self._topic else self.requests
            look.looked_at += len(sent)
            for name in self._missing(where, list(sent)):
                look.wrong(f"{where[0]}/{where[1]}: {name} is missing")

    def _missing(self, where: TopicPartition, sent: list[str]) -> Iterable[str]:
        forgotten = sent.index(self._kept_from[where]) if where in self._kept_from else 0
        seen = self._seen.get(where, set())
        return [name for name in sent[forgotten:] if name not in seen]
