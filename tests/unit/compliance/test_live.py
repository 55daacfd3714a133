"""Live checks: when a look is due, what it brings back, when it ends."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kernel.core.events import Delivered
from services.compliance.domain.live import (
    LOOK,
    ContentLookedAt,
    ContentPublished,
    ContentTakenDown,
    DisclosureMissing,
    LookRequested,
    LooksEnded,
    LooksScheduled,
    Post,
    RecordLook,
    RequestLook,
)
from tests.unit.compliance.given import ABOUT, DELIVERABLE, NOON, OUTSIDER, decided, refused

POST = Post("xiaohongshu", "p-1", "https://xhs.example/p-1", "广告", "CN", "a" * 64)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def incoming(event: object) -> Delivered[Any]:
    return Delivered("campaigns", "collaboration-1@9", "collaboration-1", 9, 90, "brand", NOON, event)


def published(first_s: int = 3_600, protection_s: int = 3 * 86_400) -> Delivered[Any]:
    return incoming(ContentPublished(ABOUT, POST, NOON, first_s, protection_s))


def looked(ordinal: int, at: datetime = NOON + HOUR) -> list[Any]:
    """The events up to look `ordinal` being asked for, each a day after the other."""
    given = decided(LOOK, [], published())
    for n in range(1, ordinal + 1):
        given += decided(LOOK, given, RequestLook(n), at=at + (n - 1) * DAY)
    return given


def test_a_published_post_is_scheduled_for_its_first_look() -> None:
    (scheduled,) = decided(LOOK, [], published())
    assert scheduled == LooksScheduled(ABOUT, POST, NOON, NOON + HOUR, NOON + 3 * DAY, 1)


@pytest.mark.parametrize(
    ("ordinal", "at", "next_at"),
    [
        (1, NOON + HOUR, NOON + DAY),
        (1, NOON + 30 * HOUR, NOON + 2 * DAY),
        (2, NOON + DAY, NOON + 2 * DAY),
        (3, NOON + 2 * DAY, None),
    ],
)
def test_looks_follow_each_other_daily_until_protection_ends(
    ordinal: int, at: datetime, next_at: datetime | None
) -> None:
    (requested,) = decided(LOOK, looked(ordinal - 1), RequestLook(ordinal), at=at)
    assert isinstance(requested, LookRequested)
    assert (requested.ordinal, requested.next_at) == (ordinal, next_at)


@pytest.mark.parametrize(
    ("found", "label", "text", "ok", "missing"),
    [
        (True, True, True, True, False),
        (True, False, True, False, True),
        (True, True, False, False, False),
        (False, False, False, False, False),
    ],
)
def test_a_look_says_what_was_seen(found: bool, label: bool, text: bool, ok: bool, missing: bool) -> None:
    events = decided(LOOK, looked(1), RecordLook(1, found, label, text, "b" * 64 if found else ""))
    assert isinstance(events[0], ContentLookedAt)
    assert (events[0].ok, events[0].found) == (ok, found)
    assert [type(event) for event in events[1:]] == ([DisclosureMissing] if missing else [])


def test_every_look_has_its_own_id() -> None:
    ids = {event.look_id for event in looked(3) if isinstance(event, LookRequested)}
    assert len(ids) == 3


def test_a_late_result_of_an_earlier_look_still_counts() -> None:
    given = looked(2)
    given += decided(LOOK, given, RecordLook(2, True, True, True, "a" * 64))
    assert decided(LOOK, given, RecordLook(1, True, True, True, "a" * 64))[0].ordinal == 1


def test_what_was_taken_down_is_not_looked_at() -> None:
    given = looked(1)
    given += decided(LOOK, given, incoming(ContentTakenDown(DELIVERABLE, "brand.request")))
    assert isinstance(given[-1], LooksEnded)
    assert decided(LOOK, given, RequestLook(2)) == []


def test_a_post_that_replaces_one_taken_down_is_looked_at_anew() -> None:
    given = looked(1)
    given += decided(LOOK, given, incoming(ContentTakenDown(DELIVERABLE, "content.gone")))
    later = NOON + 2 * DAY
    again = ContentPublished(ABOUT, replace(POST, post_id="p-2"), later, 60, 86_400)
    given += decided(LOOK, given, incoming(again))
    (requested,) = decided(LOOK, given, RequestLook(2), at=later + HOUR)
    assert (requested.post.post_id, requested.ordinal) == ("p-2", 2)
    assert decided(LOOK, given, RecordLook(1, False, False, False, "")) == []


def test_a_post_that_was_never_published_here_is_ignored_when_taken_down() -> None:
    assert decided(LOOK, [], incoming(ContentTakenDown(DELIVERABLE, ""))) == []


def test_what_is_refused() -> None:
    assert refused(LOOK, [], RequestLook(1)) == "look.not_scheduled"
    assert refused(LOOK, looked(1), RequestLook(3)) == "look.out_of_order"
    assert refused(LOOK, looked(1), RecordLook(2, True, True, True, "")) == "look.not_requested"
    assert refused(LOOK, looked(1), RecordLook(1, True, True, True, ""), OUTSIDER) == "actor.role_missing"
