"""The clock of live checks: a stream has one deadline, for the next look; the last look and the end take it away."""

from datetime import datetime, timedelta

import pytest

from kernel.core.decider import DecidedEvent
from kernel.processors.processes import Deadline
from services.compliance.domain.live import Event, LookRequested, LooksEnded, LooksScheduled, Post
from services.compliance.process import DEADLINES
from tests.kit.rows import NoRows
from tests.unit.compliance.given import ABOUT, NOON

POST = Post("xiaohongshu", "p-1", "https://xhs.example/p-1", "广告", "CN", "a" * 64)
STREAM, LATER = f"look-{ABOUT.deliverable_id}", NOON + timedelta(days=1)
SCHEDULED = LooksScheduled(ABOUT, POST, NOON, LATER, NOON + timedelta(days=3), 4)


def requested(next_at: datetime | None) -> LookRequested:
    return LookRequested("look-1", ABOUT, POST, 4, NOON, next_at)


@pytest.mark.parametrize(
    ("event", "ordinal"),
    [
        pytest.param(SCHEDULED, 4, id="scheduled"),
        pytest.param(requested(LATER), 5, id="requested"),
        pytest.param(requested(None), None, id="the_last_look"),
        pytest.param(LooksEnded(ABOUT, "content.taken_down", NOON), None, id="ended"),
    ],
)
def test_the_deadline_of_a_stream(event: Event, ordinal: int | None) -> None:
    command = f'{{"ordinal":{ordinal}}}'
    due = Deadline(STREAM, "look", LATER, "look.request@1", command) if ordinal else None
    folded = DEADLINES.fold(DecidedEvent(STREAM, "platform", 1, NOON, event), NoRows())
    assert dict(folded) == {(STREAM, "look"): due}
