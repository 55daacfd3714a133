"""What a subscriber is promised: everything, in order, at least once; what it must never see: a gap or a broken record."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dandelion.ledger.v1.events_pb2 import DepositConfirmed, PayoutConfirmed
from dandelion_contracts.errors import BadRecord, PositionLost
from dandelion_contracts.event import Event
from dandelion_contracts.events import EVENTS
from dandelion_contracts.lanes import EngagementLane, EventLane, Lane
from dandelion_contracts.positions import MemoryPositions, Position, PositionStore
from dandelion_contracts.source import Record
from dandelion_contracts.subscriber import source_of, subscribe, subscribe_engagement
from dandelion_contracts.subscription import Subscription
from hypothesis import example, given
from hypothesis import strategies as st

from tests.kit.topics import Idle, MemorySource, Topic, at


def deposit(amount_minor: int) -> DepositConfirmed:
    return DepositConfirmed(deposit_id="d", amount_minor=amount_minor, currency="CNY")


def topic_of(*amounts: int, partition: int = 0) -> Topic:
    topic = Topic()
    for amount in amounts:
        topic.send(deposit(amount), partition)
    return topic


def over(
    source: MemorySource, positions: PositionStore | None = None, types: Any = None, **more: Any
) -> Subscription[Any]:
    wanted = EVENTS if types is None else {each.DESCRIPTOR.full_name: each for each in types}
    return Subscription(
        source, source.topic.name, lambda at: EventLane(at, wanted), positions or MemoryPositions(), **more
    )


async def drained(subscription: Subscription[Any]) -> list[Event[Any]]:
    """Everything until the topic is read to its end."""
    events = []
    with suppress(Idle):
        while True:
            events.append(await anext(subscription))
    return events


def amounts(events: Sequence[Event[Any]]) -> list[int]:
    return [event.message.amount_minor for event in events]


async def test_an_event_says_what_it_is_and_where_it_stands() -> None:
    [event] = await drained(over(MemorySource(topic_of(5))))
    assert event.message == deposit(5)
    assert (event.type, event.id, event.stream) == ("dandelion.ledger.v1.DepositConfirmed", "deposit-1@1", "deposit-1")
    assert (event.version, event.tenant, event.at, event.correlation) == (1, "brand", at(1), "flow")
    assert (event.where, event.offset, event.after) == (("ledger.events.v1", 0), 0, Position(1, 1))


async def test_repeats_come_once() -> None:
    topic = topic_of(1, 2, 3)
    for offset in (1, 2, 0):
        topic.repeat(offset)
    subscription = over(MemorySource(topic))
    assert amounts(await drained(subscription)) == [1, 2, 3]
    assert subscription.holes() == {}
    topic.send(deposit(4))
    assert amounts(await drained(subscription)) == [4]


async def test_partitions_keep_their_own_chains() -> None:
    topic = topic_of(1, 2)
    topic.send(deposit(3), partition=1)
    topic.send(deposit(4), partition=0)
    assert sorted(amounts(await drained(over(MemorySource(topic))))) == [1, 2, 3, 4]


async def test_a_hole_holds_what_follows_until_the_relay_repeats() -> None:
    topic, now = topic_of(1), [0.0]
    topic.send(deposit(2), lost=True)
    topic.send(deposit(3))
    topic.send(deposit(7), partition=1)
    subscription = over(MemorySource(topic), red_after_s=10, clock=lambda: now[0])
    assert amounts(await drained(subscription)) == [1, 7]
    assert set(subscription.holes()) == {0}
    assert not subscription.holes()[0].red
    topic.append(0, deposit(2).SerializeToString(), {**topic.headers(deposit(2), 1), "ce_position": "2"})
    topic.repeat(1)
    assert amounts(await drained(subscription)) == [2, 3]
    assert subscription.holes() == {}


async def test_a_hole_that_stays_open_turns_red_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    topic, now = topic_of(1), [0.0]
    topic.send(deposit(2), lost=True)
    subscription = over(MemorySource(topic), red_after_s=10, clock=lambda: now[0])
    with caplog.at_level(logging.ERROR):
        for now[0] in (0.0, 9.0, 10.0, 11.0):
            topic.send(deposit(3))
            await drained(subscription)
    assert subscription.holes()[0].red
    assert len(caplog.records) == 1


async def test_a_hole_survives_a_restart() -> None:
    topic, positions = topic_of(1), MemoryPositions()
    topic.send(deposit(2), lost=True)
    topic.send(deposit(3))
    assert amounts(await drained(over(MemorySource(topic), positions))) == [1]
    assert positions.positions["ledger.events.v1", 0] == Position(1, 1)
    again = over(MemorySource(topic), positions)
    assert await drained(again) == []
    assert set(again.holes()) == {0}


async def test_what_the_reader_left_out_is_read_again() -> None:
    """A gap that is not in the topic but in the reading of it heals without the relay."""
    source = MemorySource(topic_of(1, 2, 3, 4), skips=[1])
    assert amounts(await drained(over(source))) == [1, 2, 3, 4]


async def test_an_event_is_done_when_the_next_is_asked_for() -> None:
    source, positions = MemorySource(topic_of(1, 2, 3)), MemoryPositions()
    async with over(source, positions) as events:
        assert (await anext(events)).message.amount_minor == 1
        assert (await anext(events)).message.amount_minor == 2
    assert source.closed
    assert amounts(await drained(over(source, positions))) == [2, 3]


async def test_done_keeps_the_event_at_hand_from_coming_again() -> None:
    source, positions = MemorySource(topic_of(1, 2, 3)), MemoryPositions()
    async with over(source, positions) as events:
        async for event in events:
            if event.message.amount_minor == 2:
                await events.done()
                break
    assert amounts(await drained(over(source, positions))) == [3]


async def test_every_stored_position_resumes_without_a_gap() -> None:
    """Whatever `after` a subscriber stored, the next run goes on with the event behind it."""
    topic = topic_of(1, 2)
    topic.repeat(0)
    for amount in (3, 4):
        topic.send(deposit(amount))
    for event in await drained(over(MemorySource(topic))):
        later = over(MemorySource(topic), MemoryPositions({event.where: event.after}))
        assert amounts(await drained(later)) == list(range(event.message.amount_minor + 1, 5))


async def test_only_wanted_types_come_and_the_others_still_move_the_position() -> None:
    topic, positions = topic_of(1), MemoryPositions()
    topic.send(PayoutConfirmed(amount_minor=2))
    topic.send(deposit(3))
    topic.append(
        0, b"", {**topic.headers(deposit(4), 3), "ce_type": "dandelion.ledger.v1.FromTheFuture", "ce_position": "4"}
    )
    source = MemorySource(topic)
    assert amounts(await drained(over(source, positions, types=[DepositConfirmed]))) == [1, 3]
    assert positions.positions["ledger.events.v1", 0] == Position(4, 4)


async def test_end_gives_only_what_comes() -> None:
    topic, positions = topic_of(1, 2), MemoryPositions()
    assert await drained(over(MemorySource(topic), positions, start="end")) == []
    topic.send(deposit(3))
    assert amounts(await drained(over(MemorySource(topic), positions, start="end"))) == [3]


async def test_a_time_gives_what_was_recorded_from_then_on() -> None:
    source = MemorySource(topic_of(1, 2, 3, 4))
    assert amounts(await drained(over(source, start=at(3)))) == [3, 4]
    assert amounts(await drained(over(source, start=at(2) + timedelta(seconds=1)))) == [3, 4]
    assert await drained(over(source, start=at(9))) == []


async def test_a_bus_whose_clock_is_behind_hides_nothing_from_a_replay() -> None:
    topic = Topic(bus_behind=timedelta(minutes=4))
    for amount in (1, 2, 3):
        topic.send(deposit(amount))
    assert amounts(await drained(over(MemorySource(topic), start=at(2)))) == [2, 3]


async def test_a_stored_position_wins_over_the_start() -> None:
    positions = MemoryPositions({("ledger.events.v1", 0): Position(1, 1)})
    assert amounts(await drained(over(MemorySource(topic_of(1, 2, 3)), positions, start="end"))) == [2, 3]


@pytest.mark.parametrize("position", [Position(1, 1), Position(9, 9)], ids=["deleted", "not_there_yet"])
async def test_a_position_that_is_not_kept_is_an_error(position: Position) -> None:
    source = MemorySource(topic_of(1, 2, 3), kept_from=2)
    with pytest.raises(PositionLost):
        await anext(over(source, MemoryPositions({("ledger.events.v1", 0): position}), start="end"))


async def test_a_beginning_that_is_not_kept_is_an_error() -> None:
    with pytest.raises(PositionLost):
        await anext(over(MemorySource(topic_of(1, 2, 3), kept_from=1)))


BROKEN = {
    "no_headers": {"ce_position": None, "ce_id": None, "ce_type": None},
    "no_position": {"ce_position": None},
    "position_not_a_number": {"ce_position": "four"},
    "no_previous": {"ce_previous": None},
    "empty_id": {"ce_id": ""},
    "time_without_zone": {"ce_time": "2026-11-22T08:00:00"},
    "not_a_time": {"ce_time": "yesterday"},
    "sequence_not_a_number": {"ce_sequence": "x"},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
async def test_a_record_with_broken_headers_is_reported_by_name_and_passed_over(change: dict[str, str | None]) -> None:
    topic = topic_of(1)
    headers = {**topic.headers(deposit(2), 1), "ce_position": "2", **change}
    topic.append(0, b"", {name: text for name, text in headers.items() if text is not None})
    topic.send(deposit(3))
    bad: list[BadRecord] = []
    assert amounts(await drained(over(MemorySource(topic), on_bad=bad.append))) == [1, 3]
    assert [(each.topic, each.partition, each.offset) for each in bad] == [("ledger.events.v1", 0, 1)]
    assert "headers" in bad[0].rule


async def test_random_bytes_stop_the_iteration_until_somebody_takes_them() -> None:
    topic, positions = topic_of(1), MemoryPositions()
    topic.append(0, b"\xff\xff\xff", {**topic.headers(deposit(2), 1), "ce_position": "2"})
    topic.head, topic.last[0] = 2, 2
    topic.send(deposit(3))
    async with over(MemorySource(topic), positions) as events:
        assert (await anext(events)).message.amount_minor == 1
        for _ in range(2):
            with pytest.raises(BadRecord, match=r"ledger\.events\.v1\[0\]@1: value"):
                await anext(events)
    bad: list[BadRecord] = []
    assert amounts(await drained(over(MemorySource(topic), positions, on_bad=bad.append))) == [3]
    assert [each.offset for each in bad] == [1]


def test_what_cannot_be_subscribed_to_is_refused() -> None:
    positions = MemoryPositions()
    with pytest.raises(ValueError, match="no service 'payments'"):
        subscribe("payments", brokers="localhost:9092", positions=positions)
    with pytest.raises(ValueError, match="not an event of campaigns"):
        subscribe("campaigns", brokers="localhost:9092", positions=positions, types=[DepositConfirmed])
    with pytest.raises(ValueError, match="zone"):
        subscribe("ledger", brokers="localhost:9092", positions=positions, start=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="neither"):
        subscribe_engagement(brokers="localhost:9092", positions=positions, start="latest")  # type: ignore[arg-type]


def test_the_source_follows_the_url() -> None:
    assert type(source_of("local:///tmp/bus.db")).__name__ == "LocalSource"
    assert type(source_of("kafka://a:1,b:2")).__name__ == "KafkaSource"
    assert type(source_of("a:1,b:2")).__name__ == "KafkaSource"


HEADERS = {
    "ce_id": b"deposit@1", "ce_type": b"dandelion.ledger.v1.DepositConfirmed", "ce_time": b"2026-11-22T08:00:00+00:00",
    "ce_position": b"1", "ce_previous": b"0", "ce_sequence": b"1",
}  # fmt: skip
CHANGES = st.dictionaries(
    st.sampled_from(sorted(HEADERS)), st.binary(max_size=30) | st.text("0123456789-:T+.Z").map(str.encode)
)


@given(st.lists(st.tuples(CHANGES, st.binary(max_size=60)), max_size=4))
@example([({}, b"")])
@example([({"ce_time": b"0001-01-01T00:00:00+23:00"}, b"")])
@example([({"ce_position": b"9" * 5000}, b"")])
def test_no_bytes_bring_anything_but_events_and_named_defects(sent: list[tuple[dict[str, bytes], bytes]]) -> None:
    records = [
        Record("ledger.events.v1", 0, offset, b"\xff", value, list({**HEADERS, **changes}.items()), 0)
        for offset, (changes, value) in enumerate(sent)
    ]
    lanes: list[Lane] = [EventLane(Position(0, 0), EVENTS), EngagementLane(Position(0, 0))]
    for lane in lanes:
        for received in lane.admit(records):
            assert (received.bad is None) != (received.message is None)
            assert received.bad is not None or Event[Any](received).at.tzinfo is UTC
