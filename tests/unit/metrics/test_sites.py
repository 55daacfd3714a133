"""Sites: claimed by a brand, proven by a look, looked at again by a clock, and lost when the proof is gone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kernel.core.decider import Actor
from kernel.core.faults import Fault
from kernel.core.ids import derived_id
from services.metrics.domain.link.link import LINK, IssueLink, LinkIssued
from services.metrics.domain.site.events import (
    Outcome,
    SiteLooked,
    SiteLookRequested,
    SiteStatus,
    site_id_of,
    site_stream,
)
from services.metrics.domain.site.hosts import above, checked_host
from services.metrics.domain.site.site import (
    AGAIN,
    PATIENCE,
    PENDING,
    SILENCE,
    SOON,
    WAITS,
    AskLook,
    ClaimSite,
    LookAtSite,
    RecordSite,
    SiteCount,
)
from services.metrics.wiring import SERVICE
from tests.kit import decide
from tests.unit.metrics.given import BLUE, BRAND, CREATOR, NOON, PLACE, RED, RIVAL, SYSTEM, check, site_rows

HOST = "shop.example"
SITE_ID = site_id_of(RED, HOST)
STREAM = site_stream(RED, HOST)
FOUND, ABSENT, SILENT = Outcome.DOMAIN, Outcome.ABSENT, Outcome.UNANSWERED


class World(decide.World):
    """One site of a brand under the real writer, with a clock in the hand."""

    def __init__(self) -> None:
        super().__init__(SERVICE, NOON, {})

    def do(self, command: Any, actor: Actor = SYSTEM) -> list[Any]:
        return self.execute(STREAM, command, actor)

    def claim(self, host: str = HOST) -> list[Any]:
        return self.do(ClaimSite(RED, host), BRAND)

    def look(self, outcome: Outcome, why: str = "") -> SiteLooked:
        """The look that is due or was asked for, carried out; what it found."""
        ordinal = max(one.event.ordinal for one in self.events if isinstance(one.event, SiteLookRequested))
        looked: SiteLooked
        (looked,) = self.do(RecordSite(ordinal, outcome, why))
        return looked

    def clock(self) -> datetime | None:
        rows = [row for row in self.table("deadlines").values() if row.stream == STREAM]
        return rows[0].due_at if rows else None

    def next(self, outcome: Outcome) -> SiteLooked:
        """The clock's next look, and what it found."""
        due = self.clock()
        assert due is not None
        self.at = due
        ordinal = max(one.event.ordinal for one in self.events if isinstance(one.event, SiteLooked))
        assert self.do(LookAtSite(ordinal + 1))
        return self.look(outcome)


def test_a_claim_asks_for_a_look_and_a_repeat_for_none() -> None:
    world = World()
    claimed, asked = world.claim()
    assert (claimed.site_id, claimed.brand_id, claimed.host) == (SITE_ID, RED, HOST)
    assert (asked.ordinal, asked.asked, asked.requested_at) == (1, False, NOON)
    assert world.claim("SHOP.example.") == []


@pytest.mark.parametrize(
    ("actor", "command", "code"),
    [
        (RIVAL, ClaimSite(RED, HOST), "site.not_a_party"),
        (CREATOR, ClaimSite(RED, HOST), "site.not_a_party"),
        (BRAND, ClaimSite(RED, "other.example"), "site.wrong_stream"),
        (BRAND, AskLook(HOST), "site.not_found"),
        (BRAND, LookAtSite(1), "actor.role_missing"),
        (BRAND, RecordSite(1, FOUND), "actor.role_missing"),
    ],
)
def test_who_may_not(actor: Actor, command: Any, code: str) -> None:
    assert World().tried(STREAM, command, actor) == code


