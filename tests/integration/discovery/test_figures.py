"""What was measured of a creator reaches its figures: the grid among peers, followers through time, work with brands."""

from datetime import UTC, datetime, timedelta
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import events_pb2 as compliance
from dandelion.discovery.v1 import measured_pb2 as pb
from dandelion.metrics.v1 import events_pb2 as metrics
from dandelion_contracts.wire import stamp

from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from services.discovery.measured.peers import LEAST_PEERS, compared
from services.discovery.projections.measured import grown
from tests.integration.discovery.client import BRAND, OPERATOR, Discovery
from tests.integration.discovery.test_track_record import HEADER, Job, imported

NOW = system_clock().replace(microsecond=0)
DAY = timedelta(days=1)
BRANDS, CREATOR = campaigns.PARTY_BRAND, campaigns.PARTY_CREATOR


async def figures(discovery: Discovery, creator_id: str, *who: str, at_least: str = "") -> pb.GetCreatorFiguresResponse:
    async with discovery.queries(*(who or BRAND)) as queries:
        request = pb.GetCreatorFiguresRequest(creator_id=creator_id, at_least=at_least)
        answer: pb.GetCreatorFiguresResponse = await queries.GetCreatorFigures(request)
        return answer


def cell(exposures: int, **more: Any) -> metrics.GridCell:
    told: dict[str, Any] = {"purpose": metrics.PURPOSE_DAILY, "window_days": 30, "format": common.FORMAT_VIDEO}
    told |= {"provenance": common.PROVENANCE_PLATFORM, "contents": 4}
    return metrics.GridCell(exposure_median=exposures, **(told | more))


async def measured(discovery: Discovery, creator_id: str, *cells: metrics.GridCell) -> str:
    grid = metrics.PerformanceUpdated(creator_id=creator_id, cells=cells, formula="grid@1", measured_at=stamp(NOW))
    return await discovery.tell(f"grid-{creator_id}", grid)


async def test_a_grid_replaces_the_one_before_and_what_is_reported_stands_behind_it(discovery: Discovery) -> None:
    creator_id = await imported(discovery, "grid")
    body = {"format": "video", "window_days": 30, "exposures": 9_000_000, "reads": 4_500_000, "engagements": 9_000}
    report = body | {"provenance": "manual", "observed_at": NOW.isoformat()}
    await discovery.done("POST", f"/creators/{creator_id}/performance", report)
    await measured(discovery, creator_id, cell(100, engagement_rate=0.25), cell(90, window_days=90))
    token = await measured(discovery, creator_id, cell(300, read_median=120, read_rate=0.4))
    await figures(discovery, creator_id, at_least=token)
    found = await figures(discovery, creator_id)
    assert [one.purpose for one in found.cells] == [pb.CELL_PURPOSE_DAILY, pb.CELL_PURPOSE_REPORTED]
    daily, reported = found.cells
    assert (daily.exposures.value, daily.reads.value, daily.read_rate, daily.contents) == (300, 120, 0.4, 4)
    assert not daily.HasField("engagements")
    assert not daily.HasField("engagement_rate")
    assert (daily.provenance, daily.formula) == (common.PROVENANCE_PLATFORM, "grid@1")
    assert daily.measured_at.ToDatetime(UTC) == NOW
    assert (reported.exposures.value, reported.provenance) == (9_000_000, common.PROVENANCE_MANUAL)
    assert reported.engagement_rate.value == 0.002


async def test_better_than_peers_of_one_tier_and_category(discovery: Discovery) -> None:
    rows = [f"weibo,peer.{n},林,母婴/奶粉,2025-06-30,{5_000 + n}" for n in range(LEAST_PEERS + 1)]
    rows.append("weibo,peer.head,林,母婴,2025-06-30,900000")
    answer = (await discovery.send("POST", "/imports", "\n".join([HEADER, *rows]).encode())).json()
    creators = [row["creator_id"] for row in answer["rows"]]
    await discovery.search(at_least=answer["token"], page_size=1)
    for n, creator_id in enumerate(creators):
        more = {"read_median": n} if n < 10 else {}
        token = await measured(discovery, creator_id, cell(1_000 + n, engagement_rate=0.1, **more))
        await figures(discovery, creators[-1], at_least=token)
    best = await figures(discovery, creators[LEAST_PEERS])
    assert best.peer_group == "nano/母婴"
    (found,) = best.cells
    assert (found.exposures.better_than, found.exposures.peers) == (1.0, LEAST_PEERS)
    assert (found.engagement_rate.better_than, found.engagement_rate.peers) == (0.0, LEAST_PEERS)
    (few,) = (await figures(discovery, creators[0])).cells
    assert (few.exposures.better_than, few.reads.HasField("better_than"), few.reads.peers) == (0.0, False, 0)
    (alone,) = (await figures(discovery, creators[-1])).cells
    assert not alone.exposures.HasField("better_than")
    async with discovery.app.database.reading() as connection:
        assert (await compared(connection, creators[0], NOW)).group == "nano/母婴"


async def reported(discovery: Discovery, creator_id: str, count: int, at: datetime) -> str:
    body = {"platform": "weibo", "count": count, "provenance": "platform", "observed_at": at.isoformat()}
    return await discovery.done("POST", f"/creators/{creator_id}/followers", body)


