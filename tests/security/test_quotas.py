"""Quotas: what costs a tenant nothing to make has a limit per tenant, and the refusal says what to do."""

from dataclasses import replace
from typing import Any

import pytest

from kernel.core.decider import Actor
from kernel.core.faults import Refused
from kernel.core.ids import derived_id
from services.campaigns.domain.campaign.campaign import CancelCampaign, DraftCampaign, PublishBrief
from services.campaigns.wiring import SERVICE as CAMPAIGNS
from services.metrics.domain.coupon import IssueCoupon
from services.metrics.domain.link.link import IssueLink
from services.metrics.wiring import SERVICE as METRICS
from tests.kit import campaigns as samples
from tests.kit.decide import World
from tests.unit.metrics.given import BLUE, BRAND, NOON, RED, RIVAL, site_rows
from tests.unit.metrics.test_links import COUPON_COMMAND, ISSUE


def done(world: World, made: tuple[str, Any], who: Actor) -> Any:
    return world.execute(*made, who)


def refused(world: World, made: tuple[str, Any], who: Actor) -> Refused:
    with pytest.raises(Refused) as caught:
        done(world, made, who)
    return caught.value


def link(n: int, brand_id: str = RED) -> tuple[str, IssueLink]:
    return f"link-{derived_id('link', str(n))}", replace(ISSUE, brand_id=brand_id, code=f"code-{n}", limit=3)


def coupon(n: int, brand_id: str = RED) -> tuple[str, IssueCoupon]:
    return f"coupon-{derived_id('coupon', str(n))}", replace(
        COUPON_COMMAND, brand_id=brand_id, code=f"CODE{n}", limit=3
    )


@pytest.mark.parametrize(("make", "code"), [(link, "link.limit_reached"), (coupon, "coupon.limit_reached")])
def test_links_and_coupons_of_a_brand_are_limited_and_take_nothing_from_another(make: Any, code: str) -> None:
    proven = {**site_rows().rows, **site_rows(brand=BLUE).rows}
    world = World(METRICS, NOON, proven)
    for n in range(3):
        done(world, make(n), BRAND)
    fault = refused(world, make(3), BRAND)
    assert (fault.code, fault.facts["limit"]) == (code, 3)
    assert "operator" in str(fault.facts["do"])
    assert done(world, make(2), BRAND) == [], "a repeat is no further one"
    done(world, make(4, BLUE), RIVAL)


def draft(n: int) -> tuple[str, DraftCampaign]:
    return f"campaign-{derived_id('campaign', str(n))}", DraftCampaign(samples.BRIEF, limit=3)


def test_open_drafts_of_a_brand_are_limited_until_one_is_published_or_cancelled() -> None:
    world = World(CAMPAIGNS, samples.NOON)
    for n in range(3):
        done(world, draft(n), samples.BRAND)
    fault = refused(world, draft(3), samples.BRAND)
    assert (fault.code, fault.facts["limit"]) == ("campaign.too_many_drafts", 3)
    assert fault.facts["do"] == "publish or cancel drafts that stand"
    world.execute(draft(0)[0], PublishBrief(), samples.BRAND)
    done(world, draft(3), samples.BRAND)
    world.execute(draft(1)[0], CancelCampaign("changed_mind"), samples.BRAND)
    done(world, draft(4), samples.BRAND)
    world.execute(draft(0)[0], CancelCampaign("changed_mind"), samples.BRAND)
    assert refused(world, draft(5), samples.BRAND).code == "campaign.too_many_drafts", "a published one was no draft"
