"""Sites in public."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from dandelion.metrics.v1 import events_pb2 as pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number
from google.protobuf.message import Message

from services.metrics.domain.site.events import SiteClaimed, SiteLooked, SiteLookRequested, proof_of


def _claimed(event: SiteClaimed, at: datetime) -> pb.SiteClaimed:
    return pb.SiteClaimed(**_site(event), proof=proof_of(event.site_id), claimed_at=stamp(at))


def _requested(event: SiteLookRequested, at: datetime) -> pb.SiteLookRequested:
    return pb.SiteLookRequested(**_site(event), requested_at=stamp(event.requested_at))


def _looked(event: SiteLooked, at: datetime) -> pb.SiteLooked:
    made = pb.SiteLooked(
        **_site(event), status=number(pb.SiteStatus, event.status.value), covers=number(pb.SiteCover, event.covers),
        why=event.why, looked_at=stamp(event.looked_at),
    )  # fmt: skip
    if event.next_look_at is not None:
        made.next_look_at.CopyFrom(stamp(event.next_look_at))
    return made


def _site(event: SiteClaimed | SiteLookRequested | SiteLooked) -> dict[str, Any]:
    return {"site_id": event.site_id, "brand_id": event.brand_id, "host": event.host}


SITE_FORMS: dict[type, Callable[[Any, datetime], Message]] = {
    SiteClaimed: _claimed, SiteLookRequested: _requested, SiteLooked: _looked,
}  # fmt: skip
