"""Engagement from HTTP to the read models: counted once, late or out of order alike, whose it is and whence it came."""

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion.metrics.v1 import events_pb2 as events
from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion_contracts.engagement import rows as rows_of

from kernel.adapters.bus import Message, Producer
from kernel.core.faults import Unavailable
from kernel.core.ids import new_id
from kernel.runtime.telemetry import exposition
from services.metrics.domain.engagement import joined
from services.metrics.domain.intake import from_rows
from services.metrics.domain.totals import increments, snapshots, standings
from services.metrics.rest import make_api
from tests.integration.metrics.client import OPERATOR, Deal, Metrics
from tests.kit.until import until

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
METRICS = ("exposures", "reads", "likes", "saves", "comments", "shares", "follows", "clicks")


def row(content_id: str, value: int, second: float = 0, metric: str = "likes", **more: Any) -> dict[str, Any]:
    at = (START + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")
    return {"content_id": content_id, "metric": metric, "value": value, "observed_at": at, **more}


async def sent(metrics: Metrics, rows: Sequence[dict[str, Any]], key: str = "", who: Sequence[str] = OPERATOR) -> Any:
    """A batch that is taken, and counted when this returns."""
    answer = await metrics.done("POST", "/engagement", {"rows": rows}, who, key)
    await metrics.until_counted(answer, who[1])
    return answer


async def counts(metrics: Metrics, deal: Deal, **more: Any) -> pb.Counts:
    return (await metrics.roi(deal.campaign_id, **more)).counts


async def test_a_batch_sent_twice_counts_once(metrics: Metrics) -> None:
    deal, key = await metrics.contracted(Deal(deliverables=3)), new_id()
    rows = [row(content, n, n) for n, content in enumerate(deal.contents * 400)]
    first = await sent(metrics, rows, key)
    assert (first["rows"], first["rejected_count"]) == (1_200, 0)
    again = await metrics.done("POST", "/engagement", {"rows": rows}, OPERATOR, key)
    assert again == first
    await sent(metrics, [row(deal.contents[0], 1, metric="saves")])
    found = await counts(metrics, deal)
    assert (found.likes, found.saves, found.engagements) == (sum(range(1_200)), 1, sum(range(1_200)) + 1)


async def test_who_sends_numbers_of_contents_that_nobody_knows_is_told(metrics: Metrics) -> None:
    deal, stray = await metrics.contracted(), sorted(new_id() for _ in range(120))
    known = await sent(metrics, [row(deal.contents[0], 1)])
    assert (known["unknown_count"], known["unknown"]) == (0, [])
    before = exposition()
    told = await sent(metrics, [row(content, 1) for content in (*stray, *stray, deal.contents[0])])
    assert (told["rows"], told["unknown_count"], told["unknown"]) == (241, 120, stray[:100])
    assert counted(exposition()) == counted(before) + 120
    refused = await metrics.send("POST", "/engagement", {"rows": [row(stray[0], 1)]}, deal.brand)
    assert refused.json()["code"] == "content.not_found", "a party is not told of contents that are not its own"


def counted(text: bytes) -> float:
    """The counter of such contents, as operators see it."""
    found = re.search(rb"^engagement_of_unknown_contents_total (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_a_key_never_stands_for_two_bodies(metrics: Metrics) -> None:
    deal, key = await metrics.contracted(), new_id()
    await sent(metrics, [row(deal.contents[0], 5)], key)
    other = await metrics.send("POST", "/engagement", {"rows": [row(deal.contents[0], 6)]}, OPERATOR, key)
    assert (other.status_code, other.json()["code"]) == (422, "command.id_reused")
    colleague = ("oscar", "platform", "operator")
    theirs = await metrics.send("POST", "/engagement", {"rows": [row(deal.contents[0], 6)]}, colleague, key)
    assert (theirs.status_code, theirs.json()["code"]) == (409, "batch.differs")
    await sent(metrics, [row(deal.contents[0], 6)], key, ("bella", deal.brand_id, "brand"))
    assert (await counts(metrics, deal)).likes == 5, "the brand's own key is another batch, and measured comes first"


async def test_csv_keeps_good_rows_and_names_bad_ones(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    content = deal.contents[0]
    lines = ["content_id,metric,value,observed_at", f"{content},reads,70,2026-06-01T12:00:00Z"]
    lines += [f"{content},reads,-1,2026-06-01T12:00:00Z", f"{content},reads,30,2026-06-01T20:00:00+08:00"]
    answer = await metrics.done("POST", "/engagement", "\n".join(lines), deal.brand)
    assert (answer["rows"], answer["rejected_count"]) == (2, 1)
    assert answer["rejected"] == [{"line": 3, "column": "value", "reason": "observation.value_not_a_count"}]
    await metrics.until_counted(answer, deal.brand_id)
    (line,) = (await metrics.performance(deal.brand, campaign_id=deal.campaign_id)).rows
    assert (line.counts.reads, line.not_measured, line.content_id) == (100, 100, content)


async def test_late_and_unordered_batches_stand_where_the_definition_says(metrics: Metrics) -> None:
    """What SQL keeps equals the pure definition over all rows at once, whatever the batches."""
    deal, chance = await metrics.contracted(Deal(deliverables=4)), random.Random(7)
    rows = [
        row(
            chance.choice(deal.contents),
            chance.randrange(100),
            chance.randrange(1_800),
            chance.choice(METRICS),
            kind=chance.choice(["increment", "increment", "snapshot"]),
            traffic=chance.choice(["organic", "paid"]),
        )
        for _ in range(3_000)
    ]
    for start in range(0, 3_000, 600):
        await sent(metrics, rows[start : start + 600])
    whole = joined([from_rows(rows)])
    expected = standings(increments(whole), snapshots(whole))
    async with metrics.app.database.reading() as connection:
        numbers = ",".join(str(content) for content in {content for content, _ in expected})
        query = f'SELECT content, cell, snapshot_at, snapshot, "after" FROM cells WHERE content IN ({numbers})'
        found: dict[Any, Any] = {tuple(each[:2]): tuple(each[2:]) for each in await connection.exec_driver_sql(query)}
    assert found == {key: (each.snapshot_at, each.snapshot, each.after) for key, each in expected.items()}
    both, paid = await counts(metrics, deal), await counts(metrics, deal, traffic=2)
    organic = await counts(metrics, deal, traffic=1)
    assert both.reads == paid.reads + organic.reads == sum(s.total for (_, c), s in expected.items() if c >> 8 == 2)


async def test_measured_numbers_come_before_typed_ones(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    content = deal.contents[0]
    await sent(
        metrics, [row(content, 900, provenance="estimated"), row(content, 50, metric="saves", provenance="manual")]
    )
    assert ((await counts(metrics, deal)).likes, (await counts(metrics, deal)).saves) == (900, 50)
    await sent(metrics, [row(content, 12)])
    (line,) = (await metrics.performance(campaign_id=deal.campaign_id)).rows
    assert (line.counts.likes, line.counts.saves, line.not_measured) == (12, 50, 50)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"rows": []}, "batch.rows_out_of_range"),
        ({}, "observation.fields_wrong"),
        ({"rows": [], "more": 1}, "observation.fields_wrong"),
        ({"rows": [1]}, "observation.fields_wrong"),
        ({"rows": {}}, "observation.fields_wrong"),
        ({"columns": {}}, "observation.fields_wrong"),
        ([], "observation.fields_wrong"),
        ({"rows": [row(new_id(), 1.5)]}, "observation.value_not_a_count"),  # type: ignore[arg-type]
        ({"rows": [row(new_id(), 1, metric="orders")]}, "observation.metric_unknown"),
        ({"rows": [row("x", 1)]}, "observation.content_id_malformed"),
        ({"rows": [row(new_id(), 1) | {"observed_at": "2099-01-01T00:00:00Z"}]}, "observation.in_the_future"),
    ],
)
async def test_a_bad_batch_changes_nothing(metrics: Metrics, body: Any, code: str) -> None:
    before = (await metrics.app.log.head()).position
    answer = await metrics.send("POST", "/engagement", body)
    assert (answer.json()["code"], answer.json()["status"]) == (code, answer.status_code)
    assert answer.status_code in {400, 422}
    assert (await metrics.app.log.head()).position == before


