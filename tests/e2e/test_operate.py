"""What an operator does beside a running platform: import, lag, verify, rebuild, and events that cannot be handled."""

import asyncio
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import jwt
import pytest
from dandelion.discovery.v1.queries_pb2 import SearchCreatorsRequest
from dandelion.discovery.v1.queries_pb2_grpc import CreatorQueryServiceStub
from dandelion_contracts.channel import connect

from cli.layout import ROOT, Layout
from cli.open_services import open_services
from cli.platform import EMBEDDED, Embedded
from kernel.adapters.bus import PARTITIONS, Message
from kernel.adapters.sqlite_bus import SqliteBus
from kernel.core.clock import system_clock
from kernel.core.ids import new_id, partition_of
from kernel.streams import halted
from tests.kit import forked
from tests.kit.until import until
from tools.speed import patience

Done = subprocess.CompletedProcess[str]


def _dandelion(folder: Path, *words: str) -> Done:
    command = [sys.executable, "-m", "cli", *words, "--data", str(folder)]
    return forked.run(command, folder, ROOT, patience(120))


async def dandelion(platform: Embedded, *words: str) -> Done:
    """One command of an operator."""
    return await asyncio.to_thread(_dandelion, platform.layout.folder, *words)


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    """With creators, and one event from campaigns that is no event at all."""
    with Embedded.start(tmp_path_factory.mktemp("operated")) as running:
        await running.wait()
        done = await dandelion(running, "import", str(ROOT / "cli" / "data" / "creators.csv"))
        assert done.returncode == 0, done.stderr
        running.processes[EMBEDDED].signal(signal.SIGTERM, leader_only=True)
        await asyncio.to_thread(running.processes[EMBEDDED].wait)
        await _spoil(running.layout)
        running.restart(EMBEDDED)
        await running.wait()
        yield running


async def _spoil(layout: Layout) -> str:
    """A record as campaigns' relay would send it, with bytes inside that are no message."""
    stream = f"collaboration-{new_id()}"
    values = {
        "ce_id": f"{stream}@1",
        "ce_source": "campaigns",
        "ce_type": "dandelion.campaigns.v1.CollaborationContracted",
        "ce_time": system_clock().isoformat(),
        "ce_subject": stream,
        "ce_tenant": "platform",
        "ce_sequence": "1",
        "ce_position": "1",
        "ce_previous": "0",
    }
    message = Message(stream.encode(), b"\xff\xff\xff", [(name, text.encode()) for name, text in values.items()])
    bus = SqliteBus(layout.stores.bus.removeprefix("local://"))
    await bus.ensure_topics({"campaigns.events.v1": PARTITIONS})
    await bus.store({("campaigns.events.v1", partition_of(stream, PARTITIONS)): [message]})
    await bus.store({("campaigns.events.v1", 0): [Message(b"who knows", b"no event", [("ce_type", b"\xff")])]})
    await bus.close()
    return stream


async def _parked(platform: Embedded) -> list[list[str]]:
    """Words of each line of `dlq list`, once all consumers have read the record."""
    for _ in range(20):
        done = await dandelion(platform, "dlq", "list")
        lines = [line.split() for line in done.stdout.splitlines() if "collaboration-" in line]
        if len(lines) >= 2:
            return lines
    raise AssertionError(done.stdout)


async def test_a_bad_row_is_named_and_the_good_ones_are_kept(platform: Embedded, tmp_path: Path) -> None:
    lines = (ROOT / "cli" / "data" / "creators.csv").read_text().splitlines()
    (tmp_path / "some.csv").write_text("\n".join([*lines[:3], f"{lines[3]},one too many"]))
    done = await dandelion(platform, "import", str(tmp_path / "some.csv"))
    assert done.returncode == 1
    assert "2 unchanged, 1 left out" in done.stdout
    assert "csv.field_count" in done.stdout


async def test_lag_comes_to_nothing(platform: Embedded) -> None:
    await _parked(platform)

    async def is_nothing() -> bool:
        done = await dandelion(platform, "lag")
        rows = [line.split() for line in done.stdout.splitlines()[2:]]
        assert {row[0] for row in rows} == set(platform.layout.ports.http)
        return {row[-1] for row in rows} == {"0"}

    await until(is_nothing)


async def test_lag_fails_and_names_a_reader_that_has_stopped(platform: Embedded) -> None:
    async with open_services(platform.layout, ["ledger"]) as (app,):
        await halted.report(app.database, "balances_g1", "parked.budget_spent")
    done = await dandelion(platform, "lag")
    assert done.returncode == 1
    assert "ledger balances_g1 has stopped: parked.budget_spent" in done.stdout


async def test_rebuild_makes_a_new_generation_live(platform: Embedded) -> None:
    done = await dandelion(platform, "rebuild", "discovery", "creators")
    assert (done.returncode, "creators: generation 2 is live" in done.stderr) == (0, True), done.stderr
    assert (await dandelion(platform, "rebuild", "discovery", "no_such")).returncode == 2


async def test_what_cannot_be_handled_is_shown_tried_again_and_fails_verification(platform: Embedded) -> None:
    service, consumer, key = (await _parked(platform))[0][:3]
    shown = await dandelion(platform, "dlq", "show", service, consumer, key)
    assert "CollaborationContracted" in shown.stdout
    again = await dandelion(platform, "dlq", "retry", service, consumer, key)
    assert again.returncode == 1
    assert "not handled" in again.stderr
    verified = await dandelion(platform, "verify")
    assert verified.returncode == 1
    assert key in verified.stdout


