"""How each service runs: lags, what waits for a person, checks; a parked key retried; the way to any stream's history."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from dandelion.operations.v1.queries_pb2 import (
    GetServiceStatusRequest,
    GetServiceStatusResponse,
    ListLateDeadlinesRequest,
    ListParkedKeysRequest,
)
from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.menu import WATCHERS
from console.page import Cursor, Page, SignedIn, needs
from console.settings import SERVICES
from console.words import mark

router = APIRouter(prefix="/operator", dependencies=[needs(*WATCHERS)])
SHOWN = 25
Typed = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class Standing:
    """One service: what it says of itself, or why it does not."""

    name: str
    status: GetServiceStatusResponse | None
    problem: Problem | None

    @property
    def behind(self) -> int:
        """Records of the consumer that is furthest behind."""
        return max((one.behind for one in self.status.consumers), default=0) if self.status else 0

    @property
    def halted(self) -> int:
        return len({one.consumer for one in self.status.consumers if one.halted}) if self.status else 0

    @property
    def broken(self) -> int:
        return sum(not one.ok for one in self.status.invariants) if self.status else 0

    @property
    def needs_a_person(self) -> bool:
        told = self.status
        return told is None or bool(self.halted or self.broken or told.parked_keys or told.late_deadlines)


CHECKS: Mapping[str, str] = {
    "guards_at_place": mark("Read models stand where they say"),
    "nothing_parked": mark("No event is parked"),
    "deadlines_met": mark("No deadline is late"),
    "relay_at_place": mark("The relay stands where it says"),
}
"""Names of the quick checks for people."""


@router.get("")
async def overview(page: Page) -> Response:
    standings = await asyncio.gather(*(_standing(page, name) for name in SERVICES))
    return page.show("operator/overview.html", standings=standings, pairs=[(name, name) for name in SERVICES])


async def _standing(page: SignedIn, service: str) -> Standing:
    """A service that is away is said to be away: the others are shown."""
    try:
        return Standing(
            service, await page.ask(page.services.operations[service].GetServiceStatus, GetServiceStatusRequest()), None
        )
    except Problem as problem:
        if problem.kind not in ("unavailable", "internal", "exhausted"):
            raise
        return Standing(service, None, problem)


@router.get("/find")
async def find(page: Page, service: Typed = "", stream: Typed = "") -> Response:
    """On to the history of the stream that was typed."""
    return RedirectResponse(f"/history/{_known(service)}/{stream.strip() or '-'}", 303)


@router.get("/{service}")
async def service(page: Page, service: str, cursor: Cursor = "") -> Response:
    return await _shown(page, _known(service), cursor)


@router.post("/{service}/retry")
async def retry(page: Page, service: str, form: Filled) -> Response:
    """Handles a parked key's events again."""
    _known(service)

    async def act() -> Response:
        body = {"consumer": form.needed("consumer"), "key": form.needed("key")}
        form.check()
        told = await page.services.send(
            service, "POST", "/operations/retry", page.person.token, json=body, headers={"Idempotency-Key": form.key}
        )
        said = (
            mark("Handled: nothing of this key waits any more.")
            if told["handled"]
            else mark("Handed over: its own process tries it within a second.")
        )
        return page.done(f"/operator/{service}", None, said)

    return await page.submit(lambda typed, problem: _shown(page, service, "", typed, problem), form, act)


def _known(service: str) -> str:
    if service not in SERVICES:
        raise Problem("not_found", "page.not_found")
    return service


async def _shown(
    page: SignedIn, service: str, cursor: str, form: Form = EMPTY, problem: Problem | None = None
) -> Response:
    asked = page.services.operations[service]
    status, parked, late = await asyncio.gather(
        page.ask(asked.GetServiceStatus, GetServiceStatusRequest()),
        page.ask(asked.ListParkedKeys, ListParkedKeysRequest(include_retried=True, page_size=SHOWN, page_token=cursor)),
        page.ask(asked.ListLateDeadlines, ListLateDeadlinesRequest(page_size=SHOWN)),
    )
    return page.show(
        "operator/service.html",
        name=service,
        told=status,
        checks=CHECKS,
        parked=parked,
        late=late,
        may_retry=page.can("operator"),
        form=form,
        problem=problem,
    )
