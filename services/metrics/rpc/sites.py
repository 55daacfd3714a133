"""SiteQueryService: the hosts that brands claim and have proven."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.metrics.v1 import events_pb2 as events
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion.metrics.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp
from dandelion_contracts.words import number, word
from google.protobuf.timestamp_pb2 import Timestamp

from kernel.core.decider import Actor
from kernel.edge.grpc import caller
from kernel.edge.page_tokens import page_size
from kernel.host.app import App
from kernel.processors.keyset import chosen
from services.metrics.domain.site.events import proof_of
from services.metrics.ports import FILE, RECORD
from services.metrics.projections.sites import SITE_LIST
from services.metrics.reads.sites import BY, SiteReads

SAME = ("site_id", "brand_id", "host", "why")
TIMES = ("claimed_at", "looked_at", "proven_at", "next_look_at")


class SiteQuestions:
    """The question of a caller."""

    def __init__(self, app: App) -> None:
        self._app, self._reads, self._tokens = app, SiteReads(app.database), app.page_tokens

    async def page(self, request: pb.ListSitesRequest, actor: Actor) -> pb.ListSitesResponse:
        size, after = page_size(request.page_size), self._tokens.open(request, request.page_token, actor.tenant)
        _, falling = chosen(request.order_by, BY)
        await self._app.at_least(request.at_least, SITE_LIST.name)
        status = word(events.SiteStatus, request.status)
        found = await self._reads.page(request.host.lower(), status, falling, after, size, actor)
        token = self._tokens.seal(request, found.next, actor.tenant) if found.next else ""
        return pb.ListSitesResponse(sites=map(wire_site, found.rows), page=common.PageInfo(next_page_token=token))


class SiteQueries(grpc_pb.SiteQueryServiceServicer):
    """A brand sees its own, staff see all."""

    def __init__(self, app: App) -> None:
        self._questions = SiteQuestions(app)

    async def ListSites(self, request: pb.ListSitesRequest, context: Any) -> pb.ListSitesResponse:  # noqa: N802
        return await self._questions.page(request, caller())


def wire_site(row: Mapping[str, Any]) -> pb.Site:
    times: dict[str, Any] = {name: _stamp(row[name]) for name in TIMES}
    return pb.Site(
        **{name: row[name] for name in SAME},
        **times,
        status=number(events.SiteStatus, row["status"]),
        covers=number(events.SiteCover, row["covers"]),
        proof=proof_of(row["site_id"]),
        record_name=f"{RECORD}.{row['host']}",
        file_url=f"https://{row['host']}{FILE}",
    )


def _stamp(at: datetime | None) -> Timestamp | None:
    return stamp(at) if at else None
