"""What a cluster does to pods, under load: each is deleted, rolled, drained, or of a bad version. Nothing is lost or doubled.

One load of whole campaigns goes on through all of it; every command that was answered must stand in the log once, every
public event be heard once, and money and returns be what was sent.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from cli.layout import SERVICES
from tests.cluster.images import BAD, BAD_SERVICE, say
from tests.cluster.platform import OURS, STORYTELLER, Platform
from tests.kit.until import until
from tools.cluster.use import Failed
from tools.speed import patience

BEGUN_S, FINISHED_S = 300.0, 900.0
STOOD_S = 90
"""How long a rollout is watched that must not end."""
EVICTED = f"app.kubernetes.io/name in ({','.join([*SERVICES, 'kafka', 'postgres'])})"
"""Nobody else's pods; and the stand-in for the world outside keeps its books in memory, so it stays where it is."""
ROLES = ("rest", "rpc", "work", "project", "stream")


@dataclass
class Load:
    """Campaigns one after the other, told of in the storyteller's pod; `ended` when it was stopped."""

    process: asyncio.subprocess.Process
    ended: dict[str, Any] = field(default_factory=dict)

    async def phase(self, name: str) -> None:
        """Requests from now on count under this name."""
        await self._say(name)
        await self._answer(BEGUN_S)

    async def finish(self) -> dict[str, Any]:
        if not self.ended:
            await self._say("stop")
            self.ended = await self._answer(FINISHED_S)
        return self.ended

    async def _say(self, word: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{word}\n".encode())
            await self.process.stdin.drain()
        except ConnectionError:
            raise await self._why() from None

    async def _answer(self, limit_s: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), patience(limit_s))
        if not line:
            raise await self._why()
        found: dict[str, Any] = json.loads(line)
        return found

    async def _why(self) -> Failed:
        """The load's last words."""
        assert self.process.stderr is not None
        return Failed((await self.process.stderr.read()).decode()[-6_000:])

    async def begun(self) -> None:
        await self._answer(BEGUN_S)

    async def close(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@pytest.fixture(scope="module")
async def load(platform: Platform) -> AsyncIterator[Load]:
    """Under way before anything is hurt."""
    made = Load(await platform.start("-m", "tests.cluster.inside", "load"))
    try:
        await made.begun()
        yield made
    finally:
        await made.close()


async def test_a_deleted_pod_of_each_role_comes_back(platform: Platform, load: Load) -> None:
    await load.phase("pods deleted")
    for role in ROLES:
        pods = platform.pods(f"{OURS},app.kubernetes.io/component={role}")
        await _run(platform, "delete", "pod", *[one["metadata"]["name"] for one in pods])
        await asyncio.to_thread(platform.wait)
        say(f"{len(pods)} pods of role {role} deleted; all is ready again")


async def test_every_deployment_is_rolled(platform: Platform, load: Load) -> None:
    await load.phase("rolled")
    for service in SERVICES:
        selector = f"{OURS},app.kubernetes.io/name={service}"
        await _run(platform, "rollout", "restart", "deployment", "-l", selector)
        for name in [one for one in platform.deployments() if one.startswith(service)]:
            await asyncio.to_thread(platform.status, f"deployment/{name}")


async def test_a_drain_takes_one_pod_of_a_kind_at_a_time(platform: Platform, load: Load) -> None:
    await load.phase("drain refused")
    await _run(platform, "scale", "deployment/campaigns-rest", "--replicas=2")
    await asyncio.to_thread(platform.status, "deployment/campaigns-rest")
    selector = "app.kubernetes.io/name=campaigns,app.kubernetes.io/component=rest"
    try:
        with pytest.raises(Failed, match="disruption budget"):
            await _drain(platform, selector, "20s")
        ready = [one for one in platform.pods(selector) if one["status"]["phase"] == "Running"]
        assert len(ready) >= 1
    finally:
        await _run(platform, "uncordon", *_nodes(platform))
        await _run(platform, "scale", "deployment/campaigns-rest", "--replicas=1")
    await asyncio.to_thread(platform.wait)


async def test_a_drained_node_is_filled_again(platform: Platform, load: Load) -> None:
    await load.phase("node drained")
    try:
        await _drain(platform, EVICTED, "300s")
        left = [one["metadata"]["name"] for one in platform.pods(OURS) if one["status"]["phase"] == "Running"]
        assert left == []
    finally:
        await _run(platform, "uncordon", *_nodes(platform))
    await asyncio.to_thread(platform.wait)


async def test_a_bad_version_stops_while_the_old_one_serves(platform: Platform, load: Load) -> None:
    await load.phase("bad version")
    names = [one for one in platform.deployments() if one.startswith(BAD_SERVICE)]
    before = {name: _ready_pods(platform, name) for name in names}
    migration = f"job/{BAD_SERVICE}-migrate"
    old = platform.kubectl.json(migration)
    await _run(platform, "delete", migration)
    platform.kubectl.apply(_migration(old))
    for name in names:
        await _run(platform, "set", "image", f"deployment/{name}", f"main=dandelion:{BAD}")
    await _run(platform, "wait", "--for=condition=failed", migration, "--timeout=100s")
    assert "division by zero" in await _run(platform, "logs", migration)
    with pytest.raises(Failed, match="timed out"):
        await asyncio.to_thread(platform.status, f"deployment/{names[0]}", STOOD_S)
    await until(lambda: _all_refuse(platform), STOOD_S)
    assert {name: before[name] & _ready_pods(platform, name) for name in names} == before
    assert all(before.values())
    say(f"{len(names)} deployments stand at the bad image; their old pods serve")
    for name in names:
        await _run(platform, "rollout", "undo", f"deployment/{name}")
    await _run(platform, "delete", migration)
    await asyncio.to_thread(platform.wait)


async def test_nothing_was_lost_and_nothing_doubled(platform: Platform, load: Load) -> None:
    ended = await load.finish()
    for phase, told in ended["phases"].items():
        say(f"{phase}: {told}")
    say(f"{ended['ended']} campaigns, {ended['told']:,} commands told ok, outcomes {ended['outcomes']}")
    assert ended["broken"] == []
    assert ended["ended"] > 0
    told = await platform.inside("-m", "cli", "verify", "--data", "/tmp/outside")
    assert "BROKEN" not in told
    say(f"verified: {len(ended['looked_at'])} invariants over {sum(ended['looked_at'].values()):,} things")


async def _run(platform: Platform, *words: str) -> str:
    return await asyncio.to_thread(lambda: platform.kubectl.run(*words, timeout_s=120))


def _nodes(platform: Platform) -> list[str]:
    """Where the platform runs: the node of `make cluster`, or those of a cluster that is ours to drain."""
    return sorted({one["spec"]["nodeName"] for one in platform.pods(f"app.kubernetes.io/name={STORYTELLER}")})


async def _drain(platform: Platform, selector: str, limit: str) -> None:
    words = [
        "--pod-selector",
        selector,
        "--delete-emptydir-data",
        "--ignore-daemonsets",
        "--force",
        f"--timeout={limit}",
    ]
    for node in _nodes(platform):
        await asyncio.to_thread(lambda node=node: platform.kubectl.run("drain", node, *words, timeout_s=400))  # type: ignore[misc]


def _ready_pods(platform: Platform, name: str) -> set[str]:
    service, _, role = name.partition("-")
    pods = platform.pods(f"{OURS},app.kubernetes.io/name={service},app.kubernetes.io/component={role}")
    return {
        one["metadata"]["name"]
        for one in pods
        if all(each["ready"] for each in one["status"].get("containerStatuses", [{"ready": False}]))
    }


def _migration(job: dict[str, Any]) -> dict[str, Any]:
    """The next version's Job, tried once so that what it said stays."""
    spec = job["spec"]["template"]["spec"]
    spec["containers"][0]["image"] = f"dandelion:{BAD}"
    spec["restartPolicy"] = "Never"
    labels = {name: value for name, value in job["metadata"]["labels"].items() if name.startswith("app.kubernetes.io/")}
    metadata = {"name": job["metadata"]["name"], "namespace": job["metadata"]["namespace"], "labels": labels}
    template = {"metadata": {"labels": labels}, "spec": spec}
    made = {"backoffLimit": 0, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": made}


async def _all_refuse(platform: Platform) -> bool:
    """Whether every pod of the bad version has said that the database is not of its revision."""
    selector = f"{OURS},app.kubernetes.io/name={BAD_SERVICE},app.kubernetes.io/component!=migrate"
    pods = [one for one in platform.pods(selector) if one["spec"]["containers"][0]["image"].endswith(f":{BAD}")]
    logs = [await _run(platform, "logs", one["metadata"]["name"]) for one in pods]
    return bool(logs) and all("database.wrong_revision" in log for log in logs)
