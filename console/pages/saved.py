"""Saved searches: those of the caller's organisation, and the creators that came to match each since it was saved."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid5

from dandelion.discovery.v1.queries_pb2 import (
    ListSavedSearchesRequest,
    ListSavedSearchMatchesRequest,
    SavedSearch,
)
from fastapi import APIRouter
from fastapi.responses import Response
from google.protobuf.json_format import MessageToDict

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.look.menu import BRANDS
from console.page import Cursor, Id, Page, SignedIn, needs
from console.pages.creators import request_of
from console.words import mark

HERE = "/creators/saved"
OWNERS = (*BRANDS, "operator")
WATCHED_LIMIT = 2_000
"""A search that more creators match is not watched (docs of ListSavedSearches)."""
router = APIRouter(prefix=HERE, dependencies=[needs(*OWNERS)])
SHOWN = 25


@router.get("")
async def searches(page: Page, cursor: Cursor = "") -> Response:
    """Those that were saved, the newest first, each with its new matches."""
    return await _shown(page, EMPTY, None, cursor)


@router.post("")
async def save(page: Page, form: Filled) -> Response:
    """The search of an address under a name; the same form sent again saves nothing more."""

    async def act() -> Response:
        name = form.needed("name")
        form.check()
        asked = request_of(Form(parse_qs(form.text("view"))))
        body: dict[str, Any] = {
            "name": name,
            "search": MessageToDict(asked, preserving_proto_field_name=True),
            "view": form.text("view"),
            "watched": form.is_set("watched"),
        }
        path = f"/saved-searches/{uuid5(SPACE, form.key)}"
        receipt = await page.send("discovery", "PUT", path, form, body)
        return page.done(HERE, receipt, mark("The search is saved."))

    return await _answered(page, form, act)


@router.get("/{search_id}")
async def matches(page: Page, search_id: Id, cursor: Cursor = "") -> Response:
    """Who came to match, the newest first."""
    return await _matches(page, search_id, cursor)


async def _matches(
    page: SignedIn, search_id: str, cursor: str, form: Form = EMPTY, problem: Problem | None = None
) -> Response:
    request = ListSavedSearchMatchesRequest(search_id=str(search_id), page_size=SHOWN, page_token=cursor)
    found = await page.ask(page.services.discovery.ListSavedSearchMatches, request)
    return page.show(
        "saved/matches.html",
        search=found.search,
        matches=found.matches,
        newest=max((one.number for one in found.matches if one.unseen), default=0),
        info=found.page,
        state=state(found.search),
        form=form,
        problem=problem,
    )


@router.post("/{search_id}/rename")
async def rename(page: Page, search_id: Id, form: Filled) -> Response:
    """What is searched stays as it is, so nobody is told anew."""

    async def act() -> Response:
        name = form.needed("name")
        form.check()
        request = ListSavedSearchMatchesRequest(search_id=str(search_id), page_size=1)
        kept = (await page.ask(page.services.discovery.ListSavedSearchMatches, request)).search
        asked = MessageToDict(kept.search, preserving_proto_field_name=True)
        body = {"name": name, "search": asked, "view": kept.view, "watched": kept.watched}
        receipt = await page.send("discovery", "PUT", f"/saved-searches/{search_id}", form, body)
        return page.done(f"{HERE}/{search_id}", receipt, mark("Renamed."))

    return await page.submit(lambda typed, problem: _matches(page, search_id, "", typed, problem), form, act)


@router.post("/{search_id}/seen")
async def seen(page: Page, search_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        number = form.whole("number")
        form.check()
        path = f"/saved-searches/{search_id}/seen"
        receipt = await page.send("discovery", "POST", path, form, {"number": number})
        return page.done(f"{HERE}/{search_id}", receipt, mark("Seen."))

    return await _answered(page, form, act)


@router.post("/{search_id}/delete")
async def delete(page: Page, search_id: Id, form: Filled) -> Response:
    async def act() -> Response:
        if not is_sure(form):
            request = ListSavedSearchMatchesRequest(search_id=str(search_id), page_size=1)
            name = (await page.ask(page.services.discovery.ListSavedSearchMatches, request)).search.name
            said = page.words(mark("Nothing more is told of it, and its matches are gone from the list."))
            pairs = [(page.words(mark("Search")), name)]
            title, button = page.words(mark("Delete this search?")), page.words(mark("Delete"))
            return confirm(page, form, Question(title, pairs, said, button, HERE, True))
        receipt = await page.send("discovery", "POST", f"/saved-searches/{search_id}/delete", form, None)
        return page.done(HERE, receipt, mark("The search is deleted."))

    return await _answered(page, form, act)


SPACE = UUID("6f1c9a52-7c3b-4f0e-9d1e-6a5f0d1c2b3a")
"""Ids of saved searches follow from the key of the form that saves them."""


def state(search: SavedSearch) -> str:
    """How it is watched, in the marked words of one of four sentences."""
    if not search.watched:
        return mark("Not watched")
    if not search.HasField("matched_first"):
        return mark("The first look is under way")
    return mark("Too many match to be watched") if search.matched_first > WATCHED_LIMIT else mark("Watched")


async def _answered(page: SignedIn, form: Form, act: Callable[[], Any]) -> Response:
    return await page.submit(lambda typed, problem: _shown(page, typed, problem), form, act)


async def _shown(page: SignedIn, form: Form, problem: Problem | None, cursor: str = "") -> Response:
    request = ListSavedSearchesRequest(page_size=SHOWN, page_token=cursor)
    answer = await page.ask(page.services.discovery.ListSavedSearches, request)
    return page.show(
        "saved/searches.html",
        problem.status if problem else 200,
        saved=[(one, state(one)) for one in answer.searches],
        info=answer.page,
        form=form,
        problem=problem,
    )
