"""Whose the streams of metrics are, and how an order or a site stood at a past moment: folded by the read models' projections."""

from collections.abc import Iterable, Sequence
from typing import Any

from dandelion.history.v1 import queries_pb2 as history_pb
from dandelion.history.v1 import queries_pb2_grpc as history_stubs
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion.operations.v1 import queries_pb2 as operations_pb
from dandelion.operations.v1 import queries_pb2_grpc as operations_stubs

from kernel.core.decider import Actor
from kernel.core.events import Delivered
from kernel.edge.grpc import RpcService
from kernel.host.app import App
from kernel.host.history.folding import folded
from kernel.host.history.queries import StreamHistory, history_service
from kernel.host.operations.queries import operations_service
from services.metrics.domain.coupon import COUPON
from services.metrics.domain.excess import EXCESS
from services.metrics.domain.link.link import LINK
from services.metrics.domain.order.order import ORDER
from services.metrics.domain.site.site import SITE_DECIDER
from services.metrics.projections.orders import apply_orders
from services.metrics.projections.rows import STAFF
from services.metrics.projections.sites import apply_sites
from services.metrics.rpc.orders import wire_order
from services.metrics.rpc.sites import wire_site
from services.metrics.tables import ORDERS, SITES

Events = Sequence[Delivered[Any]]


def _of_brand(first: Delivered[Any]) -> Iterable[str]:
    return (first.event.brand_id, *STAFF)


def _of_parties(first: Delivered[Any]) -> Iterable[str]:
    return (first.event.brand_id, first.event.creator_id, *STAFF)


async def _order(events: Events, actor: Actor) -> pb.Order:
    (row,) = (await folded(apply_orders, events)).kept(ORDERS).values()
    return wire_order(row)


async def _site(events: Events, actor: Actor) -> pb.Site:
    (row,) = (await folded(apply_sites, events)).kept(SITES).values()
    return wire_site(row)


HISTORIES = (
    StreamHistory(ORDER.category, _of_brand, _order),
    StreamHistory(SITE_DECIDER.category, _of_brand, _site),
    StreamHistory(EXCESS.category, _of_parties),
    StreamHistory(LINK.category, _of_brand),
    StreamHistory(COUPON.category, _of_brand),
)


def shared_queries(app: App) -> list[RpcService]:
    """The queries that every service answers: the history of its streams, and how it runs."""
    return [
        history_service(app, HISTORIES, history_pb, history_stubs),
        operations_service(app, operations_pb, operations_stubs),
    ]
