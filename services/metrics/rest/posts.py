"""Creators' own posts over HTTP: made known, so that engagement of them may be sent like that of any content."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from kernel.core.events import Receipt
from kernel.core.ids import stream_id
from kernel.edge.fields import Body, UtcDatetime, Uuid, worded
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.metrics.domain.post.post import Format, Platform, RegisterPost, post_id

PlatformPostId = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=128, pattern=worded(r"^[\x21-\x7e]+$", "printable ASCII without blanks")
    ),
]


class PostBody(Body):
    """`platform_post_id` is the platform's own id of the post: it is not kept, the content's id follows from it."""

    creator_id: Uuid
    platform: Platform
    platform_post_id: PlatformPostId
    format: Format
    published_at: UtcDatetime


def post_routes(app: App) -> APIRouter:
    router = APIRouter(tags=["engagement"])

    @router.post("/posts", status_code=201)
    async def register(body: PostBody, request: CommandRequest) -> Receipt:
        """A post of the creator's that belongs to no collaboration, by the creator or a platform's adapter. The receipt's stream
        is `post-<content id>`: under that content id its engagement is sent. The same post again is the same content."""
        content_id = post_id(body.creator_id, body.platform, body.platform_post_id)
        stream = stream_id("post", content_id)
        command = RegisterPost(body.creator_id, body.platform, body.format, body.published_at)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    return router
