"""Authenticity by clicking: a sample comes in, the evidence is shown, the creator appeals, reviewers rule by four eyes."""

import sqlite3
from typing import Any

import httpx
import pytest

from cli.story.market import OPERATOR, Who
from kernel.core.ids import new_id
from tests.kit.console import OpenConsole
from tests.kit.pages import opened, sent
from tests.kit.until import until
from tools.speed import patience

BOT = {"followers": 4, "following": 3_000, "posts": 0}
PERSON = {"followers": 500, "following": 400, "posts": 210}
HEAD = "followers,following,posts,has_picture,has_bio\n"
SAMPLE = HEAD + "4,3000,0,0,0\n" * 150 + "500,400,210,1,1\n" * 50


@pytest.fixture(scope="module")
def creator_id(console: OpenConsole) -> str:
    return console.cast["creator"].tenant


@pytest.mark.parametrize(
    ("name", "status"), [("reviewer", 200), ("operator", 200), ("auditor", 200), ("brand", 403), ("creator", 403)]
)
async def test_who_sees_the_work_list(console: OpenConsole, name: str, status: int) -> None:
    async with console.visitor(name) as visitor:
        assert (await visitor.get("/authenticity")).status_code == status


async def test_a_sample_an_appeal_and_a_ruling(console: OpenConsole, creator_id: str) -> None:
    path = f"/authenticity/{creator_id}"
    async with console.visitor("operator") as operator:
        form = (await opened(operator, path)).form("/followers")
        wrong = await sent(operator, form, {"sample": HEAD + "many,3,0,1,1\n" * 100})
        small = await sent(operator, form, {"sample": HEAD + "4,3000,0,0,0\n" * 99})
        shown = await sent(operator, form, {"sample": SAMPLE})
    assert (wrong.answer.status_code, small.answer.status_code) == (422, 422)
    assert "likely fake, by a sample" in shown.text
    assert "Watch" in shown.text
    async with console.visitor("brand") as brand:
        seen = await opened(brand, f"/creators/{creator_id}")
        assert path in seen.links
        assert not [one for one in (await opened(brand, path)).forms if one.action.startswith(path)]
    async with console.visitor("creator") as creator:
        assert path in (await opened(creator, "/profile")).links
        form = (await opened(creator, path)).form("/appeal")
        said = await sent(creator, form, {"statement": "a show on television"})
        assert "Your appeal waits for its ruling" in said.text
        assert not [one for one in said.forms if one.action.endswith("/appeal")]
    async with console.visitor("reviewer", "zh-CN") as reviewer:
        assert path in (await opened(reviewer, "/authenticity?appealed=1")).links
        form = (await opened(reviewer, path)).form("/rule")
        asked = await sent(reviewer, form, {"verdict": "lifted", "reason": "the show was real"})
        assert "撤销判断" in asked.text
        await sent(reviewer, asked.form("/rule"), {})
    async with console.visitor("creator") as creator:
        told = await opened(creator, path)
    assert "Credible" in told.text
    assert "the show was real" in told.text


UNPAID = """SELECT creator_id FROM creators WHERE creator_id NOT IN (SELECT creator_id FROM creator_work)
ORDER BY creator_id LIMIT 1"""


async def test_fraud_holds_offers_at_campaigns_and_payouts_at_the_ledger(console: OpenConsole) -> None:
    """From a judgement of discovery to the other services, and back by two reviewers."""
    creator_id = one(console, "discovery", UNPAID)[0]
    told = [{"post": str(post), "author": f"m{n}", "text": "amazing content"} for post in range(9) for n in range(9)]
    await command(console, OPERATOR, f"/authenticity/{creator_id}/followers", {"profiles": [BOT] * 150 + [PERSON] * 50})
    await command(console, OPERATOR, f"/authenticity/{creator_id}/comments", {"comments": told})
    held = f"SELECT offers_held FROM creators WHERE creator_id = '{creator_id}'"
    await until(lambda: is_so(console, "campaigns", held, (1,)))
    reason = f"SELECT reason FROM payout_holds WHERE owner = '{creator_id}'"
    await until(lambda: is_so(console, "ledger", reason, ("authenticity.fraud",)))
    lift = {"verdict": "lifted", "reason": "the show was real"}
    for name in ("rita", "ruth"):
        await command(console, Who(name, OPERATOR.tenant, "reviewer"), f"/authenticity/{creator_id}/rule", lift)
    await until(lambda: is_so(console, "campaigns", held, (0,)))
    await until(lambda: is_so(console, "ledger", reason, None))


def one(console: OpenConsole, service: str, query: str) -> Any:
    """The first row, None where there is none."""
    with sqlite3.connect(console.layout.folder / f"{service}.db") as database:
        return database.execute(query).fetchone()


async def is_so(console: OpenConsole, service: str, query: str, row: Any) -> bool:
    return bool(one(console, service, query) == row)


async def command(console: OpenConsole, who: Who, path: str, body: Any) -> None:
    """A command to discovery that must succeed."""
    token = console.layout.issuer().issue(who.name, who.tenant, who.role)
    headers = {"authorization": f"Bearer {token}", "idempotency-key": new_id()}
    async with httpx.AsyncClient(base_url=console.layout.http("discovery"), timeout=patience(30)) as client:
        answer = await client.post(path, json=body, headers=headers)
    assert answer.status_code < 300, answer.text


async def test_an_address_of_nobody_is_not_found(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        assert (await brand.get("/authenticity/0b7f3c7e-5d0a-5c1e-8f43-2b6d0c9b7a19")).status_code == 404
