"""Stored and published forms: golden bytes of every event stay readable, published streams have one public message."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dandelion.metrics.v1 import commands_pb2 as own
from dandelion.metrics.v1 import events_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.events import REFUSED_NAME, CommandRefused, Delivered
from kernel.core.faults import Fault, Invalid
from kernel.core.ids import derived_id
from kernel.streams.relay import PublicEvent
from services.metrics.codec import CODEC, COMMANDS, EVENTS
from services.metrics.domain.attribution import Basis, Model, Placement
from services.metrics.domain.batch import BatchRegistered
from services.metrics.domain.coupon import COUPON, CouponIssued, IssueCoupon
from services.metrics.domain.engagement import split
from services.metrics.domain.link.clicks import LinkClicked, LinkRequested, NotAClick
from services.metrics.domain.link.link import LINK, IssueLink, LinkEnded, LinkIssued
from services.metrics.domain.mentions.mentions import MentionsRecorded, Scored
from services.metrics.domain.order.events import (
    Attribution,
    ChangeKind,
    Contact,
    OrderAmended,
    OrderChangeKept,
    OrderRecorded,
    OrderRefunded,
    Unusable,
    Usable,
    Why,
)
from services.metrics.domain.site.events import Outcome, SiteClaimed, SiteLooked, SiteLookRequested, SiteStatus
from services.metrics.domain.site.site import LookAtSite
from services.metrics.publish import FORMS, envelope_message, publish, wire_envelope
from services.metrics.subscribe import ENVELOPE, decode, decode_command
from tests.kit.forms import check_forms
from tests.unit.metrics.anomaly_samples import ANOMALY_SAMPLES
from tests.unit.metrics.batches import CONTENTS, START_MS, Row, as_rows, batch, row, rows
from tests.unit.metrics.given import NOON, PLACE, RED, SYSTEM, check, site_rows
from tests.unit.metrics.grid_samples import GRID_SAMPLES

GOLDEN = Path(__file__).parent / "golden"
ORDER_ID, LINK_ID, COUPON_ID, CLICK_ID, REFUND_ID, BATCH_ID, SITE_ID = (
    derived_id("golden", name) for name in ("order", "link", "coupon", "click", "refund", "batch", "site")
)
BY_LINK = Attribution(Basis.LINK, LINK_ID, CLICK_ID, PLACE, Model.LAST_CLICK, 2_592_000)
UNUSABLE = (Unusable(Basis.COUPON, 0, Why.MALFORMED), Unusable(Basis.LINK, 1, Why.UNKNOWN))
USABLE = (Usable(Basis.LINK, 0, True), Usable(Basis.REPORTED, 0, False))
CONTACT = Contact(Basis.LINK, LINK_ID, CLICK_ID, PLACE, NOON)
ORDER = OrderRecorded(ORDER_ID, RED, "S-1001", 19_900, "CNY", 2, NOON, True, BY_LINK, UNUSABLE, USABLE, 1, (CONTACT,))
SAMPLES: dict[str, Any] = {
    "link.issued@1": LinkIssued(LINK_ID, RED, PLACE, "https://shop.example/口红", "spring-7"),
    "link.ended@1": LinkEnded(LINK_ID, RED, PLACE, "spring-7", "host_taken"),
    "link.clicked@1": LinkClicked(CLICK_ID, LINK_ID, RED, PLACE),
    "link.requested@1": LinkRequested(CLICK_ID, LINK_ID, RED, PLACE, NotAClick.ROBOT),
    "coupon.issued@1": CouponIssued(COUPON_ID, RED, PLACE, "SPRING10", 1000, NOON),
    "order.recorded@1": ORDER,
    "order.refunded@1": OrderRefunded(ORDER_ID, REFUND_ID, RED, 900, "CNY", 19_000, True, BY_LINK, "S-1001"),
    "order.amended@1": OrderAmended(ORDER_ID, REFUND_ID, RED, 25_000, 5_100, "CNY", 3, BY_LINK),
    "order.change_kept@1": OrderChangeKept(ORDER_ID, RED, REFUND_ID, ChangeKind.REFUND, 900),
    "batch.registered@1": BatchRegistered(BATCH_ID, "ab" * 32, 500, 2),
    **ANOMALY_SAMPLES,
    "site.claimed@1": SiteClaimed(SITE_ID, RED, "shop.example"),
    "site.look_requested@1": SiteLookRequested(SITE_ID, RED, "shop.example", 2, NOON, True),
    "site.looked@1": SiteLooked(
        SITE_ID, RED, "shop.example", 2, Outcome.ABSENT, SiteStatus.LOST, "host", "site.no_record", NOON, NOON
    ),
    "site.look@1": LookAtSite(3),
    **GRID_SAMPLES,
    "mentions.recorded@1": MentionsRecorded(
        BATCH_ID, "sentiment@1", (Scored("ab" * 12, "zh", NOON.date(), 20_000, 980_000),)
    ),
    REFUSED_NAME: CommandRefused("c-1", "funding-1", "IssueLink", "link.code_taken", '{"link_code":"a","soft":false}'),
}
CATEGORY = {
    "link.clicked@1": "click",
    "link.requested@1": "click",
    "batch.registered@1": "batch",
    "mentions.recorded@1": "mentions",
    REFUSED_NAME: "refusal",
}


def test_every_stored_name_has_a_sample_and_a_golden_file() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} >= SAMPLES.keys() == EVENTS.keys() | COMMANDS.keys()


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_stored_is_read_and_stored_the_same(name: str) -> None:
    data = (GOLDEN / f"{name}.json").read_bytes().rstrip(b"\n")
    assert CODEC.decode(name, data) == SAMPLES[name]
    assert CODEC.encode(SAMPLES[name]) == (name, data)


def published(name: str, event: object | None = None) -> Sequence[Any]:
    stream = f"{CATEGORY.get(name, name.partition('.')[0])}-{ORDER_ID}"
    return publish(Delivered("metrics", f"{stream}@1", stream, 1, 1, RED, NOON, event or SAMPLES[name]))


def announced(name: str, event: object | None = None) -> Any:
    (message,) = published(name, event)
    assert isinstance(message, PublicEvent)
    return getattr(pb, message.type.removeprefix("dandelion.metrics.v1.")).FromString(message.value)


@pytest.mark.parametrize("name", ["link.clicked@1", "link.requested@1", "batch.registered@1", "mentions.recorded@1"])
def test_clicks_and_batches_are_private(name: str) -> None:
    assert published(name) == []


@pytest.mark.parametrize("file", sorted((GOLDEN / "0.1.0").glob("*.json")), ids=lambda file: file.stem)
def test_what_0_1_0_stored_is_read_with_what_it_did_not_know_left_empty(file: Path) -> None:
    found = CODEC.decode(file.stem, file.read_bytes().rstrip(b"\n"))
    order: dict[str, Any] = {"unusable": (), "usable": (), "passed_over": 0, "contacts": ()}
    newer = {"order.recorded@1": order, "order.refunded@1": {"order_number": ""}}
    assert found == replace(SAMPLES[file.stem], **newer[file.stem])


PLACED = ["link.issued@1", "link.ended@1", "coupon.issued@1", "order.recorded@1", "order.refunded@1", "order.amended@1"]


@pytest.mark.parametrize("name", PLACED)
def test_public_messages_name_brand_and_placement(name: str) -> None:
    message = announced(name)
    assert message.brand_id == RED
    assert Placement(message.campaign_id, message.collaboration_id, message.deliverable_id, message.creator_id) == PLACE


def test_no_public_form_is_forgotten() -> None:
    check_forms(FORMS, *(kind for name, kind in EVENTS.items() if name not in CATEGORY))


def test_a_conversion_says_what_led_to_it() -> None:
    message = announced("order.recorded@1")
    assert (message.source, message.source_id) == (pb.CONVERSION_SOURCE_LINK, LINK_ID)
    assert (message.revenue_minor, message.currency, message.items, message.new_customer) == (19_900, "CNY", 2, True)
    assert [(one.source, one.at, one.why) for one in message.unusable] == [
        (pb.CONVERSION_SOURCE_COUPON, 0, "malformed"),
        (pb.CONVERSION_SOURCE_LINK, 1, "unknown"),
    ]
    assert [(one.source, one.at, one.used) for one in message.usable] == [
        (pb.CONVERSION_SOURCE_LINK, 0, True),
        (pb.CONVERSION_SOURCE_REPORTED, 0, False),
    ]
    assert message.passed_over == 1
    nobody = announced("order.recorded@1", OrderRecorded(ORDER_ID, RED, "S", 1, "CNY", 1, NOON, False, None))
    assert (nobody.source, nobody.campaign_id, nobody.brand_id) == (pb.CONVERSION_SOURCE_UNSPECIFIED, "", RED)


def test_an_amendment_says_what_the_order_is_worth_and_by_how_much_more() -> None:
    message = announced("order.amended@1")
    assert (message.amendment_id, message.revenue_minor, message.change_minor) == (REFUND_ID, 25_000, 5_100)
    assert (message.currency, message.items) == ("CNY", 3)


def test_a_kept_change_says_what_was_asked() -> None:
    message = announced("order.change_kept@1")
    assert (message.brand_id, message.change_id, message.kind) == (RED, REFUND_ID, pb.ORDER_CHANGE_KIND_REFUND)


@pytest.mark.parametrize(("remaining_minor", "complete"), [(1, False), (0, True)])
def test_a_reversal_says_whether_it_is_complete(remaining_minor: int, complete: bool) -> None:
    event = OrderRefunded(ORDER_ID, REFUND_ID, RED, 900, "CNY", remaining_minor, True, None)
    assert announced("order.refunded@1", event).complete is complete


def test_an_anomaly_says_when_and_against_what() -> None:
    message = announced("anomaly.burst_detected@1")
    start = datetime.fromtimestamp(START_MS / 1000, UTC)
    assert message.window_from.ToDatetime(UTC) == start
    assert message.window_until.ToDatetime(UTC) == start + timedelta(minutes=1)
    assert (message.kind, message.observed, message.expected_max, message.formula) == ("burst", 5_000, 1_200, "burst@1")


def test_a_refusal_tells_code_and_facts() -> None:
    message = announced(REFUSED_NAME)
    assert (message.command_id, message.requester, message.command) == ("c-1", "funding-1", "IssueLink")
    assert {fact.name: fact.value for fact in message.facts} == {"link_code": "a", "soft": "false"}


@given(rows.filter(bool))
def test_an_envelope_arrives_as_it_was_sent(found: list[Row]) -> None:
    for envelope in split(batch(*found), RED, BATCH_ID):
        message = envelope_message(envelope, NOON, {})
        assert dict(message.headers)["ce_id"].decode() == envelope.id
        arrived = decode(ENVELOPE, message.value)
        assert arrived is not None
        assert as_rows(getattr(arrived, "rows")) == as_rows(envelope.rows)  # noqa: B009
        assert {name: getattr(arrived, name) for name in ("id", "tenant", "batch_id", "partition")} == {
            "id": envelope.id,
            "tenant": RED,
            "batch_id": BATCH_ID,
            "partition": envelope.partition,
        }


def test_a_column_of_one_value_travels_once() -> None:
    (envelope,) = split(batch(*(row(n) for n in range(500))), RED, BATCH_ID)
    wire = wire_envelope(envelope, NOON, {CONTENTS[0]: ("campaign", "creator", "douyin")})
    assert (len(wire.kinds), len(wire.traffic), len(wire.provenance), len(wire.content)) == (1, 1, 1, 500)
    assert (wire.contents[0].campaign_id, wire.contents[0].creator_id, wire.contents[0].platform) == (
        "campaign",
        "creator",
        2,
    )
    assert wire.ByteSize() < 500 * 9


GOOD = wire_envelope(next(split(batch(row(1), row(2, content=1)), RED, BATCH_ID, 1)), NOON, {})


@pytest.mark.parametrize(
    "change",
    [
        {"envelope_id": "x"},
        {"content": [0]},
        {"content": [0, 2]},
        {"metrics": [1, 11]},
        {"kinds": [1, 2, 1]},
        {"kinds": []},
        {"observed_base_ms": 0},
        {"values": [1, -1]},
        {"contents": [pb.EngagementContent(content_id=CONTENTS[0])] * 2},
    ],
)
def test_an_envelope_that_does_not_fit_itself_is_refused(change: dict[str, Any]) -> None:
    wire = pb.EngagementEnvelope()
    wire.CopyFrom(GOOD)
    for name in change:
        wire.ClearField(name)  # type: ignore[arg-type]
    wire.MergeFrom(pb.EngagementEnvelope(**change))
    with pytest.raises(Invalid):
        decode(ENVELOPE, wire.SerializeToString())


@given(st.binary(max_size=300), st.sampled_from(["EngagementEnvelope", "ReportBurst", "IssueCoupon", "Unknown"]))
def test_bytes_are_read_or_refused_by_a_typed_error(value: bytes, kind: str) -> None:
    for read in (decode, decode_command):
        with suppress(Fault, ValueError):
            read(f"dandelion.metrics.v1.{kind}", value)


def asked(message: Any) -> tuple[str, Any]:
    found = decode_command(message.DESCRIPTOR.full_name, message.SerializeToString())
    assert found is not None
    return found


def test_commands_of_processes_are_decided_like_anyones() -> None:
    ids: dict[str, Any] = {"campaign_id": PLACE.campaign_id, "collaboration_id": PLACE.collaboration_id}
    ids |= {"deliverable_id": PLACE.deliverable_id, "creator_id": PLACE.creator_id, "brand_id": RED}
    url = "https://shop.example/"
    stream, link = asked(own.IssueTrackingLink(link_id=LINK_ID, code="spring-7", target_url=url, **ids))
    assert (stream, link) == (f"link-{LINK_ID}", IssueLink(RED, PLACE, url, "spring-7"))
    check(
        LINK, [], link, [LinkIssued(LINK_ID, RED, PLACE, url, "spring-7")], id=LINK_ID, actor=SYSTEM, rows=site_rows()
    )
    coupon_asked = own.IssueCoupon(coupon_id=COUPON_ID, code="spring10", discount_bps=1000, **ids)
    coupon_asked.expires_at.FromDatetime(NOON + timedelta(days=1))
    stream, coupon = asked(coupon_asked)
    assert (stream, coupon) == (
        f"coupon-{COUPON_ID}",
        IssueCoupon(RED, PLACE, "spring10", 1000, NOON + timedelta(days=1)),
    )
    issued = CouponIssued(COUPON_ID, RED, PLACE, "SPRING10", 1000, NOON + timedelta(days=1))
    check(COUPON, [], coupon, [issued], id=COUPON_ID, actor=SYSTEM)


def test_a_time_that_no_calendar_has_is_refused() -> None:
    for seconds in (2**62, -(2**62), 253_402_300_800):
        asked_for = own.IssueCoupon(coupon_id=COUPON_ID)
        asked_for.expires_at.seconds = seconds
        with pytest.raises(ValueError, match="time"):
            asked(asked_for)


def test_others_words_are_passed_over() -> None:
    assert decode("dandelion.campaigns.v1.MessagePosted", b"x") is None
    assert decode_command("dandelion.metrics.v1.Unknown", b"x") is None
