"""Typed subscriptions to a service's events, at least once and in order per stream.

    mine = FilePositions("mine.json")
    async with subscribe("campaigns", brokers="localhost:9092", positions=mine, types=[ContentPublished]) as events:
        async for event in events:
            print(event.at, event.message.url)

An event counts as done when the loop asks for the next one; after a crash or a `break`, an event that was not done comes again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, overload

from dandelion.metrics.v1.events_pb2 import EngagementRecorded
from google.protobuf.message import Message

from dandelion_contracts.event import M
from dandelion_contracts.events import ENGAGEMENT_TOPIC, EVENTS, events_topic, type_name
from dandelion_contracts.lanes import EngagementLane, EventLane
from dandelion_contracts.local import LocalSource
from dandelion_contracts.positions import PositionStore
from dandelion_contracts.source import Source
from dandelion_contracts.subscription import OnBad, Start, Subscription


@overload
def subscribe(
    service: str,
    *,
    brokers: str,
    positions: PositionStore,
    types: Sequence[type[M]],
    start: Start = ...,
    on_bad: OnBad | None = ...,
    red_after_s: float = ...,
    options: Mapping[str, Any] | None = ...,
) -> "Subscription[M]": ...
@overload
def subscribe(
    service: str,
    *,
    brokers: str,
    positions: PositionStore,
    types: None = None,
    start: Start = ...,
    on_bad: OnBad | None = ...,
    red_after_s: float = ...,
    options: Mapping[str, Any] | None = ...,
) -> "Subscription[Message]": ...
def subscribe(
    service: str,
    *,
    brokers: str,
    positions: PositionStore,
    types: Sequence[type[Any]] | None = None,
    start: Start = "beginning",
    on_bad: OnBad | None = None,
    red_after_s: float = 30.0,
    options: Mapping[str, Any] | None = None,
) -> "Subscription[Any]":
    """Subscription to `<service>.events.v1`, or to `types` of it only. It opens nothing before the first event is asked for.

    `brokers`: "host:port,host:port" of Kafka, or "local:///path/bus.db" of the embedded deployment.
    `start`: where a partition without a stored position begins: "beginning" (all events), "end" (events from now on), or a time
    (events recorded from then on).
    `on_bad`: called with the BadRecord of each record that breaks the contract; the record is then skipped. Without `on_bad` the
    iteration raises the BadRecord, at every try. A type that this version of the contracts does not know is skipped.
    `red_after_s`: a hole that is open for longer is logged as an error, and is `red` in `holes()`.
    `options`: aiokafka's, e.g. security_protocol, ssl_context, sasl_mechanism.
    """
    wanted = {type_name(each): each for each in types} if types is not None else EVENTS
    topic = events_topic(service)
    strangers = [name for name in wanted if types is not None and not name.startswith(f"dandelion.{service}.")]
    if strangers:
        raise ValueError(f"{', '.join(strangers)}: not an event of {service}")
    return Subscription(
        source_of(brokers, options), topic, lambda at: EventLane(at, wanted), positions, start, on_bad, red_after_s
    )


def subscribe_engagement(
    *,
    brokers: str,
    positions: PositionStore,
    start: Start = "beginning",
    on_bad: OnBad | None = None,
    options: Mapping[str, Any] | None = None,
) -> "Subscription[EngagementRecorded]":
    """Raw engagement of `metrics.engagement.v1`, one EngagementRecorded per row; arguments as in `subscribe`.

    A restart goes on inside an envelope, at the row behind the last one done. An envelope that was sent twice is skipped while
    the first one is among the newest of its partition (lanes.ENVELOPES_REMEMBERED) and was read by this process; otherwise its
    rows come again, with the same event ids `<envelope>/<row>`. A start at a time may bring rows that arrived up to five minutes
    before it.
    """
    source = source_of(brokers, options)
    return Subscription(source, ENGAGEMENT_TOPIC, EngagementLane, positions, start, on_bad)


def source_of(brokers: str, options: Mapping[str, Any] | None = None) -> Source:
    """Kafka, or the embedded bus's file when `brokers` is a `local://` URL."""
    if brokers.startswith("local://"):
        return LocalSource(brokers.removeprefix("local://"))
    from dandelion_contracts.kafka import KafkaSource  # a reader of a local file needs no Kafka client

    return KafkaSource(brokers.removeprefix("kafka://"), options)
