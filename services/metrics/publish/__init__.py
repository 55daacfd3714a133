"""Private events to public ones, batches to envelopes on the wire: pure. What is promised is proto/dandelion/metrics/v1."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.metrics.v1 import events_pb2 as pb
from dandelion_contracts.wire import form, refusal, stamp
from dandelion_contracts.words import number
from google.protobuf.message import Message as Wire

from kernel.adapters.bus import Message
from kernel.core.events import CommandRefused, Delivered
from kernel.streams.relay import OutgoingCommand, PublicEvent
from services.metrics.domain.attribution import Basis, Placement
from services.metrics.domain.coupon import CouponIssued
from services.metrics.domain.engagement import Envelope, Ints
from services.metrics.domain.excess import ExcessReleased
from services.metrics.domain.link.link import LinkEnded, LinkIssued
from services.metrics.domain.order.events import (
    Attribution,
    ChangeKind,
    OrderAmended,
    OrderChangeKept,
    OrderRecorded,
    OrderRefunded,
)
from services.metrics.publish.anomalies import ANOMALY_FORMS
from services.metrics.publish.grids import GRID_FORMS
from services.metrics.publish.sites import SITE_FORMS

PRIVATE = ("click", "batch", "mentions")
"""Categories whose streams are not published."""
NOWHERE = Placement("", "", "", "")
SOURCES = {
    Basis.LINK: pb.CONVERSION_SOURCE_LINK,
    Basis.COUPON: pb.CONVERSION_SOURCE_COUPON,
    Basis.REPORTED: pb.CONVERSION_SOURCE_REPORTED,
}


def publish(incoming: Delivered[Any]) -> Sequence[PublicEvent | OutgoingCommand]:
    """The public form of an event of a published stream; nothing for private ones."""
    if incoming.stream.startswith(PRIVATE):
        return []
    if isinstance(incoming.event, CommandRefused):
        return [PublicEvent(*refusal("metrics", incoming.event, incoming.at))]
    return [PublicEvent(*form(wire_of(incoming.event, incoming.at)))]


def wire_of(event: object, at: datetime) -> Wire:
    return FORMS[type(event)](event, at)


def _placed(message: Any, place: Placement, brand_id: str) -> None:
    message.campaign_id, message.collaboration_id = place.campaign_id, place.collaboration_id
    message.deliverable_id, message.creator_id = place.deliverable_id, place.creator_id
    message.brand_id = brand_id


def _link(event: LinkIssued, at: datetime) -> pb.TrackingLinkIssued:
    message = pb.TrackingLinkIssued(
        link_id=event.link_id, code=event.code, target_url=event.target_url, issued_at=stamp(at)
    )
    _placed(message, event.placement, event.brand_id)
    return message


def _link_ended(event: LinkEnded, at: datetime) -> pb.TrackingLinkEnded:
    message = pb.TrackingLinkEnded(link_id=event.link_id, code=event.code, reason=event.reason, ended_at=stamp(at))
    _placed(message, event.placement, event.brand_id)
    return message


def _coupon(event: CouponIssued, at: datetime) -> pb.CouponIssued:
    message = pb.CouponIssued(
        coupon_id=event.coupon_id,
        code=event.code,
        discount_bps=event.discount_bps,
        issued_at=stamp(at),
        expires_at=stamp(event.expires_at),
    )
    _placed(message, event.placement, event.brand_id)
    return message


def _place_of(attribution: Attribution | None) -> Placement:
    return attribution.placement if attribution else NOWHERE


def _conversion(event: OrderRecorded, at: datetime) -> pb.ConversionRecorded:
    found = event.attribution
    message = pb.ConversionRecorded(
        order_id=event.order_id,
        shop_order=event.order_number,
        source=SOURCES[found.basis] if found else pb.CONVERSION_SOURCE_UNSPECIFIED,
        source_id=found.source_id if found else "",
        revenue_minor=event.amount_minor,
        currency=event.currency,
        items=event.items,
        new_customer=event.new_customer,
        ordered_at=stamp(event.ordered_at),
        recorded_at=stamp(at),
        unusable=[pb.UnusableEvidence(source=SOURCES[one.basis], at=one.at, why=one.why) for one in event.unusable],
        usable=[pb.UsableEvidence(source=SOURCES[one.basis], at=one.at, used=one.used) for one in event.usable],
        passed_over=event.passed_over,
    )
    _placed(message, _place_of(found), event.brand_id)
    return message


def _reversal(event: OrderRefunded, at: datetime) -> pb.ConversionReversed:
    message = pb.ConversionReversed(
        order_id=event.order_id,
        refund_id=event.refund_id,
        refunded_minor=event.amount_minor,
        currency=event.currency,
        complete=event.complete,
        refunded_at=stamp(at),
    )
    _placed(message, _place_of(event.attribution), event.brand_id)
    return message


def _amendment(event: OrderAmended, at: datetime) -> pb.ConversionAmended:
    message = pb.ConversionAmended(
        order_id=event.order_id,
        amendment_id=event.amendment_id,
        revenue_minor=event.amount_minor,
        change_minor=event.change_minor,
        currency=event.currency,
        items=event.items,
        amended_at=stamp(at),
    )
    _placed(message, _place_of(event.attribution), event.brand_id)
    return message


CHANGES = {ChangeKind.REFUND: pb.ORDER_CHANGE_KIND_REFUND, ChangeKind.AMENDMENT: pb.ORDER_CHANGE_KIND_AMENDMENT}


def _kept(event: OrderChangeKept, at: datetime) -> pb.OrderChangeKept:
    return pb.OrderChangeKept(
        order_id=event.order_id,
        brand_id=event.brand_id,
        change_id=event.change_id,
        kind=CHANGES[event.kind],
        kept_at=stamp(at),
    )


def _excess(event: ExcessReleased, at: datetime) -> pb.ExcessReleased:
    return pb.ExcessReleased(
        content_id=event.content_id, campaign_id=event.campaign_id, brand_id=event.brand_id, creator_id=event.creator_id,
        metric=pb.Metric.ValueType(event.metric), count=event.count, reason=event.reason, released_at=stamp(at),
    )  # fmt: skip


FORMS: dict[type, Callable[[Any, datetime], Wire]] = {
    LinkIssued: _link,
    LinkEnded: _link_ended,
    CouponIssued: _coupon,
    OrderRecorded: _conversion,
    OrderRefunded: _reversal,
    OrderAmended: _amendment,
    OrderChangeKept: _kept,
    ExcessReleased: _excess,
    **ANOMALY_FORMS,
    **SITE_FORMS,
    **GRID_FORMS,
}
"""The public form of each event of a published stream."""


def envelope_message(
    envelope: Envelope, received_at: datetime, known: Mapping[str, tuple[str, str, str]], correlation: str = ""
) -> Message:
    """An envelope as it stands on the topic; `known` gives (campaign, creator, platform word) of contents, where known."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": envelope.id,
        "ce_source": "metrics",
        "ce_type": pb.EngagementEnvelope.DESCRIPTOR.full_name,
        "ce_time": received_at.isoformat(),
        "ce_tenant": envelope.tenant,
        "ce_correlation": correlation,
    }
    value = wire_envelope(envelope, received_at, known).SerializeToString(deterministic=True)
    return Message(
        str(envelope.partition).encode(), value, [(name, text.encode()) for name, text in headers.items() if text]
    )


