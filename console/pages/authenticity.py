"""Authenticity: what a creator's figures are thought of with everything it rests on, the appeal, the ruling, the work list."""

import asyncio
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dandelion.discovery.v1 import events_pb2 as events
from dandelion.discovery.v1.authenticity_pb2 import (
    Authenticity,
    GetAuthenticityRequest,
    ListAuthenticityRequest,
)
from dandelion.discovery.v1.events_pb2 import AuthenticitySignal
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.look.menu import ALL
from console.page import Cursor, Id, Page, SignedIn, needs
from console.words import mark

router = APIRouter(prefix="/authenticity")
WORKERS = ("reviewer", "operator", "auditor")
SHOWN = 25
TOLD = {
    events.AUTHENTICITY_SIGNAL_KIND_FOLLOWERS: mark("Share of followers that are likely fake, by a sample"),
    events.AUTHENTICITY_SIGNAL_KIND_GROWTH: mark("Share of the followers that came in jumps without a tail"),
    events.AUTHENTICITY_SIGNAL_KIND_ENGAGEMENT: mark("How many times engagement is off the band of its peers"),
    events.AUTHENTICITY_SIGNAL_KIND_LIKES: mark("Share of posts whose likes come without comments"),
    events.AUTHENTICITY_SIGNAL_KIND_SAMENESS: mark("Share of comments that repeat others' words"),
    events.AUTHENTICITY_SIGNAL_KIND_CIRCLE: mark("Share of comments by a circle that comments on most posts"),
    events.AUTHENTICITY_SIGNAL_KIND_GEOGRAPHY: mark("Share of the audience in other countries"),
    events.AUTHENTICITY_SIGNAL_KIND_ACCOUNT: mark("Chance that the account itself is fake, by its profile"),
}
VERDICTS = {
    "upheld": mark("The judgement stands."),
    "lifted": mark("The judgement is lifted: the creator is credible again, and nothing is held."),
}
NUMBERS = ("followers", "following", "posts", "username_length", "username_digits")
FLAGS = ("has_picture", "has_bio", "has_link")
TRUE, FALSE = ("1", "true", "yes"), ("0", "false", "no")


@dataclass(frozen=True, slots=True)
class Line:
    """A signal in the reader's words: what was measured, between what, on how much, where suspicion begins and is full."""

    signal: AuthenticitySignal
    told: str
    value: str
    between: str
    clear: str
    full: str
    parts: Sequence[dict[str, Any]]


@router.get("", dependencies=[needs(*WORKERS)])
async def doubted(page: Page, appealed: str = "", cursor: Cursor = "") -> Response:
    """Who is doubted, the lowest score first; or whose appeal waits."""
    request = ListAuthenticityRequest(appealed=bool(appealed), page_size=SHOWN, page_token=cursor)
    answer = await page.ask(page.services.discovery.ListAuthenticity, request)
    names = await page.creators(one.creator_id for one in answer.creators)
    return page.show(
        "authenticity/list.html", creators=answer.creators, info=answer.page, names=names, appealed=bool(appealed)
    )


@router.get("/{creator_id}", dependencies=[needs(*sorted(ALL))])
async def judgement(page: Page, creator_id: Id) -> Response:
    """For staff and brands; of creators each sees its own."""
    if page.can("creator") and page.person.tenant != creator_id:
        raise Problem("not_found", "creator.not_found")
    return await _shown(page, creator_id)


