"""Robots follow links for nothing, and each request that is kept stands in the log for ever: a day keeps so many and no more."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.metrics.domain.link.link import LinkCode
from services.metrics.rest import visitors
from services.metrics.rest.visitors import DAY_S, DayCounts, Strays
from tests.integration.metrics.client import Deal, Metrics, running
from tests.integration.metrics.test_links import GOOGLE, counts, follow, id_in
from tests.integration.metrics.test_returns import link

PER_LINK, PER_BRAND = 5, 8


@pytest.fixture(scope="module")
async def metrics(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Metrics]:
    changes: dict[str, Any] = {
        "requests_per_link": PER_LINK, "requests_per_tenant": PER_BRAND, "clicks_per_s": 1_000, "clicks_burst": 1_000,
    }  # fmt: skip
    async with running(tmp_path_factory.mktemp("metrics"), **changes) as made:
        yield made


async def test_robots_fill_no_log(metrics: Metrics) -> None:
    """Every one of them is sent on; a day keeps so many of one link, and of a brand, whatever other brands' links meet."""
    deal, other = await metrics.contracted(), await metrics.contracted()
    first, second, theirs = await link(metrics, deal), await link(metrics, deal), await link(metrics, other)
    before = (await metrics.app.log.head()).position
    for code in (first, second):
        for _ in range(20):
            answer = await follow(metrics, code, User_Agent=GOOGLE)
            assert (answer.status_code, id_in(answer)) == (302, "")
    assert (await metrics.app.log.head()).position - before == PER_BRAND
    await follow(metrics, theirs, User_Agent=GOOGLE)
    assert await counts(metrics, deal, PER_BRAND) == (0, 0, 0)
    assert await counts(metrics, other, 1) == (0, 0, 0)


async def test_a_person_counts_however_many_robots_came(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    code = await link(metrics, deal)
    for _ in range(PER_LINK + 3):
        await follow(metrics, code, User_Agent=GOOGLE)
    assert id_in(await follow(metrics, code))
    assert await counts(metrics, deal, PER_LINK + 1) == (1, 1, 0)


def link_of(deal: Deal, link_id: str) -> LinkCode:
    return LinkCode("code", link_id, deal.brand_id, "c", "c", "d", "k", "https://shop.example/")


def test_the_next_day_keeps_as_many_again_and_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "CROWDS_LIMIT", 4)
    hand, deal = [0.0], Deal()
    counted = DayCounts(lambda: hand[0])
    strays = Strays(2, 3, counted)
    assert [strays.keeps(link_of(deal, one)) for one in "aaab"] == [True, True, False, True]
    assert not strays.keeps(link_of(deal, "b")), "the brand's limit"
    hand[0] = DAY_S
    assert strays.keeps(link_of(deal, "a"))
    for n in range(10):
        strays.keeps(link_of(Deal(), str(n)))
    assert len(counted._counted) <= 4
