"""What a query of campaigns asks for: ids, times and words of its request, checked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion_contracts.wire import time_of

from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from kernel.edge.page_tokens import PAGE_LIMIT
from services.campaigns.domain.shared.work_events import Awaited


def asked_work(
    request: pb.ListApplicationsRequest | pb.ListCollaborationsRequest | pb.ListPostingsRequest, statuses: list[str]
) -> dict[str, list[str]]:
    return {
        "campaign_id": asked_ids(request.campaign_id, "campaign_id"),
        "creator_id": asked_ids(request.creator_id, "creator_id"),
        "status": statuses,
    }


def asked_time(request: Any, name: str) -> datetime | None:
    """An optional time, in UTC; raises Invalid `time.out_of_range`."""
    try:
        return time_of(getattr(request, name)) if request.HasField(name) else None
    except ValueError:
        raise Invalid("time.out_of_range", field=name) from None


def asked_wait(value: str) -> str:
    if value not in list(Awaited):
        raise Invalid("filter.unknown_value", field="awaits", expected=", ".join(Awaited))
    return value


def several_ids(values: Sequence[str], name: str) -> list[str]:
    """At most a page of ids; raises Invalid `filter.too_many_values`."""
    if len(values) > PAGE_LIMIT:
        raise Invalid("filter.too_many_values", field=name, limit=PAGE_LIMIT)
    return [asked_id(value, name) for value in values]


def asked_ids(value: str, name: str) -> list[str]:
    """An optional filter by id."""
    return [asked_id(value, name)] if value else []


def asked_id(value: str, name: str) -> str:
    try:
        return checked_id(value)
    except Invalid:
        raise Invalid("id.malformed", field=name, expected="a lower-case UUID with hyphens") from None
