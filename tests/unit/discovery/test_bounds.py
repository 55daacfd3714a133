"""Bounds stand on the fields of the domain: the request bodies have the same."""

from typing import Any

import pytest

from kernel.core.bounds import Asked
from services.discovery.domain.audience import Audience, Share
from services.discovery.domain.commands import (
    ChangeAvailability,
    RegisterCreator,
    ReinstateCreator,
    SuspendCreator,
    VerifyAccount,
)
from services.discovery.domain.profile import Profile
from services.discovery.domain.rate_card import FormatPrice, RateCard
from services.discovery.rest import bodies
from tests.kit.bounds import bounded, check_bound

MIRRORS: dict[type, Any] = {
    Profile: bodies.ProfileBody,
    RegisterCreator: bodies.RegisterBody,
    VerifyAccount: bodies.VerifyBody,
    RateCard: bodies.RateCardBody,
    FormatPrice: bodies.FormatPriceBody,
    Audience: bodies.AudienceBody,
    Share: bodies.ShareBody,
    ChangeAvailability: bodies.AvailabilityBody,
    SuspendCreator: bodies.SuspendBody,
    ReinstateCreator: bodies.ReinstateBody,
}
BOUNDS = bounded(MIRRORS)


def test_the_bounds_stand_on_the_domain() -> None:
    assert {name for _, name, _ in BOUNDS} >= {"categories", "tags", "examples", "accounts", "prices", "ages", "reason"}


@pytest.mark.parametrize(
    ("kind", "name", "bounds"), BOUNDS, ids=[f"{one.__name__}.{field}" for one, field, _ in BOUNDS]
)
def test_a_body_has_the_bounds_of_the_domain(kind: type, name: str, bounds: Asked) -> None:
    check_bound(MIRRORS[kind], name, bounds)