def test_a_brand_has_so_many_sites() -> None:
    rows: Any = {("site_counts", (RED,)): SiteCount(RED, 3)}
    decide.check(SERVICE, [], ClaimSite(RED, HOST, 3), "site.limit_reached", at=NOON, actor=BRAND, stream=STREAM,
                 rows=rows, tenant=RED)  # fmt: skip


@pytest.mark.parametrize(
    "host",
    ["", "shop", "localhost", "a..b", "-a.example", "shop.example/x", "127.0.0.1", "0x7f.1", "1.2.3.4.", "[::1]", "a b.example",
     "店.example", "a_b.example", "x" * 64 + ".example", ".".join(["a"] * 11), "shop.example:443", "user@shop.example"],
)  # fmt: skip
def test_what_is_no_host_is_not_claimed(host: str) -> None:
    assert World().tried(STREAM, ClaimSite(RED, host), BRAND) == "site.host_malformed"


def test_names_are_kept_in_one_form_and_walked_upwards() -> None:
    assert checked_host("Shop.Example.") == HOST
    assert list(above("a.b.shop.example")) == ["a.b.shop.example", "b.shop.example", "shop.example"]
    assert list(above("example")) == []
    assert list(above(".".join(["a"] * 50))) == []


@pytest.mark.parametrize("outcome", [Outcome.DOMAIN, Outcome.HOST])
def test_a_proof_is_seen_and_looked_for_again_the_next_day(outcome: Outcome) -> None:
    world = World()
    world.claim()
    looked = world.look(outcome)
    assert (looked.status, looked.covers, looked.next_look_at) == (SiteStatus.PROVEN, outcome.value, NOON + AGAIN)
    assert world.row("site_claims", RED, HOST).status == "proven"
    assert world.do(RecordSite(1, ABSENT)) == [], "one look has one answer"
    again = world.next(outcome)
    assert (again.status, again.looked_at) == (SiteStatus.PROVEN, NOON + AGAIN)


def test_one_answer_without_the_proof_is_forgiven_and_two_are_not() -> None:
    world = World()
    world.claim()
    world.look(FOUND)
    assert (world.next(ABSENT).status, world.clock()) == (SiteStatus.PROVEN, world.at + SOON)
    assert world.next(FOUND).status is SiteStatus.PROVEN
    world.next(ABSENT)
    lost = world.next(ABSENT)
    assert (lost.status, lost.covers) == (SiteStatus.LOST, "")
    assert world.next(FOUND).status is SiteStatus.PROVEN, "what comes back counts again"


def test_a_silent_host_keeps_what_it_has_proven_for_a_week() -> None:
    world = World()
    world.claim()
    world.look(FOUND)
    since = world.at
    while (looked := world.next(SILENT)).status is SiteStatus.PROVEN:
        assert world.at < since + SILENCE
    assert looked.status is SiteStatus.LOST
    assert world.at >= since + SILENCE


def test_a_claim_without_a_proof_is_looked_at_ever_less_often_and_then_no_more() -> None:
    world = World()
    world.claim()
    world.look(ABSENT, "site.no_record")
    waits = []
    while (due := world.clock()) is not None:
        waits.append(due - world.at)
        world.next(ABSENT)
    assert tuple(waits[: len(WAITS)]) == WAITS
    assert set(waits[len(WAITS) :]) == {AGAIN}
    assert world.at >= NOON + PATIENCE
    assert world.do(AskLook(HOST), BRAND)
    assert world.look(FOUND).status is SiteStatus.PROVEN


def test_a_brand_asks_for_a_look_once_a_minute_and_not_for_two_at_once() -> None:
    world = World()
    world.claim()
    assert world.do(AskLook(HOST), BRAND) == [], "the first look is under way"
    world.look(ABSENT)
    (asked,) = world.do(AskLook(HOST), BRAND)
    assert (asked.ordinal, asked.asked) == (2, True)
    world.look(ABSENT)
    assert world.tried(STREAM, AskLook(HOST), BRAND) == "site.looked_just_now"
    world.at += timedelta(minutes=1)
    assert world.do(AskLook(HOST), BRAND)
    world.at += PENDING
    assert world.do(AskLook(HOST), BRAND), "a look that never came back holds up nobody"
    assert world.tried(STREAM, AskLook(HOST), RIVAL) == "site.not_found"