async def test_bodies_of_other_forms_are_refused(metrics: Metrics) -> None:
    headers = {"Idempotency-Key": new_id()}
    async with metrics.http(*OPERATOR) as client:
        for content, kind, code in (
            (b"{", "application/json", "body.malformed"),
            (b"\xff\xfe", "text/csv", "csv.not_utf8"),
            (b"x", "text/plain", "body.media_type_unknown"),
            (b"x" * (8 * 1024 * 1024 + 1), "text/csv", "body.too_large"),
        ):
            answer = await client.post("/engagement", content=content, headers=headers | {"Content-Type": kind})
            assert answer.json()["code"] == code
        assert (await client.post("/engagement", json={"rows": []})).json()["code"] == "request.invalid"


async def test_numbers_are_sent_by_those_they_concern(metrics: Metrics) -> None:
    deal, rival = await metrics.contracted(), await metrics.contracted()
    rows = [row(deal.contents[0], 5)]
    await sent(metrics, rows, who=deal.creator)
    for who, status, code in (
        (rival.brand, 404, "content.not_found"),
        (rival.creator, 404, "content.not_found"),
        (("ann", "platform", "auditor"), 403, "actor.role_missing"),
    ):
        answer = await metrics.send("POST", "/engagement", {"rows": rows}, who)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    measured = {"rows": [{**rows[0], "provenance": "platform"}]}
    answer = await metrics.send("POST", "/engagement", measured, deal.brand)
    assert (answer.status_code, answer.json()["code"]) == (403, "observation.provenance_not_yours")


