"""Whose the streams of campaigns are, and how a thing stood at a past moment: folded by the read models' own projections."""

from collections.abc import Iterable, Sequence
from typing import Any

from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.history.v1 import queries_pb2 as history_pb
from dandelion.history.v1 import queries_pb2_grpc as history_stubs
from dandelion.operations.v1 import queries_pb2 as operations_pb
from dandelion.operations.v1 import queries_pb2_grpc as operations_stubs

from kernel.core.decider import Actor
from kernel.core.events import Delivered
from kernel.edge.grpc import RpcService
from kernel.host.app import App
from kernel.host.history.folding import folded
from kernel.host.history.queries import StreamHistory, history_service
from kernel.host.operations.queries import operations_service
from services.campaigns.domain.application.application import APPLICATION
from services.campaigns.domain.campaign.campaign import CAMPAIGN
from services.campaigns.domain.collaboration.collaboration import COLLABORATION
from services.campaigns.domain.shared.events import DealMarked
from services.campaigns.projections.applications import apply_applications
from services.campaigns.projections.campaigns import apply_campaigns
from services.campaigns.projections.rows import STAFF
from services.campaigns.projections.work import apply_work
from services.campaigns.rpc.messages import application, campaign, collaboration
from services.campaigns.tables import APPLICATIONS, CAMPAIGNS, COLLABORATIONS, DELIVERABLES

Events = Sequence[Delivered[Any]]


def _of_campaign(first: Delivered[Any]) -> Iterable[str]:
    """Whoever a campaign is open to sees it as it is now, and not the drafts before."""
    return (first.event.brand_id, *STAFF)


def _of_application(first: Delivered[Any]) -> Iterable[str]:
    return (first.event.parties.brand_id, first.event.parties.creator_id, *STAFF)


def _of_collaboration(first: Delivered[Any]) -> Iterable[str]:
    contract = first.event.contract.value
    return (contract.brand_id, contract.creator_id, *STAFF)


async def _campaign(events: Events, actor: Actor) -> pb.Campaign:
    """Without what applications and collaborations count."""
    (row,) = (await folded(apply_campaigns, events)).kept(CAMPAIGNS).values()
    return campaign(row, actor)


async def _application(events: Events, actor: Actor) -> pb.Application:
    (row,) = (await folded(apply_applications, events)).kept(APPLICATIONS).values()
    return application(row)


async def _collaboration(events: Events, actor: Actor) -> pb.Collaboration:
    """Without texts, and without what the ledger says of a payment that waits."""
    rows = await folded(apply_work, events)
    (row,) = rows.kept(COLLABORATIONS).values()
    deliverables = sorted(rows.kept(DELIVERABLES).values(), key=lambda one: int(one["ordinal"]))
    return collaboration(row, deliverables)


HISTORIES = (
    StreamHistory(CAMPAIGN.category, _of_campaign, _campaign),
    StreamHistory(APPLICATION.category, _of_application, _application, staff_only=(DealMarked,)),
    StreamHistory(COLLABORATION.category, _of_collaboration, _collaboration),
)


def shared_queries(app: App) -> list[RpcService]:
    """The queries that every service answers: the history of its streams, and how it runs."""
    return [
        history_service(app, HISTORIES, history_pb, history_stubs),
        operations_service(app, operations_pb, operations_stubs),
    ]
