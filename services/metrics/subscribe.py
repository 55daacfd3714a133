"""Public events and commands in: bytes to metrics' own small dataclasses. Types it does not need are None."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion.metrics.v1 import commands_pb2 as own
from dandelion.metrics.v1 import events_pb2 as metrics
from dandelion_contracts.wire import decoder, time_of
from dandelion_contracts.words import word
from google.protobuf.message import Message

from kernel.core.faults import Invalid
from kernel.core.ids import checked_id, stream_id
from kernel.core.money import checked_currency
from kernel.streams.records import Topic
from services.metrics.domain.anomaly.anomaly import AnomalyKind, ReportAnomaly, ReportBurst, anomaly_id
from services.metrics.domain.attribution import Placement
from services.metrics.domain.coupon import IssueCoupon
from services.metrics.domain.engagement import Batch, Envelope, Ints, checked
from services.metrics.domain.link.link import IssueLink
from services.metrics.publish.grids import record_grid

CAMPAIGNS = Topic("campaigns.events.v1")
LEDGER = Topic("ledger.events.v1")
ENGAGEMENT = Topic("metrics.engagement.v1", chained=False)
ENVELOPE = metrics.EngagementEnvelope.DESCRIPTOR.full_name


@dataclass(frozen=True, slots=True)
class CampaignKnown:
    """Whose a campaign is; `agency_id` is empty when the brand acts for itself."""

    campaign_id: str
    brand_id: str
    agency_id: str


@dataclass(frozen=True, slots=True)
class ContentKnown:
    """What one content belongs to; `platform` and `format` as words, `agency_id` empty where the brand has none."""

    content_id: str
    campaign_id: str
    collaboration_id: str
    creator_id: str
    brand_id: str
    agency_id: str
    platform: str
    format: str


@dataclass(frozen=True, slots=True)
class ContentsKnown:
    """The contents that a contract names."""

    contents: tuple[ContentKnown, ...]


@dataclass(frozen=True, slots=True)
class ContentUp:
    """A content was published (UTC). It stands in the stream of its contract, after it."""

    content_id: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Paid:
    """Money left the escrow of a deliverable: `gross_minor` in all, of it `fee_minor` the creator's fee."""

    content_id: str
    currency: str
    gross_minor: int
    fee_minor: int


@dataclass(frozen=True, slots=True)
class ClawedBack:
    """Of what was paid for a deliverable, `amount_minor` of the creator's fee went back to the brand."""

    content_id: str
    currency: str
    amount_minor: int


External = CampaignKnown | ContentsKnown | ContentUp | Paid | ClawedBack | Envelope


def _campaign(message: Any) -> CampaignKnown:
    return CampaignKnown(checked_id(message.campaign_id), checked_id(message.brand_id), _agency(message))


def _agency(message: Any) -> str:
    return checked_id(message.agency_id) if message.agency_id else ""


def _contracted(message: Any) -> ContentsKnown:
    return ContentsKnown(tuple(_content(message, each) for each in message.deliverables))


def _published(message: Any) -> ContentUp:
    return ContentUp(checked_id(message.deliverable_id), time_of(message.published_at))


def _content(message: Any, deliverable: Any) -> ContentKnown:
    return ContentKnown(
        checked_id(deliverable.deliverable_id),
        checked_id(message.campaign_id),
        checked_id(message.collaboration_id),
        checked_id(message.creator_id),
        checked_id(message.brand_id),
        _agency(message),
        word(common.Platform, deliverable.platform),
        word(common.Format, deliverable.format),
    )


def _paid(message: Any) -> Paid:
    if not 0 <= message.fee_minor <= message.gross_minor:
        raise Invalid("payment.fee_above_gross", gross_minor=message.gross_minor, fee_minor=message.fee_minor)
    return Paid(
        checked_id(message.deliverable_id),
        checked_currency(message.currency),
        message.gross_minor,
        message.fee_minor,
    )


def _clawed_back(message: Any) -> ClawedBack:
    amount_minor = message.taken_minor + message.owed_minor
    return ClawedBack(checked_id(message.deliverable_id), checked_currency(message.currency), amount_minor)


def _envelope(message: Any) -> Envelope:
    """Columns to arrays; raises Invalid when they do not fit each other or a value is out of range."""
    rows = len(message.content)
    contents = tuple(checked_id(each.content_id) for each in message.contents)
    if len(set(contents)) != len(contents):
        raise Invalid("engagement.content_named_twice")
    batch = Batch(
        contents,
        _array(message.content),
        _array(message.metrics),
        _spread(message.kinds, rows),
        _spread(message.traffic, rows),
        _spread(message.provenance, rows),
        _array(message.observed_offset_ms) + message.observed_base_ms,
        _array(message.values),
    )
    envelope_id = checked_id(message.envelope_id)
    return Envelope(envelope_id, message.tenant, message.batch_id, message.partition, checked(batch))


def _array(column: Iterable[int]) -> Ints:
    return np.array(column, dtype=np.int64)


def _spread(column: Iterable[int], rows: int) -> Ints:
    """A column with a single entry holds for every row."""
    found = _array(column)
    return np.repeat(found, rows) if len(found) == 1 else found


READS: dict[type[Message], Callable[[Any], External]] = {
    campaigns.CampaignDrafted: _campaign,
    campaigns.BriefPublished: _campaign,
    campaigns.CollaborationContracted: _contracted,
    campaigns.ContentPublished: _published,
    ledger.PaymentReleased: _paid,
    ledger.PaymentClawedBack: _clawed_back,
    metrics.EngagementEnvelope: _envelope,
}
decode = decoder(READS)
"""Others' events; raises ValueError or Invalid for bytes that are no such message, None for a type that is not read."""


def _issue_link(asked: Any) -> tuple[str, object]:
    command = IssueLink(asked.brand_id, _placement(asked), asked.target_url, asked.code)
    return stream_id("link", asked.link_id), command


def _issue_coupon(asked: Any) -> tuple[str, object]:
    command = IssueCoupon(asked.brand_id, _placement(asked), asked.code, asked.discount_bps, time_of(asked.expires_at))
    return stream_id("coupon", asked.coupon_id), command


def _report_burst(asked: Any) -> tuple[str, object]:
    command = ReportBurst(
        asked.content_id,
        int(asked.metric),
        asked.window_start_ms,
        asked.window_s,
        asked.observed,
        asked.expected_max,
        asked.formula,
    )
    return stream_id("anomaly", anomaly_id(command)), command


def _report_anomaly(asked: own.ReportAnomaly) -> tuple[str, object]:
    """Raises ValueError for a kind that is none."""
    whose = (asked.content_id, asked.campaign_id, asked.creator_id, asked.brand_id)
    window = (int(asked.metric), asked.window_start_ms, asked.window_s)
    found = (asked.observed, asked.expected_max, asked.formula)
    command = ReportAnomaly(AnomalyKind(asked.kind), *whose, *window, *found)
    return stream_id("anomaly", anomaly_id(command)), command


def _placement(asked: Any) -> Placement:
    return Placement(asked.campaign_id, asked.collaboration_id, asked.deliverable_id, asked.creator_id)


COMMANDS: dict[type[Message], Callable[[Any], tuple[str, object]]] = {
    own.IssueTrackingLink: _issue_link,
    own.IssueCoupon: _issue_coupon,
    own.ReportBurst: _report_burst,
    own.ReportAnomaly: _report_anomaly,
    own.RecordGrid: record_grid,
}
decode_command = decoder(COMMANDS)
"""`metrics.commands.v1`: the stream and the command of a request."""
