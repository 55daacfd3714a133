"""Being forgotten: a creator asks for the erasure of what is kept of it, and reads what goes, what stays and until when."""

from datetime import timedelta

from dandelion.compliance.v1.queries_pb2 import (
    ERASURE_STEP_REQUESTED,
    Erasure,
    GetErasureRequest,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.look.formats import at
from console.look.menu import CREATORS
from console.page import Page, SignedIn, needs
from console.pages.erasures import REASONS
from console.words import mark

router = APIRouter(prefix="/profile/erasure", dependencies=[needs(*CREATORS)])
ANSWERED_WITHIN = timedelta(days=30)
"""A month, by GDPR Art. 12(3); the shortest month would be sooner than the law asks."""
GOES = (
    mark("Name, texts, contact, handles, places, year of birth and links of your profile, at once."),
    mark("What you handed in: titles, texts, tags, links, notes about them, numbers of parcels, at once."),
    mark("Backups cannot be read any more: what is encrypted there loses its key."),
)
STAYS = (
    (
        mark("Archive of adverts"),
        mark(
            "The content that was checked, with its findings: four years, as the law asks for three after an advert's end."
        ),
    ),
    (
        mark("Books"),
        mark(
            "Payments, your id, country of residence, tax receipts: as long as tax law asks. Finance, auditors and you read them."
        ),
    ),
    (
        mark("Numbers and proofs"),
        mark("Counts of posts, their addresses and ids without a name: others' numbers depend on them."),
    ),
)


@router.get("")
async def erasure(page: Page) -> Response:
    return await _shown(page)


async def _shown(page: SignedIn, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    found = await _asked(page)
    until = at(found.since) + ANSWERED_WITHIN if found and found.step == ERASURE_STEP_REQUESTED else None
    return page.show(
        "erasures/mine.html",
        found=found, until=until, waits=until is not None, goes=GOES, stays=STAYS, reasons=REASONS, form=form,
        problem=problem, part="erasure", is_new=False,
    )  # fmt: skip


async def _asked(page: SignedIn) -> Erasure | None:
    """The newest request; None where nobody asked."""
    request = GetErasureRequest(subject_id=page.person.tenant)
    try:
        return (await page.ask(page.services.compliance.GetErasure, request)).erasure
    except Problem as problem:
        if problem.kind != "not_found":
            raise
        return None


@router.post("")
async def ask(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        if not is_sure(form):
            return confirm(page, form, _question(page))
        subject = page.person.tenant
        receipt = await page.send("compliance", "POST", f"/subjects/{subject}/request-erasure", form, {})
        return page.done(
            "/profile/erasure", receipt, mark("Asked for: an operator answers, and the answer stands here.")
        )

    return await page.submit(lambda typed, problem: _shown(page, typed, problem), form, act)


def _question(page: SignedIn) -> Question:
    pairs = [
        (page.words(mark("Organisation")), page.person.tenant),
        (page.words(mark("Answered within")), page.words(mark("a month"))),
    ]
    said = page.words(
        mark("Once an operator has erased you, nobody can bring you back. Pay out what you earned first.")
    )
    title, button = page.words(mark("Ask to be forgotten?")), page.words(mark("Ask for it"))
    return Question(title, pairs, said, button, "/profile/erasure", True)
