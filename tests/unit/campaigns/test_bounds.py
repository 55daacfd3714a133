"""Bounds stand on the domain's own fields: a request body has the same, and what is stored is read without them."""

from dataclasses import replace
from typing import Any

import pytest

from kernel.core.bounds import Asked
from kernel.core.canonical import Hashed, canonical
from services.campaigns.codec import CODEC
from services.campaigns.domain.collaboration.commands import PublishContent, RequestRevision, SendProduct
from services.campaigns.domain.shared.brief import Brief, DeliverableSpec, Product
from services.campaigns.domain.shared.content_events import Content, Evidence, Media
from services.campaigns.domain.shared.events import CampaignDrafted
from services.campaigns.domain.shared.terms import Clocks, Terms
from services.campaigns.rest import bodies
from tests.kit.bounds import bounded, check_bound
from tests.kit.campaigns import BRAND_ID, BRIEF

MIRRORS: dict[type, Any] = {
    Brief: bodies.BriefBody,
    Product: bodies.ProductBody,
    DeliverableSpec: bodies.DeliverableBody,
    Terms: bodies.TermsBody,
    Clocks: bodies.ClocksBody,
    Content: bodies.ContentBody,
    Media: bodies.MediaBody,
    Evidence: bodies.EvidenceBody,
    SendProduct: bodies.ProductSentBody,
    PublishContent: bodies.PublishBody,
    RequestRevision: bodies.RevisionBody,
}


BOUNDS = bounded(MIRRORS)


def test_all_limits_of_the_bodies_stand_on_the_domain() -> None:
    assert len(BOUNDS) == 52


@pytest.mark.parametrize(
    ("kind", "name", "bounds"), BOUNDS, ids=[f"{kind.__name__}.{name}" for kind, name, _ in BOUNDS]
)
def test_a_body_has_the_bounds_of_the_domain(kind: type, name: str, bounds: Asked) -> None:
    check_bound(MIRRORS[kind], name, bounds)


def test_what_was_stored_under_wider_bounds_is_read() -> None:
    wide = replace(BRIEF, title="t" * 500, must=("m" * 500,) * 40, usage_days=9_999)
    event = CampaignDrafted(BRAND_ID, Hashed.of(wide), Hashed.of(Terms(max_revisions=99)))
    assert CODEC.decode("campaign.drafted@1", canonical(event)) == event
