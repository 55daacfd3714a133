"""What a refusal says to people: the title fits what happened, and it names what to do."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel.edge.fields import REASON_WORDS, WORDS_OF_PATTERN
from kernel.edge.tokens.dev_issuer import Issuer
from tests.kit.issuing import issuer_at
from tests.kit.notes import GOOD, ID, make_app, talking


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return issuer_at(tmp_path)


@pytest.fixture
async def client(tmp_path: Path, issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    async with talking(make_app(tmp_path, []), issuer) as made:
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
    assert (await violation(client, {"budget_minor": -1}))["detail"] == "Input should be greater than or equal to 0"
