"""Whose the ledger's streams are. A balance at a past moment is GetBalances' `as_of`; what an escrow released holds the other
party's taxes, so that its events are for staff, and parties have their statements."""

from collections.abc import Iterable
from typing import Any

from dandelion.history.v1 import queries_pb2 as history_pb
from dandelion.history.v1 import queries_pb2_grpc as history_stubs
from dandelion.operations.v1 import queries_pb2 as operations_pb
from dandelion.operations.v1 import queries_pb2_grpc as operations_stubs

from kernel.core.events import Delivered
from kernel.edge.grpc import RpcService
from kernel.host.app import App
from kernel.host.history.queries import StreamHistory, history_service
from kernel.host.operations.queries import operations_service
from services.ledger.domain.commands import DEPOSIT, ESCROW, PAYOUT
from services.ledger.projections import STAFF


def _of_transfer(first: Delivered[Any]) -> Iterable[str]:
    transfer = first.event.transfer
    return (transfer.owner, *STAFF) if transfer is not None else STAFF


def _of_staff(first: Delivered[Any]) -> Iterable[str]:
    return STAFF


HISTORIES = (
    StreamHistory(DEPOSIT, _of_transfer),
    StreamHistory(PAYOUT, _of_transfer),
    StreamHistory(ESCROW, _of_staff),
)


def shared_queries(app: App) -> list[RpcService]:
    """The queries that every service answers: the history of its streams, and how it runs."""
    return [
        history_service(app, HISTORIES, history_pb, history_stubs),
        operations_service(app, operations_pb, operations_stubs),
    ]
