"""Forgetting a creator in campaigns and compliance: planted words stand in no log, no topic of events and no read model of
campaigns; after the erasure they stand nowhere, and in compliance when the time of the archive is over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from dandelion.campaigns.v1 import queries_pb2 as pb
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub
from dandelion.compliance.v1 import events_pb2 as compliance_events

from kernel.core.decider import Actor, Meta
from kernel.core.ids import new_id
from kernel.core.personal import EraseNow, ErasureDone, erasure_stream
from kernel.host.app import App
from kernel.host.main import run_rebuild
from kernel.processors.processes import SYSTEM
from kernel.verify.inline_rows import check_inline_tables
from kernel.verify.topics import check_topics
from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE as CAMPAIGNS
from tests.integration.campaigns.conftest import OTHERS
from tests.integration.campaigns.story import Story
from tests.integration.compliance.client import REVIEWER, Compliance
from tests.integration.compliance.client import running as compliance_running
from tests.integration.compliance.submissions import Deal
from tests.kit.generations import dump
from tests.kit.running import Running, running
from tests.kit.stored import files_with, places_of
from tests.kit.until import until

SENT = {"carrier": "QzCarrier", "tracking": "QzTracking"}
CONTENT = {
    "title": "QzTitle", "text": "QzText is what I like", "tags": ["qztag"], "links": ["https://qz.example/buy"],
    "evidence": [{"kind": "source", "phrase": "QzPhrase", "reference": "QzReference"}],
}  # fmt: skip
NOTE = "QzNote: write the name"
WORDS = (
    "QzCarrier",
    "QzTracking",
    "QzTitle",
    "QzText",
    "qztag",
    "https://qz.example",
    "QzPhrase",
    "QzReference",
    "QzNote",
)
PRODUCT = {"product_id": "sku-1", "name": "Serum", "category": "cosmetics", "value_minor": 29_900}
COMMANDS = "bus.db/records"
"""Submissions are on their way to compliance for a week."""


@asynccontextmanager
async def campaigns_in(folder: Path) -> AsyncIterator[Running]:
    async with running(CAMPAIGNS, CampaignsSettings, folder, topics=OTHERS, short_clocks=True) as made:
        yield made


async def worked(campaigns: Running, **creator: str) -> Story:
    """A collaboration whose every personal field holds a word that stands nowhere else."""
    story = Story(campaigns)
    await story.publish(products=[PRODUCT])
    await story.agree(100_000)
    await story.funded()
    await story.act("send-product", SENT, story.brand)
    await story.act("receive-product", None, story.creator)
    deliverable_id = (await story.get()).deliverables[0].deliverable.deliverable_id
    where = {"deliverable_id": deliverable_id, "submission_id": new_id()}
    await story.act("submit", {**where, "stage": "draft", "content": CONTENT}, story.creator)
    await story.reviewed(where["submission_id"], "clear")
    await story.stage(pb.DELIVERABLE_STATUS_REVIEWED)
    await story.act("request-revision", {**where, "notes": [NOTE]}, story.brand)
    await story.stage(pb.DELIVERABLE_STATUS_REVISION_REQUESTED)
    return story


async def told(story: Story, who: tuple[str, ...]) -> pb.Collaboration:
    async with story.campaigns.channel(who) as channel:
        request = pb.GetCollaborationRequest(collaboration_id=story.collaboration_id)
        return (await CampaignQueryServiceStub(channel).GetCollaboration(request)).collaboration


async def handed_in(story: Story, who: tuple[str, ...]) -> pb.SubmissionVersion:
    """The one submission, with what was said of it."""
    async with story.campaigns.channel(who) as channel:
        request = pb.ListSubmissionsRequest(collaboration_id=story.collaboration_id)
        (found,) = (await CampaignQueryServiceStub(channel).ListSubmissions(request)).submissions
    return found


async def erased(running: Running, subject_id: str) -> None:
    message = compliance_events.SubjectErased(subject_id=subject_id)
    await running.tell(f"subject-{subject_id}", message)
    await until(partial(is_erased, running.app, subject_id))


async def is_erased(app: App, subject_id: str) -> bool:
    events = await app.log.load([erasure_stream(subject_id)], 2**62)
    return bool(events) and isinstance(app.service.codec.decode(events[-1].name, events[-1].data), ErasureDone)


async def sound(app: App) -> None:
    """Inline tables, topics and rebuilt read models are what the log says."""
    results = [*await check_inline_tables(app), *await check_topics(app)]
    assert [one for one in results if one.problems] == []
    for projection in app.service.projections:
        live = await dump(app.database, projection, 1)
        await run_rebuild(app.service, app.settings, [projection.name])
        assert await dump(app.database, projection, 2) == live


async def test_a_campaigns_log_topic_and_read_model_hold_no_personal_field(tmp_path: Path) -> None:
    async with campaigns_in(tmp_path) as campaigns:
        story = await worked(campaigns)
        for side in (story.brand, story.creator, ("olga", "platform", "operator")):
            shown = await told(story, side)
            assert (shown.carrier, shown.tracking_number) == ("QzCarrier", "QzTracking")
            (view,) = shown.deliverables
            assert (view.submission.text, list(view.notes)) == (CONTENT["text"], [NOTE])
            assert view.submission.evidence[0].reference == "QzReference"
            version = await handed_in(story, side)
            assert (version.submission, list(version.rulings[-1].notes)) == (view.submission, [NOTE])
        assert set(places_of(tmp_path, WORDS)) == {COMMANDS}
        assert [one for one in await campaigns.records("campaigns.events.v1") if b"Qz" in one.value] == []


async def test_of_who_is_erased_campaigns_keeps_no_word(tmp_path: Path) -> None:
    async with campaigns_in(tmp_path) as campaigns:
        story = await worked(campaigns)
        await erased(campaigns, story.creator[1])
        shown = await told(story, story.brand)
        version = await handed_in(story, story.creator)
        for answer in (shown, version):
            assert not [word for word in WORDS if word.encode() in answer.SerializeToString()]
        assert [one.ruling for one in version.rulings] == ["reviewed", "revision_requested"]
        assert shown.deliverables[0].submission.evidence[0].kind == "source"
        await sound(campaigns.app)
    assert files_with(tmp_path, WORDS) <= {"bus.db", "bus.db-wal"}


async def test_nobody_else_is_erased(tmp_path: Path) -> None:
    async with campaigns_in(tmp_path) as campaigns:
        story, other = await worked(campaigns), await worked(campaigns)
        await erased(campaigns, story.creator[1])
        assert (await told(other, other.brand)).tracking_number == "QzTracking"


async def test_what_is_said_of_who_was_erased_is_erased_by_the_next_request(tmp_path: Path) -> None:
    """A collaboration that runs on has a new key; nothing is lost, and nothing is kept for good."""
    async with campaigns_in(tmp_path) as campaigns:
        story = Story(campaigns)
        await story.publish(products=[PRODUCT])
        await story.agree(100_000)
        await story.funded()
        await erased(campaigns, story.creator[1])
        await story.act("send-product", SENT, story.brand)
        assert (await told(story, story.brand)).tracking_number == "QzTracking"
        events = len(await campaigns.app.log.load([erasure_stream(story.creator[1])], 2**62))
        message = compliance_events.SubjectErased(subject_id=story.creator[1])
        await campaigns.tell(f"subject-{story.creator[1]}", message)

        async def again() -> bool:
            stream = erasure_stream(story.creator[1])
            return len(await campaigns.app.log.load([stream], 2**62)) == events + 2

        await until(again)
        assert (await told(story, story.brand)).tracking_number == ""


async def test_who_registers_anew_under_a_new_id_works_and_is_paid(tmp_path: Path) -> None:
    async with campaigns_in(tmp_path) as campaigns:
        story = await worked(campaigns)
        creator_id = story.creator[1]
        await erased(campaigns, creator_id)
        other = Story(campaigns)
        await other.publish()
        invite, path = {"creator_id": creator_id, "fees_minor": [100_000]}, f"/campaigns/{other.campaign_id}/invite"
        assert await campaigns.refused("POST", path, invite, other.brand) == "creator.unknown"
        again = Story(campaigns, brand=story.brand, creator=("clara", f"{new_id()[:-8]}{creator_id[-8:]}", "creator"))
        await again.publish()
        await again.agree(100_000)
        deliverable_id = (await again.funded()).deliverables[0].deliverable.deliverable_id
        await again.post(deliverable_id)
        await again.look(deliverable_id, ok=True)
        await again.pay()
        await again.stage(pb.DELIVERABLE_STATUS_SETTLED)


NAMED = "QzText 首选的粉底"


async def reviewed(compliance: Compliance) -> Deal:
    """A review whose every personal field holds a planted word, decided by a reviewer."""
    deal = Deal()
    evidence = [{"kind": "source", "phrase": "QzPhrase", "reference": "QzReference"}]
    told = deal.submitted(NAMED, title="QzTitle", tags=["qztag"], links=["https://qz.example/buy"], evidence=evidence)
    await compliance.ask(deal.stream, told, deal.stream)
    await compliance.reviewed(deal.submission_id)
    body = {"approved": False, "reason": "QzNote"}
    answer = await compliance.post(f"/reviews/{deal.submission_id}/decide", body)
    assert answer.status_code == 200, answer.text
    await compliance.review(deal.submission_id, at_least=answer.json()["token"])
    return deal


async def test_compliance_keeps_the_archive_for_its_time_and_then_nothing(tmp_path: Path) -> None:
    operator = ("olga", "platform", "operator")
    async with compliance_running(tmp_path) as compliance:
        deal, app = await reviewed(compliance), compliance.app
        kept_in = {COMMANDS, "service.db/reviews", "service.db/findings"}
        assert set(places_of(tmp_path, (*WORDS, "首选"))) == kept_in
        found = await compliance.records("compliance.events.v1")
        assert [one for one in found if b"Qz" in one.value or "首选".encode() in one.value] == []
        await compliance.done("POST", f"/subjects/{deal.creator_id}/erase", {"reason": "request.subject"}, operator)
        stream = erasure_stream(deal.creator_id)

        async def postponed() -> bool:
            return bool(await app.log.load([stream], 2**62))

        await until(postponed)
        kept = await compliance.review(deal.submission_id)
        assert (kept.title, kept.note) == ("QzTitle", "QzNote")
        meta = Meta(new_id(), Actor("clock", "platform", SYSTEM))
        await app.writer.execute(stream, EraseNow(deal.creator_id), meta)

        async def blank() -> bool:
            return not (await compliance.review(deal.submission_id, REVIEWER)).text

        await until(blank)
        left = await compliance.review(deal.submission_id)
        assert (left.title, left.note, list(left.tags), left.evidence[0].reference) == ("", "", [], "")
        assert [(one.reviewer_id, one.reason) for one in left.voices] == [(REVIEWER[0], "")]
        assert [(one.rule_id != "", one.excerpt) for one in left.findings] == [(True, "")] * len(left.findings)
        assert left.findings
        await sound(app)
    assert files_with(tmp_path, (*WORDS, "首选")) <= {"bus.db", "bus.db-wal"}
