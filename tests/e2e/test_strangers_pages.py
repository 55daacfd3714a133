"""Every question over HTTP, asked as everyone it does not concern: nothing shows. The stage is that of test_strangers.py."""

import re

import httpx
import pytest

from cli.layout import SERVICES
from cli.story.market import Address
from cli.story.plan import DEALS
from tests.e2e.test_strangers import STRANGERS, Stage, filled, stage
from tools.speed import patience

__all__ = ["stage"]
PUBLIC_GET = {"/l/{code}", "/kits/{token}", "/kits/{token}/pdf", "/healthz/live", "/healthz/ready", "/metrics"}
"""The redirect of a short link and a media kit are for everybody who has the address, the others for who runs the service."""
WATCH_S = "2S"
"""When a stranger stops watching what it is let watch."""
OPEN_GET = {"/creators", "/creators/{creator_id}", "/watch/creators/{creator_id}"}
"""Creators show themselves to everybody who has an account."""
RECRUITING = {"/campaigns", "/campaigns/{campaign_id}"}
"""A campaign that recruits in the open is shown to creators and agencies, without its budget."""


async def pages(address: Address) -> list[tuple[str, str, list[str]]]:
    """(service, path, names of its query parameters) of every question over HTTP."""
    found = []
    async with httpx.AsyncClient(timeout=patience(30)) as client:
        for service in SERVICES:
            document = (await client.get(f"{address.http[service]}/openapi.json")).json()
            for path, item in document["paths"].items():
                if "get" in item and path not in PUBLIC_GET:
                    asked = [one["name"] for one in item["get"].get("parameters", []) if one["in"] == "query"]
                    found.append((service, path, asked))
    assert ("metrics", "/orders/{order_id}", ["at_least", "fields"]) in found
    return found


def is_recruited(name: str, shown: str) -> bool:
    return "brand" not in name and '"budget_minor":"0"' in shown and '"reserved_minor":"0"' in shown


@pytest.mark.parametrize("name", ["anonymous", "another brand", "another creator", "an agency without mandate"])
async def test_no_page_over_http_shows_a_stranger_anything(stage: Stage, name: str) -> None:
    secrets = {value for key, value in stage.ids.items() if key != "creator_id"} | {DEALS[0].brand.tenant}
    who, wrong = STRANGERS.get(name), []
    headers = {"Authorization": f"Bearer {stage.address.issue(who)}"} if who else {}
    async with httpx.AsyncClient(timeout=patience(30)) as client:
        for service, path, asked in await pages(stage.address):
            for params in ({}, {one: stage.ids[one] for one in asked if one in stage.ids}):
                url = stage.address.http[service] + filled(path, stage.ids_in(service))
                answer = await client.get(url, headers={**headers, "Grpc-Timeout": WATCH_S}, params=params)
                if answer.is_success and (path in OPEN_GET or (path in RECRUITING and is_recruited(name, answer.text))):
                    continue
                told = answer.text
                for named in re.findall(r"{(\w+)}", path):
                    told = told.replace(str(stage.ids.get(named, "-")), "")
                leaks = {secret for secret in secrets if secret in told}
                if leaks or (name == "anonymous" and answer.status_code != 401):
                    wrong.append(f"GET {path} as {name}: {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)
