"""Whose number a number is: none overwrites another's, and requests of a link are clicks only as far as people make them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from kernel.core.decider import Actor
from services.metrics.domain.engagement import MEASURED, Provenance, reported_by
from services.metrics.domain.totals import cell_parts, content_number
from services.metrics.rest.engagement import tokens_of
from services.metrics.rest.visitors import DAY_S, Crowds, DayCounts, shows_a_visitor
from tests.integration.metrics.client import Deal, Metrics, running
from tests.integration.metrics.test_links import follow, id_in
from tests.integration.metrics.test_returns import CHROME, link
from tests.kit.until import until
from tests.unit.metrics.batches import CONTENTS, batch, row

PER_ADDRESS = 3


@pytest.fixture(scope="module")
async def metrics(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Metrics]:
    changes: dict[str, Any] = {"clicks_per_address": PER_ADDRESS, "clicks_per_s": 1_000, "clicks_burst": 1_000}
    async with running(tmp_path_factory.mktemp("metrics"), **changes) as made:
        yield made


async def once(metrics: Metrics, deal: Deal, true: Any) -> Any:
    """The campaign's counts when they are so."""
    found: dict[str, Any] = {}

    async def counted() -> bool:
        found["counts"] = (await metrics.roi(deal.campaign_id)).counts
        return bool(true(found["counts"]))

    await until(counted)
    return found["counts"]


async def test_many_requests_of_one_address_are_few_clicks(metrics: Metrics) -> None:
    """Each calls itself another browser, as 2,906 did."""
    deal = await metrics.contracted()
    code = await link(metrics, deal)
    answers = [await follow(metrics, code) for _ in range(30)]
    assert [bool(id_in(answer)) for answer in answers] == [True] * PER_ADDRESS + [False] * (30 - PER_ADDRESS)
    counts = await once(metrics, deal, lambda one: one.link_requests == 30)
    assert (counts.clicks, counts.link_clicks) == (PER_ADDRESS, PER_ADDRESS)


async def test_a_request_without_a_visitor_is_no_click(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    code = await link(metrics, deal)
    async with metrics.http() as visitor:
        answer = await visitor.get(f"/l/{code}", headers={"User-Agent": CHROME})
    assert id_in(answer) == ""
    counts = await once(metrics, deal, lambda one: one.link_requests == 1)
    assert counts.clicks == 0


def said(content: str, value: int) -> dict[str, Any]:
    return {"rows": [{"content_id": content, "metric": "likes", "value": value, "kind": "snapshot",
                      "observed_at": "2026-01-01T00:00:00Z"}]}  # fmt: skip


async def test_no_side_overwrites_the_others_number_nor_the_platforms(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    content = deal.contents[0]
    for who, value in ((deal.creator, 90_000_000), (deal.brand, 1)):
        await metrics.done("POST", "/engagement", said(content, value), who)
    counts = await once(metrics, deal, lambda one: one.likes)
    await until_cells(metrics, {Provenance.BRAND: 1, Provenance.CREATOR: 90_000_000}, deal)
    (line,) = (await metrics.performance(campaign_id=deal.campaign_id)).rows
    assert line.not_measured == line.counts.likes
    await metrics.done("POST", "/engagement", said(content, 40), ("olga", "platform", "operator"))
    counts = await once(metrics, deal, lambda one: one.likes == 40)
    assert counts.likes == 40
    cells = {Provenance.PLATFORM: 40, Provenance.BRAND: 1, Provenance.CREATOR: 90_000_000}
    await until_cells(metrics, cells, deal)
    (line,) = (await metrics.performance(campaign_id=deal.campaign_id)).rows
    assert line.not_measured == 0


async def until_cells(metrics: Metrics, expected: dict[Provenance, int], deal: Deal) -> None:
    """Until the counters of the deal's first content stand so, by whose they are."""
    number = content_number(deal.contents[0])

    async def stand() -> bool:
        async with metrics.app.database.reading() as connection:
            rows: Any = await connection.exec_driver_sql(f"SELECT cell, snapshot FROM cells WHERE content = {number}")
            return {cell_parts(row[0])[2]: row[1] for row in rows} == expected

    await until(stand)


def test_a_party_says_neither_that_it_is_a_platform_nor_whose_number_it_is() -> None:
    rows = batch(
        row(1), row(2, content=1, provenance=Provenance.ESTIMATED), row(3, content=2, provenance=Provenance.MANUAL)
    )
    sides = {CONTENTS[0]: Provenance.CREATOR, CONTENTS[1]: Provenance.BRAND}
    found = reported_by(rows, [sides.get(content) for content in rows.contents])
    assert found.provenance.tolist() == [Provenance.CREATOR, Provenance.BRAND, Provenance.MANUAL]
    assert not np.isin(found.provenance[:2], MEASURED).any()


@pytest.mark.parametrize("word", ["link", "brand", "creator", "platform"])
async def test_words_that_are_not_the_senders_to_say(metrics: Metrics, word: str) -> None:
    deal = await metrics.contracted()
    body = said(deal.contents[0], 5)
    body["rows"][0]["provenance"] = word
    refused = await metrics.refused("POST", "/engagement", body, deal.creator)
    assert refused == ("observation.provenance_not_yours" if word == "platform" else "observation.provenance_unknown")


def test_a_crowd_counts_up_to_its_limits_by_day() -> None:
    hand = [0.0]
    crowds = Crowds(2, 3, DayCounts(lambda: hand[0]))
    assert [crowds.takes("a", "1.1.1.1") for _ in range(3)] == [True, True, False]
    assert [crowds.takes("b", "1.1.1.1") for _ in range(2)] == [True, False]
    assert crowds.takes("b", "2.2.2.2")
    hand[0] = DAY_S
    assert crowds.takes("a", "1.1.1.1")


def test_what_shows_a_visitor() -> None:
    assert shows_a_visitor({"accept-language": "en"})
    assert not shows_a_visitor({"accept-language": " "})
    assert not shows_a_visitor({})


def test_a_batch_costs_its_size_of_the_rate() -> None:
    """A thousand rows in their shortest form cost as much as a request, whichever form they have."""
    brand, adapter = Actor("b", "brand-1", frozenset({"brand"})), Actor("o", "platform", frozenset({"operator"}))
    names = ("content_id", "metric", "value", "observed_at")
    shortest = (CONTENTS[0], "likes", "1", "2026-06-01T12:00:00Z")
    csv = "\n".join([",".join(names), *[",".join(shortest)] * 100_000]).encode()
    columns = orjson.dumps({"columns": {name: [value] * 100_000 for name, value in zip(names, shortest, strict=True)}})
    assert min(tokens_of(csv, brand), tokens_of(columns, brand)) >= 100
    assert tokens_of(csv[:60_000], brand) == 0
    assert tokens_of(csv, adapter) == 0


async def test_large_batches_meet_the_limit_sooner_than_small_ones(tmp_path: Path) -> None:
    async with running(tmp_path, rate_per_s=0.01, rate_burst=10) as metrics:
        deal = await metrics.contracted()
        header, line = "content_id,metric,value,observed_at", f"{deal.contents[0]},likes,1,2026-06-01T12:00:00Z"
        large = "\n".join([header, *[line] * 4_000])
        answers = [await metrics.send("POST", "/engagement", large, deal.brand) for _ in range(3)]
        assert [one.status_code for one in answers] == [202, 202, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        small = [await metrics.send("POST", "/engagement", f"{header}\n{line}", deal.creator) for _ in range(3)]
        assert [one.status_code for one in small] == [202, 202, 202]
