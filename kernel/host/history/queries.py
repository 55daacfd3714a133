"""History of streams: the events of one stream in their public form, and a thing as it stood at a past moment.

A service declares by `StreamHistory` whose its streams are and how a thing is folded; what is read, translated and paged is the
same for all. Operators and auditors see every stream of the log, others what is theirs.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from kernel.core.codec import delivered, incoming_of
from kernel.core.decider import Actor
from kernel.core.events import Delivered, Recorded
from kernel.core.faults import Invalid, NotFound, Refused
from kernel.core.ids import PUBLIC, is_id, split_stream
from kernel.edge.grpc import RpcService, caller
from kernel.edge.page_tokens import page_size
from kernel.eventlog.log import MAX_POSITION, StreamSpan
from kernel.host.app import App
from kernel.processors.access import readers_of
from kernel.processors.keyset import chosen
from kernel.processors.read_your_writes import parse_token, there
from kernel.streams.relay import PublicEvent

ALL_STREAMS = frozenset({"operator", "auditor"})
"""Roles that see every stream, and who sent each command."""
PAGE_BYTES = 1024 * 1024
"""Public messages after which a page ends, with the one that passes the bound."""
FOLD_EVENTS, FOLD_BYTES = 10_000, 16 * 1024 * 1024
"""Longest stream that is folded for a question."""
TYPE_URL = "type.googleapis.com/"


async def _nothing(events: Sequence[Delivered[Any]], actor: Actor) -> None:
    return None


@dataclass(frozen=True, slots=True)
class StreamHistory:
    """History of one category of streams. `readers` names whose a stream is by its first event: tenants and `role:<role>`.

    `state` folds the events of one stream, from the first on, into the thing's public message for a caller: pure, without other
    streams. Events of the types in `staff_only` are left out for parties.
    """

    category: str
    readers: Callable[[Delivered[Any]], Iterable[str]]
    state: Callable[[Sequence[Delivered[Any]], Actor], Awaitable[Message | None]] = _nothing
    staff_only: tuple[type, ...] = ()


class HistoryQueries:
    """Servicer of HistoryQueryService over the generated messages in `wire` (dandelion.history.v1.queries_pb2)."""

    def __init__(self, app: App, histories: Sequence[StreamHistory], wire: Any) -> None:
        self._app, self._wire = app, wire
        self._histories = {one.category: one for one in histories}

    async def GetHistory(self, request: Any, context: Any) -> Any:  # noqa: N802
        actor, size = caller(), page_size(request.page_size)
        _, falling = chosen(request.order_by, ("version", "version desc"))
        cursor = self._app.page_tokens.open(request, request.page_token, actor.tenant)
        after = int(cursor[0] or 0) if cursor else None
        span = _span(request)._replace(limit=size + 1, after=after, falling=falling)
        await self._allowed(request, actor)
        found = await self._app.log.read_stream(request.stream, span)
        shown, last = self._page(found[:size], actor)
        more = last is not None and last != found[-1].version
        token = self._app.page_tokens.seal(request, (last,), actor.tenant) if more else ""
        return self._wire.GetHistoryResponse(
            events=shown, page={"next_page_token": token, "as_of": [f"{self._app.service.name}:{await self._head()}:"]}
        )

    async def GetPastState(self, request: Any, context: Any) -> Any:  # noqa: N802
        actor, span = caller(), _span(request)
        await self._allowed(request, actor)
        events = await self._whole(request.stream, span)
        history = self._history(request.stream)
        if not events:
            return self._wire.GetPastStateResponse()
        state = await history.state(events, actor) if history else None
        last = events[-1]
        return self._wire.GetPastStateResponse(
            state=_packed(state) if state is not None else None,
            version=last.version,
            position=last.position,
            recorded_at=last.at,
        )

    def _history(self, stream: str) -> StreamHistory | None:
        return self._histories.get(split_stream(stream)[0])

    async def _allowed(self, request: Any, actor: Actor) -> None:
        """Waits for the caller's own write; raises NotFound `stream.unknown` for a stream that is not there for the caller."""
        stream, at_least = _stream(request.stream), request.at_least
        look, own_write = partial(self._look, stream, actor), partial(self._own_write, at_least)
        await there(at_least, stream, look, own_write, self._app.admission.hold_wait)

    async def _look(self, stream: str, actor: Actor) -> None:
        """One read of one event, whatever is there and whoever asks."""
        found = await self._app.log.read_stream(stream, StreamSpan(1), opened=False)
        if not found or not self._is_reader(found[0], actor):
            raise NotFound("stream.unknown", stream=stream)

    def _is_reader(self, first: Recorded, actor: Actor) -> bool:
        if not ALL_STREAMS.isdisjoint(actor.roles):
            return True
        history = self._history(first.stream)
        if history is None:
            return False
        named = history.readers(incoming_of(self._app.service.name, first, self._app.service.codec))
        return not {*readers_of(actor)}.difference({PUBLIC}).isdisjoint(named)

    async def _own_write(self, token: str) -> None:
        """The log has every event that a receipt of this service names; raises Invalid for a token of any other."""
        if token:
            service, position, _ = parse_token(token)
            if service != self._app.service.name:
                raise Invalid("at_least.not_read_here", field="at_least", reads=self._app.service.name)
            if position > await self._head():
                raise Invalid("at_least.ahead", field="at_least")

    async def _head(self) -> int:
        return (await self._app.log.head()).position

    def _page(self, found: Sequence[Recorded], actor: Actor) -> tuple[list[Any], int | None]:
        """The events that one answer holds, and the version of the last that was looked at."""
        shown: list[Any] = []
        last, size = None, 0
        for recorded in found:
            if size > PAGE_BYTES:
                break
            event = self._event(recorded, actor)
            if event is not None:
                shown.append(event)
                size += event.ByteSize()
            last = recorded.version
        return shown, last

    def _event(self, recorded: Recorded, actor: Actor) -> Any:
        """The event as the caller may see it; None for one that is left out."""
        meta, is_staff = orjson.loads(recorded.meta), not ALL_STREAMS.isdisjoint(actor.roles)
        incoming = delivered(self._app.service.name, recorded, self._app.service.codec, meta)
        history = self._history(recorded.stream)
        if not is_staff and history is not None and isinstance(incoming.event, history.staff_only):
            return None
        public = self._public(recorded, incoming)
        made = self._wire.HistoryEvent(
            version=recorded.version,
            position=recorded.position,
            recorded_at=recorded.recorded_at,
            type=public.type if public else recorded.name,
            event=AnyMessage(type_url=TYPE_URL + public.type, value=public.value) if public else None,
            actor_roles=meta.get("roles", ()),
        )
        if is_staff:
            made.actor_id, made.actor_tenant = meta["actor"], meta.get("tenant", "")
            made.correlation_id = meta["correlation"]
        return made

    def _public(self, recorded: Recorded, incoming: Delivered[Any]) -> PublicEvent | None:
        """What subscribers get of the event; None for one of a private stream."""
        if recorded.partition is None:
            return None
        found = self._app.service.publish(incoming)
        return next((one for one in found if isinstance(one, PublicEvent)), None)

    async def _whole(self, stream: str, span: StreamSpan) -> list[Delivered[Any]]:
        """The stream up to a moment; raises Refused `history.too_long` past the bounds of a fold."""
        found = await self._app.log.read_stream(stream, span)
        if len(found) > FOLD_EVENTS or sum(len(one.data) for one in found) > FOLD_BYTES:
            raise Refused("history.too_long", stream=stream, limit=FOLD_EVENTS, limit_bytes=FOLD_BYTES)
        return [incoming_of(self._app.service.name, one, self._app.service.codec) for one in found]


