"""The work list keeps each thing that the provider said once, and what is not the same beside it."""

from dataclasses import replace

import pytest

from services.ledger.domain.discrepancies import Claim, DiscrepancyNoted, NoteDiscrepancy, Origin, discrepancy_stream
from tests.unit.ledger.given import DEPOSIT
from tests.unit.ledger.world import SYSTEM, World

SAID = Claim(Origin.WEBHOOK, "charge.returned", DEPOSIT, "CNY", 1_000, 0, "ch_1", "deposit.not_confirmed")


def noted(world: World, claim: Claim) -> bool:
    events = world.execute(discrepancy_stream(claim.id), NoteDiscrepancy(claim), SYSTEM)
    return [DiscrepancyNoted(claim, world.at)] == events


@pytest.mark.parametrize(
    ("other", "is_new"),
    [
        ({}, False), ({"code": "deposit.reversal_too_large"}, False), ({"gross_minor": 2_000}, True), ({"currency": "USD"}, True),
        ({"provider_ref": "ch_2"}, True), ({"word": "charge.failed"}, True), ({"origin": Origin.ANSWER}, True),
    ],
)  # fmt: skip
def test_another_amount_is_another_discrepancy(other: dict[str, object], is_new: bool) -> None:
    world = World()
    assert noted(world, SAID)
    assert noted(world, replace(SAID, **other)) == is_new  # type: ignore[arg-type]


def test_a_line_of_a_file_is_one_whatever_it_says() -> None:
    world, line = World(), replace(SAID, origin=Origin.SETTLEMENT, word="b:1")
    assert noted(world, line)
    assert not noted(world, replace(line, gross_minor=2_000))