@router.post("/{creator_id}/appeal", dependencies=[needs("creator")])
async def appeal(page: Page, creator_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        body = {"statement": form.needed("statement")}
        receipt = await page.send("discovery", "POST", f"/authenticity/{creator_id}/appeal", form, body)
        return page.done(f"/authenticity/{creator_id}", receipt, mark("Your appeal is made. A reviewer reads it."))

    return await _answered(page, creator_id, form, act)


@router.post("/{creator_id}/rule", dependencies=[needs("reviewer")])
async def rule(page: Page, creator_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        verdict, reason, to = form.needed("verdict"), form.needed("reason"), f"/authenticity/{creator_id}"
        form.check()
        if not is_sure(form):
            pairs = [
                (page.words(mark("Ruling")), page.words(VERDICTS.get(verdict, verdict))),
                (page.words(mark("Your reason")), reason),
            ]
            said, button = page.words(mark("A ruling cannot be taken back.")), page.words(mark("Rule so"))
            return confirm(
                page, form, Question(page.words(mark("Rule on this judgement?")), pairs, said, button, to, True)
            )
        body = {"verdict": verdict, "reason": reason}
        receipt = await page.send("discovery", "POST", f"/authenticity/{creator_id}/rule", form, body)
        return page.done(to, receipt, mark("Your ruling is given."))

    return await _answered(page, creator_id, form, act)


@router.post("/{creator_id}/followers", dependencies=[needs("operator")])
async def followers(page: Page, creator_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        body = {"profiles": _profiles(form.needed("sample"))}
        receipt = await page.send("discovery", "POST", f"/authenticity/{creator_id}/followers", form, body)
        return page.done(f"/authenticity/{creator_id}", receipt, mark("The sample is taken in."))

    return await _answered(page, creator_id, form, act)


async def _answered(page: SignedIn, creator_id: str, form: Form, act: Callable[[], Any]) -> Response:
    """What the act answers; refused, the judgement again with what was typed."""
    return await page.submit(lambda typed, problem: _shown(page, creator_id, typed, problem), form, act)


def _profiles(text: str) -> list[dict[str, Any]]:
    """Rows of a table with a header, separated by commas or tabs; the service says what is wrong with one."""
    separator = "\t" if "\t" in text.partition("\n")[0] else ","
    rows = csv.DictReader(io.StringIO(text.strip()), delimiter=separator)
    return [_profile(row) for row in rows]


def _profile(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: (row.get(name) or "").strip() for name in (*NUMBERS, *FLAGS)}
    numbers = {name: int(told[name]) if told[name].isdecimal() else told[name] for name in NUMBERS if told[name]}
    return numbers | {name: _flag(told[name]) for name in FLAGS if told[name]}


def _flag(text: str) -> bool | str:
    """True, false, or the text as it stands, which the service refuses."""
    return text.lower() in TRUE if text.lower() in TRUE + FALSE else text


async def _shown(page: SignedIn, creator_id: str, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    answer, names = await asyncio.gather(
        page.ask(page.services.discovery.GetAuthenticity, GetAuthenticityRequest(creator_id=creator_id)),
        page.creators([creator_id]),
    )
    found: Authenticity = answer.authenticity
    doubted_ = found.standing > events.AUTHENTICITY_STANDING_CREDIBLE
    is_own = page.person.tenant == creator_id
    return page.show(
        "authenticity/judgement.html", found=found, name=names[creator_id], lines=[_line(page, one) for one in found.signals],
        is_own=is_own, appeals=is_own and doubted_ and not found.appealed and page.can("creator"),
        rules=doubted_ and page.can("reviewer"), verdicts=list(VERDICTS.items()), worker=page.can(*WORKERS),
        mine=found.lift_proposed_by == page.person.subject, form=form, problem=problem,
    )  # fmt: skip


def _line(page: SignedIn, one: AuthenticitySignal) -> Line:
    def written(bps: int) -> str:
        if one.kind == events.AUTHENTICITY_SIGNAL_KIND_ENGAGEMENT:
            return f"{page.formats.number(bps / 10_000, 1)} ×"
        return page.formats.share(bps)

    tone = "bad" if one.suspicion >= 50 else "warn" if one.suspicion else "good"
    between = f"{written(one.low_bps)} – {written(one.high_bps)}"
    parts = [{"value": one.suspicion, "tone": tone}]
    limits = (written(one.clear_bps), written(one.full_bps))
    return Line(one, page.words(TOLD.get(one.kind, "")), written(one.value_bps), between, *limits, parts)
