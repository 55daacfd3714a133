"""Shortlists: an organisation's named lists of creators, compared and invited together, with a note about each."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID, uuid5

from dandelion.discovery.v1.queries_pb2 import (
    BatchGetCreatorsRequest,
    Creator,
    ListShortlistCreatorsRequest,
    ListShortlistCreatorsResponse,
    ListShortlistsRequest,
    Shortlist,
)
from fastapi import APIRouter, Query
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.look.menu import BRANDS
from console.page import Cursor, Id, Page, SignedIn, needs
from console.pages.comparing import COMPARED, INVITED
from console.words import mark

HERE = "/creators/shortlists"
router = APIRouter(prefix=HERE, dependencies=[needs(*BRANDS, "operator")])
SHOWN, LISTS = 50, 50
Ids = Annotated[Sequence[str], Query(max_length=INVITED)]
SPACE = UUID("5b8a1f0c-93d7-4c57-8f4e-2f6f3f7c9d10")
"""Ids of shortlists follow from the key of the form that begins them."""
A_LIST = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""It comes from a form into a path."""
ADDED = mark("The creators are on the list.")


@router.get("")
async def shortlists(page: Page) -> Response:
    return await _lists(page)


@router.post("")
async def begin(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        shortlist_id = uuid5(SPACE, form.key)
        body = {"name": form.needed("name")}
        receipt = await page.send("discovery", "PUT", f"/shortlists/{shortlist_id}", form, body)
        return page.done(f"{HERE}/{shortlist_id}", receipt, mark("The list is there: put creators on it."))

    return await page.submit(lambda typed, problem: _lists(page, typed, problem), form, act)


@router.get("/add")
async def adding(page: Page, ids: Ids = ()) -> Response:
    """Onto which list these creators shall come."""
    return await _adding(page, ids)


@router.post("/add")
async def add(page: Page, form: Filled) -> Response:
    """Onto the chosen list, or onto one that begins with them; the same form again adds nobody twice."""
    ids = form.many("ids")[:INVITED]

    async def act() -> Response:
        shortlist_id = form.text("shortlist_id")
        if shortlist_id and not A_LIST.fullmatch(shortlist_id):
            raise Problem("not_found", "shortlist.not_found")
        if not shortlist_id:
            shortlist_id = str(uuid5(SPACE, form.key))
            await page.send("discovery", "PUT", f"/shortlists/{shortlist_id}", form, {"name": form.needed("name")})
        path, key = f"/shortlists/{shortlist_id}/add", str(uuid5(SPACE, f"add {form.key}"))
        body = {"creator_ids": ids}
        receipt = await page.services.command("discovery", "POST", path, body, page.person.token, key)
        return page.done(f"{HERE}/{shortlist_id}", receipt, ADDED)

    return await page.submit(lambda typed, problem: _adding(page, ids, typed, problem), form, act)


@router.get("/{shortlist_id}")
async def shortlist(page: Page, shortlist_id: Id, pick: Ids = (), cursor: Cursor = "") -> Response:
    return await _shown(page, shortlist_id, pick, cursor)


@router.post("/{shortlist_id}/rename")
async def rename(page: Page, shortlist_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        receipt = await page.send(
            "discovery", "PUT", f"/shortlists/{shortlist_id}", form, {"name": form.needed("name")}
        )
        return page.done(f"{HERE}/{shortlist_id}", receipt, mark("Renamed."))

    return await _answered(page, shortlist_id, form, act)


@router.post("/{shortlist_id}/note")
async def note(page: Page, shortlist_id: Id, form: Filled) -> Response:
    creator_id = form.text("creator_id")

    async def act() -> Response:
        body = {"creator_id": creator_id, "note": form.text(f"note.{creator_id}")}
        receipt = await page.send("discovery", "POST", f"/shortlists/{shortlist_id}/note", form, body)
        return page.done(f"{HERE}/{shortlist_id}", receipt, mark("The note is kept."))

    return await _answered(page, shortlist_id, form, act)


@router.post("/{shortlist_id}/remove")
async def remove(page: Page, shortlist_id: Id, form: Filled) -> Response:
    ids = form.many("ids")[:INVITED]

    async def act() -> Response:
        if not is_sure(form):
            await _found(page, shortlist_id)
            said = page.words(mark("Their notes go with them."))
            creators = await page.creators(ids)
            pairs = [(page.words(mark("Creator")), creators.get(one) or one[:8]) for one in ids]
            title, button = page.words(mark("Take these creators off the list?")), page.words(mark("Take off"))
            return confirm(page, form, Question(title, pairs, said, button, f"{HERE}/{shortlist_id}"))
        path = f"/shortlists/{shortlist_id}/remove"
        receipt = await page.send("discovery", "POST", path, form, {"creator_ids": ids})
        return page.done(f"{HERE}/{shortlist_id}", receipt, mark("They are off the list."))

    return await _answered(page, shortlist_id, form, act)


@router.post("/{shortlist_id}/delete")
async def delete(page: Page, shortlist_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        if not is_sure(form):
            found = await _found(page, shortlist_id)
            pairs = [
                (page.words(mark("Shortlist")), found.shortlist.name),
                (page.words(mark("Creators")), page.formats.number(found.shortlist.creators)),
            ]
            said = page.words(mark("All notes of the list go with it."))
            title, button = page.words(mark("Delete this list?")), page.words(mark("Delete"))
            return confirm(page, form, Question(title, pairs, said, button, f"{HERE}/{shortlist_id}", True))
        receipt = await page.send("discovery", "POST", f"/shortlists/{shortlist_id}/delete", form)
        return page.done(HERE, receipt, mark("The list is deleted."))

    return await _answered(page, shortlist_id, form, act)


async def _answered(page: SignedIn, shortlist_id: str, form: Form, act: Callable[[], Any]) -> Response:
    return await page.submit(
        lambda typed, problem: _shown(page, shortlist_id, (), "", typed, _placed(typed, problem)), form, act
    )


def _placed(form: Form, problem: Problem) -> Problem:
    """A refused note is marked at its own creator."""
    fields = dict(problem.fields)
    if "note" in fields:
        fields[f"note.{form.text('creator_id')}"] = fields.pop("note")
    return Problem(problem.kind, problem.code, problem.facts, fields, problem.instance)


async def _found(page: SignedIn, shortlist_id: str, cursor: str = "") -> ListShortlistCreatorsResponse:
    request = ListShortlistCreatorsRequest(shortlist_id=shortlist_id, page_size=SHOWN, page_token=cursor)
    return await page.ask(page.services.discovery.ListShortlistCreators, request)


async def _lists(page: SignedIn, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    answer = await page.ask(page.services.discovery.ListShortlists, ListShortlistsRequest(page_size=LISTS))
    return page.show(
        "shortlists/lists.html",
        problem.status if problem else 200,
        lists=answer.shortlists,
        form=form,
        problem=problem,
    )


async def _adding(page: SignedIn, ids: Sequence[str], form: Form = EMPTY, problem: Problem | None = None) -> Response:
    """The lists; of one creator each says whether it is on it."""
    only = ids[0] if len(ids) == 1 else ""
    request = ListShortlistsRequest(page_size=LISTS, creator_id=only)
    creators, lists = list[Creator](), list[Shortlist]()
    try:
        batch = BatchGetCreatorsRequest(creator_ids=ids)
        creators = list((await page.ask(page.services.discovery.BatchGetCreators, batch)).creators) if ids else []
        lists = list((await page.ask(page.services.discovery.ListShortlists, request)).shortlists)
    except Problem as refused:
        if refused.kind != "invalid":
            raise
        problem = problem or refused
    options = [
        (one.shortlist_id, page.words(mark("{name} · is on it"), name=one.name) if one.has_creator else one.name)
        for one in lists
    ]
    return page.show(
        "shortlists/add.html",
        problem.status if problem else 200,
        ids=ids,
        creators=creators,
        options=[*options, ("", page.words(mark("a new list")))],
        form=form,
        problem=problem,
    )


async def _shown(
    page: SignedIn,
    shortlist_id: str,
    pick: Sequence[str],
    cursor: str = "",
    form: Form = EMPTY,
    problem: Problem | None = None,
) -> Response:
    """Who is on the list, and what may be done with those who are picked, or with all of the page."""
    found = await _found(page, shortlist_id, cursor)
    here = [one.creator.creator_id for one in found.creators]
    picked = [one for one in here if one in pick]
    chosen = picked or here
    return page.show(
        "shortlists/list.html",
        problem.status if problem else 200,
        shortlist=found.shortlist,
        entries=found.creators,
        info=found.page,
        picked=picked,
        compared=urlencode([("ids", one) for one in chosen[:COMPARED]]),
        invited=urlencode([("ids", one) for one in chosen[:INVITED]]),
        form=form,
        problem=problem,
    )