ISSUE = IssueLink(RED, PLACE, "https://shop.example/lipstick?sku=7", "spring-7")


def issues(url: str, rows: Any) -> str:
    link_id = derived_id("test", "link")
    command = replace(ISSUE, target_url=url)
    code: str | Sequence[object] = [LinkIssued(link_id, RED, PLACE, url, "spring-7")]
    try:
        check(LINK, [], command, code, id=link_id, rows=rows)
    except Fault as fault:
        return fault.code
    return ""


@pytest.mark.parametrize(
    ("url", "status", "covers", "code"),
    [
        ("https://shop.example/x", "proven", "host", ""),
        ("https://SHOP.example./x", "proven", "host", ""),
        ("https://shop.example:8443/x", "proven", "host", ""),
        ("https://a.shop.example/x", "proven", "domain", ""),
        ("https://a.b.shop.example/x", "proven", "domain", ""),
        ("https://a.shop.example/x", "proven", "host", "link.site_not_proven"),
        ("https://shop.example/x", "claimed", "", "link.site_not_proven"),
        ("https://shop.example/x", "lost", "", "link.site_not_proven"),
        ("https://evilshop.example/x", "proven", "domain", "link.site_not_proven"),
        ("https://shop.example.evil.test/x", "proven", "domain", "link.site_not_proven"),
        ("https://example/x", "proven", "domain", "link.site_not_proven"),
        ("https://evil.test%2f.shop.example/x", "proven", "domain", "link.url_not_allowed"),
        ("https://evil.test/.shop.example", "proven", "domain", "link.site_not_proven"),
        ("https://evil.test?.shop.example", "proven", "domain", "link.site_not_proven"),
        ("https://evil.test#.shop.example", "proven", "domain", "link.site_not_proven"),
        ("https://127.0.0.1/x", "proven", "domain", "link.site_not_proven"),
    ],
)
def test_a_link_leads_to_what_its_brand_has_proven(url: str, status: str, covers: str, code: str) -> None:
    assert issues(url, site_rows(HOST, status, covers)) == code
    assert issues(url, site_rows(HOST, status, covers, BLUE)) != ""


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://www.xiaohongshu.com/explore/64f0c0de0000000012345678?source=share", ""),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", ""),
        ("https://youtu.be/dQw4w9WgXcQ", ""),
        ("https://www.tiktok.com/@acme.shop/video/7123456789012345678", ""),
        ("https://www.instagram.com/reel/C0ffee12345/", ""),
        ("https://www.youtube.com/redirect?q=https://evil.test", "link.site_not_proven"),
        ("https://www.youtube.com/watch/../redirect?q=https://evil.test", "link.site_not_proven"),
        ("https://l.instagram.com/?u=https://evil.test", "link.site_not_proven"),
        ("https://www.instagram.com/acme", "link.site_not_proven"),
        ("https://www.youtube.com.evil.test/watch?v=dQw4w9WgXcQ", "link.site_not_proven"),
        ("https://www.youtube.com:444/watch?v=dQw4w9WgXcQ", "link.site_not_proven"),
    ],
)
def test_a_link_leads_to_a_post_of_a_known_platform_and_to_no_other_page_of_it(url: str, code: str) -> None:
    assert issues(url, None) == code


def test_a_link_that_stands_is_repeated_though_the_proof_is_gone() -> None:
    link_id = derived_id("test", "link")
    issued = LinkIssued(link_id, RED, PLACE, ISSUE.target_url, "spring-7")
    check(LINK, [issued], ISSUE, [], id=link_id, rows=site_rows(HOST, "lost", ""))
