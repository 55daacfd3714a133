"""The API's documentation: every operation of the five documents is there, found by words, and tried as the person who reads."""

import json
from collections.abc import Mapping
from html import unescape
from uuid import uuid4

import httpx
import pytest

from cli.story.plan import DEALS
from console.documents.document import Document
from console.documents.examples import example_of
from console.documents.trying import call_of
from console.forms import Form
from console.settings import SERVICES
from tests.kit.console import OpenConsole
from tests.kit.pages import Shown, opened, sent
from tests.kit.written import events_of

CAMPAIGN = DEALS[0].id


async def document_of(console: OpenConsole, service: str) -> Document:
    async with httpx.AsyncClient() as client:
        return Document(service, (await client.get(f"{console.layout.http(service)}/openapi.json")).json())


def operation_at(document: Document, method: str, path: str) -> str:
    """The path of its page."""
    found = next(one for one in document.operations.values() if (one.method, one.path) == (method, path))
    return f"/documentation/{document.service}/operations/{found.id}"


@pytest.mark.parametrize("service", SERVICES)
async def test_every_operation_and_schema_of_a_service_has_its_page(console: OpenConsole, service: str) -> None:
    document = await document_of(console, service)
    async with console.visitor("brand") as brand:
        shown = await opened(brand, f"/documentation/{service}")
        for one in document.operations.values():
            assert f"/documentation/{service}/operations/{one.id}" in shown.links
            page = await opened(brand, f"/documentation/{service}/operations/{one.id}")
            assert page.answer.status_code == 200, one.id
            assert {field.name for field in one.fields} <= set(page.text.split()), one.id
            missing = [to for to in page.links if to.startswith(f"/documentation/{service}/schemas/")]
            assert {to.rpartition("/")[2] for to in missing} <= set(document.schemas), one.id
        for name in document.schemas:
            assert f"/documentation/{service}/schemas/{name}" in shown.links
            assert (await brand.get(f"/documentation/{service}/schemas/{name}")).status_code == 200, name


@pytest.mark.parametrize(
    ("words", "there", "not_there"),
    [
        ("settlement fetch", "/settlements/{batch}/fetch", "/deposits/{deposit_id}"),
        ("POST campaigns invite", "/campaigns/{campaign_id}/invite", "/campaigns/{campaign_id}/publish"),
    ],
)
async def test_operations_are_found_by_words(console: OpenConsole, words: str, there: str, not_there: str) -> None:
    async with console.visitor("brand", "zh-CN") as brand:
        shown = await opened(brand, f"/documentation?q={words}")
        nothing = await opened(brand, "/documentation?q=zebra")
    assert there in shown.text
    assert not_there not in shown.text
    assert "没有操作包含所有这些词" in nothing.text


async def test_a_query_is_tried_as_the_person_who_reads(console: OpenConsole) -> None:
    path = operation_at(await document_of(console, "campaigns"), "GET", "/campaigns/{campaign_id}")
    answers = {}
    for who in ("brand", "other-brand"):
        async with console.visitor(who) as client:
            form = (await opened(client, path)).form(path)
            answers[who] = await sent(client, form, {"path.campaign_id": CAMPAIGN})
    assert "200 OK" in answers["brand"].text
    assert CAMPAIGN in json.loads(answer_of(answers["brand"]))["campaign"]["campaign_id"]
    assert "404 Not Found" in answers["other-brand"].text
    assert json.loads(answer_of(answers["other-brand"]))["code"] == "campaign.unknown"


async def test_a_stream_shows_its_beginning(console: OpenConsole) -> None:
    path = operation_at(await document_of(console, "metrics"), "GET", "/watch/campaigns/{campaign_id}/performance")
    async with console.visitor("brand") as brand:
        shown = await sent(brand, (await opened(brand, path)).form(path), {"path.campaign_id": CAMPAIGN})
    assert "text/event-stream" in shown.text
    assert "data:" in answer_of(shown)
    assert "There is more of it" in shown.text


