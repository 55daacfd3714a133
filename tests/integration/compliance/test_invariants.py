"""What compliance promises of its data holds after everything it can do, and each planted damage is named, over every store."""

import pytest
from dandelion.compliance.v1 import events_pb2 as events

from kernel.verify.invariants import CheckResult, broken, quick_check
from services.compliance import invariants
from services.compliance.codec import CODEC
from services.compliance.domain.live import ContentLookedAt, DisclosureMissing
from services.compliance.ports import Seen
from tests.integration.compliance.client import Compliance
from tests.integration.compliance.submissions import Deal
from tests.kit.quiet import until_quiet
from tests.kit.stopped import harm

CLEAN, UNSURE, ILLEGAL = "广告 周末出门妆，持妆不错", "广告 这是首选的粉底", "广告 全网最低价的粉底"
OURS = {
    "verdicts_follow_findings", "findings_listed", "looks_recorded", "missing_labels_told", "looks_follow_reviews",
}  # fmt: skip


async def submitted(compliance: Compliance, text: str) -> Deal:
    deal = Deal()
    await compliance.ask(deal.stream, deal.submitted(text), deal.stream)
    await compliance.published(deal.submission_id, "ReviewCompleted")
    return deal


@pytest.fixture(scope="module")
async def worked(compliance: Compliance) -> Compliance:
    """Verdicts of every kind, one of them by hand; two posts, one of them without its label."""
    _, unsure, _ = [await submitted(compliance, text) for text in (ILLEGAL, UNSURE, CLEAN)]
    answer = await compliance.post(f"/reviews/{unsure.submission_id}/decide", {"approved": True, "reason": "有依据"})
    assert answer.status_code == 200, answer.text
    for seen in (CLEAN, CLEAN.removeprefix("广告 ")):
        deal = await submitted(compliance, CLEAN)
        message = deal.published(CLEAN)
        compliance.platform.posts[message.post_id] = Seen(seen)
        await compliance.tell(f"collaboration-{deal.collaboration_id}", message, deal.brand_id)
        (told,) = await compliance.published(deal.deliverable_id, "ContentLookedAt")
        assert told.read(events.ContentLookedAt).found
    await until_quiet(compliance.app)
    return compliance


async def looked(compliance: Compliance) -> list[CheckResult]:
    return [one for one in await quick_check(compliance.app) if one.invariant in OURS]


async def test_what_was_done_is_whole_and_all_of_it_is_looked_at(worked: Compliance) -> None:
    found = await looked(worked)
    assert broken(found) == []
    assert {one.invariant: one.checked > 0 for one in found} == dict.fromkeys(OURS, True)


async def test_it_does_not_matter_how_much_a_page_holds(worked: Compliance, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await looked(worked)
    monkeypatch.setattr(invariants, "PAGE_ROWS", 1)
    assert await looked(worked) == whole


DAMAGE: dict[str, tuple[set[str], str, str]] = {
    "a verdict without its finding": (
        {"verdicts_follow_findings"}, "UPDATE reviews_g1 SET verdict = 'clear' WHERE verdict = 'blocked'",
        "UPDATE reviews_g1 SET verdict = 'blocked' WHERE findings LIKE '%\"blocking\"%'",
    ),
    "a person decided what was not left to one": (
        {"verdicts_follow_findings"}, "UPDATE reviews_g1 SET by_reviewer = true WHERE verdict = 'blocked'",
        "UPDATE reviews_g1 SET by_reviewer = false WHERE verdict = 'blocked'",
    ),
    "a finding that nobody lists": (
        {"findings_listed"}, "UPDATE findings_g1 SET review_id = 'x' || review_id",
        "UPDATE findings_g1 SET review_id = substr(review_id, 2)",
    ),
    "a post whose review was not clear": (
        {"looks_follow_reviews", "verdicts_follow_findings"},
        "UPDATE reviews_g1 SET verdict = 'needs_human' WHERE verdict = 'clear' AND NOT by_reviewer",
        "UPDATE reviews_g1 SET verdict = 'clear' WHERE verdict = 'needs_human'",
    ),
    "a post that nobody handed in": (
        {"looks_follow_reviews"}, "UPDATE reviews_g1 SET review_id = 'x' || review_id WHERE findings = '[]'",
        "UPDATE reviews_g1 SET review_id = substr(review_id, 2) WHERE findings = '[]'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
async def test_harm_to_a_review_is_named(worked: Compliance, what: str) -> None:
    wanted, wound, cure = DAMAGE[what]
    await harm(worked.app, wound)
    found = await looked(worked)
    await harm(worked.app, cure)
    assert {one.invariant for one in found if not one.ok} == wanted
    assert broken(await looked(worked)) == []


async def rewritten(compliance: Compliance, kind: type, old: bytes, new: bytes) -> set[str]:
    """What is red while the first event of a kind says something else."""
    events_of = compliance.app.metadata.tables["log_events"]
    query = events_of.select().where(events_of.c.name == CODEC.name_of(kind)).order_by(events_of.c.position)
    async with compliance.app.database.reading() as connection:
        row = (await connection.execute(query)).first()
    assert row is not None
    assert old in row.data
    update = f"UPDATE log_events SET data = :data WHERE position = {row.position}"
    await harm(compliance.app, update, data=row.data.replace(old, new))
    found = await looked(compliance)
    await harm(compliance.app, update, data=row.data)
    return {one.invariant for one in found if not one.ok}


async def test_an_alarm_of_another_look_is_named(worked: Compliance) -> None:
    assert await rewritten(worked, DisclosureMissing, b'"look_id":"', b'"look_id":"0') == {"missing_labels_told"}


async def test_a_label_that_is_missing_without_an_alarm_is_named(worked: Compliance) -> None:
    changed = (b'"label_present":true', b'"label_present":false')
    assert await rewritten(worked, ContentLookedAt, *changed) == {"missing_labels_told"}


async def test_a_look_that_nobody_asked_for_is_named(worked: Compliance) -> None:
    assert await rewritten(worked, ContentLookedAt, b'"ordinal":1', b'"ordinal":2') == {"looks_recorded"}
