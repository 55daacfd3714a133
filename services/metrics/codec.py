"""Stored names of metrics' events and of the commands that deadlines keep: readable for ever, changed by a new version and an
upcast."""

from kernel.core.codec import Codec
from kernel.core.events import REFUSED_NAME, CommandRefused
from services.metrics.domain.anomaly.anomaly import AnomalyFound, BurstDetected
from services.metrics.domain.batch import BatchRegistered
from services.metrics.domain.coupon import CouponIssued
from services.metrics.domain.excess import ExcessReleased
from services.metrics.domain.grid.grid import GridMeasured
from services.metrics.domain.link.clicks import LinkClicked, LinkRequested
from services.metrics.domain.link.link import LinkEnded, LinkIssued
from services.metrics.domain.mentions.mentions import MentionsRecorded
from services.metrics.domain.order.events import OrderAmended, OrderChangeKept, OrderRecorded, OrderRefunded
from services.metrics.domain.post.post import PostRegistered
from services.metrics.domain.site.events import SiteClaimed, SiteLooked, SiteLookRequested
from services.metrics.domain.site.site import LookAtSite

EVENTS: dict[str, type] = {
    "link.issued@1": LinkIssued,
    "link.ended@1": LinkEnded,
    "link.clicked@1": LinkClicked,
    "link.requested@1": LinkRequested,
    "coupon.issued@1": CouponIssued,
    "order.recorded@1": OrderRecorded,
    "order.refunded@1": OrderRefunded,
    "order.amended@1": OrderAmended,
    "order.change_kept@1": OrderChangeKept,
    "batch.registered@1": BatchRegistered,
    "anomaly.burst_detected@1": BurstDetected,
    "anomaly.found@1": AnomalyFound,
    "site.claimed@1": SiteClaimed,
    "site.look_requested@1": SiteLookRequested,
    "site.looked@1": SiteLooked,
    "excess.released@1": ExcessReleased,
    "post.registered@1": PostRegistered,
    "grid.measured@1": GridMeasured,
    "mentions.recorded@1": MentionsRecorded,
    REFUSED_NAME: CommandRefused,
}
COMMANDS: dict[str, type] = {"site.look@1": LookAtSite}
CODEC = Codec(EVENTS | COMMANDS)
