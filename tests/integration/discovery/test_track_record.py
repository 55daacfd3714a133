"""What campaigns, compliance and metrics saw reaches a creator's card, in any order across streams, and once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import events_pb2 as compliance
from dandelion.discovery.v1.filters_pb2 import Filter, Labels, WorkedFor
from dandelion.metrics.v1 import events_pb2 as metrics

from kernel.core.ids import new_id
from kernel.processors.generations import Rebuild
from services.discovery.domain.matching import PARTS
from services.discovery.projections import AUTHENTICITY_PROJECTION, MATCH_WEIGHTS_PROJECTION, PROJECTIONS
from services.discovery.subscribe import decode
from services.discovery.wiring import SERVICE
from tests.integration.discovery.client import OPERATOR, Discovery, running
from tests.kit.generations import dump
from tests.kit.until import until
from tools.make_creators import TARGET

STYLE = [{"part": part, "weight": float(part == "style")} for part in PARTS]
HEADER = "platform,handle,display_name,categories,observed_on,followers"
NOT_HERE = ("proofs", "contacts", "media_kits", "saved_searches", "shortlists")
"""Projections that these creators leave empty; tests of their own rebuild them."""


async def imported(discovery: Discovery, handle: str) -> str:
    answer = (
        await discovery.send("POST", "/imports", f"{HEADER}\nweibo,{handle},林,美妆,2025-06-30,5000".encode())
    ).json()
    await discovery.search(at_least=answer["token"], page_size=1)
    creator_id: str = answer["rows"][0]["creator_id"]
    return creator_id


class Job:
    """One application and collaboration, told as campaigns tells it."""

    def __init__(self, discovery: Discovery, creator_id: str) -> None:
        self.discovery = discovery
        self.ids = {"campaign_id": new_id(), "brand_id": new_id(), "creator_id": creator_id}
        self.uuid = new_id()

    async def applies(self, kind: type = campaigns.CreatorInvited) -> str:
        message = kind(application_id=self.uuid, **self.ids)
        return await self.discovery.tell(f"application-{self.uuid}", message)

    async def publishes(self) -> str:
        """The campaign's brief, which asks for reads of a video."""
        brief = campaigns.Brief(title="口红", objective="reads", formats=[common.FORMAT_VIDEO], currency="CNY")
        message = campaigns.BriefPublished(
            campaign_id=self.ids["campaign_id"], brand_id=self.ids["brand_id"], brief=brief
        )
        return await self.discovery.tell(f"campaign-{self.ids['campaign_id']}", message)

    async def works(self, kind: type, at: datetime | None = None) -> str:
        message = kind(collaboration_id=self.uuid, **self.ids)
        return await self.discovery.tell(f"collaboration-{self.uuid}", message, at=at)


async def test_jobs_are_counted_by_where_they_stand(discovery: Discovery) -> None:
    creator_id = await imported(discovery, "jobs")
    running_job, settled, cancelled = (Job(discovery, creator_id) for _ in range(3))
    for day, job in enumerate((settled, cancelled, running_job), start=1):
        await job.works(campaigns.CollaborationContracted, datetime(2026, 1, day, tzinfo=UTC))
        token = await job.applies(campaigns.ApplicationAccepted)
        await discovery.get(creator_id, at_least=token)
    for token in (
        await settled.works(campaigns.CollaborationSettled),
        await cancelled.works(campaigns.CollaborationCancelled),
    ):
        creator = await discovery.get(creator_id, at_least=token)
    assert (creator.jobs_in_progress, creator.jobs_settled, creator.jobs_cancelled) == (1, 1, 1)
    assert list(creator.past_brands) == [job.ids["brand_id"] for job in (settled, cancelled, running_job)]


