"""The posting calendar of a brand or a creator: what is to be published when, and what is due, by month or by week."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton
from dandelion.campaigns.v1.queries_pb2 import (
    COLLABORATION_STATUS_FUNDED,
    POSTING_STATUS_DROPPED,
    POSTING_STATUS_SCHEDULED,
    Collaboration,
    ListCollaborationsRequest,
    ListPostingsRequest,
    Posting,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.look.formats import at
from console.look.menu import BRANDS, CREATORS, STAFF
from console.page import Page, SignedIn, needs
from console.pages.calendar import moving
from console.pages.deals import progress
from console.words import mark

router = APIRouter(prefix="/calendar", dependencies=[needs(*BRANDS, *CREATORS, *STAFF)])
router.include_router(moving.router)
SHOWN = 200
WEEK = timedelta(days=7)
TONES = {1: "", 2: "good", 3: "bad", 4: ""}
TOLD = {1: mark("To be published"), 2: mark("Published"), 3: mark("Taken down"), 4: mark("Will not be published")}


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a day: when, the marked sentence, where it leads, of which campaign and creator; where it is moved, "" where it
    is not; whether it is a post that somebody planned, sent or lost."""

    at: datetime
    said: str
    to: str
    campaign_id: str
    creator_id: str
    tone: str = ""
    moves: str = ""
    is_post: bool = False


@router.get("")
async def calendar(page: Page, day: str = "", view: str = "") -> Response:
    """Days in the reader's zone, from Monday on."""
    zone = ZoneInfo(page.zone)
    today = page.formats.now.astimezone(zone).date()
    chosen = _day(day) or today
    is_week = view == "week"
    first, behind = _span(chosen, is_week)
    items = await _items(page, _moment(first, zone), _moment(behind, zone))
    if not page.can(*BRANDS, *CREATORS):
        items = [replace(item, moves="") for item in items]
    names, titles = await asyncio.gather(
        page.creators([one.creator_id for one in items]), page.titles([one.campaign_id for one in items])
    )
    days = [first + timedelta(days=number) for number in range((behind - first).days)]
    return page.show(
        "calendar/calendar.html",
        days=days, today=today, crowded=_crowded(items, zone), chosen=chosen, is_week=is_week, names=names, titles=titles,
        items={one: [item for item in items if item.at.astimezone(zone).date() == one] for one in days},
        before=_moved(chosen, is_week, -1), after=_moved(chosen, is_week, 1),
        middle=format_skeleton("yMMMM", chosen, locale=page.formats.locale),
        heads=[format_date(one, "EEE", page.formats.locale) for one in days[:7]],
        clock=lambda moment: f"{moment.astimezone(zone):%H:%M}",
    )  # fmt: skip


def _crowded(items: Iterable[Item], zone: ZoneInfo) -> frozenset[tuple[date, str]]:
    """Day and creator where one creator has several posts."""
    posts = Counter((item.at.astimezone(zone).date(), item.creator_id) for item in items if item.is_post)
    return frozenset(key for key, count in posts.items() if count > 1)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1990 <= found.year <= 2200 else None


def _span(chosen: date, is_week: bool) -> tuple[date, date]:
    """The first day and the one behind the last: whole weeks, which hold the month."""
    if is_week:
        monday = chosen - timedelta(days=chosen.weekday())
        return monday, monday + WEEK
    first = chosen.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first - timedelta(days=first.weekday()), last + timedelta(days=7 - last.weekday())


def _moved(chosen: date, is_week: bool, by: int) -> date:
    if is_week:
        return chosen + by * WEEK
    month = chosen.year * 12 + chosen.month - 1 + by
    return date(month // 12, month % 12 + 1, 1)


def _moment(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


async def _items(page: SignedIn, first: datetime, behind: datetime) -> list[Item]:
    postings = ListPostingsRequest(page_size=SHOWN)
    postings.publish_from.FromDatetime(first)
    postings.publish_until.FromDatetime(behind)
    works = ListCollaborationsRequest(statuses=[COLLABORATION_STATUS_FUNDED], page_size=SHOWN)
    found, running = await asyncio.gather(
        page.ask(page.services.campaigns.ListPostings, postings),
        page.ask(page.services.campaigns.ListCollaborations, works),
    )
    items = [*map(_posting, found.postings), *_due(running.collaborations, page.formats.now)]
    return sorted((one for one in items if first <= one.at < behind), key=lambda one: one.at)


def _posting(one: Posting) -> Item:
    when = one.published_at if one.HasField("published_at") else one.publish_at
    to = f"/collaborations/{one.collaboration_id}/content/{one.deliverable_id}"
    return Item(
        at(when), TOLD.get(one.status, TOLD[1]), to, one.campaign_id, one.creator_id, TONES.get(one.status, ""),
        f"/calendar/{one.collaboration_id}/{one.deliverable_id}" if one.status == POSTING_STATUS_SCHEDULED else "",
        one.status != POSTING_STATUS_DROPPED,
    )  # fmt: skip


def _due(works: Iterable[Collaboration], now: datetime) -> Iterator[Item]:
    """Steps of the two parties with their time; a post that is scheduled stands there already."""
    for work in works:
        for view in work.deliverables:
            turn = progress.turn_of(view, now)
            if turn.until and turn.who in (progress.BRAND, progress.CREATOR) and view.step != "scheduled":
                place = (work.collaboration_id, view.deliverable.deliverable_id)
                yield Item(
                    turn.until, turn.said, "/collaborations/{}/content/{}".format(*place), work.campaign_id,
                    work.creator_id, "bad" if turn.is_late else "due",
                    "/calendar/{}/{}".format(*place) if view.step == "approved" else "",
                )  # fmt: skip
