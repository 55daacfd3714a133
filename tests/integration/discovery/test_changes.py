"""A change leaves nothing of what was before in the read models, and a price is that of the moment asked for."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from dandelion.common.v1 import common_pb2 as common

from kernel.core.clock import system_clock
from kernel.core.decider import Actor
from kernel.core.ids import new_id
from services.discovery.domain.criteria import CHEAPEST, Criteria
from services.discovery.domain.rate_card import Format
from services.discovery.reads import reads_of
from tests.integration.discovery.client import OPERATOR, Discovery

PROFILE = {
    "display_name": "林",
    "categories": ["美妆/口红"],
    "tags": ["平价"],
    "languages": ["zh"],
    "country": "CN",
    "city": "上海",
}
BRAND = Actor("bella", "brand-1", frozenset({"brand"}))


async def registered(discovery: Discovery, word: str) -> str:
    creator_id = new_id()
    body = {"profile": PROFILE | {"bio": word}, "accounts": [{"platform": "weibo", "handle": word}]}
    await discovery.done("PUT", f"/creators/{creator_id}", body)
    return creator_id


def prices(**minor: int) -> list[dict[str, Any]]:
    return [{"format": name, "price_minor": price} for name, price in minor.items()]


async def test_a_new_rate_card_replaces_every_price(discovery: Discovery) -> None:
    word = "repriced"
    path = f"/creators/{await registered(discovery, word)}/rate-card"
    await discovery.done("POST", path, {"currency": "CNY", "prices": prices(video=5_000, story=900)})
    token = await discovery.done("POST", path, {"currency": "USD", "prices": prices(video=700), "closed": ["story"]})
    expected = {
        (common.FORMAT_VIDEO, "CNY"): 0, (common.FORMAT_VIDEO, "USD"): 1, (common.FORMAT_STORY, "CNY"): 0,
        (common.FORMAT_STORY, ""): 0,
    }  # fmt: skip
    for (kind, currency), total in expected.items():
        found = await discovery.search(text=word, format=kind, currency=currency, at_least=token)
        assert found.total == total, (kind, currency)


async def test_a_new_profile_replaces_every_label_and_text(discovery: Discovery) -> None:
    word = "relabelled"
    creator_id = await registered(discovery, word)
    profile = {"display_name": "森", "categories": ["美食"], "tags": [], "languages": ["en"], "country": "US"}
    token = await discovery.done("POST", f"/creators/{creator_id}/profile", profile | {"bio": f"{word} anew"})
    gone: list[dict[str, Any]] = [
        {"categories": ["美妆"]}, {"tags": ["平价"]}, {"languages": ["zh"]}, {"locations": ["CN/上海"]}, {"text": f"林 {word}"},
    ]  # fmt: skip
    for filters in gone:
        assert (await discovery.search(**({"text": word, "at_least": token} | filters))).total == 0, filters
    found = await discovery.search(text=f"{word} anew 森", categories=["美食"], locations=["US"], languages=["en"])
    assert [hit.creator.creator_id for hit in found.hits] == [creator_id]


async def test_another_account_frees_the_handle_of_the_one_before(discovery: Discovery) -> None:
    creator_id = await registered(discovery, "moved.on")
    await discovery.done("POST", f"/creators/{creator_id}/accounts", {"platform": "weibo", "handle": "moved.here"})
    assert await registered(discovery, "moved.on") != creator_id


@pytest.mark.parametrize(("days", "price"), [(0, 5_000), (8, 4_000)])
async def test_the_next_price_holds_from_its_date_on(discovery: Discovery, days: int, price: int) -> None:
    word = f"dated{days}"
    creator_id = await registered(discovery, word)
    at: datetime = system_clock() + timedelta(days=7)
    dated = prices(video=5_000)[0] | {"next_minor": 4_000, "next_from": at.isoformat()}
    path = f"/creators/{creator_id}/rate-card"
    token = await discovery.done("POST", path, {"currency": "CNY", "prices": [dated]})
    await discovery.get(creator_id, *OPERATOR, at_least=token)
    reads = reads_of(discovery.app)
    for bound, total in ((price, 1), (price - 1, 0)):
        criteria = Criteria(text=word, format=Format.VIDEO, currency="CNY", price_max_minor=bound, order=CHEAPEST)
        page = await reads.search(criteria, system_clock() + timedelta(days=days), None, 10, BRAND)
        assert page.total == total


async def test_a_suspension_ends_by_itself_at_its_time(discovery: Discovery) -> None:
    word = "until"
    creator_id = await registered(discovery, word)
    until = system_clock() + timedelta(days=3)
    body = {"reason": "sanction.test", "until": until.isoformat()}
    token = await discovery.done("POST", f"/creators/{creator_id}/suspend", body)
    await discovery.get(creator_id, *OPERATOR, at_least=token)
    reads = reads_of(discovery.app)
    for days, total in ((0, 0), (4, 1)):
        at = system_clock() + timedelta(days=days)
        assert (await reads.search(Criteria(text=word), at, None, 10, BRAND)).total == total
        assert (await reads.get(creator_id, BRAND, at)).suspended == (total == 0)
