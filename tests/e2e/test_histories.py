"""Every published stream of a platform after its story is told, and every thing that has a state is folded, without a fault."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cli.layout import SERVICES
from cli.story.market import Who
from tests.e2e.test_strangers import Stage, stage
from tools.speed import patience

__all__ = ["stage"]
OPERATOR = Who("olga", "platform", "operator")
STATES = {
    "campaigns": {"campaign": "Campaign", "application": "Application", "collaboration": "Collaboration"},
    "compliance": {"review": "Review"},
    "discovery": {"creator": "Creator"},
    "ledger": {},
    "metrics": {"order": "Order", "site": "Site"},
}
EACH = 3
"""Streams of each category that are asked for."""


def streams(stage: Stage, service: str) -> Iterator[str]:
    """The longest streams of every category."""
    query = "SELECT stream, count(*) AS n FROM log_events GROUP BY stream ORDER BY n DESC, stream"
    seen: dict[str, int] = {}
    for stream, _ in stage.rows(service, query):
        category = stream.partition("-")[0]
        seen[category] = seen.get(category, 0) + 1
        if seen[category] <= EACH:
            yield stream


@pytest.mark.parametrize("service", SERVICES)
async def test_every_category_is_told_and_folded(stage: Stage, service: str) -> None:
    headers = {"Authorization": f"Bearer {stage.address.issue(OPERATOR)}"}
    base, told = stage.address.http[service], dict[str, str]()
    async with httpx.AsyncClient(timeout=patience(30), base_url=base, headers=headers) as client:
        for stream in streams(stage, service):
            count, published = stage.rows(
                service, f"SELECT count(*), max(partition IS NOT NULL) FROM log_events WHERE stream = '{stream}'"
            )[0]
            events = await _events(client, stream)
            assert len(events) == count, stream
            assert all(("event" in one) == bool(published) for one in events), stream
            state = (await client.get(f"/history/{stream}/state")).json()
            assert state["version"] == str(count)
            if "state" in state:
                told[stream.partition("-")[0]] = state["state"]["@type"].rpartition(".")[2]
    assert told == STATES[service]


async def _events(client: httpx.AsyncClient, stream: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        answer = await client.get(f"/history/{stream}", params={"page_token": token, "page_size": 50})
        assert answer.status_code == 200, answer.text
        found += answer.json()["events"]
        token = answer.json()["page"]["next_page_token"]
        if not token:
            return found


async def test_a_past_state_is_the_present_of_the_read_model(stage: Stage) -> None:
    """Of a review, a creator and an order, but for what no event of the thing's own stream says."""
    headers = {"Authorization": f"Bearer {stage.address.issue(OPERATOR)}"}
    left_out = {
        "creators": {
            "display_name", "bio", "contact", "jobs_in_progress", "jobs_settled", "jobs_cancelled", "past_brands",
            "findings", "disclosures_missing", "orders", "accounts",
        },
        "reviews": set[str](), "orders": set[str](),
    }  # fmt: skip
    async with httpx.AsyncClient(timeout=patience(30), headers=headers) as client:
        for service, category, noun in (
            ("discovery", "creator", "creators"), ("compliance", "review", "reviews"), ("metrics", "order", "orders"),
        ):  # fmt: skip
            key = stage.ids[f"{category}_id"]
            base = stage.address.http[service]
            now = (await client.get(f"{base}/{noun}/{key}")).json()[category]
            past = (await client.get(f"{base}/history/{category}-{key}/state")).json()["state"]
            past.pop("@type")
            for name in left_out[noun]:
                now.pop(name, None)
                past.pop(name, None)
            assert json.dumps(past, sort_keys=True) == json.dumps(now, sort_keys=True)
