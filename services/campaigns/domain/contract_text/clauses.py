"""The clauses of a contract in their order, each from its phrases in a language and the facts of the record."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kernel.core.canonical import Hashed
from kernel.core.faults import Invalid
from services.campaigns.domain.contract_text import en, zh
from services.campaigns.domain.contract_text.amounts import Amount, claw_backs, prices, rungs
from services.campaigns.domain.contract_text.saying import Saying
from services.campaigns.domain.shared.brief import local_day
from services.campaigns.domain.shared.contract import Contract, DeliverableTerms
from services.campaigns.domain.shared.terms import LadderStage, ladder_share

TEXT_VERSION = "contract-text@1"
"""The form of the text; a change of any phrase is another form."""
LANGUAGES: Mapping[str, Mapping[str, str]] = MappingProxyType({"zh": zh.WORDS, "en": en.WORDS})
DEFAULT_LANGUAGE = "zh"
Lines = Iterator[str]


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause as it is read. `terms` are the fields of Terms and Brief that it states, `amounts` what it comes to."""

    clause_id: str
    title: str
    paragraphs: tuple[str, ...]
    terms: tuple[str, ...]
    amounts: tuple[Amount, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """How a clause is made: its paragraphs (none: it is left out), the terms it states, its amounts."""

    lines: Callable[[Contract, Saying], Lines]
    terms: tuple[str, ...] = ()
    amounts: Callable[[Contract], Iterable[Amount]] = lambda _contract: ()


def written_out(document: Hashed[Contract], language: str) -> tuple[str, tuple[Clause, ...]]:
    """Title and clauses of a contract in `language`, "zh" or "en"; empty: "zh". Raises Invalid `contract.language_unknown`."""
    words = LANGUAGES.get(language or DEFAULT_LANGUAGE)
    if words is None:
        raise Invalid("contract.language_unknown", field="language", expected=" or ".join(LANGUAGES))
    saying = Saying(words, document.value.currency)
    made = (_clause(clause_id, part, document.value, saying) for clause_id, part in PARTS.items())
    clauses = [*(one for one in made if one.paragraphs), _record(document, saying)]
    return saying.say("title", title=document.value.brief.value.title), tuple(clauses)


def _clause(clause_id: str, part: _Part, contract: Contract, saying: Saying) -> Clause:
    lines, amounts = tuple(part.lines(contract, saying)), tuple(part.amounts(contract))
    return Clause(clause_id, saying.say(clause_id), lines, part.terms, amounts)


def _record(document: Hashed[Contract], saying: Saying) -> Clause:
    """The seal covers all of the record, so no line of the record states it."""
    sealed = saying.say("record/sealed", brief_version=document.value.brief_version, terms_hash=document.sha256)
    return Clause("record", saying.say("record"), (sealed, saying.say("record/amended")), (), ())


def _parties(contract: Contract, saying: Saying) -> Lines:
    brief = contract.brief.value
    yield saying.say("parties/brand", brand_id=contract.brand_id)
    yield saying.say("parties/creator", creator_id=contract.creator_id)
    yield saying.say("parties/campaign", title=brief.title, objective=brief.objective)
    yield saying.say("parties/law", jurisdiction=brief.jurisdiction)


def _work(contract: Contract, saying: Saying) -> Lines:
    brief = contract.brief.value
    yield from (_item(one, saying) for one in contract.deliverables)
    yield saying.say("work/freedom", freedom=brief.creative_freedom)
    for key, texts in (("key_message", brief.key_messages), ("must", brief.must), ("must_not", brief.must_not)):
        yield from (saying.say(f"work/{key}", text=text) for text in texts)


def _item(one: DeliverableTerms, saying: Saying) -> str:
    said = saying.say("work/item", ordinal=one.ordinal, platform=one.platform, format=one.format)
    outline = saying.say("work/outline") if one.outline_required else ""
    later = saying.say("work/later", starts_after_s=one.starts_after_s) if one.starts_after_s else ""
    return said + outline + later


def _products(contract: Contract, saying: Saying) -> Lines:
    for one in contract.brief.value.products:
        key = "products/sent" if one.shipped else "products/kept"
        yield saying.say(key, name=one.name, value_minor=one.value_minor)
    if contract.ships:
        yield saying.say("products/clock", product_s=contract.terms.value.clocks.product_s)


def _price(contract: Contract, saying: Saying) -> Lines:
    terms = contract.terms.value
    if not contract.escrow_minor:
        yield saying.say("price/gift")
        return
    for one in contract.deliverables:
        costs = {"fee_minor": one.fee_minor, "brand_fee_minor": one.brand_fee_minor}
        yield saying.say("price/fee", ordinal=one.ordinal, brand_fee_bps=terms.brand_fee_bps, **costs)
    yield saying.say("price/total", escrow_minor=contract.escrow_minor)
    yield saying.say("price/creator_fee", creator_fee_bps=terms.creator_fee_bps)
    yield saying.say("price/policy", fee_policy=terms.fee_policy)


def _funding(contract: Contract, saying: Saying) -> Lines:
    if contract.escrow_minor:
        yield saying.say("funding/clock", funding_s=contract.terms.value.clocks.funding_s)


def _review(contract: Contract, saying: Saying) -> Lines:
    terms = contract.terms.value
    clocks = terms.clocks
    yield saying.say("review/draft", draft_s=clocks.draft_s)
    yield saying.say("review/compliance", compliance_s=clocks.compliance_s)
    brand = {"brand_review_s": clocks.brand_review_s, "review_reminder_s": clocks.review_reminder_s}
    yield saying.say("review/brand", **brand)
    yield saying.say("review/revisions", max_revisions=terms.max_revisions, revision_s=clocks.revision_s)
    yield saying.say("review/ruling", ruling_s=clocks.ruling_s)


def _publication(contract: Contract, saying: Saying) -> Lines:
    brief, clocks = contract.brief.value, contract.terms.value.clocks
    window = {"first": local_day(brief, brief.posting_from), "last": local_day(brief, brief.posting_until)}
    yield saying.say("publication/window", timezone=brief.timezone, **window)
    grace = {"publish_s": clocks.publish_s, "publish_grace_s": clocks.publish_grace_s}
    yield saying.say("publication/clock", **grace)


def _payment(contract: Contract, saying: Saying) -> Lines:
    clocks = contract.terms.value.clocks
    yield saying.say("payment/look", live_check_after_s=clocks.live_check_after_s)
    yield saying.say("payment/paid", settlement_delay_s=clocks.settlement_delay_s)


def _protection(contract: Contract, saying: Saying) -> Lines:
    terms = contract.terms.value
    yield saying.say("protection/stays", protection_s=terms.clocks.protection_s)
    yield saying.say("protection/cure", cure_s=terms.clocks.cure_s)
    if terms.claw_back_bps:
        yield saying.say("protection/claw_back", claw_back_bps=terms.claw_back_bps)
    else:
        yield saying.say("protection/dispute")


def _rights(contract: Contract, saying: Saying) -> Lines:
    brief = contract.brief.value
    yield saying.say("rights/usage", usage_days=brief.usage_days)
    if brief.exclusivity_days:
        yield saying.say("rights/exclusive", exclusivity_days=brief.exclusivity_days)
    else:
        yield saying.say("rights/not_exclusive")


def _cancellation(contract: Contract, saying: Saying) -> Lines:
    ladder = contract.terms.value.ladder
    yield saying.say("cancellation/brand")
    for stage in LadderStage:
        yield saying.say("cancellation/rung", stage=stage, share_bps=ladder_share(ladder, stage))
    yield saying.say("cancellation/creator")


def _disputes(contract: Contract, saying: Saying) -> Lines:
    yield saying.say("disputes/open", dispute_s=contract.terms.value.clocks.dispute_s)


REVIEW_TERMS = (
    "draft_s", "compliance_s", "brand_review_s", "review_reminder_s", "max_revisions", "revision_s", "ruling_s",
)  # fmt: skip
PARTS: Mapping[str, _Part] = MappingProxyType(
    {
        "parties": _Part(_parties),
        "work": _Part(_work),
        "products": _Part(_products, ("product_s",)),
        "price": _Part(_price, ("brand_fee_bps", "creator_fee_bps"), prices),
        "funding": _Part(_funding, ("funding_s",)),
        "review": _Part(_review, REVIEW_TERMS),
        "publication": _Part(_publication, ("publish_s", "publish_grace_s")),
        "payment": _Part(_payment, ("live_check_after_s", "settlement_delay_s")),
        "protection": _Part(_protection, ("protection_s", "cure_s", "claw_back_bps"), claw_backs),
        "rights": _Part(_rights, ("usage_days", "exclusivity_days")),
        "cancellation": _Part(_cancellation, tuple(f"{stage.value}_bps" for stage in LadderStage), rungs),
        "disputes": _Part(_disputes, ("dispute_s",)),
    }
)
"""The clauses in their order; the record's own, which names its seal, is the last."""
