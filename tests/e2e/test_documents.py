"""Each service's OpenAPI document as people meet it: page /docs, patterns in words, the words of requests over HTTP."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cli.embedded import WIRED
from kernel.core.faults import Invalid
from kernel.edge.fields import WORDS_OF_PATTERN
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import open_app
from services.discovery.domain.categories import FIRST_LEVEL, checked_category
from tests.kit.running import issuer_in, settings_in
from tools.reference.pages import PAGES

OPERATOR = ("olga", "platform", "operator")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return issuer_in(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
async def apis(tmp_path_factory: pytest.TempPathFactory, issuer: Issuer) -> AsyncIterator[dict[str, FastAPI]]:
    """Every service's HTTP API; nothing is asked of their databases."""
    folder, apps = tmp_path_factory.getbasetemp(), []
    (folder / "psp").write_text("whsec_c2FuZGJveC1zZWNyZXQtdGhhdC1ub2JvZHktbXVzdC11c2U=\n")
    for service in WIRED.values():
        more: dict[str, Any] = {}
        if service.name == "ledger":
            more = dict.fromkeys(("psp_key_file", "psp_webhook_secrets_file"), folder / "psp")
        apps.append(open_app(service, settings_in(folder, service.settings, **more)))
    yield {app.service.name: app.api() for app in apps}
    for app in apps:
        await app.close()


def client(api: FastAPI, issuer: Issuer | None = None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {issuer.issue(*OPERATOR)}"} if issuer else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://service.test", headers=headers)


@pytest.mark.parametrize("service", sorted(WIRED))
async def test_the_page_shows_every_operation_and_loads_nothing(apis: dict[str, FastAPI], service: str) -> None:
    api = apis[service]
    async with client(api) as reader:
        answer = await reader.get("/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page, document = answer.text, api.openapi()
    shown = set(re.findall(r'<span class="m">(\w+)</span><code>(.*?)</code>', page))
    assert shown == {(method.upper(), path) for path, one in document["paths"].items() for method in one}
    keyed = [one for one in re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL) if "Idempotency-Key" in one]
    assert {one.split()[2] for one in keyed} <= {"PUT", "POST"}
    assert not any("/search" in one or "/watch/" in one for one in keyed)
    anchors = set(re.findall(r'href="#(.*?)"', page))
    assert anchors <= set(re.findall(r'<details id="(.*?)">', page)) == set(document["components"]["schemas"])
    assert re.findall(r"<script|<link|<img|@import|url\(|src=", page) == []
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; frame-ancestors 'none'; style-src 'sha256-")


def patterns(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        for one in part.values():
            yield from patterns(one)
    elif isinstance(part, list):
        for one in part:
            yield from patterns(one)


@pytest.mark.parametrize("service", sorted(WIRED))
def test_every_pattern_has_words(apis: dict[str, FastAPI], service: str) -> None:
    """Else a refusal would say a regular expression: give the pattern its words by `worded`."""
    assert set(patterns(apis[service].openapi())) - WORDS_OF_PATTERN.keys() == set()


@pytest.mark.parametrize(
    ("service", "path", "page", "word"),
    [
        ("discovery", "/categories", "categories.md", "name"),
        ("discovery", "/tiers", "categories.md", "name"),
        ("ledger", "/currencies", "units.md", "code"),
        ("metrics", "/formulas", "formulas.md", "id"),
    ],
)
async def test_the_words_of_requests_are_answered_and_on_their_page(
    apis: dict[str, FastAPI], issuer: Issuer, service: str, path: str, page: str, word: str
) -> None:
    async with client(apis[service], issuer) as caller:
        answer = await caller.get(path)
        assert answer.status_code == 200, answer.text
        words = [one[word] for one in answer.json()]
    assert len(words) == len(set(words)) > 4
    text = PAGES[page]()
    assert [one for one in words if one not in text] == []
    async with client(apis[service]) as nobody:
        assert (await nobody.get(path)).json()["code"] == "token.missing"


def test_an_unknown_category_is_answered_with_those_that_exist() -> None:
    with pytest.raises(Invalid) as refused:
        checked_category("beauty")
    facts = refused.value.facts
    assert facts["do"] == "use one that GET /categories lists"
    assert str(facts["known"]).split() == list(FIRST_LEVEL)
