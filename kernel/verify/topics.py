"""Check of topics: publishes the log again in memory and compares the messages with the records on the service's topics."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence

from kernel.adapters.bus import BusRecord, Message, TopicPartition
from kernel.core.check import Check, CheckResult
from kernel.core.faults import Fault
from kernel.core.personal import MARK
from kernel.eventlog.log import READ_LIMIT
from kernel.streams.relay import UNSENDABLE, Checkpoint, Relay
from kernel.verify.subject import Subject

READ_RECORDS = 5_000
SILENT_READS = 10
"""Empty reads (of a second each) after which a topic counts as ended before its end offset."""
GREW = " (where the public form grew a field that old events fill: docs/change-an-event.md, step 6)"
Sent = dict[TopicPartition, dict[str, bytes]]
"""Digest of each message by `ce_position` (event) or `ce_id` (command), per partition in order of position; b"" for one that was
made of personal fields which nobody can read any more."""


async def check_topics(app: Subject) -> list[CheckResult]:
    """Topics equal the log: every public event up to the checkpoint is on the topic, in order and chained, and nothing else.

    Repeats are allowed. Commands to other services are checked the same way, without the chain. Memory grows with the
    messages sent, some 150 bytes each.
    """
    relay = Relay(app.service.name, app.log, app.bus, app.service.codec, app.service.publish, app.deciders.partitions)
    position, form = (await relay.checkpoint()).position, Check("topic_as_published")
    sent = await _sent(app, relay, position, form)
    own, events = f"{app.service.name}.events.v1", _Events(app.service.name, sent, position, form)
    names = {own, *(topic for topic, _ in sent)}
    async for record in _records(app, sorted(names), form):
        events.open(record)
        if record.topic == own:
            events.check_event(record)
        elif record.header("ce_source") == app.service.name:
            events.check_command(record)
    events.end((await app.log.head()).position)
    return [check.result() for check in (events.complete, events.committed, events.order, events.requests, form)]


async def _sent(app: Subject, relay: Relay, upto: int, form: Check) -> Sent:
    """Messages up to the checkpoint, as the relay would make them now."""
    sent: Sent = {}
    before = Checkpoint()
    try:
        while before.position < upto and (events := await app.log.read(before.position, READ_LIMIT, upto)):
            erased = {one.id for one in events if MARK in one.data}
            while events:
                made = relay.build_round(events, before)
                for where, messages in made.batches.items():
                    sent.setdefault(where, {}).update(_forms(messages, erased))
                events, before = events[made.events :], made.checkpoint
    except (*UNSENDABLE, Fault) as error:
        form.fail(f"after position {before.position}: {type(error).__name__}: {error}")
    return sent


def _forms(messages: Sequence[Message], erased: set[str]) -> dict[str, bytes]:
    """A command that an erased event asked for carried what is blank by now; no public event carries what is personal."""
    headers = [{name: value.decode() for name, value in message.headers} for message in messages]
    return {
        head.get("ce_position") or head["ce_id"]: b""
        if "ce_position" not in head and head["ce_causation"] in erased
        else _digest(head["ce_type"], message.key, message.value)
        for head, message in zip(headers, messages, strict=True)
    }


def _digest(kind: str, key: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(b"\x1f".join((kind.encode(), key, value)), digest_size=8).digest()


async def _records(app: Subject, names: Sequence[str], form: Check) -> AsyncIterator[BusRecord]:
    """Records that are on the topics when the call begins, each partition in order."""
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
            form.fail(f"{where[0]}/{where[1]} ends at {at[where]} instead of {end}")


class _Events:
    """Compares the records of topics with the messages sent. First occurrences stand in order, each names the one before it."""

    def __init__(self, service: str, sent: Sent, position: int, form: Check) -> None:
        self._topic, self._sent, self._position, self._form = f"{service}.events.v1", sent, position, form
        self.complete, self.committed = Check("topic_complete"), Check("topic_committed")
        self.order, self.requests = Check("topic_in_order"), Check("requests_sent")
        self._last: dict[TopicPartition, int] = {}
        self._seen: dict[TopicPartition, set[str]] = {}
        self._kept_from: dict[TopicPartition, str] = {}
        self._begun: set[TopicPartition] = set()
        self._truncated: set[TopicPartition] = set()
        self._last_past_checkpoint = 0

    def open(self, record: BusRecord) -> None:
        """Notes a partition whose kept records begin past offset 0: retention has deleted the earlier ones."""
        where = (record.topic, record.partition)
        if where not in self._begun and record.offset > 0:
            self._truncated.add(where)
        self._begun.add(where)

    def check_event(self, record: BusRecord) -> None:
        where, place = (record.topic, record.partition), f"{record.topic}/{record.partition} offset {record.offset}"
        try:
            position, previous = int(record.header("ce_position")), int(record.header("ce_previous"))
        except ValueError:
            self.committed.that(False, f"{place} is no event of this service")
            return
        seen, last = self._seen.setdefault(where, set()), self._last.get(where, 0)
        if position > last:
            self.order.that(previous == last, f"{place}: {position} names {previous} before it, not {last}")
            self._last[where] = position
        elif str(position) not in seen:
            self.order.that(False, f"{place}: {position} comes after {last}")
        seen.add(str(position))
        self._check_form(where, str(position), record, place)
        if position > self._position:
            self._last_past_checkpoint = max(self._last_past_checkpoint, position)
        else:
            known = str(position) in self._sent.get(where, {})
            self.committed.that(known, f"{place}: position {position} has no place in this partition")

    def check_command(self, record: BusRecord) -> None:
        """Checks a record of a command topic. Only what the topic still keeps is expected: retention there is a week."""
        where, place = (record.topic, record.partition), f"{record.topic}/{record.partition} offset {record.offset}"
        name = record.header("ce_id")
        if name in self._sent.get(where, {}):
            if where in self._truncated:
                self._kept_from.setdefault(where, name)
            self._seen.setdefault(where, set()).add(name)
            self._check_form(where, name, record, place)
        else:
            self.requests.fail(f"{place}: no event up to the checkpoint asks for {name}")

    def _check_form(self, where: TopicPartition, name: str, record: BusRecord, place: str) -> None:
        wanted = self._sent.get(where, {}).get(name)
        if wanted:
            same = wanted == _digest(record.header("ce_type"), record.key, record.value)
            self._form.that(same, f"{place}: {record.header('ce_type')} is not what is published of {name}{GREW}")

    def end(self, head: int) -> None:
        """Checks what is missing after the last record, given the position of the log's `head`."""
        last = self._last_past_checkpoint
        self.committed.that(last <= head, f"position {last} is on the topic, the log ends at {head}")
        for where, sent in sorted(self._sent.items()):
            check = self.complete if where[0] == self._topic else self.requests
            check.checked += len(sent)
            for name in self._missing(where, list(sent)):
                check.fail(f"{where[0]}/{where[1]}: {name} is missing")

    def _missing(self, where: TopicPartition, sent: list[str]) -> Iterable[str]:
        forgotten = sent.index(self._kept_from[where]) if where in self._kept_from else 0
        seen = self._seen.get(where, set())
        return [name for name in sent[forgotten:] if name not in seen]
