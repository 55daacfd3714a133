"""Given events, when a command, then events or a fault's code: every decision is repeated and must then be silent."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from kernel.core.decider import Actor, DecidedEvent, GivenRows
from services.discovery.domain.audience import Audience, AudienceKind, Share
from services.discovery.domain.checks import Provenance
from services.discovery.domain.commands import Command
from services.discovery.domain.creator import CREATOR
from services.discovery.domain.erasure import ForgottenRow
from services.discovery.domain.events import CreatorRegistered, Event
from services.discovery.domain.figures import Followers, Performance
from services.discovery.domain.handles import VERIFIED, VerifiedRow
from services.discovery.domain.profile import Account, Platform, Profile
from services.discovery.domain.rate_card import Format, FormatPrice, RateCard
from services.discovery.domain.state import State
from services.discovery.wiring import SERVICE
from tests.kit import decide
from tests.kit.decide import RowKey

ID = "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4e5f"
STREAM = f"creator-{ID}"
OTHER = "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4e60"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = datetime(2026, 2, 1, tzinfo=UTC)
LATER = datetime(2026, 4, 1, tzinfo=UTC)

CREATOR_ACTOR = Actor("person-1", ID, frozenset({"creator"}))
STRANGER = Actor("person-2", OTHER, frozenset({"creator"}))
BRAND = Actor("person-3", "brand-1", frozenset({"brand"}))
OPERATOR = Actor("person-4", "platform", frozenset({"operator"}))
SYSTEM = Actor("compliance", "platform", frozenset({"system"}))

PROFILE = Profile("r1", categories=("美妆/口红",), languages=("zh",), country="CN", city="上海")
RED = Account(Platform.XIAOHONGSHU, "lin.mei")
DOUYIN = Account(Platform.DOUYIN, "linmei_dy")
REGISTERED = CreatorRegistered(ID, PROFILE, (RED,))
CARD = RateCard("CNY", (FormatPrice(Format.IMAGE_NOTE, 120_000), FormatPrice(Format.VIDEO, 300_000)))
FOLLOWERS = Followers(Platform.XIAOHONGSHU, 48_000, Provenance.MANUAL, BEFORE)
AUDIENCE = Audience(
    AudienceKind.FOLLOWERS,
    Provenance.MANUAL,
    1_000,
    BEFORE,
    gender=(Share("female", 7_200), Share("male", 2_800)),
    ages=(Share("18-24", 5_000), Share("25-34", 3_000)),
)
FIGURES = Performance(Format.VIDEO, 30, 20_000, 12_000, 900, Provenance.MANUAL, BEFORE)


def fold(given: Sequence[Event]) -> State:
    state = CREATOR.initial
    for event in given:
        state = CREATOR.evolve(state, event)
    return state


def handles(given: Sequence[Event], taken: Sequence[VerifiedRow] = ()) -> dict[RowKey, VerifiedRow | None]:
    """The table of verified handles after the given events of stream `ID`, beside those that others were verified for."""
    rows: dict[RowKey, VerifiedRow | None] = {(VERIFIED.name, (row.platform, row.handle)): row for row in taken}
    for version, event in enumerate(given, start=1):
        if isinstance(event, VERIFIED.events):
            for key, row in VERIFIED.fold(DecidedEvent(STREAM, ID, version, NOON, event), GivenRows(rows)):
                rows[VERIFIED.name, key] = row
    return rows


def check(
    given: Sequence[Event],
    when: Command,
    then: Sequence[Event] | str,
    actor: Actor = CREATOR_ACTOR,
    taken: Sequence[VerifiedRow] = (),
    forgotten: Sequence[str] = (),
) -> None:
    """One row of the table."""
    rows: dict[RowKey, Any] = {
        **handles(given, taken),
        **{("forgotten", (one,)): ForgottenRow(one) for one in forgotten},
    }
    decide.check(SERVICE, given, when, then, at=NOON, actor=actor, stream=STREAM, rows=rows)