def wire_envelope(
    envelope: Envelope, received_at: datetime, known: Mapping[str, tuple[str, str, str]]
) -> pb.EngagementEnvelope:
    rows = envelope.rows
    base = int(rows.at.min())
    return pb.EngagementEnvelope(
        envelope_id=envelope.id,
        tenant=envelope.tenant,
        batch_id=envelope.batch_id,
        partition=envelope.partition,
        received_at=stamp(received_at),
        contents=[_content(content, known.get(content, ("", "", ""))) for content in rows.contents],
        observed_base_ms=base,
        content=rows.content.tolist(),
        metrics=rows.metric.tolist(),
        values=rows.value.tolist(),
        observed_offset_ms=(rows.at - base).tolist(),
        kinds=_squeezed(rows.kind),
        traffic=_squeezed(rows.traffic),
        provenance=_squeezed(rows.provenance),
    )


def _content(content_id: str, known: tuple[str, str, str]) -> pb.EngagementContent:
    campaign_id, creator_id, platform = known
    return pb.EngagementContent(
        content_id=content_id,
        campaign_id=campaign_id,
        creator_id=creator_id,
        platform=number(common.Platform, platform),
    )


def _squeezed(column: Ints) -> Any:
    """A column of one value travels as a single entry."""
    return column[:1].tolist() if bool((column == column[0]).all()) else column.tolist()