async def test_a_command_is_asked_about_first_and_sent_once(console: OpenConsole) -> None:
    path = operation_at(await document_of(console, "metrics"), "PUT", "/sites/{host}")
    name, host = console.cast["brand"].name, f"tried-{uuid4().hex[:8]}.example"
    before = events_of(console.layout, [name])
    async with console.visitor("brand") as brand:
        asks = await sent(brand, (await opened(brand, path)).form(path), {"path.host": host})
        assert f"PUT /sites/{host}" in asks.text
        assert events_of(console.layout, [name]) == before, "nothing is sent before the person is sure"
        sure = next(one for one in asks.forms if "_sure" in one.fields)
        first = await sent(brand, sure, {})
        second = await sent(brand, sure, {})
    assert json.loads(answer_of(first))["stream"] == json.loads(answer_of(second))["stream"]
    claims = [one for one in events_of(console.layout, [name]) if one not in before and one.endswith("site.claimed@1")]
    assert len(claims) == 1


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"path.campaign_id": ""}, "path.campaign_id"),
        ({"path.campaign_id": ".."}, "path.campaign_id"),
        ({"path.campaign_id": "x" * 9_000}, "path.campaign_id"),
        ({"path.campaign_id": CAMPAIGN, "body": "{"}, "body"),
        ({"path.campaign_id": CAMPAIGN, "body": "[" * 100_000}, "body"),
    ],
)
async def test_what_cannot_be_sent_is_said_at_its_field(
    console: OpenConsole, typed: Mapping[str, str], field: str
) -> None:
    path = operation_at(await document_of(console, "campaigns"), "POST", "/campaigns/{campaign_id}/invite")
    async with console.visitor("brand") as brand:
        shown = await sent(brand, (await opened(brand, path)).form(path), dict(typed))
    assert shown.answer.status_code == 422
    assert f'id="{field}-wrong"' in shown.answer.text
    assert shown.form(path).fields[field] == [typed[field]]


@pytest.mark.parametrize(
    "path", ["/documentation/secrets", "/documentation/ledger/schemas/No", "/documentation/ledger/operations/no"]
)
async def test_what_no_document_has_is_not_there(console: OpenConsole, path: str) -> None:
    async with console.visitor("creator") as creator:
        assert (await creator.get(path)).status_code == 404


async def test_the_example_of_a_body_is_what_the_service_takes(console: OpenConsole) -> None:
    """The smallest example as it stands in the form is refused for no field's form."""
    document = await document_of(console, "discovery")
    path = operation_at(document, "PUT", "/creators/{creator_id}")
    async with console.visitor("creator") as creator:
        asks = await sent(
            creator, (await opened(creator, path)).form(path), {"path.creator_id": console.cast["creator"].tenant}
        )
        shown = await sent(creator, next(one for one in asks.forms if "_sure" in one.fields), {})
    assert json.loads(answer_of(shown))["code"] == "creator.already_registered", shown.text


def test_an_address_keeps_what_is_typed_in_its_place() -> None:
    parameters = [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "status", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "text", "in": "query", "schema": {"type": "string"}},
    ]
    told = {"operationId": "get", "parameters": parameters, "responses": {"200": {}}}
    document = Document("x", {"info": {"title": "X"}, "paths": {"/things/{id}": {"get": told}}})
    form = Form({"path.id": ["a/b?c#d"], "query.status": ["ONE\nTWO"], "query.text": ["ü & =", "unused"]})
    call = call_of(document.operations["get"], form)
    assert call.path == "/things/a%2Fb%3Fc%23d?status=ONE&status=TWO&text=%C3%BC+%26+%3D"
    assert form.wrong == {}


def test_a_schema_that_holds_itself_has_an_example() -> None:
    tree = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "parts": {"type": "array", "items": {"$ref": "#/x/Tree"}}},
    }
    document = Document("x", {"info": {"title": "X"}, "paths": {}, "components": {"schemas": {"Tree": tree}}})
    assert example_of(document, {"$ref": "#/x/Tree"})["parts"][0]["name"] == "text"


def answer_of(shown: Shown) -> str:
    """The answer's body as the page shows it."""
    return unescape(shown.answer.text.partition('<pre class="shown"')[2].partition(">")[2].partition("</pre>")[0])
