"""Moving a post to another day, by drag or by a form: with what it clashes with and what the agreement allows."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dandelion.campaigns.v1.events_pb2 import Brief
from dandelion.campaigns.v1.queries_pb2 import (
    POSTING_STATUS_DROPPED,
    Collaboration,
    DeliverableView,
    ListBriefVersionsRequest,
    ListPostingsRequest,
    Posting,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.look.formats import at
from console.look.menu import BRANDS, CREATORS
from console.page import Id, Page, SignedIn, needs
from console.pages.collaborations.shown import asked
from console.pages.deals.words import DEFAULT_ZONE
from console.words import mark

router = APIRouter(dependencies=[needs(*BRANDS, *CREATORS)])
MOVABLE = frozenset({"approved", "scheduled"})
"""Steps at which the content may be given a time."""
SHOWN = 200
NOON = time(12)
MOVED = mark("Moved: the other side sees the new time.")


@dataclass(frozen=True, slots=True)
class Move:
    """What is moved: the work, its piece of content, the brief that it was agreed under (None: not shown to the reader)."""

    work: Collaboration
    view: DeliverableView
    brief: Brief | None

    @property
    def own(self) -> str:
        return f"/calendar/{self.work.collaboration_id}/{self.view.deliverable.deliverable_id}"

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose days the agreement counts."""
        return ZoneInfo(self.work.timezone or DEFAULT_ZONE)

    @property
    def planned(self) -> datetime | None:
        return at(self.view.publish_at) if self.view.HasField("publish_at") else None


@router.get("/{collaboration_id}/{deliverable_id}")
async def move(page: Page, collaboration_id: Id, deliverable_id: Id, day: str = "") -> Response:
    """The form; `day` is where the entry was dropped."""
    found = await _found(page, collaboration_id, deliverable_id)
    return await _shown(page, found, _typed(page, found, day))


def _typed(page: SignedIn, found: Move, day: str) -> str:
    """The day that was chosen, at the time of day that was planned."""
    zone = ZoneInfo(page.zone)
    planned = found.planned.astimezone(zone) if found.planned else None
    try:
        chosen = date.fromisoformat(day)
    except ValueError:
        return f"{planned:%Y-%m-%dT%H:%M}" if planned else ""
    return f"{datetime.combine(chosen, planned.time() if planned else NOON):%Y-%m-%dT%H:%M}"


async def _found(page: SignedIn, collaboration_id: str, deliverable_id: str) -> Move:
    work = await asked(page, collaboration_id)
    view = next((one for one in work.deliverables if one.deliverable.deliverable_id == deliverable_id), None)
    if view is None:
        raise Problem("not_found", "deliverable.unknown")
    return Move(work, view, await _brief(page, work))


async def _brief(page: SignedIn, work: Collaboration) -> Brief | None:
    """The version that the work was agreed under; None where the reader may not read the campaign any more."""
    try:
        request = ListBriefVersionsRequest(campaign_id=work.campaign_id, page_size=20)
        versions = (await page.ask(page.services.campaigns.ListBriefVersions, request)).versions
    except Problem as problem:
        if problem.kind not in ("not_found", "forbidden"):
            raise
        return None
    return next((one.brief for one in versions if one.brief.version == work.brief_version), None)


async def _shown(
    page: SignedIn, found: Move, value: str, form: Form = EMPTY, problem: Problem | None = None
) -> Response:
    names, titles, clashes = await asyncio.gather(
        page.creators([found.work.creator_id]),
        page.titles([found.work.campaign_id]),
        _clashes(page, found, _moment(form.first("publish_at") or value, page.zone)),
    )
    others = await page.titles(one.campaign_id for one in clashes)
    return page.show(
        "calendar/move.html",
        move=found, value=value, form=form, problem=problem, clashes=clashes, others=others, zone=found.zone.key,
        name=names[found.work.creator_id], title=titles[found.work.campaign_id],
        is_movable=found.view.step in MOVABLE, by_brand=page.can(*BRANDS),
    )  # fmt: skip


def _moment(typed: str, zone: str) -> datetime | None:
    """What was typed in the reader's zone; None for what is no time."""
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


async def _clashes(page: SignedIn, found: Move, moment: datetime | None) -> Sequence[Posting]:
    """What else of the creator is published on that day of the agreement's zone, as far as the reader may see it."""
    if moment is None:
        return ()
    first = datetime.combine(moment.astimezone(found.zone).date(), time.min, found.zone)
    request = ListPostingsRequest(creator_id=found.work.creator_id, page_size=SHOWN)
    request.publish_from.FromDatetime(first.astimezone(UTC))
    request.publish_until.FromDatetime((first + timedelta(days=1)).astimezone(UTC))
    postings = (await page.ask(page.services.campaigns.ListPostings, request)).postings
    own = found.view.deliverable.deliverable_id
    return [one for one in postings if one.deliverable_id != own and one.status != POSTING_STATUS_DROPPED]


@router.post("/{collaboration_id}/{deliverable_id}")
async def moved(page: Page, collaboration_id: Id, deliverable_id: Id, form: Filled) -> Response:
    """Asks first where the other side has planned with the time before, or the day is taken."""
    found = await _found(page, collaboration_id, deliverable_id)

    async def act() -> Response:
        publish_at = form.moment("publish_at", page.zone)
        form.check()
        moment = datetime.fromisoformat(publish_at)
        clashes = await _clashes(page, found, moment)
        if (found.planned or clashes) and not is_sure(form):
            return confirm(page, form, await _question(page, found, moment, clashes))
        body = {"deliverable_id": deliverable_id, "publish_at": publish_at}
        receipt = await page.send("campaigns", "POST", f"/collaborations/{collaboration_id}/schedule", form, body)
        day = moment.astimezone(ZoneInfo(page.zone)).date()
        return page.done(f"/calendar?day={day}", receipt, MOVED)

    return await page.submit(lambda typed, problem: _shown(page, found, "", typed, problem), form, act)


async def _question(page: SignedIn, found: Move, moment: datetime, clashes: Sequence[Posting]) -> Question:
    names, titles = await asyncio.gather(
        page.creators([found.work.creator_id]),
        page.titles([found.work.campaign_id, *(one.campaign_id for one in clashes)]),
    )
    exact = page.formats.exact
    pairs = [
        (page.words(mark("Campaign")), titles[found.work.campaign_id]),
        (page.words(mark("Creator")), names[found.work.creator_id]),
        (page.words(mark("Planned so far")), exact(found.planned, found.zone.key) if found.planned else "–"),
        (page.words(mark("From now on")), exact(moment, found.zone.key)),
    ]
    same = ", ".join(titles[one.campaign_id] for one in clashes)
    pairs += [(page.words(mark("On the same day")), same)] if same else []
    said = (
        mark("The creator has planned with the time before. It sees the new one, and its time to publish is never shortened.")
        if page.can(*BRANDS)
        else mark("The brand has planned with the time before. It sees the new one at once.")
    )  # fmt: skip
    title, button = page.words(mark("Move it to this time?")), page.words(mark("Move it"))
    return Question(title, pairs, page.words(said), button, found.own)
