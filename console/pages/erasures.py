"""Erasures: who asked to be forgotten, and an operator's answer. An erasure cannot be undone."""

import re

from dandelion.compliance.v1.queries_pb2 import ERASURE_STEP_REQUESTED, ErasureStep, ListErasuresRequest
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.page import Cursor, Id, Page, SignedIn, needs
from console.words import mark

router = APIRouter(prefix="/erasures", dependencies=[needs("operator", "auditor")])
SHOWN = 50
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NO_ID = mark("Please give the id of the person's organisation, as its page shows it.")
REASONS = {
    "request.subject": mark("The person asked for it"),
    "authority.order": mark("An authority ordered it"),
    "contract.running": mark("A contract still runs"),
    "identity.unproven": mark("It is not proven who asked"),
}


@router.get("")
async def erasures(page: Page, all: str = "", cursor: Cursor = "") -> Response:
    return await _shown(page, bool(all), cursor)


async def _shown(
    page: SignedIn, every: bool, cursor: str = "", form: Form = EMPTY, problem: Problem | None = None
) -> Response:
    step: ErasureStep.ValueType = ErasureStep.ValueType(0) if every else ERASURE_STEP_REQUESTED
    request = ListErasuresRequest(step=step, page_size=SHOWN, page_token=cursor)
    answer = await page.ask(page.services.compliance.ListErasures, request)
    names = await page.creators(one.subject_id for one in answer.erasures)
    return page.show(
        "erasures/list.html", erasures=answer.erasures, info=answer.page, every=every, names=names, form=form,
        problem=problem, answers=page.can("operator"), reasons=REASONS,
    )  # fmt: skip


@router.post("/{subject_id}/erase", dependencies=[needs("operator")])
async def erase(page: Page, subject_id: Id, form: Filled) -> Response:
    said = mark("Every service deletes this person's data and key. Nobody can bring them back.")
    return await _answer(page, subject_id, "erase", mark("Erase this person?"), said, mark("Erase for ever"), form)


@router.post("/{subject_id}/decline-erasure", dependencies=[needs("operator")])
async def decline(page: Page, subject_id: Id, form: Filled) -> Response:
    said = mark("The person reads the reason and may ask again.")
    title = mark("Decline this request?")
    return await _answer(page, subject_id, "decline-erasure", title, said, mark("Decline it"), form)


@router.post("", dependencies=[needs("operator")])
async def ask(page: Page, form: Filled) -> Response:
    """For a person who wrote to an operator: the same request, in its name."""

    async def act() -> Response:
        subject = form.needed("subject_id")
        if not ID.fullmatch(subject):
            form.wrong.setdefault("subject_id", NO_ID)
        receipt = await page.send("compliance", "POST", f"/subjects/{subject}/request-erasure", form, {})
        return page.done("/erasures", receipt, mark("The request stands here until it is answered."))

    return await page.submit(lambda typed, problem: _shown(page, False, "", typed, problem), form, act)


async def _answer(
    page: SignedIn, subject_id: str, verb: str, title: str, warning: str, button: str, form: Form
) -> Response:
    async def act() -> Response:
        reason = form.needed("reason")
        form.check()
        if not is_sure(form):
            names = await page.creators([subject_id])
            pairs = [
                (page.words(mark("Person")), f"{names[subject_id]} · {subject_id}"),
                (page.words(mark("Reason")), page.words(REASONS.get(reason, reason))),
            ]
            question = Question(
                page.words(title), pairs, page.words(warning), page.words(button), "/erasures", verb == "erase"
            )
            return confirm(page, form, question)
        receipt = await page.send("compliance", "POST", f"/subjects/{subject_id}/{verb}", form, {"reason": reason})
        return page.done("/erasures", receipt, mark("The request is answered."))

    return await page.submit(lambda typed, problem: _shown(page, False, "", typed, problem), form, act)