async def test_findings_of_a_second_verdict_replace_those_of_the_first(discovery: Discovery) -> None:
    creator_id, review = await imported(discovery, "reviewed"), new_id()
    for findings in (3, 1):
        message = compliance.ReviewCompleted(
            review_id=review, creator_id=creator_id, findings=[compliance.Finding() for _ in range(findings)]
        )
        await discovery.tell(f"review-{review}", message)
    look = compliance.DisclosureMissing(look_id=new_id(), creator_id=creator_id)
    for token in (
        await discovery.tell(f"look-{look.look_id}", look),
        await discovery.tell(f"review-{review}", message),
    ):
        creator = await discovery.get(creator_id, at_least=token)
    assert (creator.findings, creator.disclosures_missing) == (1, 1)


async def test_a_notice_is_no_finding_of_a_creator(discovery: Discovery) -> None:
    """Such as that the label is missing from a draft, which the platform adds by itself."""
    creator_id, review = await imported(discovery, "noticed"), new_id()
    severities = (compliance.SEVERITY_NOTICE, compliance.SEVERITY_WARNING, compliance.SEVERITY_NOTICE)
    for count, found in ((1, severities), (0, severities[:1])):
        message = compliance.ReviewCompleted(
            review_id=review, creator_id=creator_id, findings=[compliance.Finding(severity=one) for one in found]
        )
        creator = await discovery.get(creator_id, at_least=await discovery.tell(f"review-{review}", message))
        assert creator.findings == count


async def test_an_order_counts_once_and_not_after_its_whole_refund(discovery: Discovery) -> None:
    creator_id, orders = await imported(discovery, "sold"), [new_id() for _ in range(3)]
    for order in orders:
        token = await discovery.tell(
            f"order-{order}", metrics.ConversionRecorded(order_id=order, creator_id=creator_id)
        )
        await discovery.get(creator_id, at_least=token)
    reversals = [
        metrics.ConversionReversed(order_id=orders[0], creator_id=creator_id, complete=True),
        metrics.ConversionReversed(order_id=orders[1], creator_id=creator_id, complete=False),
    ]
    for message in reversals:
        token = await discovery.tell(f"order-{message.order_id}", message)
        creator = await discovery.get(creator_id, at_least=token)
    assert creator.orders == 2


async def test_who_is_invited_already_is_left_out_for_the_brand_that_invited(discovery: Discovery) -> None:
    creator_id = await imported(discovery, "invited")
    job = Job(discovery, creator_id)
    token = await job.applies()
    await discovery.get(creator_id, at_least=token)
    campaign, mine = job.ids["campaign_id"], ("bella", job.ids["brand_id"], "brand")
    kept = await discovery.search(*mine, text="invited", exclude_campaign_id=campaign)
    others = await discovery.search("ben", new_id(), "brand", text="invited", exclude_campaign_id=campaign)
    assert (kept.total, others.total) == (0, 1)
    anywhere = await discovery.search(*mine, text="invited", exclude_invited=True)
    others = await discovery.search("ben", new_id(), "brand", text="invited", exclude_invited=True)
    assert (anywhere.total, others.total) == (0, 1)


async def test_who_worked_for_a_competitor_lately_is_left_out(discovery: Discovery) -> None:
    """By the brand or by the category of its product, only as far back as is asked; and found by what it worked for."""
    creator_id = await imported(discovery, "rivalled")
    job, now = Job(discovery, creator_id), datetime.now(UTC)
    job.ids["product_category"] = "serum"
    token = await job.works(campaigns.CollaborationContracted, now - timedelta(days=40))
    await discovery.get(creator_id, at_least=token)
    brand = job.ids["brand_id"]
    for asked, total in (
        (WorkedFor(brand_ids=[brand], days=60), 0),
        (WorkedFor(brand_ids=[brand], days=30), 1),
        (WorkedFor(industries=["serum"], days=60), 0),
        (WorkedFor(industries=["cars"], brand_ids=[new_id()], days=60), 1),
    ):
        assert (await discovery.search(text="rivalled", exclude_worked_for=asked)).total == total, asked
    past = [
        Filter(field="past_industries", labels=Labels(values=["serum"])),
        Filter(field="past_brands", labels=Labels(values=[brand])),
    ]
    (hit,) = (await discovery.search(text="rivalled", filters=past)).hits
    assert [list(one.labels) for one in hit.matches] == [["serum"], [brand]]


