"""CampaignQueryService: what is agreed and made, for those it concerns."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1 import queries_pb2_grpc as stubs
from dandelion.common.v1 import common_pb2 as common
from dandelion_contracts.words import word
from google.protobuf.message import Message
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.clock import system_clock
from kernel.core.ids import split_stream
from kernel.edge.grpc import RpcService, caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import PAGE_DEFAULT, PAGE_LIMIT, Cursor, page_size
from kernel.host.app import App
from kernel.processors import generations
from kernel.processors.access import reading_as
from kernel.processors.keyset import Page, Row
from kernel.processors.read_your_writes import coming, there
from services.campaigns import reads
from services.campaigns.domain.collaboration.collaboration import COLLABORATION
from services.campaigns.reads import Listing
from services.campaigns.rpc.asked import asked_id, asked_ids, asked_time, asked_wait, asked_work, several_ids
from services.campaigns.rpc.contracts import contract, quote
from services.campaigns.rpc.history import shared_queries
from services.campaigns.rpc.messages import (
    application,
    brief_version,
    campaign,
    collaboration,
    dispute,
    marked_deal,
    posting,
)
from services.campaigns.rpc.personal import add_personal
from services.campaigns.rpc.submissions import newest_first, submissions_of
from services.campaigns.tables import (
    APPLICATIONS,
    BRIEF_VERSIONS,
    CAMPAIGNS,
    COLLABORATIONS,
    DISPUTES,
    MARKED_DEALS,
    POSTINGS,
)

T = TypeVar("T")
BRIEFS_LIMIT = 20
SUBMISSIONS_LIMIT = 10
"""Versions of a brief and submissions in one page: the largest ones fill a message."""

WORK = COLLABORATION.category
SERVICE = pb.DESCRIPTOR.services_by_name["CampaignQueryService"]


def make_queries(app: App) -> list[RpcService]:
    """The queries of campaigns, for both edges."""
    return [
        RpcService.of(SERVICE, stubs.add_CampaignQueryServiceServicer_to_server, Queries(app)),
        *shared_queries(app),
    ]


class Queries(stubs.CampaignQueryServiceServicer):
    """Reads as the caller; every answer says up to which event it stands."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._projections = {one.name: one for one in app.service.projections}
        self._tokens = app.page_tokens

    async def GetCampaign(self, request: pb.GetCampaignRequest, context: RpcContext) -> pb.GetCampaignResponse:  # noqa: N802
        key = asked_id(request.campaign_id, "campaign_id")
        async with self._reading("campaigns", request.at_least) as connection:
            row = await reads.one(connection, CAMPAIGNS, "campaign_id", key, caller())
            (row,) = await reads.with_paid(connection, [row], caller())
        return pb.GetCampaignResponse(campaign=campaign(row, caller()))

    async def BatchGetCampaigns(  # noqa: N802
        self, request: pb.BatchGetCampaignsRequest, context: RpcContext
    ) -> pb.BatchGetCampaignsResponse:
        keys = several_ids(request.campaign_ids, "campaign_ids")
        async with self._reading("campaigns", request.at_least) as connection:
            rows = await reads.several(connection, CAMPAIGNS, "campaign_id", keys, caller())
            rows = await reads.with_paid(connection, rows, caller())
        return pb.BatchGetCampaignsResponse(campaigns=[campaign(row, caller()) for row in rows])

    async def ListCampaigns(self, request: pb.ListCampaignsRequest, context: RpcContext) -> pb.ListCampaignsResponse:  # noqa: N802
        filters = {
            "brand_id": asked_ids(request.brand_id, "brand_id"),
            "status": [word(pb.CampaignStatus, status) for status in request.statuses],
            "campaign_type": [word(common.CampaignType, kind) for kind in request.types],
        }
        asked = self._listing(CAMPAIGNS, "campaign_id", request, filters)
        async with self._reading("campaigns", request.at_least) as connection:
            found = await reads.page(connection, asked, caller())
            rows = await reads.with_paid(connection, found.rows, caller())
            info = await self._info(connection, "campaigns", request, found)
        return pb.ListCampaignsResponse(campaigns=[campaign(row, caller()) for row in rows], page=info)

    async def ListApplications(  # noqa: N802
        self, request: pb.ListApplicationsRequest, context: RpcContext
    ) -> pb.ListApplicationsResponse:
        statuses = [word(pb.ApplicationStatus, status) for status in request.statuses]
        filters = {
            "application_id": asked_ids(request.application_id, "application_id"),
            **asked_work(request, statuses),
        }
        asked = self._listing(APPLICATIONS, "application_id", request, filters)
        async with self._reading("applications", request.at_least) as connection:
            found = await reads.page(connection, asked, caller())
            info = await self._info(connection, "applications", request, found)
        return pb.ListApplicationsResponse(applications=map(application, found.rows), page=info)

    async def ListCollaborations(  # noqa: N802
        self, request: pb.ListCollaborationsRequest, context: RpcContext
    ) -> pb.ListCollaborationsResponse:
        statuses = [word(pb.CollaborationStatus, status) for status in request.statuses]
        filters = asked_work(request, statuses) | {"awaits": [asked_wait(one) for one in request.awaits]}
        asked = self._listing(COLLABORATIONS, "collaboration_id", request, filters)
        await self._came(request.at_least)
        async with self._reading("collaborations", request.at_least) as connection:
            found = await reads.page(connection, asked, caller())
            made = await self._collaborations(connection, found.rows)
            info = await self._info(connection, "collaborations", request, found)
        return pb.ListCollaborationsResponse(collaborations=made, page=info)

    async def GetCollaboration(  # noqa: N802
        self, request: pb.GetCollaborationRequest, context: RpcContext
    ) -> pb.GetCollaborationResponse:
        key = asked_id(request.collaboration_id, "collaboration_id")
        found = await self._there(request.at_least, key, partial(self._collaboration, key))
        await add_personal(found, self._app.log, self._app.service.codec)
        return pb.GetCollaborationResponse(collaboration=found)

    async def ListPostings(self, request: pb.ListPostingsRequest, context: RpcContext) -> pb.ListPostingsResponse:  # noqa: N802
        statuses = [word(pb.PostingStatus, status) for status in request.statuses]
        asked = self._listing(POSTINGS, "deliverable_id", request, asked_work(request, statuses))
        window = (asked_time(request, "publish_from"), asked_time(request, "publish_until"))
        asked = replace(asked, times={"publish_at": window})
        async with self._reading("postings", request.at_least) as connection:
            found = await reads.page(connection, asked, caller())
            info = await self._info(connection, "postings", request, found)
        return pb.ListPostingsResponse(postings=map(posting, found.rows), page=info)

    async def ListMarkedDeals(  # noqa: N802
        self, request: pb.ListMarkedDealsRequest, context: RpcContext
    ) -> pb.ListMarkedDealsResponse:
        caller().require(*reads.STAFF_ROLES)
        filters = {name: asked_ids(getattr(request, name), name) for name in ("brand_id", "creator_id")}
        asked = self._listing(MARKED_DEALS, "application_id", request, filters)
        async with self._reading("marked_deals", request.at_least) as connection:
            found = await reads.page(connection, asked, caller())
            info = await self._info(connection, "marked_deals", request, found)
        return pb.ListMarkedDealsResponse(deals=map(marked_deal, found.rows), page=info)

    async def ListBriefVersions(  # noqa: N802
        self, request: pb.ListBriefVersionsRequest, context: RpcContext
    ) -> pb.ListBriefVersionsResponse:
        filters = {"campaign_id": [asked_id(request.campaign_id, "campaign_id")]}
        asked = self._listing(BRIEF_VERSIONS, "version_id", request, filters, BRIEFS_LIMIT)
        async with self._reading("brief_versions", request.at_least) as connection:
            found = await reads.page(connection, asked, caller())
            info = await self._info(connection, "brief_versions", request, found)
        return pb.ListBriefVersionsResponse(versions=[brief_version(row, caller()) for row in found.rows], page=info)

    async def GetContract(self, request: pb.GetContractRequest, context: RpcContext) -> pb.GetContractResponse:  # noqa: N802
        key = asked_id(request.collaboration_id, "collaboration_id")
        row = await self._there(request.at_least, key, partial(self._row, key))
        return pb.GetContractResponse(contract=contract(row, request.language))

    async def ListSubmissions(  # noqa: N802
        self, request: pb.ListSubmissionsRequest, context: RpcContext
    ) -> pb.ListSubmissionsResponse:
        key, wanted = (
            asked_id(request.collaboration_id, "collaboration_id"),
            asked_ids(request.deliverable_id, "deliverable_id"),
        )
        size = page_size(request.page_size, SUBMISSIONS_LIMIT, SUBMISSIONS_LIMIT)
        cursor = self._tokens.open(request, request.page_token, caller().tenant)
        as_of = await self._there(request.at_least, key, partial(self._standing, key))
        found = await submissions_of(key, self._app.log, self._app.service.codec)
        shown, behind = newest_first([one for one in found if one.deliverable_id in wanted or not wanted], cursor, size)
        return pb.ListSubmissionsResponse(submissions=shown, page=self._page(request, behind, as_of))

    async def ListDisputes(self, request: pb.ListDisputesRequest, context: RpcContext) -> pb.ListDisputesResponse:  # noqa: N802
        named = ("collaboration_id", "campaign_id", "brand_id", "creator_id")
        filters = {name: asked_ids(getattr(request, name), name) for name in named}
        filters["status"] = [word(pb.DisputeStatus, status) for status in request.statuses]
        asked = self._listing(DISPUTES, "dispute_id", request, filters)
        async with self._reading("disputes", request.at_least) as connection:
            found = await reads.page(connection, asked, caller())
            info = await self._info(connection, "disputes", request, found)
        return pb.ListDisputesResponse(disputes=map(dispute, found.rows), page=info)

    async def QuoteCancellation(  # noqa: N802
        self, request: pb.QuoteCancellationRequest, context: RpcContext
    ) -> pb.QuoteCancellationResponse:
        key = asked_id(request.collaboration_id, "collaboration_id")
        row = await self._there(request.at_least, key, partial(self._row, key))
        return pb.QuoteCancellationResponse(quote=quote(row, caller(), system_clock()))

    async def _came(self, at_least: str) -> None:
        """A list too waits for the collaboration that the token's command leads to."""
        category, key = split_stream(coming(at_least))
        if category == WORK:
            await self._there(at_least, key, partial(self._row, key))

    async def _there(self, at_least: str, key: str, read: Callable[[], Awaitable[T]]) -> T:
        """What is read of the collaboration, with the caller's own write; one that is to come is waited for."""
        own_write = partial(self._app.at_least, at_least, "collaborations")
        return await there(at_least, f"{WORK}-{key}", read, own_write, self._app.admission.hold_wait)

    async def _row(self, key: str) -> Row:
        async with self._reading("collaborations", "") as connection:
            return await reads.one(connection, COLLABORATIONS, "collaboration_id", key, caller())

    async def _standing(self, key: str) -> list[str]:
        """Up to which event a collaboration that the caller may see stands."""
        async with self._reading("collaborations", "") as connection:
            await reads.one(connection, COLLABORATIONS, "collaboration_id", key, caller())
            return await self._as_of(connection, "collaborations")

    async def _collaboration(self, key: str) -> pb.Collaboration:
        async with self._reading("collaborations", "") as connection:
            row = await reads.one(connection, COLLABORATIONS, "collaboration_id", key, caller())
            return (await self._collaborations(connection, [row]))[0]

    async def _collaborations(
        self, connection: AsyncConnection, rows: Sequence[dict[str, Any]]
    ) -> list[pb.Collaboration]:
        ids = [row["collaboration_id"] for row in rows]
        deliverables = await reads.deliverables_of(connection, ids, caller())
        return [collaboration(row, deliverables[row["collaboration_id"]]) for row in rows]

    @asynccontextmanager
    async def _reading(self, projection: str, at_least: str) -> AsyncIterator[AsyncConnection]:
        """Waits for the caller's own write, then reads as the caller."""
        await self._app.at_least(at_least, projection)
        async with reading_as(self._app.database, self._app.service.name, caller()) as connection:
            yield connection

    def _listing(
        self, table: sa.Table, key: str, request: Any, filters: dict[str, list[str]], limit: int = PAGE_LIMIT
    ) -> Listing:
        cursor = self._tokens.open(request, request.page_token, caller().tenant)
        order_by = request.order_by if "order_by" in request.DESCRIPTOR.fields_by_name else ""
        return Listing(
            table, key, order_by, filters, page_size(request.page_size, min(limit, PAGE_DEFAULT), limit), cursor
        )

    async def _info(
        self, connection: AsyncConnection, projection: str, request: Message, found: Page
    ) -> common.PageInfo:
        return self._page(request, found.next, await self._as_of(connection, projection))

    async def _as_of(self, connection: AsyncConnection, projection: str) -> list[str]:
        generation = await generations.live_generation(self._app.database, self._projections[projection])
        guards = self._app.metadata.tables["guards"]
        position = await reads.position(connection, guards, projection, generation)
        return [f"{self._app.service.name}:{position}:"]

    def _page(self, request: Message, behind: Cursor | None, as_of: list[str]) -> common.PageInfo:
        token = self._tokens.seal(request, behind, caller().tenant) if behind else ""
        return common.PageInfo(next_page_token=token, as_of=as_of)
