"""CreatorQueryService: questions of others in, protobuf out. Contract: proto/dandelion/discovery/v1/queries.proto.

A module per group of questions; CreatorQueries is all of them.
"""

import asyncio

from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb

from kernel.edge.grpc import RpcService
from kernel.host.app import App
from services.discovery.reads import reads_of
from services.discovery.rpc.authenticity import AuthenticityQueries
from services.discovery.rpc.contacts import Contacts
from services.discovery.rpc.creators import Creators
from services.discovery.rpc.figures import FigureQueries
from services.discovery.rpc.history import shared_queries
from services.discovery.rpc.match_weights import MatchWeightQueries
from services.discovery.rpc.matching import Matching
from services.discovery.rpc.media_kits import MediaKitQueries
from services.discovery.rpc.messages import wire_creator
from services.discovery.rpc.mix import Mix
from services.discovery.rpc.saved_searches import SavedSearchQueries, criteria_from
from services.discovery.rpc.search import Search
from services.discovery.rpc.shortlists import ShortlistQueries
from services.discovery.watching.looks import Looks


class CreatorQueries(
    Search,
    AuthenticityQueries,
    MediaKitQueries,
    FigureQueries,
    Creators,
    Matching,
    MatchWeightQueries,
    Mix,
    Contacts,
    SavedSearchQueries,
    ShortlistQueries,
):
    """All questions."""


def make_queries(app: App) -> list[RpcService]:
    """The queries of discovery for both edges, and their text index kept up beside them."""
    reads = reads_of(app)
    described = pb.DESCRIPTOR.services_by_name["CreatorQueryService"]
    queries, add = CreatorQueries(app, reads), grpc_pb.add_CreatorQueryServiceServicer_to_server
    looks = Looks(app, reads, criteria_from)

    async def keep(stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as kept:
            kept.create_task(reads.index.keep(stop))
            kept.create_task(queries.matcher.keep(stop))
            kept.create_task(looks.keep(stop))

    return [
        RpcService.of(described, add, queries, keep),
        *shared_queries(app, wire_creator),
    ]
