"""Envelopes of engagement become rows, once; columns that do not fit are refused by name."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from dandelion.common.v1.common_pb2 import PROVENANCE_PLATFORM, TRAFFIC_ORGANIC, TRAFFIC_PAID
from dandelion.metrics.v1.events_pb2 import (
    METRIC_LIKES,
    METRIC_READS,
    OBSERVATION_KIND_INCREMENT,
    EngagementContent,
    EngagementEnvelope,
)
from dandelion_contracts.engagement import MalformedEnvelope, rows
from dandelion_contracts.errors import BadRecord
from dandelion_contracts.event import Event
from dandelion_contracts.lanes import EngagementLane
from dandelion_contracts.positions import MemoryPositions, Position
from dandelion_contracts.subscription import Subscription

from tests.kit.topics import Idle, MemorySource, Topic, at

FIRST = "0197f6a0-0000-5000-8000-000000000001"
SECOND = "0197f6a0-0000-5000-8000-000000000002"
THIRD = "0197f6a0-0000-5000-8000-000000000003"
NOON_MS = round(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp() * 1000)


def envelope(identity: str = FIRST, **changes: Any) -> EngagementEnvelope:
    """Three rows over two contents."""
    columns: dict[str, Any] = {
        "content": [0, 1, 0],
        "metrics": [METRIC_READS, METRIC_READS, METRIC_LIKES],
        "values": [10, 20, 3],
        "observed_offset_ms": [0, 500, -250],
        "kinds": [OBSERVATION_KIND_INCREMENT],
        "traffic": [TRAFFIC_ORGANIC, TRAFFIC_PAID, TRAFFIC_ORGANIC],
        "provenance": [PROVENANCE_PLATFORM],
        **changes,
    }
    contents = [
        EngagementContent(content_id="c0", campaign_id="k"),
        EngagementContent(content_id="c1", campaign_id="k"),
    ]
    return EngagementEnvelope(
        envelope_id=identity, tenant="t", batch_id="b", contents=contents, observed_base_ms=NOON_MS, **columns
    )


def topic_of(*envelopes: EngagementEnvelope | bytes) -> Topic:
    topic = Topic("metrics.engagement.v1")
    for each in envelopes:
        topic.append(0, each if isinstance(each, bytes) else each.SerializeToString(), {})
    return topic


def over(topic: Topic, positions: MemoryPositions | None = None, **more: Any) -> Subscription[Any]:
    return Subscription(MemorySource(topic), topic.name, EngagementLane, positions or MemoryPositions(), **more)


async def drained(subscription: Subscription[Any]) -> list[Event[Any]]:
    events: list[Event[Any]] = []
    with suppress(Idle):
        while True:
            events.append(await anext(subscription))
    return events


def test_each_row_takes_its_entry_of_every_column() -> None:
    found = rows(envelope())
    assert [(row.row, row.content_id, row.metric, row.value, row.traffic) for row in found] == [
        (0, "c0", METRIC_READS, 10, TRAFFIC_ORGANIC),
        (1, "c1", METRIC_READS, 20, TRAFFIC_PAID),
        (2, "c0", METRIC_LIKES, 3, TRAFFIC_ORGANIC),
    ]
    assert [row.observed_at.ToMilliseconds() - NOON_MS for row in found] == [0, 500, -250]
    assert {(row.kind, row.provenance, row.campaign_id) for row in found} == {
        (OBSERVATION_KIND_INCREMENT, PROVENANCE_PLATFORM, "k")
    }


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"metrics": [METRIC_READS]}, "metrics"),
        ({"values": [1, 2]}, "values"),
        ({"observed_offset_ms": []}, "observed_offset_ms"),
        ({"kinds": []}, "kinds"),
        ({"traffic": [TRAFFIC_PAID] * 2}, "traffic"),
        ({"provenance": [PROVENANCE_PLATFORM] * 4}, "provenance"),
        ({"content": [0, 1, 2]}, "content"),
        ({"observed_offset_ms": [0, 0, -(2**62)]}, "observed_offset_ms"),
        ({"observed_offset_ms": [0, 2**62, 0]}, "observed_offset_ms"),
    ],
)
def test_columns_that_do_not_fit_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(MalformedEnvelope, match=named):
        rows(envelope(**changes))


def test_an_empty_envelope_has_no_rows() -> None:
    assert rows(envelope(content=[], metrics=[], values=[], observed_offset_ms=[], traffic=[TRAFFIC_PAID])) == []


async def test_an_envelope_sent_twice_counts_once() -> None:
    events = await drained(over(topic_of(envelope(FIRST), envelope(SECOND), envelope(FIRST))))
    assert [event.id for event in events] == [f"{each}/{row}" for each in (FIRST, SECOND) for row in range(3)]
    assert events[1].at == datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC)
    assert events[1].tenant == "t"


async def test_an_envelope_half_done_goes_on_behind_the_last_row_done() -> None:
    topic, positions = topic_of(envelope(FIRST), envelope(SECOND)), MemoryPositions()
    async with over(topic, positions) as events:
        for _ in range(5):
            await anext(events)
    assert positions.positions[topic.name, 0] == Position(1, 1)
    assert [event.id for event in await drained(over(topic, positions))] == [f"{SECOND}/{row}" for row in (1, 2)]
    assert positions.positions[topic.name, 0] == Position(2, 0)


@pytest.mark.parametrize("killed_after", range(1, 10))
async def test_a_row_is_applied_once_by_who_stores_its_position_with_it(killed_after: int) -> None:
    """Whatever ends the process: the row and `event.after` are one transaction, and the next process begins there."""
    topic = topic_of(envelope(FIRST), envelope(SECOND), envelope(THIRD))
    applied, stored = list[str](), dict[tuple[str, int], Position]()
    while len(applied) < 9:
        events = over(topic, MemoryPositions(stored))
        for _ in range(min(killed_after, 9 - len(applied))):
            event = await anext(events)
            applied.append(event.id)
            stored[event.where] = event.after
    assert applied == [f"{each}/{row}" for each in (FIRST, SECOND, THIRD) for row in range(3)]
    assert stored == {(topic.name, 0): Position(3, 0)}


async def test_rows_done_are_those_of_the_envelope_at_the_position() -> None:
    """An envelope elsewhere, where the topic no longer has the one that was half done, is read whole."""
    topic = topic_of(envelope(FIRST))
    positions = MemoryPositions({(topic.name, 0): Position(0, 2)})
    assert [event.id for event in await drained(over(topic, positions))] == [f"{FIRST}/2"]
    lane = EngagementLane(Position(0, 2))
    records = [replace(record, offset=record.offset + 1) for record in topic.records[0]]
    assert len(list(lane.admit(records))) == 3


@pytest.mark.parametrize(
    "broken", [b"\xff\xff", envelope(values=[1]), envelope("not-a-uuid")], ids=["bytes", "columns", "id"]
)
async def test_a_broken_envelope_is_reported_and_passed_over(broken: EngagementEnvelope | bytes) -> None:
    bad: list[BadRecord] = []
    events = await drained(over(topic_of(broken, envelope(FIRST)), on_bad=bad.append))
    assert len(events) == 3
    assert [each.offset for each in bad] == [0]


async def test_a_start_in_the_middle_reads_on_from_the_bus_time() -> None:
    topic = topic_of(envelope(FIRST))
    topic.head = 5
    topic.append(0, envelope(SECOND).SerializeToString(), {})
    assert len(await drained(over(topic, start=at(3)))) == 3
