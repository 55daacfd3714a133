"""What discovery promises of its data holds after everything it can do, and each planted damage is named, over every store."""

import pytest
from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.compliance.v1 import events_pb2 as compliance

from kernel.core.ids import new_id
from kernel.verify.invariants import CheckResult, broken, quick_check
from tests.integration.discovery.client import Discovery
from tests.kit.quiet import until_quiet
from tests.kit.stopped import harm

FILE = """platform,handle,display_name,categories,tags,country,province,currency,video_minor,observed_on,followers
weibo,kept,林,美妆/口红,日常,CN,上海,CNY,90000,2025-06-30,5000
weibo,gone,王,美食,探店,CN,广东,CNY,80000,2025-06-30,70000"""
OURS = {"index_follows_creators", "handles_agree", "forgotten_are_gone", "records_add_up"}


@pytest.fixture(scope="module")
async def worked(discovery: Discovery) -> Discovery:
    """Two creators with prices, one of them forgotten; a contract, and findings of a review."""
    rows = (await discovery.send("POST", "/imports", FILE.encode())).json()["rows"]
    kept, gone = (row["creator_id"] for row in rows)
    job = {"collaboration_id": new_id(), "campaign_id": new_id(), "brand_id": new_id(), "creator_id": kept}
    await discovery.tell(f"collaboration-{job['collaboration_id']}", campaigns.CollaborationContracted(**job))
    review = compliance.ReviewCompleted(review_id=new_id(), creator_id=kept, findings=[compliance.Finding()])
    await discovery.tell(f"review-{review.review_id}", review)
    await discovery.tell(f"erasure-{gone}", compliance.SubjectErased(subject_id=gone))
    await until_quiet(discovery.app)
    return discovery


async def looked(discovery: Discovery) -> list[CheckResult]:
    return [one for one in await quick_check(discovery.app) if one.invariant in OURS]


async def test_what_was_done_is_whole_and_all_of_it_is_looked_at(worked: Discovery) -> None:
    found = await looked(worked)
    assert broken(found) == []
    assert {one.invariant: one.checked > 0 for one in found} == dict.fromkeys(OURS, True)


NONE, SOME = '"bio_revision":""', '"bio_revision":"r"'
DAMAGE: dict[str, tuple[set[str], str, str]] = {
    "a tier of other followers": (
        {"index_follows_creators"}, "UPDATE creators_g1 SET tier = 'head' WHERE followers = 5000",
        "UPDATE creators_g1 SET tier = 'nano' WHERE followers = 5000",
    ),
    "a creator who is found although suspended": (
        {"index_follows_creators"}, "UPDATE creators_g1 SET suspended = true", "UPDATE creators_g1 SET suspended = false",
    ),
    "a label that nobody has": (
        {"index_follows_creators"}, "UPDATE creator_labels_g1 SET value = 'x日常' WHERE value = '日常'",
        "UPDATE creator_labels_g1 SET value = '日常' WHERE value = 'x日常'",
    ),
    "a price of yesterday": (
        {"index_follows_creators"}, "UPDATE creator_prices_g1 SET price_minor = price_minor + 1",
        "UPDATE creator_prices_g1 SET price_minor = price_minor - 1",
    ),
    "a handle of somebody else": (
        {"handles_agree"}, "UPDATE handles SET creator_id = 'x' || creator_id WHERE handle = 'kept'",
        "UPDATE handles SET creator_id = substr(creator_id, 2) WHERE handle = 'kept'",
    ),
    "a handle that nobody was verified for": (
        {"handles_agree"}, "INSERT INTO verified_handles SELECT platform, handle, creator_id FROM handles",
        "DELETE FROM verified_handles",
    ),
    "a text of who was forgotten": (
        {"forgotten_are_gone"},
        f"UPDATE creators_g1 SET state = replace(state, '{NONE}', '{SOME}') WHERE followers = 70000",
        f"UPDATE creators_g1 SET state = replace(state, '{SOME}', '{NONE}')",
    ),
    "a contract counted twice": (
        {"records_add_up"}, "UPDATE creator_records_g1 SET contracted = contracted + 1",
        "UPDATE creator_records_g1 SET contracted = contracted - 1",
    ),
    "findings that no review has": (
        {"records_add_up"}, "UPDATE creator_marks_g1 SET amount = amount + 1",
        "UPDATE creator_marks_g1 SET amount = amount - 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
async def test_harm_to_what_creators_are_found_by_is_named(worked: Discovery, what: str) -> None:
    wanted, wound, cure = DAMAGE[what]
    await harm(worked.app, wound)
    found = await looked(worked)
    await harm(worked.app, cure)
    assert {one.invariant for one in found if not one.ok} == wanted
    assert broken(await looked(worked)) == []
