"""`POST /contents/{content_id}/mentions`: comments on a content, scored here; their texts are not kept."""

import asyncio
import hmac
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from kernel.core.events import Receipt
from kernel.core.faults import Invalid
from kernel.core.ids import stream_id
from kernel.edge.fields import Body, UtcDatetime, Uuid
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.metrics.domain.mentions.mentions import BATCH_LIMIT, CATEGORY, MICROS, RecordMentions, Scored
from services.metrics.reads.registry import Registry
from services.metrics.sentiment.models import version
from services.metrics.sentiment.scores import Score, scored

ROLES = ("brand", "agency", "creator", "operator", "system")
TEXT_CHARS, ID_CHARS = 2_000, 200
AT_ONCE = 1
"""Batches that are scored at a time: a batch uses a whole processor."""


class Mention(Body):
    """`source_id` is the platform's id of the comment: with it a comment is counted once."""

    source_id: Annotated[str, Field(min_length=1, max_length=ID_CHARS)]
    text: Annotated[str, Field(min_length=1, max_length=TEXT_CHARS)]
    published_at: UtcDatetime


class MentionsBody(Body):
    mentions: Annotated[list[Mention], Field(min_length=1, max_length=BATCH_LIMIT)]


def mention_routes(app: App, registry: Registry) -> APIRouter:
    router = APIRouter(tags=["sentiment"])
    slots = asyncio.Semaphore(AT_ONCE)

    @router.post("/contents/{content_id}/mentions", status_code=201)
    async def record(content_id: Uuid, body: MentionsBody, request: CommandRequest) -> Receipt:
        """At most 500 comments, by the content's brand or creator or by a platform's adapter. A comment in another language than
        Chinese and English is left out."""
        request.actor.require(*ROLES)
        await registry.observed({content_id}, request.actor)
        async with slots:
            found = await asyncio.to_thread(scored, [one.text for one in body.mentions])
        rows = _rows(app.fingerprint_key, content_id, body.mentions, found)
        if not rows:
            raise Invalid("mentions.language_unknown", field="mentions", expected="Chinese or English")
        times = [one.published_at for one in body.mentions]
        stream, command = stream_id(CATEGORY, content_id), RecordMentions(version(), rows, min(times), max(times))
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    return router


def _rows(key: bytes, content_id: str, mentions: Sequence[Mention], found: Sequence[Score]) -> tuple[Scored, ...]:
    return tuple(
        Scored(_digest(key, content_id, one.source_id), score.language, one.published_at.date(), *_micros(score))
        for one, score in zip(mentions, found, strict=True)
        if score.language
    )


def _micros(score: Score) -> tuple[int, int]:
    """Of negative and positive, together at most the whole."""
    negative = min(MICROS, round(score.negative * MICROS))
    return negative, min(MICROS - negative, round(score.positive * MICROS))


def _digest(key: bytes, content_id: str, source_id: str) -> str:
    return hmac.digest(key, f"comment {content_id} {source_id}".encode(), "sha256")[:12].hex()
