"""Tracking links and coupons over HTTP: parse, hand over, answer.

Callers name a deliverable; campaign, collaboration and creator follow from it, and it must be the caller's own brand's.
"""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from kernel.core.events import Receipt
from kernel.core.ids import stream_id
from kernel.edge.fields import REASON_WORDS, Body, Bps, UtcDatetime, Uuid, worded
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.metrics.domain.coupon import IssueCoupon
from services.metrics.domain.link.link import CODE, MAX_URL, REASON, EndLink, IssueLink
from services.metrics.reads.registry import Registry
from services.metrics.settings import MetricsSettings

LinkCodeText = Annotated[str, Field(pattern=worded(f"^{CODE.pattern}$", "4 to 32 of A-Z a-z 0-9 _ -"))]
CouponText = Annotated[str, Field(pattern=worded(r"^[A-Za-z0-9][A-Za-z0-9_-]{2,31}$", "3 to 32 of A-Z 0-9 _ -"))]


class LinkBody(Body):
    """`code` is the public path `/l/<code>`, unique over the installation."""

    deliverable_id: Uuid
    target_url: Annotated[
        str, Field(max_length=MAX_URL, pattern=worded(r"^https://[\x21-\x7e]+$", "an https address in ASCII"))
    ]
    code: LinkCodeText


class EndBody(Body):
    """`reason` is published and kept for ever: a word such as `host_taken`."""

    reason: Annotated[str, Field(pattern=worded(f"^{REASON.pattern}$", REASON_WORDS), examples=["host_taken"])]


class CouponBody(Body):
    """`code` is unique among the brand's, whatever its case; `discount_bps` is what the buyer saves."""

    deliverable_id: Uuid
    code: CouponText
    discount_bps: Bps = 0
    expires_at: UtcDatetime


def placement_routes(app: App, registry: Registry, settings: MetricsSettings) -> APIRouter:
    router = APIRouter(tags=["links and coupons"])

    @router.put("/links/{link_id}", status_code=201)
    async def issue_link(link_id: Uuid, body: LinkBody, request: CommandRequest) -> Receipt:
        """A tracking link for a deliverable of the caller's brand."""
        brand_id = request.actor.tenant
        placement = await registry.placement(body.deliverable_id, brand_id)
        stream = stream_id("link", link_id)
        command = IssueLink(brand_id, placement, body.target_url, body.code, settings.links_per_tenant)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    @router.post("/links/{link_id}/end")
    async def end_link(link_id: Uuid, body: EndBody, request: CommandRequest) -> Receipt:
        """Where it leads is not the brand's any longer: some seconds later visitors get a page. By its brand, or an operator."""
        stream, command = stream_id("link", link_id), EndLink(body.reason)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    @router.put("/coupons/{coupon_id}", status_code=201)
    async def issue_coupon(coupon_id: Uuid, body: CouponBody, request: CommandRequest) -> Receipt:
        """A coupon for a deliverable of the caller's brand."""
        brand_id = request.actor.tenant
        placement = await registry.placement(body.deliverable_id, brand_id)
        stream = stream_id("coupon", coupon_id)
        limit = settings.coupons_per_tenant
        command = IssueCoupon(brand_id, placement, body.code, body.discount_bps, body.expires_at, limit)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    return router
