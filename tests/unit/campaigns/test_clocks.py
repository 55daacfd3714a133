"""Deadlines: every event that starts a wait sets a clock, every event that ends it stops the clock."""

from typing import Any

import pytest

from kernel.core.canonical import Hashed
from kernel.core.decider import DecidedEvent
from kernel.processors.processes import Deadline
from services.campaigns.codec import CODEC
from services.campaigns.domain.campaign.campaign import ExpireCampaign
from services.campaigns.domain.shared.events import BriefAmended
from services.campaigns.domain.shared.terms import Terms
from services.campaigns.process.clocks import DEADLINES, DISPUTE, OFFER, RETRY, WHOLE, WINDOW
from tests.kit.campaigns import BRAND_ID, NOON
from tests.kit.rows import NoRows
from tests.unit.campaigns.samples import APPLICATION, BRIEF, CAMPAIGN, COLLABORATION, DID

STREAM = f"any-{DID}"


def rows(event: Any) -> dict[str, Deadline | None]:
    fact = DecidedEvent(STREAM, BRAND_ID, 1, NOON, event)
    return {key[1]: row for key, row in DEADLINES.fold(fact, NoRows())}


SETS = {
    WINDOW: CAMPAIGN[1:3],
    OFFER: APPLICATION[:3],
    WHOLE: [*COLLABORATION[:2], COLLABORATION[6]],
    DID: [*COLLABORATION[8:19], COLLABORATION[23], *COLLABORATION[25:27]],
    DISPUTE: [COLLABORATION[21], COLLABORATION[24]],
    RETRY: [COLLABORATION[31]],
}
STOPS = {
    WINDOW: CAMPAIGN[5:7],
    OFFER: APPLICATION[4:8],
    WHOLE: [COLLABORATION[5], COLLABORATION[7]],
    DID: [COLLABORATION[5], *COLLABORATION[19:21], *COLLABORATION[27:29]],
    DISPUTE: [COLLABORATION[22]],
    RETRY: [COLLABORATION[1], COLLABORATION[5], COLLABORATION[32]],
}


@pytest.mark.parametrize(
    ("name", "event"),
    [
        pytest.param(name, event, id=f"{name[:13]}-{type(event).__name__}")
        for name, events in SETS.items()
        for event in events
    ],
)
def test_a_wait_has_a_clock(name: str, event: Any) -> None:
    row = rows(event)[name]
    assert row is not None
    assert (row.stream, row.due_at) == (STREAM, NOON)
    assert CODEC.decode(row.command, row.data.encode()).due_at == NOON


@pytest.mark.parametrize(
    ("name", "event"),
    [
        pytest.param(name, event, id=f"{name[:13]}-{type(event).__name__}")
        for name, events in STOPS.items()
        for event in events
    ],
)
def test_an_end_stops_it(name: str, event: Any) -> None:
    assert rows(event)[name] is None


def test_a_draft_has_none() -> None:
    assert rows(BriefAmended(BRAND_ID, 2, Hashed.of(BRIEF), Hashed.of(Terms()), None)) == {}


def test_clocks_move_with_the_window() -> None:
    row = rows(CAMPAIGN[2])[WINDOW]
    assert row is not None
    assert CODEC.decode(row.command, row.data.encode()) == ExpireCampaign(NOON)


def test_work_and_rulings_set_a_clock_per_deliverable() -> None:
    assert set(rows(COLLABORATION[2])) == {DID}
    assert set(rows(COLLABORATION[22])) == {DISPUTE, WHOLE, DID}
