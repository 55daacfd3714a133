"""Stored names of metrics' events. A name once stored stays readable for ever: change by a new version and an upcast."""

from kernel.core.codec import Codec
from kernel.core.events import REFUSED_NAME, CommandRefused
from services.metrics.domain.anomaly import BurstDetected
from services.metrics.domain.batch import BatchRegistered
from services.metrics.domain.coupon import CouponIssued
from services.metrics.domain.link import LinkClicked, LinkIssued, LinkRequested
from services.metrics.domain.order.events import OrderAmended, OrderChangeKept, OrderRecorded, OrderRefunded

EVENTS: dict[str, type] = {
    "link.issued@1": LinkIssued,
    "link.clicked@1": LinkClicked,
    "link.requested@1": LinkRequested,
    "coupon.issued@1": CouponIssued,
    "order.recorded@1": OrderRecorded,
    "order.refunded@1": OrderRefunded,
    "order.amended@1": OrderAmended,
    "order.change_kept@1": OrderChangeKept,
    "batch.registered@1": BatchRegistered,
    "anomaly.burst_detected@1": BurstDetected,
    REFUSED_NAME: CommandRefused,
}
CODEC = Codec(EVENTS)
