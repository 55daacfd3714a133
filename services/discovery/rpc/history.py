"""Whose the streams of discovery are, and how a creator stood at a past moment: folded by the domain's own `evolve`."""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

from dandelion.history.v1 import queries_pb2 as history_pb
from dandelion.history.v1 import queries_pb2_grpc as history_stubs
from dandelion.operations.v1 import queries_pb2 as operations_pb
from dandelion.operations.v1 import queries_pb2_grpc as operations_stubs
from google.protobuf.message import Message

from kernel.core.decider import Actor
from kernel.core.events import Delivered
from kernel.core.ids import role_reader, split_stream
from kernel.edge.grpc import RpcService
from kernel.host.app import App
from kernel.host.history.queries import StreamHistory, history_service
from kernel.host.operations.queries import operations_service
from services.discovery.domain.authenticity.authenticity import CATEGORY
from services.discovery.domain.authenticity.events import LiftProposed
from services.discovery.domain.creator import CREATOR
from services.discovery.domain.profile import age_class
from services.discovery.domain.state import INITIAL, State, Status, evolve
from services.discovery.reads import CONTACT_ROLES, Card
from services.discovery.tables.track_records import RECORDS

STAFF = tuple(map(role_reader, ("operator", "auditor")))


def _of_creator(first: Delivered[Any]) -> Iterable[str]:
    """The creator alone: others see it as it is now."""
    return (split_stream(first.stream)[1], *STAFF)


def _card(events: Sequence[Delivered[Any]], actor: Actor) -> Card:
    """Without texts, which no event holds, and without what other services saw of it."""
    first, last = events[0], events[-1]
    creator_id = split_stream(first.stream)[1]
    state: State = reduce(evolve, (one.event for one in events), INITIAL)
    birth_year = state.profile.birth_year if state.profile else None
    until = state.suspension.until if state.suspension else None
    trusted = actor.tenant == creator_id or not CONTACT_ROLES.isdisjoint(actor.roles)
    return Card(
        creator_id,
        last.version,
        first.at,
        last.at,
        state,
        state.status is Status.SUSPENDED and (until is None or until > last.at),
        dict.fromkeys(RECORDS, 0),
        (),
        birth_year=birth_year if trusted else None,
        age_class=age_class(birth_year, last.at),
    )


def _histories(shown: Callable[[Card], Message]) -> tuple[StreamHistory, ...]:

    async def state(events: Sequence[Delivered[Any]], actor: Actor) -> Message:
        return shown(_card(events, actor))

    return (
        StreamHistory(CREATOR.category, _of_creator, state),
        StreamHistory(CATEGORY, _of_creator, staff_only=(LiftProposed,)),
    )


def shared_queries(app: App, shown: Callable[[Card], Message]) -> list[RpcService]:
    """The queries that every service answers: the history of its streams, and how it runs. `shown` makes a creator's message."""
    return [
        history_service(app, _histories(shown), history_pb, history_stubs),
        operations_service(app, operations_pb, operations_stubs),
    ]
