"""The cost of a review: bounded, off the event loop, before the writer, and paid for by whoever asks."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import orjson
import pytest

from kernel.core.faults import Exhausted
from kernel.core.ids import new_id
from kernel.edge.admission import Admission, AdmissionLimits
from kernel.edge.limits import Buckets, Rate
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.host.app import App
from kernel.processors.command_consumer import CommandConsumer
from kernel.runtime.health import Health
from kernel.streams.records import Topic
from services.compliance.domain import review
from services.compliance.domain.findings import Content, Evidence
from services.compliance.domain.review import ReviewContent
from services.compliance.packs import judging, shipped_packs
from services.compliance.packs.judging import PLACES_OF_A_TENANT, Judging, tokens_of
from services.compliance.rest import make_api
from tests.contract.conftest import Running
from tests.contract.test_process import send
from tests.kit import counter
from tests.kit.counter import Add
from tests.kit.issuing import ACME, verifier_at
from tests.unit.compliance.test_review import submitted
from tools.speed import patience

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Blocked:
    """In place of `judge`: a thread in it waits until the test lets it go."""

    def __init__(self) -> None:
        self.go, self.threads = threading.Event(), set[str]()

    def __call__(self, *_: object) -> Any:
        self.threads.add(threading.current_thread().name)
        assert self.go.wait(patience(60))
        return "judged"


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Blocked]:
    made = Blocked()
    monkeypatch.setattr(judging, "judge", made)
    yield made
    made.go.set()


async def test_the_loop_goes_on_and_a_tenant_has_its_places_only(blocked: Blocked) -> None:
    one: Any = Judging()
    content = Content("text")
    hostile = [asyncio.create_task(one.check(content, NOON, "hostile")) for _ in range(PLACES_OF_A_TENANT)]
    await asyncio.sleep(0)
    past = asyncio.create_task(one.check(content, NOON, "hostile"))
    await asyncio.sleep(0)
    assert past.done(), "refused at once"
    refused = past.exception()
    assert isinstance(refused, Exhausted)
    assert refused.facts["retry_after_s"] == 1
    other = asyncio.create_task(one.check(content, NOON, "other"))
    ready = asyncio.create_task(one.prepare(replace(submitted(), content=content), NOON))
    await asyncio.sleep(0)
    assert not any(task.done() for task in (*hostile, other, ready)), "all are in threads, and this line is reached"
    blocked.go.set()
    assert set(await asyncio.gather(*hostile, other)) == {"judged"}
    assert cast(ReviewContent, await ready).judged is not None
    assert {name.partition("_")[0] for name in blocked.threads} == {"checks", "submissions"}
    assert await one.check(content, NOON, "hostile") == "judged", "places are given back"


def test_a_submission_is_not_judged_in_the_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    command = asyncio.run(Judging().prepare(submitted(), NOON))
    calls = []
    judge = review.judge

    def counted(*given: Any) -> review.Judgement:
        calls.append(given)
        return judge(*given)

    monkeypatch.setattr(review, "judge", counted)
    assert isinstance(command, ReviewContent)
    ready = review._judged(shipped_packs(), command, NOON)
    assert calls == []
    assert ready == review._judged(shipped_packs(), submitted(), NOON)
    assert len(calls) == 1
    review._judged(shipped_packs(), command, NOON + timedelta(days=1))
    assert len(calls) == 2, "another day may have another law"


async def test_costly_work_on_a_command_holds_up_no_other_command(running: Running) -> None:
    go, begun = asyncio.Event(), asyncio.Event()

    async def prepare(command: object, at: datetime) -> object:
        begun.set()
        await go.wait()
        return command

    made = CommandConsumer("commands", running.store, running.writer, prepare)
    topic = Topic("counters.commands.v1", chained=False)
    running.start(running.consumer("commands", made.handle, False, [topic], counter.decode_command).run(running.stop))
    await send(running, (new_id(), orjson.dumps([counter.counter(), 5]), "echo"))
    await begun.wait()
    await running.writer.execute(counter.counter(), Add(1), counter.meta())
    assert [event.name for event in await running.log.read(0)] == ["counter.added@1"]
    go.set()
    await running.until_names(["counter.added@1"] * 2)


def test_a_costly_request_takes_more_of_the_rate() -> None:
    ticks = [0.0]
    buckets = Buckets(Rate(per_s=10, burst=100), now=lambda: ticks[0])
    assert buckets.take("ann", 60)[1] is None
    assert buckets.take("ben", 60)[1] is None
    refused = buckets.take("ann", 60)[1]
    assert refused is not None
    assert refused.facts["retry_after_s"] == 2
    assert buckets.take("ann", 40)[1] is None, "what was refused costs nothing"
    ticks[0] = 10.0
    assert buckets.take("ann", 1_000)[1] is None, "a full bucket pays for anything"
    assert buckets.take("eve", 1_000)[1] is None, "also at the first request"


def test_the_cost_of_a_review_is_its_length() -> None:
    largest = Content(
        "好" * 20_000, "t" * 200, ("g" * 200,) * 50, evidence=(Evidence("approval", "p" * 200, "1"),) * 20
    )
    assert (tokens_of(Content("short")), tokens_of(largest)) == (0, 68)


async def test_long_checks_meet_the_limit_sooner_than_short_ones(tmp_path: Path, issuer: Issuer) -> None:
    stand_in: Any = SimpleNamespace(
        admission=Admission(verifier_at(tmp_path), AdmissionLimits(Rate(0.001, 50))),
        fingerprint_key=b"k" * 32, health=Health(), settings=SimpleNamespace(live_requests=10),
    )  # fmt: skip
    transport = httpx.ASGITransport(make_api(cast(App, stand_in)))

    async def statuses(client: httpx.AsyncClient, characters: int) -> list[int]:
        answers = [await client.post("/checks", json={"text": "好" * characters}) for _ in range(4)]
        assert all("retry-after" in one.headers for one in answers if one.status_code == 429)
        return [one.status_code for one in answers]

    for who, characters, wanted in (("ann", 10, [200] * 4), ("ben", 9_000, [200, 200, 429, 429])):
        headers = {"Authorization": f"Bearer {issuer.issue(who, ACME, 'brand')}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=headers) as client:
            assert await statuses(client, characters) == wanted
