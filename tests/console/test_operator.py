"""The operator's room: how services run, a parked key that is retried by pressing a button, any stream through time."""

import sqlite3

import pytest

from tests.kit.console import OpenConsole
from tests.kit.pages import opened, sent
from tests.kit.until import until


def stream(console: OpenConsole, service: str, category: str) -> str:
    """The longest stream of a category."""
    query = "SELECT stream FROM log_events WHERE stream LIKE ? GROUP BY stream ORDER BY count(*) DESC LIMIT 1"
    with sqlite3.connect(console.layout.folder / f"{service}.db") as database:
        return str(database.execute(query, (f"{category}-%",)).fetchone()[0])


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
@pytest.mark.parametrize("name", ["operator", "auditor"])
async def test_all_services_are_shown(console: OpenConsole, name: str, lang: str) -> None:
    async with console.visitor(name, lang) as visitor:
        shown = await opened(visitor, "/operator")
        details = [await opened(visitor, f"/operator/{service}") for service in ("campaigns", "ledger")]
    assert shown.answer.status_code == 200
    assert {f"/operator/{one}" for one in ("discovery", "campaigns", "ledger", "compliance", "metrics")} <= {
        *shown.links
    }
    assert all(one.answer.status_code == 200 for one in details)
    assert "commands" in details[0].text
    assert "settlement" in details[0].text


@pytest.mark.parametrize("name", ["brand", "creator", "reviewer", "finance"])
async def test_others_are_refused(console: OpenConsole, name: str) -> None:
    async with console.visitor(name) as visitor:
        answers = [await visitor.get(path) for path in ("/operator", "/operator/ledger")]
        assert 'href="/operator"' not in (await visitor.get("/")).text
    assert [one.status_code for one in answers] == [403, 403]


async def test_a_service_that_is_none_is_not_there(console: OpenConsole) -> None:
    async with console.visitor("operator") as operator:
        answers = [await operator.get(path) for path in ("/operator/nothing", "/history/nothing/campaign-1")]
    assert [one.status_code for one in answers] == [404, 404]


def park(console: OpenConsole, key: str) -> None:
    """An event of a process that waits for a person, though nothing is wrong with it."""
    with sqlite3.connect(console.layout.folder / "campaigns.db") as database:
        (position,) = database.execute("SELECT min(position) FROM log_events WHERE stream = ?", (key,)).fetchone()
        database.execute(
            "INSERT INTO parked (consumer, source, partition, offset, key, position, type, value, headers, reason, parked_at,"
            " tenant, tries) VALUES ('funding', 'log', 0, ?, ?, ?, '', x'', '[]', 'KeyError at wrong.py:1',"
            " '2026-01-01T00:00:00.000000+00:00', 'acme', 0)",
            (position, key, position),
        )


async def test_a_parked_key_is_retried_by_a_button(console: OpenConsole) -> None:
    key = stream(console, "campaigns", "collaboration")
    park(console, key)
    async with console.visitor("auditor") as auditor:
        seen = await opened(auditor, "/operator/campaigns")
    assert key in seen.text
    assert [one for one in seen.forms if one.action.endswith("/retry")] == []
    async with console.visitor("operator") as operator:
        overview = await opened(operator, "/operator")
        assert "Needs a person" in overview.text
        form = (await opened(operator, "/operator/campaigns")).form("/retry")
        done = await sent(operator, form, {})
        assert done.answer.status_code == 200, done.text
        assert "Nothing is parked" in done.text
        again = await sent(operator, form, {})
        assert again.answer.status_code == 404

        async def runs() -> bool:
            return "Needs a person" not in (await opened(operator, "/operator")).text

        await until(runs)


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
async def test_a_thing_is_shown_through_time(console: OpenConsole, lang: str) -> None:
    key = stream(console, "campaigns", "collaboration")
    async with console.visitor("operator", lang) as operator:
        found = await operator.get("/operator/find", params={"service": "campaigns", "stream": f" {key} "})
        assert str(found.url).endswith(f"/history/campaigns/{key}")
        first = await opened(operator, f"/history/campaigns/{key}?at=1")
        second = await opened(operator, f"/history/campaigns/{key}?at=2")
        private = await opened(operator, f"/history/campaigns/{key.replace('collaboration', 'funding')}")
    contracted, funded = ("已签约", "已托管") if lang == "zh-CN" else ("Contracted", "Funded")
    assert f"<mark>{contracted}</mark>" in first.answer.text
    assert f"<del>{contracted}</del>" in second.answer.text
    assert f"<mark>{funded}</mark>" in second.answer.text
    assert "/history/campaigns/" in str(second.answer.url)
    assert 'title="CollaborationFunded"' in second.answer.text, (
        "the contract's own name stands beside the one for people"
    )
    assert ("合作已托管" if lang == "zh-CN" else "Collaboration funded") in second.text
    assert ("状态" if lang == "zh-CN" else "State") in second.text
    assert private.answer.status_code == 200


async def test_whose_it_is_sees_it_and_a_stranger_does_not(console: OpenConsole) -> None:
    with sqlite3.connect(console.layout.folder / "campaigns.db") as database:
        query = "SELECT campaign_id FROM campaigns WHERE brand_id = ? LIMIT 1"
        (campaign_id,) = database.execute(query, (console.cast["brand"].tenant,)).fetchone()
    path = f"/history/campaigns/campaign-{campaign_id}"
    answers = {}
    for name in ("brand", "creator", "other-brand"):
        async with console.visitor(name) as visitor:
            answers[name] = await visitor.get(path)
    assert {name: one.status_code for name, one in answers.items()} == {
        "brand": 200,
        "creator": 404,
        "other-brand": 404,
    }
    assert "CampaignDrafted" in answers["brand"].text
