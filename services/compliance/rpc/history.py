"""Whose the streams of compliance are, and how a review stood at a past moment: folded by the read model's own projection."""

from collections.abc import Iterable, Sequence
from typing import Any

from dandelion.compliance.v1 import queries_pb2 as pb
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
from services.compliance.projections import apply_reviews, readers_of_review
from services.compliance.rpc.messages import shown_to, wire_review
from services.compliance.settings import voices_of
from services.compliance.tables import REVIEWS

REVIEW = "review"


def _of_review(first: Delivered[Any]) -> Iterable[str]:
    return readers_of_review(first.event.about)


def _histories(voices_needed: int) -> tuple[StreamHistory, ...]:
    async def state(events: Sequence[Delivered[Any]], actor: Actor) -> pb.Review:
        (row,) = (await folded(apply_reviews, events)).kept(REVIEWS).values()
        return wire_review(row, shown_to(actor, voices_needed))

    return (StreamHistory(REVIEW, _of_review, state),)


def shared_queries(app: App) -> list[RpcService]:
    """The queries that every service answers: the history of its streams, and how it runs."""
    return [
        history_service(app, _histories(voices_of(app.settings)), history_pb, history_stubs),
        operations_service(app, operations_pb, operations_stubs),
    ]