async def test_subscribers_read_every_row_as_it_was_sent(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    ends = await metrics.app.bus.end_offsets(["metrics.engagement.v1"])
    body = [row(deal.contents[0], 7, 1.25, "views", kind="snapshot"), row(deal.contents[0], 8, 2, traffic="paid")]
    await sent(metrics, body, who=deal.brand)
    reader = await metrics.app.bus.reader(ends, "test")
    (records,) = (await reader.read(10, 1)).values()
    await reader.close()
    envelope = events.EngagementEnvelope.FromString(records[0].value)
    first, second = rows_of(envelope)
    assert (first.content_id, first.campaign_id, first.creator_id) == (
        deal.contents[0],
        deal.campaign_id,
        deal.creator_id,
    )
    assert (first.metric, first.value, first.kind) == (events.METRIC_VIEWS, 7, events.OBSERVATION_KIND_SNAPSHOT)
    assert first.observed_at.ToDatetime(UTC) == START + timedelta(seconds=1.25)
    assert (second.traffic, second.provenance, second.tenant) == (2, common.PROVENANCE_BRAND, deal.brand_id)


class Unsteady:
    """A producer that writes and then fails, the first time."""

    def __init__(self, inner: Producer) -> None:
        self.inner, self.failed, self.closed = inner, False, False

    async def send(self, batches: Any, deadline_s: float) -> None:
        await self.inner.send(batches, deadline_s)
        if not self.failed:
            self.failed = True
            raise Unavailable("kafka.unavailable")

    async def close(self) -> None:
        self.closed = True


async def test_without_an_acknowledgement_there_is_no_202_and_the_repeat_counts_once(
    metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal, key = await metrics.contracted(), new_id()
    unsteady = Unsteady(await metrics.app.bus.producer())

    async def producer() -> Producer:
        return unsteady

    monkeypatch.setattr(metrics.app.bus, "producer", producer)
    monkeypatch.setattr(metrics, "api", make_api(metrics.app))
    rows = [row(deal.contents[0], 5)]
    failed = await metrics.send("POST", "/engagement", {"rows": rows}, OPERATOR, key)
    assert (failed.status_code, failed.json()["code"]) == (503, "engagement.not_acknowledged")
    assert unsteady.closed
    await metrics.done("POST", "/engagement", {"rows": rows}, OPERATOR, key)
    await sent(metrics, [row(deal.contents[0], 1, metric="saves")])
    found = await counts(metrics, deal)
    assert (found.likes, found.saves) == (5, 1)


async def test_broken_envelopes_are_parked_and_others_go_on(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    crooked = events.EngagementEnvelope(envelope_id=new_id(), content=[0, 0], metrics=[events.METRIC_READS])
    headers = {"ce_type": "dandelion.metrics.v1.EngagementEnvelope", "ce_id": new_id(), "ce_time": START.isoformat()}
    encoded = [(name, text.encode()) for name, text in headers.items()]
    values = (b"\xff\xff\xff", crooked.SerializeToString(), bytes(np.random.default_rng(3).bytes(200)))
    for n, value in enumerate(values):
        await metrics.put(("metrics.engagement.v1", 3), Message(b"broken %d" % n, value, encoded))
    await sent(metrics, [row(deal.contents[0], 5)])
    assert (await counts(metrics, deal)).likes == 5

    async def parked() -> bool:
        async with metrics.app.database.reading() as connection:
            found = await connection.exec_driver_sql("SELECT count(*) FROM parked WHERE consumer LIKE 'counts%'")
            return bool(found.scalar_one() == len(values))

    await until(parked)
