"""`POST /engagement`: batches of observations to envelopes on the engagement topic; 202 after the topic's acknowledgement.

The Idempotency-Key is the batch's id. Its fingerprint is in the log before anything is sent, so a key never stands for
two bodies; a batch that is sent twice makes the same envelopes, and the projector counts each id once.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from fastapi import APIRouter
from pydantic import BaseModel

from kernel.adapters.bus import Bus, Message, Producer, TopicPartition
from kernel.core.decider import Actor
from kernel.core.faults import Fault, Forbidden, Invalid, Unavailable
from kernel.core.ids import derived_id, stream_id
from kernel.edge.fields import Body
from kernel.edge.http import CommandRequest, charge
from kernel.host.app import App
from kernel.runtime import telemetry
from services.metrics.domain.batch import RegisterBatch
from services.metrics.domain.engagement import Batch, Envelope, Provenance, reported_by, split
from services.metrics.domain.intake import (
    Columns,
    Taken,
    checked_times,
    checked_values,
    from_columns,
    from_csv,
    from_rows,
)
from services.metrics.publish import envelope_message
from services.metrics.reads.registry import STAFF, Known, Registry
from services.metrics.subscribe import ENGAGEMENT

BODY_LIMIT_BYTES = 8 * 1024 * 1024
BYTES_A_TOKEN = 65_536
"""A batch costs one more request of the rate for each: about a thousand rows in their shortest form."""
SEND_DEADLINE_S = 15.0
UNKNOWN_NAMED = 100
ROLES = ("operator", "system", "brand", "agency", "creator")


class RejectedRow(BaseModel):
    """A line of a CSV that was left out (the header is line 1), its column and the reason's code."""

    line: int
    column: str
    reason: str


class Accepted(BaseModel):
    """What was taken: `rows` in `envelopes`, `rejected_count` left out (the first 1,000 named).

    `unknown_count` contents (the first 100 named) are in no contract so far; their numbers are kept, and shown once they are.
    Only the platform's own adapters may send such; a brand or creator is refused.
    """

    batch_id: str
    rows: int
    envelopes: int
    rejected_count: int = 0
    rejected: list[RejectedRow] = []
    unknown_count: int = 0
    unknown: list[str] = []


class Fingerprint(Body):
    """What the idempotency of a batch covers: SHA-256 of its bytes and their type."""

    sha256: str
    media_type: str


@dataclass(slots=True)
class EnvelopeSender:
    """One producer for all requests; after a failed send it is closed, and the next request opens a new one."""

    bus: Bus
    producer: Producer | None = None
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, messages: Mapping[TopicPartition, Sequence[Message]]) -> None:
        """Returns when all are acknowledged; raises Unavailable otherwise (they may be there: send them again)."""
        async with self.opening:
            self.producer = self.producer or await self.bus.producer()
            producer = self.producer
        try:
            await producer.send(messages, SEND_DEADLINE_S)
        except (Fault, TimeoutError) as error:
            await self._drop(producer)
            raise Unavailable("engagement.not_acknowledged", retry_after_s=1) from error

    async def _drop(self, producer: Producer) -> None:
        if self.producer is producer:
            self.producer = None
            with suppress(Fault, TimeoutError):
                await producer.close()


def engagement_routes(app: App, registry: Registry, envelopes: EnvelopeSender, counter_limit: int) -> APIRouter:
    router = APIRouter(tags=["engagement"])

    @router.post("/engagement", status_code=202, openapi_extra={"requestBody": REQUEST})
    async def ingest(request: CommandRequest) -> Accepted:
        """A batch of up to 100,000 observations, as JSON (all or nothing) or CSV (good rows kept). Of a brand's or creator's
        rate a large batch costs more than a small one: 64 KiB, about a thousand rows, as much as a request."""
        request.actor.require(*ROLES)
        media_type = request.http.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        body = await request.http.body()
        charge(request.http, request.actor, tokens_of(body, request.actor))
        taken = await asyncio.to_thread(_taken, body, media_type, default_provenance(request.actor))
        checked_times(taken.batch, await app.log.now())
        checked_values(taken.batch, counter_limit)
        _check_provenance(taken.batch, request.actor)
        known = await registry.observed(taken.batch.contents, request.actor)
        batch_id = derived_id("batch", request.actor.tenant, request.key)
        await _register(app, request, batch_id, Fingerprint(sha256=_sha256(body), media_type=media_type), taken)
        batch = reported_by(taken.batch, [side_of(content, known, request.actor) for content in taken.batch.contents])
        count = await _send(app, envelopes, request, batch_id, batch, known)
        return _accepted(batch_id, count, taken, sorted(set(taken.batch.contents) - known.keys()))

    return router


def tokens_of(body: bytes, actor: Actor) -> int:
    """What reading the batch costs, in tokens of the rate limit; the platform's own adapters bring what platforms count."""
    return 0 if actor.roles & STAFF else len(body) // BYTES_A_TOKEN


def default_provenance(actor: Actor) -> str:
    """Platform adapters measure; what a brand or creator sends was typed or uploaded by a person."""
    return "platform" if actor.roles & STAFF else "manual"


