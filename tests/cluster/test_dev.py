"""The dev overlay with nothing but a cluster: everything becomes ready, and the demo's story comes to the same numbers."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from cli.layout import SERVICES
from kernel.host.migrate import head_revision
from tests.cluster.images import say
from tests.cluster.platform import AT_ONCE, NAMESPACE, Platform
from tests.deploy.conftest import ROOT
from tests.deploy.test_alerts import NAME, metrics_in, queries
from tests.kit.story import embedded_numbers
from tests.kit.until import until
from tools.cluster.use import Failed, Kubectl

PATROLLED_S = 420
"""Invariants are looked at every five minutes, and shown from then on."""
REVISION = "SELECT string_agg(version_num, ',') FROM alembic_version"


def test_the_namespace_enforces_the_restricted_standard(platform: Platform, kubectl: Kubectl) -> None:
    labels = kubectl.json("namespace", NAMESPACE)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    with pytest.raises(Failed, match="violates PodSecurity"):
        platform.kubectl.run("run", "careless", "--image=dandelion:test", "--dry-run=server")


def test_every_pod_is_ready(platform: Platform) -> None:
    pods = [one for one in platform.kubectl.json("pods")["items"] if one["status"]["phase"] != "Succeeded"]
    told = {one["metadata"]["name"]: [each["ready"] for each in one["status"]["containerStatuses"]] for one in pods}
    assert {name: states for name, states in told.items() if states != [True]} == {}
    assert len(platform.deployments()) == 4 * len(SERVICES) + 1
    say(f"{len(told)} pods are ready")


def test_three_migrations_at_once_are_applied_once(platform: Platform) -> None:
    for name in SERVICES:
        job = platform.kubectl.json("job", f"{name}-migrate")
        assert job["status"]["succeeded"] == AT_ONCE
        assert not job["status"].get("failed")
        told = _sql(platform, name, REVISION)
        assert told == head_revision(ROOT / "services" / name / "migrations")
        assert _sql(platform, name, "SELECT count(*) FROM log") == "1"


def _sql(platform: Platform, database: str, query: str) -> str:
    words = ["exec", "postgres-0", "--", "psql", "-h", "127.0.0.1", "-U", "postgres", "-d", database, "-tAc", query]
    password = (platform.tree / "overlays" / "dev" / "keys" / "postgres.password").read_text()
    words[3:3] = ["env", f"PGPASSWORD={password}"]
    return platform.kubectl.run(*words).strip()


async def test_the_story_has_the_same_numbers_as_embedded(platform: Platform, tmp_path: Path) -> None:
    told = json.loads((await platform.inside("-m", "tests.cluster.inside", "tell")).splitlines()[-1])
    expected = json.loads(json.dumps(await embedded_numbers()))
    assert told == expected
    events = sum(told["events"].values())
    say(f"the story: {events:,} events, {told['observations']:,} observations, numbers as embedded")


async def test_verify_finds_everything_whole(platform: Platform) -> None:
    told = await platform.inside("-m", "cli", "verify", "--data", "/tmp/outside")
    sys.stderr.write(told)
    assert "BROKEN" not in told


async def test_every_metric_of_alerts_and_dashboards_is_in_a_live_scrape(platform: Platform) -> None:
    wanted = set().union(*[metrics_in(query) for query in queries()])
    missing = wanted

    async def all_shown() -> bool:
        nonlocal missing
        text = await asyncio.to_thread(platform.metrics)
        missing = wanted - {found[0] for found in map(NAME.match, text.splitlines()) if found}
        return not missing

    try:
        await until(all_shown, PATROLLED_S)
    except TimeoutError:
        pytest.fail(f"no pod shows {sorted(missing)}")
    say(f"{len(wanted)} metrics of alerts and dashboards are in a live scrape")