async def test_followers_are_a_series_and_growth_is_told_by_month(discovery: Discovery) -> None:
    creator_id = await imported(discovery, "series")
    for days, count in ((70, 8_000), (31, 10_000), (1, 11_000), (0, 12_000)):
        token = await reported(discovery, creator_id, count, NOW - days * DAY)
    found = await figures(discovery, creator_id, at_least=token)
    assert [one.followers for one in found.followers] == [5_000, 8_000, 10_000, 11_000, 12_000]
    told = {one.months: (one.before, round(one.growth, 6)) for one in found.growth.months}
    assert told == {1: (10_000, 0.2), 2: (8_000, 0.5)}
    assert found.growth.followers == 12_000
    account = {"platform": "weibo", "handle": "series.other"}
    token = await discovery.done("POST", f"/creators/{creator_id}/accounts", account)
    after = await figures(discovery, creator_id, at_least=token)
    assert not after.followers
    assert not after.HasField("growth")


def test_growth_is_of_the_largest_account_and_never_of_a_report_too_old() -> None:
    def row(platform: str, days: int, followers: int) -> dict[str, Any]:
        at = NOW - days * DAY
        return {"creator_id": "c", "platform": platform, "followers": followers, "observed_at": at}

    found = grown({"weibo": [row("weibo", 95, 10), row("weibo", 0, 90)], "douyin": [row("douyin", 0, 80)]})
    assert (found["platform"], found["followers"]) == ("weibo", 90)
    assert [found[f"before_{n}m"] for n in range(1, 7)] == [None, None, 10, None, None, None]


def ids(job: Job) -> dict[str, Any]:
    return {**job.ids}


async def invited(job: Job, answer: Any, after: timedelta, **by: Any) -> str:
    stream = f"application-{job.uuid}"
    invitation = campaigns.CreatorInvited(application_id=job.uuid, **ids(job))
    await job.discovery.tell(stream, invitation, at=NOW - 9 * DAY)
    message = answer(application_id=job.uuid, **ids(job), **by)
    return await job.discovery.tell(stream, message, at=NOW - 9 * DAY + after)


async def test_reliability_counts_what_each_rate_rests_on(discovery: Discovery) -> None:
    creator_id = await imported(discovery, "reliable")
    jobs = [Job(discovery, creator_id) for _ in range(5)]
    tokens = [
        await invited(jobs[0], campaigns.ApplicationAccepted, 2 * DAY, accepted_by=CREATOR),
        await invited(jobs[1], campaigns.OfferCountered, 3 * DAY, countered_by=CREATOR),
        await invited(jobs[2], campaigns.ApplicationExpired, 7 * DAY),
        await invited(jobs[3], campaigns.ApplicationDeclined, DAY, declined_by=BRANDS),
        await jobs[4].applies(campaigns.ApplicationSubmitted),
    ]
    old = Job(discovery, creator_id)
    tokens.append(await old.works(campaigns.CollaborationContracted, NOW - 366 * DAY))
    tokens += [await job.works(campaigns.CollaborationContracted, NOW - DAY) for job in jobs[:2]]
    cancelled = campaigns.CollaborationCancelled(collaboration_id=jobs[1].uuid, cancelled_by=CREATOR, **ids(jobs[1]))
    tokens.append(await discovery.tell(f"collaboration-{jobs[1].uuid}", cancelled))
    messages = (
        campaigns.ContentPublished(deliverable_id=new_id(), **ids(jobs[0])),
        campaigns.RevisionRequested(deliverable_id=new_id(), revisions=1, **ids(jobs[0])),
        campaigns.DeliverableLapsed(
            deliverable=campaigns.CancelledDeliverable(deliverable_id=new_id()),
            reason="content.draft_overdue",
            **ids(jobs[0]),
        ),
        campaigns.DisputeOpened(collaboration_id=jobs[0].uuid, **ids(jobs[0])),
    )
    tokens += [await discovery.tell(f"collaboration-{jobs[0].uuid}", message) for message in messages]
    review = compliance.ReviewCompleted(review_id=new_id(), creator_id=creator_id, findings=[compliance.Finding()] * 3)
    tokens.append(await discovery.tell(f"review-{review.review_id}", review))
    for token in tokens:
        found = (await figures(discovery, creator_id, at_least=token)).reliability
    rates = {
        name: (getattr(found, name).part, getattr(found, name).whole)
        for name in ("replies_in_48h", "on_time", "revisions", "cancellations", "disputes")
    }
    assert rates == {
        "replies_in_48h": (1, 3), "on_time": (1, 2), "revisions": (1, 1), "cancellations": (1, 2), "disputes": (1, 2)
    }  # fmt: skip
    assert (found.findings, found.replies_in_48h.rate) == (3, 1 / 3)


async def test_of_whom_nothing_is_known_there_is_no_rate_and_no_number(discovery: Discovery) -> None:
    found = await figures(discovery, await imported(discovery, "unknown.yet"))
    assert not found.cells
    assert not found.reliability.on_time.HasField("rate")


async def test_other_creators_do_not_see_how_one_works(discovery: Discovery) -> None:
    creator_id = await imported(discovery, "shy")
    seen = [("cai", creator_id, "creator"), OPERATOR, BRAND]
    assert all([(await figures(discovery, creator_id, *who)).HasField("reliability") for who in seen])
    assert not (await figures(discovery, creator_id, "eve", new_id(), "creator")).HasField("reliability")
