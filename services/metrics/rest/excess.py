"""Staff's answer to excess that was set aside: how much of it is payable after all."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from kernel.core.events import Receipt
from kernel.core.faults import NotFound
from kernel.edge.fields import Body, Uuid, worded
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.metrics.domain.excess import STAFF, Reason, ReleaseExcess, excess_stream
from services.metrics.domain.payable import ABOVE
from services.metrics.reads.payable import PayableReads

Name = Literal[
    "exposures", "reads", "views", "likes", "saves", "comments", "shares", "follows", "clicks", "store_visits"
]
ContentId = Annotated[Uuid, Path(description="The deliverable's id.")]


class ReleaseBody(Body):
    """`count` of what the band sets aside of the metric is payable in all; 0 takes a release back. `reason` is a word."""

    count: Annotated[int, Field(ge=0, le=2**53)]
    reason: Annotated[
        Reason, Field(pattern=worded("^[a-z][a-z0-9_.]*$", "a word of a-z 0-9 _ ."), examples=["went_viral"])
    ]


def excess_routes(app: App) -> APIRouter:
    router = APIRouter(tags=["payable numbers"])
    reads = PayableReads(app.database)

    @router.post("/contents/{content_id}/payable/{metric}/release")
    async def release(content_id: ContentId, metric: Name, body: ReleaseBody, request: CommandRequest) -> Receipt:
        """By an operator, who has seen that the excess is people: it is payable from now on, and both sides read why."""
        request.actor.require(*STAFF)
        found = await reads.content(content_id, request.actor)
        number = next((one for one in found.numbers if one.metric.name.lower() == metric), None)
        if number is None:
            raise NotFound("excess.metric_unknown", metric=metric)
        aside = sum(each.count for each in number.set_aside if each.reason == ABOVE) + number.released
        whose = {name: found.content[name] for name in ("campaign_id", "brand_id", "creator_id")}
        command = ReleaseExcess(
            content_id, **whose, metric=number.metric, count=body.count, set_aside=aside, reason=body.reason
        )
        stream = excess_stream(content_id)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    return router
