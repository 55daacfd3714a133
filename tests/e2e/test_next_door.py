"""Every route and every RPC, asked by a second brand, creator and agency that have things of their own, about what is the first
one's and about what is nowhere: one answer, after the same statements to the database.

The services are opened here over what the story left, so that statements can be counted. Each RPC is asked by its HTTP rule,
which calls the same servicer. Nothing but the writers runs, so nothing else asks the databases.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import schemathesis
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy import event
from sqlalchemy.engine import Engine

from cli.layout import Layout
from cli.open_services import open_services, running_writer
from cli.story.market import Who, named
from cli.story.plan import DEALS
from kernel.core.ids import derived_id, new_id
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import App
from tests.e2e.test_not_there import KEPT, OPEN, bare, nowhere, with_ids
from tests.e2e.test_strangers import body_for, filled
from tests.kit.story import embedded_stores
from tools.speed import patience

FIRST, NEXT = DEALS[0].brand, DEALS[1].brand
AGENCY = Who("agnes", named("next door", "agency"), "agency")
KINDS = ("brand", "creator", "agency")
TOLD_TO_ALL = {
    "/creators", "/creators/{creator_id}", "/creators/search", "/creators/facets", "/fee-policies", "/reference-rates",
    "/search-fields", "/creators/{creator_id}/authenticity", "/creators/{creator_id}/figures",
    "/rule-packs", "/rules", "/rules/changes", "/checks", "/formulas", "/categories", "/tiers", "/currencies",
}  # fmt: skip
"""What everybody who has an account may ask is not anybody's."""
SHOWN_TO_CREATORS = {"/campaigns", "/campaigns/{campaign_id}", "/campaigns/{campaign_id}/brief-versions"}
"""The first one's campaign recruits in the open: creators and agencies may read it."""


@dataclass
class Street:
    """The services, who lives next door, and the first one's ids by path parameter."""

    issuer: Issuer
    apis: dict[str, FastAPI] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    neighbours: dict[str, Who] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    async def one(self, service: str, query: str, **values: str) -> str:
        async with self.apps[service].database.reading() as connection:
            return str((await connection.execute(sa.text(query), values)).scalar_one())


@pytest.fixture(scope="module")
async def street(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Street]:
    told = await embedded_stores(tmp_path_factory.mktemp("street"))
    layout = Layout.load(told.folder)
    async with AsyncExitStack() as stack:
        apps = await stack.enter_async_context(open_services(layout))
        made = Street(layout.issuer(), apps={app.service.name: app for app in apps})
        for app in apps:
            await stack.enter_async_context(running_writer(app))
            made.apis[app.service.name] = app.api()
        await _settle_in(made)
        yield made


async def _settle_in(street: Street) -> None:
    brand, ids = FIRST.tenant, street.ids
    for category, service in (
        ("order", "metrics"),
        ("link", "metrics"),
        ("coupon", "metrics"),
        ("review", "compliance"),
    ):
        query = f"SELECT stream FROM log_events WHERE stream LIKE '{category}-%' AND tenant = :brand LIMIT 1"
        ids[f"{category}_id"] = (await street.one(service, query, brand=brand)).partition("-")[2]
    work = "SELECT {} FROM collaborations WHERE brand_id = :brand ORDER BY collaboration_id LIMIT 1"
    for name in ("collaboration_id", "campaign_id", "creator_id"):
        ids[name] = await street.one("campaigns", work.format(name), brand=brand)
    one = "SELECT {} FROM {} WHERE collaboration_id = :work LIMIT 1"
    ids["deliverable_id"] = await street.one(
        "campaigns", one.format("deliverable_id", "deliverables"), work=ids["collaboration_id"]
    )
    ids |= {
        "application_id": ids["collaboration_id"],
        "content_id": ids["deliverable_id"],
        "payee_id": ids["creator_id"],
    }
    ids |= {"brand_id": brand, "owner_id": brand, "subject_id": ids["creator_id"]}
    other = await street.one(
        "campaigns", "SELECT creator_id FROM collaborations WHERE brand_id = :next AND creator_id NOT IN "
        "(SELECT creator_id FROM applications WHERE brand_id = :brand) LIMIT 1", next=NEXT.tenant, brand=brand,
    )  # fmt: skip
    street.neighbours = {"brand": NEXT, "creator": Who("clea", other, "creator"), "agency": AGENCY}
    await _a_draft_of_the_agency(street)


