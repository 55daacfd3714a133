"""What a refusal says to people: the title fits what happened, and it names what to do."""

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from kernel.edge.fields import REASON_WORDS, WORDS_OF_PATTERN, UtcDatetime, violations
from kernel.edge.tokens.dev_issuer import Issuer
from tests.kit.issuing import issuer_at
from tests.kit.notes import GOOD, ID, make_app, talking


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return issuer_at(tmp_path)


@pytest.fixture
def app(tmp_path: Path, issuer: Issuer) -> FastAPI:
    return make_app(tmp_path, [])


@pytest.fixture
async def client(app: FastAPI, issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    async with talking(app, issuer) as made:
        yield made


async def test_whoever_asks_a_commands_path_is_told_where_queries_are(client: httpx.AsyncClient) -> None:
    """The first thing that a newcomer tries is GET on the path that it has just written to."""
    problem = (await client.get("/faults/refused")).json()
    assert (problem["title"], problem["code"]) == ("The path does not take this method", "route.method_not_allowed")
    assert problem["facts"]["allowed"] == "POST"
    assert problem["facts"]["do"].startswith(
        "send POST; page /docs lists all routes: commands are PUT and POST, queries GET;"
    )
    problem = (await client.delete(f"/notes/{ID}")).json()
    assert problem["facts"]["allowed"] == "GET, PUT"
    assert problem["facts"]["do"] == "send GET, PUT; page /docs lists all routes"


@pytest.mark.parametrize(
    ("method", "path", "body", "title"),
    [
        ("GET", "/nowhere", b"", "There is no such path"),
        ("PUT", f"/notes/{ID}", b"{", "The body cannot be read"),
        ("PUT", f"/notes/{ID}", b"x" * 2_000, "The body is too large"),
        ("POST", "/faults/queue", b"", "Try again later with the same idempotency key"),
        ("POST", "/faults/missing", b"", "There is no such thing, or not for this caller"),
        ("POST", "/faults/conflict", b"", "It is there already, and differs"),
    ],
)
async def test_a_title_fits_what_happened(
    client: httpx.AsyncClient, method: str, path: str, body: bytes, title: str
) -> None:
    answer = await client.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["title"] == title


async def violation(client: httpx.AsyncClient, changes: dict[str, Any], path: str = f"/notes/{ID}") -> dict[str, str]:
    (found,) = (await client.put(path, json=GOOD | changes)).json()["errors"]
    return dict(found)


async def test_a_field_that_breaks_its_pattern_is_refused_in_words(client: httpx.AsyncClient) -> None:
    found = await violation(client, {"title": "two\nlines"})
    assert found["detail"] == "Expected one line without control characters and no blank before it"
    found = await violation(client, {}, "/notes/ABC")
    assert (found["in"], found["detail"]) == ("path", "Expected a UUID in small letters with its hyphens")
    assert not any("^" in words or "[" in words for words in WORDS_OF_PATTERN.values())
    assert "budget_cut" in REASON_WORDS


async def test_a_rule_without_a_pattern_says_its_own_words(client: httpx.AsyncClient) -> None:
    assert (await violation(client, {"budget_minor": -1}))["detail"] == "Expected 0 or more"


def _refuse(_value: str) -> str:
    raise ValueError("Expected a code of ISO 4217")


def words_of(type_: Any, value: Any) -> str:
    try:
        TypeAdapter(type_).validate_python(value, strict=False)
    except ValidationError as refused:
        (said,) = violations([{**one, "loc": ("body", "x")} for one in refused.errors()])
        return said["detail"]
    raise AssertionError("it is valid")


@pytest.mark.parametrize(
    ("type_", "value", "words"),
    [
        (int, "7a", "Expected a whole number"),
        (bool, "maybe", "Expected true or false"),
        (Annotated[str, Field(max_length=2)], "abc", "Expected at most 2 characters"),
        (Annotated[tuple[int, ...], Field(max_length=1)], [1, 2], "Expected at most 1 items"),
        (Literal["a", "b"], "c", "Expected one of 'a' or 'b'"),
        (UtcDatetime, "2026-03-01T00:00:00", "Expected a time with its zone, such as 2027-03-01T08:00:00Z"),
        (UtcDatetime, "tomorrow", "Expected a time, such as 2027-03-01T08:00:00Z"),
        (date, "soon", "Expected a day, such as 2027-03-01"),
        (dict[str, int], 7, "Expected an object"),
        (UUID, "7", "It breaks the rule that is named"),
        (Annotated[str, AfterValidator(_refuse)], "x", "Expected a code of ISO 4217"),
    ],
)
def test_a_refusal_is_in_words_of_ours(type_: Any, value: Any, words: str) -> None:
    assert words_of(type_, value) == words


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "text/csv", "application/xml", ""]
)
async def test_a_body_that_is_no_json_is_told_what_to_send(client: httpx.AsyncClient, media_type: str) -> None:
    answer = await client.put(f"/notes/{ID}", content=json.dumps(GOOD), headers={"Content-Type": media_type})
    found = answer.json()
    assert (answer.status_code, found["code"], found["title"]) == (
        415, "body.media_type_unknown", "The body is of another type than this takes",
    )  # fmt: skip
    assert "Content-Type: application/json" in found["facts"]["do"]


async def test_json_under_another_name_is_json_and_no_body_at_all_is_missing(client: httpx.AsyncClient) -> None:
    as_merge = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    assert (await client.put(f"/notes/{ID}", content=json.dumps(GOOD), headers=as_merge)).status_code == 201
    nothing = (await client.put(f"/notes/{ID}")).json()
    assert (nothing["code"], nothing["errors"][0]["detail"]) == ("request.invalid", "It is missing")


async def test_the_address_itself_says_what_is_here(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notes.test") as nobody:
        answer = await nobody.get("/")
        assert answer.status_code == 200
        said = answer.json()
        assert said == {"service": app.title, "routes": "/docs", "openapi": "/openapi.json", "ready": "/healthz/ready"}
        for path in (said["routes"], said["openapi"], said["ready"]):
            assert (await nobody.get(path)).status_code in {200, 503}
