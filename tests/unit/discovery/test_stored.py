"""Stored and published forms: golden bytes of every event ever stored stay readable, every event has one public message."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.common.v1 import common_pb2 as common
from dandelion.compliance.v1 import events_pb2 as compliance
from dandelion.discovery.v1 import commands_pb2 as commands
from dandelion.discovery.v1 import events_pb2 as pb
from dandelion.metrics.v1 import events_pb2 as metrics
from dandelion_contracts.events import EVENTS as PUBLIC
from dandelion_contracts.events import type_name
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.events import REFUSED_NAME, CommandRefused, Delivered
from kernel.core.faults import Invalid
from kernel.core.personal import Erased, ErasureAsked, ErasureDone
from kernel.streams.relay import PublicEvent
from services.discovery.codec import CODEC, EVENTS
from services.discovery.domain.commands import ReinstateCreator, SuspendCreator
from services.discovery.domain.contact.events import (
    AddressVerified,
    ConsentGiven,
    ConsentWithdrawn,
    ContactForgotten,
    ContactRead,
    MailCodeAsked,
    MailCodeMistaken,
    MailCodeUndelivered,
)
from services.discovery.domain.events import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    AudienceReported,
    AvailabilityChanged,
    CreatorForgotten,
    CreatorProfileChanged,
    CreatorRegistered,
    CreatorReinstated,
    CreatorSuspended,
    FollowersReported,
    PerformanceReported,
    RateCardChanged,
)
from services.discovery.domain.guardians.events import (
    GuardianConsented,
    GuardianConsentWithdrawn,
    OfferBarChanged,
    Relation,
)
from services.discovery.domain.match_weights.commands import Learning
from services.discovery.domain.match_weights.events import WeightsAdopted
from services.discovery.domain.match_weights.match_weights import OWN
from services.discovery.domain.profile import Availability, Gender
from services.discovery.domain.proofs.events import ProofAccepted, ProofAsked, ProofLookRequested, ProofMissed
from services.discovery.domain.rate_card import Format, FormatPrice, IndustryPrice, RateCard
from services.discovery.domain.saved_search.commands import ReportMatches
from services.discovery.publish import publish
from services.discovery.publish.authenticity import FORMS as JUDGEMENTS
from services.discovery.publish.creators import FORMS
from services.discovery.publish.saved_searches import FORMS as OF_SAVED
from services.discovery.subscribe import (
    READS,
    Applied,
    Briefed,
    Happened,
    Mark,
    Marked,
    Stage,
    Worked,
    decode,
    decode_command,
)
from tests.kit.forms import check_forms
from tests.unit.discovery import saved
from tests.unit.discovery.authenticity import judged
from tests.unit.discovery.given import AUDIENCE, DOUYIN, FIGURES, FOLLOWERS, ID, LATER, NOON, OTHER, PROFILE, RED
from tests.unit.discovery.media_kit import kits

BRIEF = campaigns.Brief(
    title="口红", objective="engagement", key_messages=["持久"], products=[campaigns.Product(name="红管")],
    formats=[common.FORMAT_VIDEO], currency="CNY",
)  # fmt: skip
GOLDEN = Path(__file__).parent / "golden"
FULL = replace(
    PROFILE, bio_revision="r2", contact_revision="r3", tags=("平价",), province="上海", birth_year=1995, agency_id=OTHER,
    gender=Gender.FEMALE, virtual_human=True, virtual_operator="Studio", examples=("https://a.example/1",),
)  # fmt: skip
CARD = RateCard(
    "CNY", (FormatPrice(Format.VIDEO, 300_000, (IndustryPrice("美妆", 350_000),), 320_000, LATER),), 1_500, (Format.STORY,)
)  # fmt: skip
REFUSED = CommandRefused(
    "c-1", "process-1", "SuspendCreator", "creator.not_registered", '{"limit":5,"soft":false,"by":null}'
)
SAMPLES: dict[str, Any] = {
    "creator.registered@2": CreatorRegistered(ID, PROFILE, (RED,)),
    "creator.profile_changed@2": CreatorProfileChanged(FULL),
    "creator.account_linked@2": AccountLinked(DOUYIN, "old"),
    "creator.account_renamed@2": AccountRenamed(DOUYIN, "old", taken_from=OTHER, taken_digest="d1"),
    "creator.account_identified@2": AccountIdentified(DOUYIN.platform, "MS4wLjABAAAA", "", ""),
    "creator.account_verified@2": AccountVerified(RED, "oauth"),
    "creator.rate_card_changed@1": RateCardChanged(CARD),
    "creator.audience_reported@1": AudienceReported(replace(AUDIENCE, active_bps=4_000)),
    "creator.followers_reported@1": FollowersReported(FOLLOWERS),
    "creator.performance_reported@1": PerformanceReported(FIGURES),
    "creator.availability_changed@1": AvailabilityChanged(Availability.OPEN, 3),
    "creator.suspended@1": CreatorSuspended("sanction.label", LATER, "process-1"),
    "creator.reinstated@1": CreatorReinstated("appeal"),
    "creator.forgotten@1": CreatorForgotten(),
    **judged.SAMPLES,
    "proof.asked@1": ProofAsked(ID, RED, "r4", NOON, LATER),
    "proof.look_requested@1": ProofLookRequested(ID, RED, 1, LATER),
    "proof.accepted@1": ProofAccepted(ID, RED.platform, 2),
    "proof.missed@1": ProofMissed(ID, RED.platform, 1, "proof.code_not_in_bio"),
    "contact.code_asked@1": MailCodeAsked("r5", "r6", NOON, LATER),
    "contact.code_undelivered@1": MailCodeUndelivered("r6", "mail.address_refused"),
    "contact.code_mistaken@1": MailCodeMistaken("r6"),
    "contact.address_verified@1": AddressVerified("r5"),
    "contact.consent_given@1": ConsentGiven("contact_shown", "2026-12-01"),
    "contact.consent_withdrawn@1": ConsentWithdrawn("contact_shown"),
    "contact.read@1": ContactRead(1, OTHER, "bella", "contact_shown", "a campaign", LATER),
    "contact.forgotten@1": ContactForgotten(),
    "creator.guardian_consented@1": GuardianConsented("林国强", Relation.FATHER, "0f" * 32, "2026-12-01", NOON),
    "creator.guardian_consent_withdrawn@1": GuardianConsentWithdrawn(),
    "creator.offer_bar_changed@1": OfferBarChanged(True),
    **kits.SAMPLES,
    "weights.adopted@1": WeightsAdopted(1, OWN, "learned", "olga", Learning(40, 900, 20, 930_000, 880_000, 410_000), 0),
    **saved.SAMPLES,
    "erasure.asked@1": ErasureAsked(ID),
    "erasure.done@1": ErasureDone(ID),
    REFUSED_NAME: REFUSED,
}
OF_THE_HOUSE = ("erasure.", "proof.", "contact.", "creator.guardian_", "kit.", "weights.", "shortlist.")
PRIVATE = {name for name in SAMPLES if name.startswith(OF_THE_HOUSE)}
OF_SEARCHES = {name for name in SAMPLES if name.startswith("search.")}


def test_every_stored_name_has_a_sample_and_a_golden_file() -> None:
    assert SAMPLES.keys() == EVENTS.keys()
    assert {path.stem for path in GOLDEN.glob("*.json")} >= SAMPLES.keys()


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_stored_is_read_and_stored_the_same(name: str) -> None:
    data = (GOLDEN / f"{name}.json").read_bytes().rstrip(b"\n")
    assert CODEC.decode(name, data) == SAMPLES[name]
    assert CODEC.encode(SAMPLES[name]) == (name, data)


def test_a_rename_of_before_took_its_handle_from_nobody_known() -> None:
    name = "creator.account_renamed@2"
    data = (GOLDEN / "0.1.0" / f"{name}.json").read_bytes()
    assert CODEC.decode(name, data) == AccountRenamed(DOUYIN, "old")


def published(event: object) -> Sequence[Any]:
    return publish(Delivered("discovery", "s@1", f"creator-{ID}", 1, 1, ID, NOON, event))


def message_of(name: str) -> Any:
    announced = published(SAMPLES[name])[0]
    assert isinstance(announced, PublicEvent)
    message = PUBLIC[announced.type]()
    message.ParseFromString(announced.value)
    return message


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - PRIVATE - {REFUSED_NAME}))
def test_every_event_has_one_public_message_that_names_its_creator_or_search(name: str) -> None:
    message = message_of(name)
    assert ID in (message.search_id if name in OF_SEARCHES else message.creator_id)


def test_no_public_form_is_forgotten() -> None:
    public = (kind for name, kind in EVENTS.items() if name not in {*PRIVATE, REFUSED_NAME})
    check_forms(FORMS | JUDGEMENTS | OF_SAVED, *public)


@pytest.mark.parametrize("name", sorted(PRIVATE))
def test_erasures_proofs_contacts_and_addresses_are_private(name: str) -> None:
    assert published(SAMPLES[name]) == []


def test_every_public_event_of_discovery_is_made_from_a_stored_one() -> None:
    made = {message_of(name).DESCRIPTOR.full_name for name in SAMPLES.keys() - PRIVATE}
    assert made == {name for name in PUBLIC if name.startswith("dandelion.discovery.")}


def test_a_published_profile_has_revisions_and_nothing_personal() -> None:
    profile = message_of("creator.profile_changed@2").profile
    assert {one.field: one.revision for one in profile.personal} == {"display_name": "r1", "bio": "r2", "contact": "r3"}
    assert (profile.location.country, profile.categories, profile.agency_id) == ("CN", ["美妆/口红"], OTHER)
    assert profile.gender == pb.GENDER_UNDISCLOSED
    told = {field.name for field, _ in profile.ListFields()}
    assert told == {"categories", "languages", "location", "gender", "agency_id", "virtual_human", "personal"}


def test_no_public_event_names_an_account() -> None:
    for name in ("registered", "account_linked", "account_renamed", "account_identified", "account_verified"):
        published_bytes = message_of(f"creator.{name}@2").SerializeToString()
        assert not [
            word for word in ("lin.mei", "linmei_dy", "old", "MS4wLjABAAAA") if word.encode() in published_bytes
        ]


def test_a_published_rate_card_has_next_prices_industries_and_closed_formats() -> None:
    card = message_of("creator.rate_card_changed@1")
    video, story = card.rates
    assert (video.price_minor, video.next_price_minor, video.closed) == (300_000, 320_000, False)
    assert [(one.industry, one.price_minor) for one in video.industry_prices] == [("美妆", 350_000)]
    assert (story.format, story.price_minor, story.closed) == (common.FORMAT_STORY, 0, True)
    assert video.next_from.ToDatetime(tzinfo=LATER.tzinfo) == LATER


def test_a_published_audience_names_its_dimensions() -> None:
    audience = message_of("creator.audience_reported@1")
    shares = {(one.dimension, one.value): one.share_bps for one in audience.shares}
    assert shares["gender", "female"] == 7_200
    assert shares["age_band", "18-24"] == 5_000
    assert (audience.population, audience.active_bps) == (pb.POPULATION_FOLLOWERS, 4_000)


def test_a_refusal_tells_code_and_facts() -> None:
    message = message_of(REFUSED_NAME)
    assert (message.command_id, message.requester, message.code) == ("c-1", "process-1", "creator.not_registered")
    assert {fact.name: fact.value for fact in message.facts} == {"limit": "5", "soft": "false", "by": ""}


IDS: dict[str, Any] = {"campaign_id": OTHER, "brand_id": OTHER, "creator_id": ID}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (campaigns.CreatorInvited(application_id=OTHER, **IDS), Applied(OTHER, OTHER, OTHER, ID, Stage.INVITED)),
        (
            campaigns.ApplicationExpired(application_id=OTHER, **IDS),
            Applied(OTHER, OTHER, OTHER, ID, Stage.ENDED, "clock"),
        ),
        (campaigns.CollaborationSettled(collaboration_id=OTHER, **IDS), Worked(OTHER, OTHER, OTHER, ID, Stage.SETTLED)),
        (
            compliance.ReviewCompleted(review_id="r", creator_id=ID, findings=[compliance.Finding()] * 2),
            Marked(Mark.FINDINGS, "r", ID, 2),
        ),
        (compliance.DisclosureMissing(look_id="l", creator_id=ID), Marked(Mark.DISCLOSURES_MISSING, "l", ID, 1)),
        (compliance.SubjectErased(subject_id=ID), Erased(ID)),
        (metrics.ConversionRecorded(order_id="o", creator_id=ID), Marked(Mark.ORDERS, "o", ID, 1)),
        (metrics.ConversionRecorded(order_id="o"), None),
        (metrics.ConversionReversed(order_id="o", creator_id=ID, complete=True), Marked(Mark.ORDERS, "o", ID, 0)),
        (metrics.ConversionReversed(order_id="o", creator_id=ID), None),
        (campaigns.DisputeOpened(collaboration_id=OTHER, **IDS), Happened("dispute", OTHER, ID, None)),
        (campaigns.DeliverableLapsed(reason="content.ruled_against", **IDS), None),
        (
            campaigns.BriefPublished(campaign_id=OTHER, brief=BRIEF),
            Briefed(OTHER, "口红 持久 红管", "engagements", "video", "CNY"),
        ),
        (campaigns.BriefAmended(campaign_id=OTHER), Briefed(OTHER, "", "", "", "")),
        (campaigns.CampaignDrafted(campaign_id=OTHER), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_others_events_become_what_discovery_needs_of_them(message: Message, expected: object) -> None:
    assert decode(message.DESCRIPTOR.full_name, message.SerializeToString()) == expected


@given(st.sampled_from(sorted(map(type_name, READS))), st.binary(max_size=60))
def test_bytes_of_any_kind_are_read_or_refused_with_a_typed_error(kind: str, data: bytes) -> None:
    try:
        decode(kind, data)
    except (ValueError, Invalid):
        return


def test_commands_of_others_name_their_stream() -> None:
    until = Timestamp()
    until.FromDatetime(LATER)
    asked = commands.SuspendCreator(creator_id=ID, reason="sanction.label", until=until, requester="process-1")
    kind = asked.DESCRIPTOR.full_name
    expected = (f"creator-{ID}", SuspendCreator("sanction.label", LATER, "process-1"))
    assert decode_command(kind, asked.SerializeToString()) == expected
    ended = commands.ReinstateCreator(creator_id=ID, reason="appeal")
    assert decode_command(ended.DESCRIPTOR.full_name, ended.SerializeToString()) == (
        f"creator-{ID}",
        ReinstateCreator("appeal"),
    )
    found = commands.ReportSavedSearchMatches(search_id=ID, revision=2, creator_ids=[OTHER], total=5)
    reported = decode_command(found.DESCRIPTOR.full_name, found.SerializeToString())
    assert reported == (f"search-{ID}", ReportMatches(2, (OTHER,), 5))
    assert decode_command("dandelion.discovery.v1.Nothing", b"") is None
    with pytest.raises(ValueError, match="SuspendCreator"):
        decode_command(kind, b"\xff")
