"""Bounds stand on the fields of the domain's types: the request bodies have the same."""

from typing import Any

import pytest

from kernel.core.bounds import Asked
from services.metrics.domain.order.commands import AmendOrder, RecordOrder
from services.metrics.rest.orders import AmendmentBody, OrderBody
from tests.kit.bounds import bounded, check_bound

MIRRORS: dict[type, Any] = {RecordOrder: OrderBody, AmendOrder: AmendmentBody}
BOUNDS = bounded(MIRRORS)


def test_all_limits_of_the_bodies_stand_on_the_domain() -> None:
    assert [name for _, name, _ in BOUNDS] == ["order_number", "items", "items"]


@pytest.mark.parametrize(
    ("kind", "name", "bounds"), BOUNDS, ids=[f"{one.__name__}.{field}" for one, field, _ in BOUNDS]
)
def test_a_body_has_the_bounds_of_the_domain(kind: type, name: str, bounds: Asked) -> None:
    check_bound(MIRRORS[kind], name, bounds)
