"""A tracking link lends the platform's name to where it leads, so it leads only where its brand has shown to be at home."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from dandelion.metrics.v1 import events_pb2 as events
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion.metrics.v1.queries_pb2_grpc import SiteQueryServiceStub

from kernel.core.ids import new_id
from services.metrics.domain.site.events import proof_of, site_id_of, site_stream
from services.metrics.domain.site.site import LookAtSite
from services.metrics.ports import Page, Refusal, Silent
from tests.integration.metrics.client import OPERATOR, Deal, Metrics, running
from tests.kit.until import until


@pytest.fixture(scope="module")
async def metrics(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Metrics]:
    async with running(tmp_path_factory.mktemp("metrics")) as made:
        yield made


async def sites(metrics: Metrics, who: Any, **asked: Any) -> list[pb.Site]:
    async with metrics.channel(who) as channel:
        return list((await SiteQueryServiceStub(channel).ListSites(pb.ListSitesRequest(**asked))).sites)


async def looked(metrics: Metrics, deal: Deal, host: str) -> pb.Site:
    """The site once its first look was carried out."""
    found: list[pb.Site] = []

    async def there() -> bool:
        found[:] = [one for one in await sites(metrics, deal.brand, host=host) if one.HasField("looked_at")]
        return bool(found)

    await until(there)
    return found[0]


async def claimed(metrics: Metrics, deal: Deal, host: str) -> pb.Site:
    await metrics.done("PUT", f"/sites/{host}", None, deal.brand)
    return await looked(metrics, deal, host)


async def issue(metrics: Metrics, deal: Deal, url: str, who: Any = None) -> str:
    """The code of the refusal, "" where the link is issued."""
    body = {"deliverable_id": deal.contents[0], "target_url": url, "code": new_id()[-12:]}
    answer = await metrics.send("PUT", f"/links/{new_id()}", body, who or deal.brand)
    return "" if answer.status_code == 201 else str(answer.json()["code"])


async def test_a_link_leads_nowhere_that_its_brand_has_not_proven(metrics: Metrics) -> None:
    deal, rival, host = await metrics.contracted(), await metrics.contracted(), f"{new_id()[-12:]}.example"
    for url in (f"https://{host}/", f"https://shop.example.{host}/", f"https://{host}/?u=https://shop.example/"):
        assert await issue(metrics, deal, url) == "link.site_not_proven"
    site = await claimed(metrics, deal, host)
    assert (site.status, site.why) == (events.SITE_STATUS_CLAIMED, "site.no_record")
    assert await issue(metrics, deal, f"https://{host}/") == "link.site_not_proven"
    await metrics.proven(rival.brand_id, host)
    assert await issue(metrics, deal, f"https://{host}/") == "link.site_not_proven", "another brand's proof"
    metrics.web.records[host] = site.proof
    await metrics.done("POST", f"/sites/{host}/look", None, deal.brand)

    async def proven() -> bool:
        return await metrics.site_status(deal.brand_id, host) == "proven"

    await until(proven)
    for url in (f"https://{host}/", f"https://eu.{host}/sale"):
        assert await issue(metrics, deal, url) == ""


async def test_a_proof_that_is_gone_stops_new_links_and_says_so_and_old_ones_go_on(metrics: Metrics) -> None:
    deal, host = await metrics.contracted(), f"{new_id()[-12:]}.example"
    await metrics.proven(deal.brand_id, host)
    code = new_id()[-12:]
    body = {"deliverable_id": deal.contents[0], "target_url": f"https://{host}/spring", "code": code}
    await metrics.done("PUT", f"/links/{new_id()}", body, deal.brand)
    metrics.web.records[host] = "v=spf1 -all"
    for ordinal in (2, 3):
        await metrics.as_clock(site_stream(deal.brand_id, host), LookAtSite(ordinal))

        async def recorded(ordinal: int = ordinal) -> bool:
            (site,) = await sites(metrics, deal.brand, host=host)
            return site.why == "site.other_record" and (ordinal == 2 or site.status == events.SITE_STATUS_LOST)

        await until(recorded)
    assert await issue(metrics, deal, f"https://{host}/") == "link.site_not_proven"
    async with metrics.http() as visitor:
        answer = await visitor.get(f"/l/{code}")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"https://{host}/spring")


@pytest.mark.parametrize(
    ("fault", "status", "why"),
    [
        (Silent("timeout"), 0, "site.dns_silent"),
        (Refusal("site.address_not_public"), 0, "site.address_not_public"),
        (Refusal("site.page_too_large"), 0, "site.page_too_large"),
        (None, 302, "site.page_redirects"),
        (None, 503, "site.host_busy"),
        (None, 404, "site.no_record"),
        (None, 200, "site.other_page"),
    ],
)
async def test_what_a_host_does_is_told_to_its_brand_and_holds_up_nobody(
    metrics: Metrics, fault: Exception | None, status: int, why: str
) -> None:
    deal, host = await metrics.contracted(), f"{new_id()[-12:]}.example"
    if fault is not None:
        metrics.web.faults[host] = fault
    else:
        metrics.web.files[host] = Page(status, b"somebody else's")
    site = await claimed(metrics, deal, host)
    assert (site.status, site.why) == (events.SITE_STATUS_CLAIMED, why)
    assert site.HasField("next_look_at")
    other = await metrics.contracted()
    assert await issue(metrics, other, "https://shop.example/") == ""


async def test_a_file_proves_the_host_alone(metrics: Metrics) -> None:
    deal, host = await metrics.contracted(), f"{new_id()[-12:]}.example"
    metrics.web.files[host] = Page(200, f"{proof_of(site_id_of(deal.brand_id, host))}\n".encode())
    site = await claimed(metrics, deal, host)
    assert (site.status, site.covers) == (events.SITE_STATUS_PROVEN, events.SITE_COVER_HOST)
    assert await issue(metrics, deal, f"https://{host}/") == ""
    assert await issue(metrics, deal, f"https://eu.{host}/") == "link.site_not_proven"


async def test_each_brand_sees_its_own_sites_over_both_edges(metrics: Metrics) -> None:
    deal, rival, host = await metrics.contracted(), await metrics.contracted(), f"{new_id()[-12:]}.example"
    site = await claimed(metrics, deal, host)
    assert [one.host for one in await sites(metrics, deal.brand)] == [host, "shop.example"]
    assert await sites(metrics, rival.brand, host=host) == []
    assert await sites(metrics, deal.creator) == []
    assert [one.site_id for one in await sites(metrics, OPERATOR, host=host)] == [site.site_id]
    answer = await metrics.send("GET", f"/sites?host={host}", None, deal.brand)
    (told,) = answer.json()["sites"]
    assert (told["proof"], told["status"], told["record_name"]) == (
        site.proof,
        "SITE_STATUS_CLAIMED",
        f"_dandelion.{host}",
    )
    assert (await metrics.send("GET", f"/sites?host={host}", None, rival.brand)).json()["sites"] == []
    for who, code in ((rival.brand, "site.not_found"), (deal.creator, "site.not_found")):
        assert await metrics.refused("POST", f"/sites/{host}/look", None, who) == code
    assert await metrics.refused("PUT", f"/sites/{host}", None, deal.creator) == "site.not_a_party"
    assert await metrics.refused("PUT", "/sites/127.0.0.1", None, deal.brand) == "site.host_malformed"
