"""Bounds stand on the fields of the domain's types: the request bodies have the same."""

from typing import Any

import pytest
from annotated_types import Len

from kernel.core.bounds import Asked, asked
from services.compliance.domain.findings import Content
from services.compliance.domain.review import DecideReview
from services.compliance.rest import CheckBody, DecisionBody
from tests.kit.bounds import bounded, check_bound

MIRRORS: dict[type, Any] = {Content: CheckBody, DecideReview: DecisionBody}
BOUNDS = bounded(MIRRORS)
NARROWER = ("tags", "codes")
"""A body's tags and codes are not empty; campaigns may send empty ones for review."""


def test_all_limits_of_the_bodies_stand_on_the_domain() -> None:
    assert [name for _, name, _ in BOUNDS] == ["text", "title", "tags", "links", "codes", "reason"]


@pytest.mark.parametrize(
    ("kind", "name", "bounds"),
    [one for one in BOUNDS if one[1] not in NARROWER],
    ids=[f"{one.__name__}.{field}" for one, field, _ in BOUNDS if field not in NARROWER],
)
def test_a_body_has_the_bounds_of_the_domain(kind: type, name: str, bounds: Asked) -> None:
    check_bound(MIRRORS[kind], name, bounds)


@pytest.mark.parametrize("name", NARROWER)
def test_tags_and_codes_of_a_body_are_narrower(name: str) -> None:
    check_bound(CheckBody, name, Asked(asked(Content, name).whole, Len(1, 200)))
