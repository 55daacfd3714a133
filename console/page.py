"""One request of a signed-in person: what a page reads, sends and shows goes through its Page.

@router.get("/campaigns/{campaign_id}")
async def show(page: Page, campaign_id: Id) -> Response:
    answer = await page.ask(page.services.campaigns.GetCampaign, GetCampaignRequest(campaign_id=campaign_id))
    return page.show("campaigns/detail.html", campaign=answer.campaign)
"""

import base64
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

import grpc
from fastapi import Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from google.protobuf.message import Message

from console.calls.clients import Receipt, Services
from console.calls.names import Names
from console.calls.problems import Problem
from console.forms import EMPTY, Form
from console.identity.person import Person
from console.look import facts, refusals, rules
from console.look.formats import DEFAULT_ZONE, ZONES, Formats
from console.words import chosen, mark, translations

SEEN = "__Host-seen"
"""Cookie of what was just done: the token of its receipt, which the next queries wait for, and the sentence that says so."""
SEEN_S = 30
READER = "__Host-reader"
"""Cookie of how a person reads: language, zone, theme."""
ROLES: Mapping[str, str] = {
    "brand": mark("Brand"),
    "agency": mark("Agency"),
    "creator": mark("Creator"),
    "operator": mark("Operator"),
    "reviewer": mark("Reviewer"),
    "finance": mark("Finance"),
    "auditor": mark("Auditor"),
}
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9._:-]{1,200}$")]
"""Id in a path."""
Cursor = Annotated[str, Query(alias="page", max_length=4_096)]
"""Page token of a list, in the address."""
Many = Annotated[Sequence[str], Query(max_length=50)]
"""Values of a filter that stands several times in the address."""


def reader_language(request: Request) -> str:
    """The language that was chosen, else the browser's."""
    return chosen(request.cookies.get(READER, "").partition("|")[0], request.headers.get("accept-language", ""))


class Visit:
    """A request with its reader's language, zone and theme; nobody needs to be signed in."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.person: Person | None = request.state.person
        _, zone, theme = [*request.cookies.get(READER, "").split("|"), "", "", ""][:3]
        self.lang = reader_language(request)
        self.zone = zone if zone in ZONES else DEFAULT_ZONE
        self.theme = theme if theme in ("light", "dark") else ""
        self.formats = Formats(self.lang, self.zone, datetime.now(UTC))
        self.services: Services = request.app.state.services

    @property
    def path(self) -> str:
        """Path with its query, to come back to."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def words(self, text: str, **values: Any) -> str:
        """`text` in the reader's language; `values` go into its `{name}`s."""
        told = translations(self.lang).gettext(text)
        return told.format(**values) if values else told

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """The template as a page; `form` and `problem` are in every template."""
        values.setdefault("form", EMPTY)
        values.setdefault("problem", None)
        made = self.request.app.state.templates[self.lang].get_template(template)
        done = self._done()
        response = HTMLResponse(made.render(page=self, done=self.words(done["said"]) if done else "", **values), status)
        if done:
            response.delete_cookie(SEEN, secure=True, httponly=True, samesite="lax")
        return response

    def part(self, template: str, **values: Any) -> str:
        """The template as a part of a page."""
        made = self.request.app.state.templates[self.lang].get_template(template)
        return str(made.render(page=self, **values))

    def explain(self, problem: Problem) -> tuple[str, str]:
        """(what a refusal means, what to do) in the reader's language."""
        told = facts.written(problem.facts, self.formats, self.words)
        meaning, remedy = refusals.explained(problem, told)
        return self.words(meaning).format_map(told), self.words(remedy).format_map(told)

    def explain_field(self, sentence: str) -> str:
        """What is wrong with a field, in the reader's language."""
        refused = refusals.said(sentence)
        if refused is not None:
            return " ".join(self.explain(refused))
        told, values = rules.of_rule(sentence)
        return self.words(told, **values)

    def with_query(self, **changes: str) -> str:
        """This address with parameters of its query changed; "" takes one out."""
        kept = [(name, value) for name, value in self.request.query_params.multi_items() if name not in changes]
        query = urlencode([*kept, *((name, value) for name, value in changes.items() if value)])
        return self.request.url.path + (f"?{query}" if query else "")

    def roles(self) -> str:
        """Roles of the person in words."""
        held = sorted(self.person.roles) if self.person else []
        return " · ".join(self.words(ROLES.get(role, role)) for role in held)

    def new_key(self) -> str:
        """Idempotency key of a form that is shown for the first time."""
        return str(uuid4())

    def _done(self) -> Mapping[str, str]:
        try:
            told = json.loads(base64.urlsafe_b64decode(self.request.cookies.get(SEEN, "")))
            return {name: str(told[name]) for name in ("said", "token")}
        except (ValueError, KeyError, TypeError):
            return {}


class SignedIn(Visit):
    """A Visit of a person who is signed in."""

    person: Person

    async def ask(self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q) -> A:
        """Answer of a query, which includes what this person has just done; raises Problem."""
        token, service = self._done().get("token", ""), request.DESCRIPTOR.full_name.split(".")[1]
        if "at_least" in request.DESCRIPTOR.fields_by_name and token.partition(":")[0] == service:
            request.at_least = token  # type: ignore[attr-defined]
        return await self.services.ask(method, request, self.person.token)

    async def send(self, service: str, method: str, path: str, form: Form, body: Any = None) -> Receipt:
        """Sends a command under the form's key; raises Problem."""
        form.check()
        return await self.services.command(service, method, path, body, self.person.token, form.key)

    def done(self, to: str, receipt: Receipt | None, said: str) -> Response:
        """On to the page `to`, which says the marked sentence `said` and shows what the receipt stands for."""
        response = RedirectResponse(to, 303)
        told = json.dumps({"said": said, "token": receipt.token if receipt else ""}).encode()
        value = base64.urlsafe_b64encode(told).decode()
        response.set_cookie(SEEN, value, max_age=SEEN_S, secure=True, httponly=True, samesite="lax")
        return response

    async def creators(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Name by creator id, for a page that has ids."""
        names: Names = self.request.app.state.names
        return await names.creators(ids, self.person.tenant, self.person.token)

    async def titles(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Title by campaign id."""
        names: Names = self.request.app.state.names
        return await names.campaigns(ids, self.person.tenant, self.person.token)

    @property
    def runs_campaigns_of(self) -> str:
        """The organisation, of a brand's or agency's person; "" of others, who list whatever they may see."""
        return self.person.tenant if self.can("brand", "agency") else ""

    def can(self, *roles: str) -> bool:
        """Whether the person has one of the roles."""
        return not self.person.roles.isdisjoint(roles)

    async def submit(
        self, again: Callable[[Form, Problem], Awaitable[Response]], form: Form, act: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Result of `act`; refused, the page `again` with what was typed and the problem."""
        try:
            return await act()
        except Problem as problem:
            if problem.kind == "unauthenticated":
                raise
            response = await again(form, problem)
            response.status_code = problem.status
            return response


def needs(*roles: str) -> Any:
    """Dependency of a router or route: refuses whoever has none of the roles, before anything is asked."""

    def check(page: "Page") -> None:
        if not page.can(*roles):
            raise Problem("forbidden", "actor.role_missing", {"needs": ", ".join(roles)})

    return Depends(check)


def _signed_in(request: Request) -> SignedIn:
    if request.state.person is None:
        raise Problem("unauthenticated", "session.none")
    return SignedIn(request)


Page = Annotated[SignedIn, Depends(_signed_in)]
Visitor = Annotated[Visit, Depends(Visit)]
