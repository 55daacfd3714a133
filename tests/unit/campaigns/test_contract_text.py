"""The contract as text: every term of the record stands in it, in both languages, with the amounts that are decided later."""

import re
from dataclasses import fields, replace
from string import Formatter

import pytest

from kernel.core.canonical import Hashed
from kernel.core.faults import Invalid
from services.campaigns.domain.contract_text.amounts import Amount
from services.campaigns.domain.contract_text.clauses import LANGUAGES, Clause, written_out
from services.campaigns.domain.contract_text.saying import Saying, percent
from services.campaigns.domain.shared.brief import CampaignType, Format, Jurisdiction, Objective, Platform
from services.campaigns.domain.shared.compensation import Compensation, CompensationKind
from services.campaigns.domain.shared.terms import Clocks, Ladder, LadderStage, Terms
from services.campaigns.domain.shared.usual import unusual_terms
from tests.kit.campaigns import SERUM, SPEC, brief, contract

WHOLE = brief(
    deliverables=(replace(SPEC, outline_required=True, occurrences=2, every_s=86_400),),
    products=(SERUM, replace(SERUM, product_id="sku-2", name="Cream", shipped=False)),
    key_messages=("Mild {care}",), must=("Show the box",), must_not=("The best",), exclusivity_days=30,
)  # fmt: skip
TERMS = Terms(creator_fee_bps=500, claw_back_bps=2_500, ladder=Ladder(0, 1_250, 5_000, 10_000))
DOCUMENT = Hashed.of(contract((80_000, 70_000), WHOLE, TERMS))
SAID_NOWHERE = {"verify_s", "invitation_expiry_s", "payment_retry_s"}
"""Clocks that bind neither party once a contract stands."""


def whole(language: str) -> str:
    title, clauses = written_out(DOCUMENT, language)
    return "\n".join([title, *(line for one in clauses for line in (one.title, *one.paragraphs))])


def clause(name: str, document: Hashed = DOCUMENT, language: str = "en") -> Clause:  # type: ignore[type-arg]
    (found,) = (one for one in written_out(document, language)[1] if one.clause_id == name)
    return found


def test_both_languages_have_the_same_phrases_with_the_same_facts() -> None:
    def facts(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    zh, en = LANGUAGES["zh"], LANGUAGES["en"]
    assert zh.keys() == en.keys()
    assert {key: facts(text) for key, text in zh.items()} == {key: facts(text) for key, text in en.items()}
    cjk = re.compile("[一-鿿]")
    assert not [key for key, text in en.items() if cjk.search(text)]
    names = {"title", *(f"word/{one}" for one in ("tiktok", "instagram", "youtube"))}
    assert not [
        key
        for key, text in zh.items()
        if not cjk.search(text) and key not in names | {"work/item", "cancellation/rung"}
    ]


@pytest.mark.parametrize("kind", [Platform, Format, Objective, Jurisdiction, LadderStage])
def test_every_value_that_a_record_may_have_has_a_word(kind: type) -> None:
    for words in LANGUAGES.values():
        assert [one for one in kind if f"word/{one}" not in words] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fact_of_the_record_is_said(language: str) -> None:
    text = whole(language)
    for said in (
        "Mild {care}",
        "Show the box",
        "The best",
        "Cream",
        "2026-03-01",
        "2026-05-01",
        DOCUMENT.sha256,
        "12.5%",
    ):
        assert said in text, said
    assert "165,000" not in text
    assert "1,650.00 CNY" in text, "800 and 700, and a tenth on top"


def test_every_clock_and_share_stands_in_a_clause() -> None:
    """A term that is not as usual can be marked where it is read."""
    stated = {term for one in written_out(DOCUMENT, "en")[1] for term in one.terms}
    assert {field.name for field in fields(Clocks)} - SAID_NOWHERE <= stated
    odd = replace(TERMS, max_revisions=0, clocks=replace(Clocks(), draft_s=1, protection_s=700 * 86_400))
    assert {one.term for one in unusual_terms(odd, WHOLE)} <= stated


def test_the_amounts_are_those_of_the_record() -> None:
    first, second = (one.deliverable_id for one in DOCUMENT.value.deliverables)
    assert [one for one in clause("price").amounts if one.deliverable_id in (first, "")] == [
        Amount("fee", first, 80_000),
        Amount("brand_fee", first, 8_000, 1_000),
        Amount("creator_fee", first, 4_000, 500),
        Amount("creator_gets", first, 76_000),
        Amount("escrow", "", 165_000),
    ]
    assert [(one.stage, one.amount_minor) for one in clause("cancellation").amounts if one.deliverable_id == second] == [
        ("before_outline", 0), ("after_outline", 8_750), ("after_draft", 35_000), ("after_feedback", 70_000),
    ]  # fmt: skip
    assert [one.amount_minor for one in clause("protection").amounts] == [19_000, 16_625]


def test_what_is_not_agreed_is_not_said() -> None:
    gift = brief(
        campaign_type=CampaignType.SEEDING, compensation=Compensation(CompensationKind.GIFT), products=(SERUM,)
    )
    document = Hashed.of(contract((0,), gift))
    ids = [one.clause_id for one in written_out(document, "zh")[1]]
    assert "funding" not in ids
    assert clause("price", document).paragraphs == ("No money is paid: the product is the pay.",)
    plain = Hashed.of(contract())
    assert "products" not in [one.clause_id for one in written_out(plain, "")[1]]
    assert clause("protection", plain).amounts == ()


def test_the_text_changes_with_the_record_alone() -> None:
    assert whole("en") == whole("en")
    other = Hashed.of(contract((80_000, 70_000), WHOLE, replace(TERMS, max_revisions=1)))
    assert written_out(other, "en") != written_out(DOCUMENT, "en")


def test_another_language_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        written_out(DOCUMENT, "fr")
    assert (refused.value.code, refused.value.facts["expected"]) == ("contract.language_unknown", "zh or en")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (86_400, "1 day"),
        (172_800, "2 days"),
        (90_000, "25 hours"),
        (3_600, "1 hour"),
        (90, "90 seconds"),
        (60, "1 minute"),
    ],
)
def test_a_duration_is_said_in_the_largest_unit_that_divides_it(seconds: int, said: str) -> None:
    saying = Saying({**LANGUAGES["en"], "x": "{time_s}"}, "CNY")
    assert saying.say("x", time_s=seconds) == said


@pytest.mark.parametrize(
    ("basis_points", "said"), [(0, "0"), (250, "2.5"), (1_000, "10"), (1, "0.01"), (10_000, "100")]
)
def test_a_share_is_said_in_per_cent(basis_points: int, said: str) -> None:
    assert percent(basis_points) == said
