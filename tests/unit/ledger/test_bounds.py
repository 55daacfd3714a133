"""Bounds stand on the fields of commands: the request bodies have the same, and the domain refuses what is beyond them."""

from typing import Any

import pytest

from kernel.core.bounds import Asked
from kernel.core.faults import Invalid
from services.ledger.domain.commands import IdentifyMoney, RequestDeposit, RequestPayout
from services.ledger.domain.deposits import check_text
from services.ledger.domain.set_by_hand import ChangePayoutAccount
from services.ledger.rest import bodies
from tests.kit.bounds import bounded, check_bound

MIRRORS: dict[type, Any] = {
    RequestDeposit: bodies.DepositBody,
    RequestPayout: bodies.PayoutBody,
    ChangePayoutAccount: bodies.PayoutAccountBody,
    IdentifyMoney: bodies.IdentifyBody,
}
BOUNDS = bounded(MIRRORS)


def test_all_limits_of_the_bodies_stand_on_the_commands() -> None:
    assert [name for _, name, _ in BOUNDS] == ["instrument", "instrument", "instrument", "reason"]


@pytest.mark.parametrize(
    ("kind", "name", "bounds"), BOUNDS, ids=[f"{one.__name__}.{field}" for one, field, _ in BOUNDS]
)
def test_a_body_has_the_bounds_of_the_command(kind: type, name: str, bounds: Asked) -> None:
    check_bound(MIRRORS[kind], name, bounds)


@pytest.mark.parametrize("length", [1, 200])
def test_a_text_within_the_bounds_of_its_field(length: int) -> None:
    check_text(ChangePayoutAccount("owner", "CNY", "x" * length), "instrument")


@pytest.mark.parametrize("length", [0, 201])
def test_a_text_beyond_the_bounds_of_its_field(length: int) -> None:
    with pytest.raises(Invalid) as refused:
        check_text(ChangePayoutAccount("owner", "CNY", "x" * length), "instrument")
    assert refused.value.facts == {"field": "instrument", "limit": 200}