async def test_a_rebuild_gives_the_live_rows(tmp_path: Path) -> None:
    async with running(tmp_path) as discovery:
        answer = (await discovery.send("POST", "/imports", TARGET.read_bytes())).json()
        creators = [row["creator_id"] for row in answer["rows"][:20]]
        tokens = [answer["token"]]
        for creator_id in creators:
            job = Job(discovery, creator_id)
            tokens += [await job.works(campaigns.CollaborationContracted), await job.applies(), await job.publishes()]
            tokens.append(await job.works(campaigns.CollaborationSettled))
        tokens.append(await discovery.done("POST", "/match-weights", {"reason": "style", "weights": STYLE}))
        for token in tokens:
            await discovery.get(creators[0], at_least=token)
            await discovery.app.at_least(token, MATCH_WEIGHTS_PROJECTION.name)
        bots = {"profiles": [{"followers": 4, "following": 3_000, "posts": 0}] * 200}
        token = await discovery.done("POST", f"/authenticity/{creators[0]}/followers", bots)
        await discovery.app.at_least(token, AUTHENTICITY_PROJECTION.name)
        app = discovery.app
        for projection in PROJECTIONS:
            live = await dump(app.database, projection, 1)
            made = await Rebuild(projection, app.database, app.log, SERVICE.codec, "discovery", app.bus, decode).run()
            assert live == await dump(app.database, projection, made)
            assert live or projection.name in NOT_HERE, projection.name


async def test_who_is_forgotten_has_no_texts_left_anywhere(tmp_path: Path) -> None:
    async with running(tmp_path) as discovery:
        marker = "PlantedMarker"
        text = f"{HEADER},bio,contact\nweibo,forget.me,{marker},美妆,2025-06-30,5000,{marker}Bio,{marker}@example.com"
        answer = (await discovery.send("POST", "/imports", text.encode())).json()
        creator_id = answer["rows"][0]["creator_id"]
        assert (await discovery.search(text=marker, at_least=answer["token"])).total == 1
        bots = {"profiles": [{"followers": 4, "following": 3_000, "posts": 0}] * 200}
        await discovery.done("POST", f"/authenticity/{creator_id}/followers", bots)
        appeal = {"statement": f"{marker} was on television"}
        await discovery.done("POST", f"/authenticity/{creator_id}/appeal", appeal, ("mei", creator_id, "creator"))
        ruling = {"verdict": "upheld", "reason": f"{marker} was not"}
        token = await discovery.done(
            "POST", f"/authenticity/{creator_id}/rule", ruling, ("anna", "platform", "reviewer")
        )
        await discovery.app.at_least(token, AUTHENTICITY_PROJECTION.name)
        await discovery.tell(f"subject-{creator_id}", compliance.SubjectErased(subject_id=creator_id))

        async def forgotten() -> bool:
            return (await discovery.search(text=marker)).total == 0

        await until(forgotten)
        creator = await discovery.get(creator_id, *OPERATOR)
        assert (creator.display_name, creator.bio, creator.contact, creator.followers) == ("", "", "", 5_000)
        assert not creator.profile.personal
        again = (await discovery.send("POST", "/imports", text.encode())).json()
        assert [one["rule"] for one in again["problems"]] == ["creator.asked_to_be_forgotten"]
        names = [one.name for one in await discovery.app.log.read(0)]
        assert names[-3:] == ["erasure.asked@1", "erasure.done@1", "creator.forgotten@1"]
    assert not [file for file in files_in(tmp_path) if marker.encode() in file.read_bytes()]


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