async def _a_draft_of_the_agency(street: Street) -> None:
    async with client(street, "campaigns", AGENCY) as agency:
        brief = {**DEALS[1].brief, "title": "Next door"}
        answer = await agency.put(
            f"/campaigns/{new_id()}", json={"brief": brief}, headers={"Idempotency-Key": new_id()}
        )
    assert answer.is_success, answer.text


def client(street: Street, service: str, who: Who) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {street.issuer.issue(who.name, who.tenant, who.role)}"}
    transport = httpx.ASGITransport(street.apis[service])
    return httpx.AsyncClient(transport=transport, base_url="http://street.test", headers=headers, timeout=patience(30))


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of any database meanwhile, without values."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(re.sub(r"\s+", " ", statement)[:160])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def heard(
    http: httpx.AsyncClient, method: str, path: str, body: Any, ids: Mapping[str, str], asked: list[str]
) -> tuple[int, str, list[str]]:
    """Status, what was said without the ids, and the statements that it took."""
    mine = derived_id("mine", method, path, ids["campaign_id"])
    chosen = dict.fromkeys(ids, mine) if method == "PUT" else ids
    given: dict[str, Any] = {"params": {name: ids[name] for name in asked if name in ids}} if method == "GET" else {}
    if method != "GET":
        given = {"json": with_ids(body, ids, mine), "headers": {"Idempotency-Key": f"next-door-{new_id()}"}}
    with statements() as found:
        answer = await http.request(method, filled(path, chosen), **given)
    is_json = "json" in answer.headers.get("content-type", "")
    shown = answer.json() if answer.content and is_json else {}
    if isinstance(shown, dict):
        shown = {name: value for name, value in shown.items() if name not in ("instance", "page", "as_of")}
    return answer.status_code, "" if answer.is_success and method != "GET" else bare(shown, ids), found


@pytest.mark.parametrize("service", ["campaigns", "compliance", "discovery", "ledger", "metrics"])
@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_next_door_is_nowhere(street: Street, kind: str, service: str) -> None:
    who, offences, asked = street.neighbours[kind], list[str](), 0
    document = street.apis[service].openapi()
    schema = schemathesis.openapi.from_dict(document)
    async with client(street, service, who) as http:
        for path, operations in document["paths"].items():
            for verb, operation in operations.items():
                method = verb.upper()
                if is_everybodys(method, path, kind):
                    continue
                body = None if method == "GET" else await asyncio.to_thread(body_for, schema, method, path)
                names = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
                about = [await heard(http, method, path, body, ids, names) for ids in (street.ids, nowhere(street.ids))]
                asked += 1
                offences += differences(path, f"{method} {path} as the {kind} next door", *about)
    assert asked >= 5
    assert not offences, "\n".join(offences)


POLLED = "SELECT contents.content_id,"
"""A content that is not there may come: it is looked for until three seconds are over, however often that is."""
ONCE = "SELECT personal_keys."
"""A person's key is opened by the first who asks for what is sealed under it, and kept in the process's memory."""


def work(path: str, found: list[str]) -> Counter[str]:
    """Of a creator's routes none: creators show themselves, so it is no secret which are there."""
    counted = Counter() if path.startswith("/creators/") else Counter(found)
    polled = {one: 1 for one in counted if one.startswith(POLLED)}
    return Counter({one: polled.get(one, count) for one, count in counted.items() if not one.startswith(ONCE)})


def differences(
    path: str, what: str, there: tuple[int, str, list[str]], none: tuple[int, str, list[str]]
) -> Iterator[str]:
    if there[:2] != none[:2]:
        yield f"{what}: {there[0]} {there[1][:300]}\n  but {none[0]} {none[1][:300]}"
    elif (done := work(path, there[2])) != (other := work(path, none[2])):
        yield f"{what}: {dict(done - other)} but {dict(other - done)}"


def is_everybodys(method: str, path: str, kind: str) -> bool:
    shown = kind != "brand" and method == "GET" and path in SHOWN_TO_CREATORS
    probes = path.startswith(("/healthz", "/l/", "/watch/")) or path in TOLD_TO_ALL
    return probes or shown or f"{method} {path}" in KEPT | OPEN