async def test_a_key_whose_cause_is_gone_is_handled_by_retry(platform: Embedded) -> None:
    """As after a deployment that mended the read model: the newest event of a creator, parked for a reason of yesterday."""
    path = platform.layout.stores.databases["discovery"].partition("///")[2]
    with closing(sqlite3.connect(path, timeout=patience(30))) as store, store:
        newest = "SELECT position, stream, name FROM log_events WHERE stream LIKE 'creator-%' ORDER BY position DESC"
        position, stream, name = store.execute(newest).fetchone()
        live = "SELECT name || '_g' || generation FROM projections WHERE name = 'creators'"
        (consumer,) = store.execute(live).fetchone()
        row = {
            "consumer": consumer, "source": "log", "partition": 0, "offset": position, "key": stream, "position": position,
            "type": name, "value": b"", "headers": b"[]", "reason": "KeyError: mended",
            "parked_at": "2026-01-01T00:00:00+00:00",
        }  # fmt: skip
        columns, places = ", ".join(f'"{one}"' for one in row), ", ".join(f":{one}" for one in row)
        store.execute(f"INSERT INTO parked ({columns}) VALUES ({places})", row)
    assert stream in (await dandelion(platform, "dlq", "list")).stdout
    done = await dandelion(platform, "dlq", "retry", "discovery", consumer, stream)
    assert done.returncode == 0, done.stderr
    assert stream not in (await dandelion(platform, "dlq", "list")).stdout


async def test_what_can_never_be_read_is_dropped_with_a_reason_and_nothing_else_is(platform: Embedded) -> None:
    service, consumer, key = (await _parked(platform))[0][:3]
    refused = await dandelion(platform, "dlq", "drop", service, consumer, key, "--reason", "in the way")
    assert refused.returncode == 1
    listed = [line.split()[:3] for line in (await dandelion(platform, "dlq", "list")).stdout.splitlines()]
    place = next(one for one in listed if one[2:] and one[2].startswith("unreadable:campaigns.events.v1/0/"))
    assert (await dandelion(platform, "dlq", "retry", *place)).returncode == 1
    assert (await dandelion(platform, "dlq", "drop", *place)).returncode == 2, "it asks for a reason"
    dropped = await dandelion(platform, "dlq", "drop", *place, "--reason", "test traffic")
    assert dropped.returncode == 0, dropped.stderr
    assert place not in [line.split()[:3] for line in (await dandelion(platform, "dlq", "list")).stdout.splitlines()]
    kept = (platform.layout.folder / "dropped.jsonl").read_text()
    assert '"reason":"test traffic"' in kept
    assert b"no event".hex() in kept


async def test_a_bus_that_a_process_has_for_itself_is_not_republished_to_beside_it(platform: Embedded) -> None:
    done = await dandelion(platform, "republish", "campaigns")
    assert (done.returncode, "`down` first" in done.stderr) == (2, True), done.stderr


async def test_a_folder_without_a_platform_is_named(tmp_path: Path) -> None:
    for command in ("verify", "token --role auditor"):
        done = await asyncio.to_thread(_dandelion, tmp_path, *command.split())
        assert done.returncode == 2
        assert f"no platform was started in {tmp_path}: start one with `make up`" in done.stderr


async def ids_seen(platform: Embedded, token: str) -> list[str]:
    """The ids of the creators that this caller is shown with their contacts."""
    async with connect(platform.layout.rpc("discovery"), token=token) as channel:
        found = await CreatorQueryServiceStub(channel).SearchCreators(SearchCreatorsRequest(page_size=200))
    return [hit.creator.creator_id for hit in found.hits]


async def test_a_token_acts_as_a_brand_as_an_imported_creator_and_as_staff(platform: Embedded) -> None:
    """The commands of docs/identity.md, with a creator that the import has made."""
    page = (ROOT / "docs" / "identity.md").read_text()
    lines = re.findall(r"^dandelion (token .*?) *(?:#.*)?$", page, re.MULTILINE)
    made = [await dandelion(platform, *shlex.split(line)) for line in lines]
    assert [one.stderr for one in made] == [""] * 3
    brand, creator, staff = (one.stdout.strip() for one in made)
    some = (await ids_seen(platform, brand))[0]
    assert some in await ids_seen(platform, staff)
    own = (await dandelion(platform, "token", "--role", "creator", "--party", some)).stdout.strip()
    async with httpx.AsyncClient(base_url=platform.layout.http("discovery")) as client:
        answers = {
            who: await client.post(
                f"/creators/{some}/availability", json={"availability": "closed", "max_parallel_jobs": 1},
                headers={"Authorization": f"Bearer {one}", "Idempotency-Key": new_id()},
            )
            for who, one in (("itself", own), ("another", creator), ("brand", brand))
        }  # fmt: skip
    assert {who: one.status_code for who, one in answers.items()} == {"itself": 200, "another": 403, "brand": 403}
    told = jwt.decode(creator, options={"verify_signature": False})
    assert told["exp"] - told["iat"] == 86_400


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--role creator", "party.missing"),
        ("--role brand --role operator --party platform", "party.missing"),
        ("--role creator --party a:b", "party.malformed"),
        ("--role finance --party acme", "role.of_staff_only"),
        ("--role creator --party acme", "party.malformed"),
        ("--role system", "role.unknown"),
        ("--role auditer", "role.unknown"),
        ("--role auditor --for soon", "life.malformed"),
        ("--role auditor --for 2d", "life.too_long"),
    ],
)
async def test_a_token_that_no_service_would_believe_is_not_made(platform: Embedded, words: str, code: str) -> None:
    done = await dandelion(platform, "token", *words.split())
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{code} (" in done.stderr
