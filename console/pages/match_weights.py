"""How much each part of a match counts: what is in force, what past work teaches, what was adopted before."""

from collections.abc import Callable
from typing import Any

from dandelion.discovery.v1.matching_pb2 import (
    LearnMatchWeightsRequest,
    LearnMatchWeightsResponse,
    ListMatchWeightsRequest,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.look.menu import WATCHERS
from console.look.weighing import PARTS
from console.page import Cursor, Page, SignedIn, needs
from console.words import mark

HERE = "/planner/weights"
router = APIRouter(prefix=HERE, dependencies=[needs(*WATCHERS)])
SHOWN = 25


@router.get("")
async def weights(page: Page, learn: str = "", cursor: Cursor = "") -> Response:
    """The versions; beside those in force what past work teaches, where it is asked for."""
    try:
        found = await _learned(page) if learn else None
    except Problem as refused:
        if refused.kind == "unauthenticated":
            raise
        return await _shown(page, EMPTY, refused, None, cursor)
    return await _shown(page, EMPTY, None, found, cursor)


@router.post("/adopt", dependencies=[needs("operator")])
async def adopt(page: Page, form: Filled) -> Response:
    """What was proposed, or the percents that were typed."""

    async def act() -> Response:
        proposal = form.text("proposal")
        reason = form.needed("reason_learned" if proposal else "reason")
        body: dict[str, Any] = {"reason": reason}
        if proposal:
            body["proposal"] = proposal
        else:
            body["weights"] = [_chosen(form, at) for at in range(len(PARTS)) if f"weights.{at}.part" in form.values]
        form.check()
        if not is_sure(form):
            return _ask(page, form, mark("Adopt these weights?"), reason, mark("Adopt"))
        receipt = await page.send("discovery", "POST", "/match-weights", form, body)
        return page.done(HERE, receipt, mark("The weights are in force."))

    return await _answered(page, form, act)


@router.post("/restore", dependencies=[needs("operator")])
async def restore(page: Page, form: Filled) -> Response:
    async def act() -> Response:
        reason, version = form.needed("reason_back"), form.whole("version")
        form.check()
        if not is_sure(form):
            return _ask(page, form, mark("Put these weights back?"), reason, mark("Put back"))
        receipt = await page.send("discovery", "POST", f"/match-weights/{version}/restore", form, {"reason": reason})
        return page.done(HERE, receipt, mark("The weights are in force."))

    return await _answered(page, form, act)


def _ask(page: SignedIn, form: Form, title: str, reason: str, button: str) -> Response:
    said = page.words(mark("From now on every match of every brand counts by these weights."))
    pairs = [(page.words(mark("Your reason")), reason)]
    return confirm(page, form, Question(page.words(title), pairs, said, page.words(button), HERE, True))


async def _answered(page: SignedIn, form: Form, act: Callable[[], Any]) -> Response:
    return await page.submit(lambda typed, problem: _shown(page, typed, problem, None), form, act)


async def _learned(page: SignedIn) -> LearnMatchWeightsResponse:
    return await page.ask(page.services.discovery.LearnMatchWeights, LearnMatchWeightsRequest())


def _earlier(page: SignedIn, newest: int) -> list[tuple[str, str]]:
    """The newest first, at most a hundred; then what the platform came with."""
    came_with = ("0", page.words(mark("what the platform came with")))
    return [(str(one), str(one)) for one in range(newest - 1, max(newest - 100, 0), -1)] + [came_with]


def _chosen(form: Form, at: int) -> dict[str, Any]:
    """One part's weight, typed in percents, named as in the command's body."""
    return {"part": form.text(f"weights.{at}.part"), "weight": float(form.decimal(f"weights.{at}.weight") / 100)}


async def _shown(
    page: SignedIn, form: Form, problem: Problem | None, learned: LearnMatchWeightsResponse | None, cursor: str = ""
) -> Response:
    request = ListMatchWeightsRequest(page_size=SHOWN, page_token=cursor)
    answer = await page.ask(page.services.discovery.ListMatchWeights, request)
    proposed = {one.part: one.weight for one in learned.weights} if learned else {}
    own = {one.part: one.weight for one in answer.own.weights}
    rows = [
        (one.part, PARTS.get(one.part, one.part), one.weight, own.get(one.part), proposed.get(one.part))
        for one in answer.in_force.weights
    ]
    return page.show(
        "planner/weights.html",
        problem.status if problem else 200,
        rows=rows,
        adopted=answer.adopted,
        earlier=_earlier(page, answer.in_force.version),
        in_force=answer.in_force,
        info=answer.page,
        learned=learned,
        form=form,
        problem=problem,
    )