def side_of(content: str, known: Mapping[str, Known], actor: Actor) -> Provenance | None:
    """Which party of the content's campaign the actor is: what it reports is kept apart from what anybody else does."""
    of = known.get(content)
    if actor.roles & STAFF or of is None:
        return None
    return Provenance.CREATOR if actor.tenant == of.placement.creator_id else Provenance.BRAND


def _check_provenance(batch: Batch, actor: Actor) -> None:
    """Only platform adapters (operator, system) say that a platform measured a number."""
    if not actor.roles & STAFF and bool((batch.provenance == Provenance.PLATFORM).any()):
        raise Forbidden("observation.provenance_not_yours", provenance="platform")


def _taken(body: bytes, media_type: str, provenance: str) -> Taken:
    match media_type:
        case "text/csv" | "application/csv" | "application/vnd.ms-excel":  # so Windows names a CSV
            try:
                return from_csv(body.decode("utf-8-sig"), provenance)
            except UnicodeDecodeError:
                raise Invalid("csv.not_utf8") from None
        case "application/json":
            return Taken(_from_json(body, provenance))
        case _:
            raise Invalid("body.media_type_unknown", expected="application/json or text/csv")


def _from_json(body: bytes, provenance: str) -> Batch:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Invalid("body.malformed") from None
    match given:
        case {"rows": [*rows], **more} if not more:
            return from_rows(rows, provenance)
        case {"columns": {**columns}, **more} if not more:
            return from_columns(cast("Columns", columns), provenance)
        case _:
            raise Invalid("observation.fields_wrong", expected="rows or columns")


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


async def _register(app: App, request: CommandRequest, batch_id: str, fingerprint: Fingerprint, taken: Taken) -> None:
    stream = stream_id("batch", batch_id)
    command = RegisterBatch(fingerprint.sha256, len(taken.batch), taken.rejected_count)
    await app.writer.execute(stream, command, request.meta(stream, command, fingerprint))


async def _send(
    app: App,
    envelopes: EnvelopeSender,
    request: CommandRequest,
    batch_id: str,
    batch: Batch,
    known: Mapping[str, Known],
) -> int:
    received_at, correlation = await app.log.now(), request.http.state.correlation
    names = {content: (each.placement.campaign_id, each.placement.creator_id, each.platform)
             for content, each in known.items()}  # fmt: skip

    def encoded(envelope: Envelope) -> tuple[TopicPartition, Message]:
        message = envelope_message(envelope, received_at, names, correlation)
        return (ENGAGEMENT.name, envelope.partition), message

    def by_partition() -> dict[TopicPartition, list[Message]]:
        found: dict[TopicPartition, list[Message]] = {}
        for where, message in map(encoded, split(batch, request.actor.tenant, batch_id)):
            found.setdefault(where, []).append(message)
        return found

    messages = await asyncio.to_thread(by_partition)
    if messages:
        await envelopes.send(messages)
    return sum(map(len, messages.values()))


def _accepted(batch_id: str, envelopes: int, taken: Taken, unknown: Sequence[str]) -> Accepted:
    telemetry.count("engagement_of_unknown_contents_total", len(unknown))
    rejected = [RejectedRow(line=each.line, column=each.column, reason=each.reason) for each in taken.rejected]
    return Accepted(
        batch_id=batch_id,
        rows=len(taken.batch),
        envelopes=envelopes,
        rejected_count=taken.rejected_count,
        rejected=rejected,
        unknown_count=len(unknown),
        unknown=unknown[:UNKNOWN_NAMED],
    )


_OBSERVATION: dict[str, Any] = {
    "type": "object",
    "required": ["content_id", "metric", "value", "observed_at"],
    "additionalProperties": False,
    "properties": {
        "content_id": {"type": "string", "format": "uuid", "description": "the deliverable's id"},
        "metric": {
            "enum": ["exposures", "reads", "views", "likes", "saves", "comments", "shares", "follows", "clicks",
                     "store_visits"],
        },
        "value": {"type": "integer", "minimum": 0, "maximum": 10**11},
        "observed_at": {"type": "string", "format": "date-time"},
        "kind": {"enum": ["increment", "snapshot"], "default": "increment"},
        "traffic": {"enum": ["organic", "paid"], "default": "organic"},
        "provenance": {
            "enum": ["platform", "manual", "estimated"],
            "description": "default: platform for operators and systems, manual for brands and creators, whose numbers are kept "
            "under the side that sent them",
        },
    },
}  # fmt: skip
_ROWS = {"rows": {"type": "array", "minItems": 1, "maxItems": 100_000, "items": _OBSERVATION}}
_COLUMNS = {
    "columns": {
        "type": "object",
        "description": "the same fields, each a list with an entry a row; the optional ones may be one text for all",
    }
}
REQUEST: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [
                    {"type": "object", "required": ["rows"], "additionalProperties": False, "properties": _ROWS},
                    {"type": "object", "required": ["columns"], "additionalProperties": False, "properties": _COLUMNS},
                ]
            }
        },
        "text/csv": {"schema": {"type": "string", "description": "header: the fields' names"}},
    },
}
