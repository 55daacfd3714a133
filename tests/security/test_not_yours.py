"""To a stranger what is not its own is not there: the same answer, after the same work, whether the thing exists or not."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kernel.core.faults import NotFound
from kernel.core.ids import derived_id, new_id
from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE
from services.metrics.domain.attribution import Placement
from services.metrics.reads import registry as content_registry
from services.metrics.reads.registry import Known, Registry
from tests.integration.campaigns.conftest import OTHERS
from tests.integration.campaigns.story import Story, brief_body, register
from tests.kit.running import Running, running

BRAND = ("mallory", new_id(), "brand")
CREATOR = ("mallory", new_id(), "creator")
AGENCY = ("mallory", new_id(), "agency", "brand")
STRANGERS = {"brand": BRAND, "creator": CREATOR, "agency": AGENCY}
DRAFT = {"brief": brief_body(), "terms": {"clocks": {}}}
COMMANDS: dict[str, Any] = {
    "/campaigns/{campaign}/publish": None,
    "/campaigns/{campaign}/amend": {"brief": brief_body(title="Mine now")},
    "/campaigns/{campaign}/pause": {"reason": "mine"},
    "/campaigns/{campaign}/resume": None,
    "/campaigns/{campaign}/close": {"reason": "mine"},
    "/campaigns/{campaign}/cancel": {"reason": "mine"},
    "/campaigns/{campaign}/invite": {"creator_id": CREATOR[1], "fees_minor": [100]},
    "/campaigns/{campaign}/apply": {"fees_minor": [100]},
    "/applications/{application}/accept": {"brief_version": 1},
    "/applications/{application}/counter": {"fees_minor": [100]},
    "/applications/{application}/renew": {"brief_version": 1},
    "/applications/{application}/decline": {"reason": "mine"},
    "/applications/{application}/withdraw": {"reason": "mine"},
    "/collaborations/{collaboration}/cancel": {"reason": "mine"},
    "/collaborations/{collaboration}/fund": None,
    "/collaborations/{collaboration}/consent": {"brief_version": 1},
    "/collaborations/{collaboration}/open-dispute": {"reason": "mine"},
    "/collaborations/{collaboration}/withdraw-dispute": None,
    "/collaborations/{collaboration}/send-product": {"carrier": "x", "tracking": "y"},
    "/collaborations/{collaboration}/receive-product": None,
}


@pytest.fixture(scope="module")
async def campaigns(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(SERVICE, CampaignsSettings, tmp_path_factory.mktemp("campaigns"), topics=OTHERS) as made:
        yield made


@pytest.fixture(scope="module")
async def there(campaigns: Running) -> dict[str, str]:
    """A campaign by invitation whose creator is under contract: only its two parties know of any of it."""
    story = Story(campaigns)
    await story.publish(mode="invite")
    await register(campaigns, story.creator[1])
    invite = {"creator_id": story.creator[1], "fees_minor": [100_000]}
    receipt = await campaigns.done("POST", f"/campaigns/{story.campaign_id}/invite", invite, story.brand)
    story.collaboration_id = receipt["stream"].removeprefix("application-")
    accept = f"/applications/{story.collaboration_id}/accept"
    await campaigns.done("POST", accept, {"brief_version": 1}, story.creator)
    await story.funded()
    work = story.collaboration_id
    return {"campaign": story.campaign_id, "application": work, "collaboration": work}


def nowhere() -> dict[str, str]:
    campaign, creator = new_id(), new_id()
    work = derived_id("application", campaign, creator)
    return {"campaign": campaign, "application": work, "collaboration": work}


async def asked(campaigns: Running, path: str, ids: dict[str, str], who: tuple[str, ...]) -> tuple[Any, Counter[str]]:
    """What a stranger hears, without the ids it has sent, and the store's work for it from nothing cached."""
    campaigns.app.writer._cache._states.clear()
    campaigns.app.writer._cache._rows.clear()
    with counted(campaigns) as work:
        answer = await campaigns.send("POST", path.format(**ids), COMMANDS[path], who)
    said = answer.json()
    said.pop("instance")
    text = str(said)
    for one in ids.values():
        text = text.replace(one, "<id>")
    return (answer.status_code, text, sorted(answer.headers.keys())), work


@contextmanager
def counted(campaigns: Running) -> Iterator[Counter[str]]:
    """Counts the calls of the log that a decision waits for."""
    counts: Counter[str] = Counter()
    log = type(campaigns.app.log)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("load", "read_rows", "find_commands"):
            patch.setattr(log, name, _counting(getattr(log, name), name, counts))
        yield counts


def _counting(method: Any, name: str, counts: Counter[str]) -> Any:
    async def call(*args: Any, **named: Any) -> Any:
        counts[name] += 1
        return await method(*args, **named)

    return call


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize("name", STRANGERS)
async def test_a_stranger_hears_the_same_of_what_is_there(
    campaigns: Running, there: dict[str, str], path: str, name: str
) -> None:
    who = STRANGERS[name]
    found, work = await asked(campaigns, path, there, who)
    missing, as_much = await asked(campaigns, path, nowhere(), who)
    assert found == missing
    assert work == as_much
    assert found[0] in {403, 404, 409}


async def test_the_parties_hear_what_is_the_matter(campaigns: Running) -> None:
    """One answer for strangers does not cost the brand its own."""
    story = Story(campaigns)
    await story.draft()
    refused = await campaigns.refused("POST", f"/campaigns/{story.campaign_id}/pause", {"reason": "x"}, story.brand)
    assert refused == "campaign.not_published"
    unknown = await campaigns.refused("POST", f"/campaigns/{new_id()}/pause", {"reason": "x"}, story.brand)
    assert unknown == "campaign.unknown"


async def test_a_taken_id_is_refused_alike_whosever_it_is(campaigns: Running, there: dict[str, str]) -> None:
    """Who chooses an id that is taken learns that, as of its own, and nothing of what stands there."""
    answer = await campaigns.send("PUT", f"/campaigns/{there['campaign']}", DRAFT, BRAND)
    assert (answer.status_code, answer.json()["code"], answer.json()["facts"]) == (409, "campaign.already_drafted", {})


class Counting(Registry):
    """A registry that counts its queries."""

    queries = 0

    async def _read(self, content_ids: list[str]) -> None:
        self.queries += 1
        if THERE in content_ids:
            self.contents[THERE] = Known(Placement("c", "w", THERE, "creator"), "brand", "douyin")


THERE = new_id()


class Woken:
    """Progress of a projector that never moves."""

    def listen(self) -> Any:
        return asyncio.Event()

    def leave(self, _: Any) -> None: ...


@pytest.mark.parametrize("known_before", [False, True], ids=["not cached", "cached by its owner"])
async def test_a_content_of_others_is_waited_for_like_none(monkeypatch: pytest.MonkeyPatch, known_before: bool) -> None:
    """A brand that asks for another's content waits as long, and reads as often, as for one that is nowhere."""
    monkeypatch.setattr(content_registry, "WAIT_LIMIT_S", 0.0)
    work = {}
    for name, content_id in (("there", THERE), ("nowhere", new_id())):
        registry = Counting(None, Woken())  # type: ignore[arg-type]
        if known_before:
            assert (await registry.placement(THERE, "brand")).deliverable_id == THERE
        before = registry.queries
        with pytest.raises(NotFound) as refused:
            await registry.placement(content_id, "mallory")
        assert refused.value.code == "deliverable.not_found"
        work[name] = registry.queries - before
    assert work["there"] == work["nowhere"] == 1
