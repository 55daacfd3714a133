"""Files of creators: an operator's import with a table of what is wrong, and what a search finds as CSV or XLSX."""

from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from google.protobuf.json_format import MessageToDict
from starlette.background import BackgroundTask

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.menu import BRANDS
from console.page import Page, SignedIn, needs
from console.pages.creators import request_of
from console.words import mark

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHARSETS = ("utf-8", "gb18030", "big5", "utf-16")
NO_FILE = mark("Please choose a file.")
PROBLEMS_SHOWN = 200
IMPORT_S = 120.0
"""A file of 20,000 rows takes some ten seconds."""
router = APIRouter(prefix="/creators")


@router.get("/import", dependencies=[needs("operator")])
async def form(page: Page) -> Response:
    """Where a file is chosen."""
    return _shown(page)


@router.post("/import", dependencies=[needs("operator")])
async def take(page: Page, form: Filled) -> Response:
    """Imports the file. Good rows are kept; the same form sent again changes nothing."""

    async def act() -> Response:
        name, data = await _read(form)
        if not data:
            raise Problem("invalid", "request.invalid", {}, {"file": NO_FILE})
        charset = form.text("charset") if form.text("charset") in CHARSETS else CHARSETS[0]
        is_sheet = name.lower().endswith(".xlsx")
        headers = {"Idempotency-Key": form.key, "Content-Type": XLSX if is_sheet else f"text/csv; charset={charset}"}
        told = await page.services.send(
            "discovery", "POST", "/imports", page.person.token, content=data, headers=headers, timeout=IMPORT_S
        )
        return _shown(page, told=told)

    async def again(typed: Form, problem: Problem) -> Response:
        return _shown(page, typed, problem)

    return await page.submit(again, form, act)


@router.get("/export.{kind}", dependencies=[needs(*BRANDS, "operator")])
async def export(page: Page, kind: Literal["csv", "xlsx"]) -> Response:
    """Whom the search of this address finds."""
    asked = Form({name: page.request.query_params.getlist(name) for name in page.request.query_params})
    body = {"search": MessageToDict(request_of(asked), preserving_proto_field_name=True), "format": kind}
    answer = await page.services.opened("discovery", "POST", "/exports", page.person.token, body)
    kept = {name: answer.headers[name] for name in ("content-disposition", "content-type")}
    return StreamingResponse(answer.aiter_bytes(), headers=kept, background=BackgroundTask(answer.aclose))


async def _read(form: Form) -> tuple[str, bytes]:
    """Name and bytes of the file that was chosen."""
    file = form.files.get("file")
    if file is None:
        return "", b""
    try:
        return file.filename or "", await file.read()
    finally:
        await file.close()


def _shown(page: SignedIn, form: Form = EMPTY, problem: Problem | None = None, told: Any = None) -> Response:
    problems = [(one, page.explain(Problem("invalid", one["rule"]))[0]) for one in told["problems"]] if told else []
    return page.show(
        "files/import.html",
        problem.status if problem else 200,
        told=told,
        problems=problems[:PROBLEMS_SHOWN],
        hidden_rows=max(0, len(problems) - PROBLEMS_SHOWN),
        charsets=[(one, one.upper()) for one in CHARSETS],
        form=form,
        problem=problem,
    )
