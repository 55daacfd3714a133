"""A creator's performance grid: the formula, what is news, and posts that belong to no collaboration."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from dandelion.common.v1 import common_pb2 as common
from dandelion_contracts.words import words

from kernel.core.decider import Actor
from kernel.core.faults import Fault
from kernel.core.ids import derived_id, stream_id
from services.metrics.domain.engagement import Metric, Provenance, Traffic
from services.metrics.domain.grid.formula import FORMULA, Counted, GridCell, Purpose, Reach, grid
from services.metrics.domain.grid.grid import SAY_AGAIN, GridMeasured, RecordGrid
from services.metrics.domain.post.post import Format, Platform, PostRegistered, RegisterPost, post_id
from services.metrics.passes.grids import cut
from services.metrics.publish.grids import cell_of, grid_request, wire_cell
from services.metrics.subscribe import decode_command
from services.metrics.wiring import SERVICE
from tests.kit import decide
from tests.unit.metrics.given import BRAND, CREATOR, NOON, SYSTEM

DAY = timedelta(days=1)
PLATFORM, SAID = Provenance.PLATFORM, Provenance.CREATOR
ORGANIC, PAID = Traffic.ORGANIC, Traffic.PAID


def video(
    counts: Mapping[Metric, int],
    days: int = 1,
    source: Provenance = PLATFORM,
    traffic: Traffic = ORGANIC,
    purpose: Purpose = Purpose.DAILY,
) -> Counted:
    told = {(metric, traffic): (source, number) for metric, number in counts.items()}
    return Counted(purpose, "video", NOON - days * DAY, told)


def one(*contents: Counted, days: int = 30, reach: Reach = Reach.ALL, purpose: Purpose = Purpose.DAILY) -> GridCell:
    (found,) = [c for c in grid(contents, NOON) if (c.window_days, c.reach, c.purpose) == (days, reach, purpose)]
    return found


def shown(exposures: int, **more: int) -> dict[Metric, int]:
    return {Metric.EXPOSURES: exposures} | {Metric[name.upper()]: number for name, number in more.items()}


def test_medians_and_rates_over_contents_that_have_them() -> None:
    contents = [
        video(shown(1_000, views=500, likes=50, shares=1)),
        video(shown(3_000, views=600, likes=150)),
        video(shown(2_000)),
        video({Metric.VIEWS: 40}),
    ]
    cell = one(*contents)
    assert (cell.contents, cell.exposures, cell.reads, cell.engagements) == (4, 2_000, 500, 100)
    assert (cell.read_rate_micros, cell.engagement_rate_micros) == (1_100 * 250, 201 * 1_000_000 // 1_100)
    assert (cell.hundred_like_micros, cell.thousand_like_micros) == (500_000, 0)
    assert (cell.provenance, cell.format) == ("platform", "video")


def test_what_nobody_counted_is_not_zero() -> None:
    cell = one(video({Metric.EXPOSURES: 10}))
    assert (cell.reads, cell.engagements, cell.read_rate_micros, cell.hundred_like_micros) == (None, None, None, None)
    assert grid([video({})], NOON) == ()
    assert grid([video({Metric.CLICKS: 5})], NOON) == ()


@pytest.mark.parametrize(("published", "windows"), [(29, {30, 90}), (30, {90}), (89, {90}), (90, set()), (-1, set())])
def test_a_content_counts_in_the_windows_it_was_published_in(published: int, windows: set[int]) -> None:
    assert {cell.window_days for cell in grid([video(shown(1), published)], NOON)} == windows


def test_what_is_said_never_outranks_what_was_measured() -> None:
    said = video(shown(9_000_000), source=SAID)
    assert one(said).provenance == "creator"
    cell = one(said, video(shown(100)))
    assert (cell.contents, cell.exposures, cell.provenance) == (1, 100, "platform")
    partly = replace(said, counts={**video(shown(5)).counts, (Metric.LIKES, ORGANIC): (SAID, 7)})
    assert one(partly).provenance == "creator"
    assert one(partly, video(shown(100))).contents == 1


def test_organic_leaves_bought_traffic_out() -> None:
    both = video(shown(100))
    both = replace(both, counts={**both.counts, (Metric.EXPOSURES, PAID): (PLATFORM, 900)})
    assert (one(both).exposures, one(both, reach=Reach.ORGANIC).exposures) == (1_000, 100)
    assert [cell.reach for cell in grid([video(shown(1), traffic=PAID)], NOON)] == [Reach.ALL, Reach.ALL]


def test_daily_posts_and_cooperations_stand_apart() -> None:
    contents = (video(shown(10)), video(shown(30), purpose=Purpose.COOPERATION))
    assert (one(*contents).exposures, one(*contents, purpose=Purpose.COOPERATION).exposures) == (10, 30)


def test_the_message_says_the_cell_and_the_command_comes_back() -> None:
    cells = grid([video(shown(1_000, views=333, likes=7)), video({Metric.EXPOSURES: 1}, 60)], NOON)
    assert tuple(cell_of(wire_cell(cell)) for cell in cells) == cells
    assert not wire_cell(one(video({Metric.EXPOSURES: 1}))).HasField("read_median")
    message = grid_request(CREATOR.tenant, cells, FORMULA, NOON)
    assert decode_command("dandelion.metrics.v1.RecordGrid", message.value) == (
        message.key.decode(),
        RecordGrid(CREATOR.tenant, NOON, cells),
    )
    assert grid_request(CREATOR.tenant, (), FORMULA, NOON).headers == message.headers


def test_replicas_measure_for_one_moment() -> None:
    assert cut(NOON + timedelta(seconds=3_599, microseconds=5), 3_600) == NOON
    assert cut(NOON + timedelta(seconds=3_600), 3_600) == NOON + timedelta(hours=1)


class World(decide.World):
    """Metrics under the real writer."""

    def __init__(self) -> None:
        super().__init__(SERVICE, NOON, {})

    def records(self, at: datetime, cells: tuple[GridCell, ...], actor: Actor = SYSTEM) -> list[Any]:
        return self.execute(stream_id("grid", CREATOR.tenant), RecordGrid(CREATOR.tenant, at, cells), actor)

    def registers(self, command: RegisterPost, actor: Actor, post: str = "7") -> list[Any]:
        return self.execute(stream_id("post", post_id(CREATOR.tenant, command.platform, post)), command, actor)


def test_a_grid_is_said_where_it_is_news() -> None:
    world, cells = World(), grid([video(shown(10))], NOON)
    assert world.records(NOON, ()) == []
    assert world.records(NOON, cells) == [GridMeasured(CREATOR.tenant, NOON, cells, FORMULA)]
    assert world.records(NOON + SAY_AGAIN - timedelta(seconds=1), cells) == []
    assert world.records(NOON - DAY, ()) == []
    (again,) = world.records(NOON + SAY_AGAIN, cells)
    assert again.measured_at == NOON + SAY_AGAIN
    assert [event.cells for event in world.records(NOON + 3 * DAY, ())] == [()]
    assert world.records(NOON + 9 * DAY, ()) == []


def test_only_the_system_measures() -> None:
    world = World()
    for actor in (CREATOR, BRAND):
        with pytest.raises(Fault, match=r"actor\.role_missing"):
            world.records(NOON, (), actor)
    with pytest.raises(Fault, match=r"grid\.of_another_creator"):
        world.execute(stream_id("grid", BRAND.tenant), RecordGrid(CREATOR.tenant, NOON, ()), SYSTEM)
    with pytest.raises(Fault, match=r"grid\.too_many_cells"):
        world.records(NOON, grid([video(shown(10))], NOON) * 26)


def test_a_creator_registers_its_own_post_once() -> None:
    world, post = World(), RegisterPost(CREATOR.tenant, Platform.WEIBO, Format.VIDEO, NOON - DAY)
    (made,) = world.registers(post, CREATOR)
    assert made == PostRegistered(
        post_id(CREATOR.tenant, "weibo", "7"), CREATOR.tenant, Platform.WEIBO, Format.VIDEO, NOON - DAY
    )
    assert world.registers(post, SYSTEM) == []
    with pytest.raises(Fault, match=r"post\.differs"):
        world.registers(replace(post, format=Format.STORY), CREATOR)
    other = Actor("eve", derived_id("test", "eve"), frozenset({"creator"}))
    with pytest.raises(Fault, match=r"post\.not_yours"):
        world.registers(post, other, "8")
    with pytest.raises(Fault, match=r"actor\.role_missing"):
        world.registers(post, BRAND, "8")


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), -timedelta(days=401)])
def test_a_post_of_no_possible_time_is_refused(ahead: timedelta) -> None:
    with pytest.raises(Fault, match=r"post\.published_out_of_range"):
        World().registers(RegisterPost(CREATOR.tenant, Platform.WEIBO, Format.VIDEO, NOON + ahead), CREATOR)


def test_platforms_and_formats_are_those_of_the_contract() -> None:
    assert tuple(Platform) == words(common.Platform)
    assert tuple(Format) == words(common.Format)