def _packed(message: Message) -> AnyMessage:
    return AnyMessage(
        type_url=TYPE_URL + message.DESCRIPTOR.full_name, value=message.SerializeToString(deterministic=True)
    )


def _stream(value: str) -> str:
    if not is_id(split_stream(value)[1]):
        raise Invalid("id.malformed", field="stream", expected="<noun>-<uuid>, the stream of a receipt")
    return value


def _span(request: Any) -> StreamSpan:
    """The whole stream up to the moment that a request names; raises Invalid `position.negative` and `time.out_of_range`."""
    for name in ("until_position", "until_version"):
        if getattr(request, name) < 0:
            raise Invalid("position.negative", field=name)
    upto, last = int(request.until_position) or MAX_POSITION, int(request.until_version) or MAX_POSITION
    return StreamSpan(FOLD_EVENTS + 1, None, upto, _until(request), last=last)


def _until(request: Any) -> datetime | None:
    if not request.HasField("until"):
        return None
    try:
        at: datetime = request.until.ToDatetime(UTC)
    except (OverflowError, ValueError) as error:
        raise Invalid("time.out_of_range", field="until") from error
    return at


def history_service(app: App, histories: Sequence[StreamHistory], wire: Any, stubs: Any) -> RpcService:
    """HistoryQueryService for both edges; `wire` and `stubs` are the generated modules of dandelion.history.v1."""
    described = wire.DESCRIPTOR.services_by_name["HistoryQueryService"]
    servicer = HistoryQueries(app, histories, wire)
    return RpcService.of(described, stubs.add_HistoryQueryServiceServicer_to_server, servicer)
