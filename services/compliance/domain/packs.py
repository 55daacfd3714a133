"""Rule packs: dated data of one jurisdiction, parsed once; content is judged by the pack in force on its day.

A document has `jurisdiction`, `language`, `timezone`, `aliases`, `extends`, `versions`, `labels`, `categories` and `rules`;
packs/README.md describes the fields. A day begins at midnight of the content's own place (IANA time zone). Everything unknown
or malformed raises Invalid `pack.malformed` at start-up, never in a review.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kernel.core.faults import Invalid
from services.compliance.domain.disclosure import Label, LabelLaw
from services.compliance.domain.findings import Content, Evidence, Finding, Severity, is_advert
from services.compliance.domain.rules import KINDS
from services.compliance.domain.rules.case import Breach, Case, Check, Lists, known, parts_of, texts
from services.compliance.domain.text import Folding

EXCERPT_CHARACTERS = 80
MAX_FINDINGS = 100
"""A review keeps this many findings, the gravest first; what is beyond adds nothing for the author."""
SEVERITY_ORDER = (Severity.BLOCKING, Severity.WARNING, Severity.NOTICE)
RULE_FIELDS = (
    "id", "kind", "law", "article", "severity", "why", "fix", "valid_from", "valid_to", "categories", "except_categories",
    "needs_category", "adverts_only", "params", "fires", "silent",
)  # fmt: skip
DOCUMENT_FIELDS = (
    "jurisdiction", "language", "timezone", "aliases", "extends", "versions", "labels", "categories", "rules",
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One rule with its source in law; `check` is the pure function of its kind. `categories` empty: all.

    `language` ("zh", "en") is that of `law`, `article`, `why` and `fix`.
    """

    id: str
    jurisdiction: str
    law: str
    article: str
    severity: Severity
    why: str
    fix: str
    valid_from: date
    valid_to: date | None
    categories: frozenset[str]
    except_categories: frozenset[str]
    needs_category: bool
    adverts_only: bool
    check: Check
    fires: tuple[Content, ...] = field(repr=False)
    silent: tuple[Content, ...] = field(repr=False)
    language: str

    def holds(self, day: date) -> bool:
        """In force on the day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def applies(self, category: str, day: date) -> bool:
        """In force on the day and meant for the category; an unknown one ("") is judged unless the rule needs to know it."""
        meant = category in self.categories or not self.categories or (not category and not self.needs_category)
        return self.holds(day) and meant and category not in self.except_categories


@dataclass(frozen=True)
class Pack:
    """One version of a jurisdiction's rules, in force on the days [valid_from, valid_to).

    `zones` names the jurisdiction and its aliases, each with the time zone in which its days begin. `categories` gives the pack's
    word for each way to name a category, as `category_key` writes it; what the pack has no rule for is in it too.
    """

    id: str
    jurisdiction: str
    zones: Mapping[str, ZoneInfo]
    valid_from: date
    valid_to: date | None
    rules: tuple[Rule, ...]
    labels: LabelLaw
    categories: Mapping[str, str]
    folding: Folding

    def day(self, jurisdiction: str, at: datetime) -> date:
        """The date of a moment where the jurisdiction is; an unknown one has the pack's own time."""
        return at.astimezone(self.zones.get(jurisdiction) or self.zones[self.jurisdiction]).date()

    def in_force(self, jurisdiction: str, at: datetime) -> bool:
        """True when the pack covers the jurisdiction and includes its date at that moment."""
        return jurisdiction in self.zones and self.holds(self.day(jurisdiction, at))

    def holds(self, day: date) -> bool:
        """In force on the day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def findings(self, content: Content, at: datetime) -> tuple[Finding, ...]:
        """All breaches at `at`, the gravest first, then by place."""
        day = self.day(content.jurisdiction, at)
        category = self.categories.get(category_key(content.product_category), "")
        case = Case(content, category, parts_of(content, self.folding), self.labels, day)
        found = [finding for rule in self.rules for finding in _apply(rule, case)]
        if content.product_category.strip() and not category and is_advert(content):
            found.append(_unknown_category(content.jurisdiction))
        found.sort(key=lambda f: (SEVERITY_ORDER.index(f.severity), f.part, f.start, f.end, f.rule_id))
        return tuple(found[:MAX_FINDINGS])


def category_key(written: str) -> str:
    """A category as it is looked up: first level, small letters, words joined by `_`: "E-Cigarette/pods" is e_cigarette."""
    first = unicodedata.normalize("NFKC", written).partition("/")[0]
    return re.sub(r"[\W_]+", "_", first.casefold()).strip("_")


def _unknown_category(jurisdiction: str) -> Finding:
    return Finding(
        "category.unknown", jurisdiction, "", "", Severity.WARNING, "content", 0, 0, "",
        "The product's category is none that the rules know, so rules for one category were not applied.",
        "Name a category of docs/reference/categories.md, or a reviewer judges by hand.",
    )  # fmt: skip


def in_force(packs: Sequence[Pack], jurisdiction: str, at: datetime) -> Pack | None:
    """The latest pack of the jurisdiction (or of one it is an alias of) whose time includes `at`."""
    fitting = [pack for pack in packs if pack.in_force(jurisdiction, at)]
    return max(fitting, key=lambda pack: pack.valid_from, default=None)


def day_of(packs: Sequence[Pack], jurisdiction: str, at: datetime) -> date:
    """The date of a moment where the jurisdiction is; in UTC where no pack is in force."""
    pack = in_force(packs, jurisdiction, at)
    return pack.day(jurisdiction, at) if pack else at.date()


def _apply(rule: Rule, case: Case) -> Iterator[Finding]:
    if rule.applies(case.category, case.day) and (is_advert(case.content) or not rule.adverts_only):
        yield from (_finding(rule, case, breach) for breach in rule.check(case))


def _finding(rule: Rule, case: Case, breach: Breach) -> Finding:
    originals = {part.name: part.original for part in case.parts}
    excerpt = originals.get(breach.part, "")[breach.start : breach.end][:EXCERPT_CHARACTERS]
    return Finding(
        rule.id, rule.jurisdiction, rule.law, rule.article, breach.severity or rule.severity,
        breach.part, breach.start, breach.end, excerpt, rule.why, rule.fix.replace("{fix}", breach.fix),
    )  # fmt: skip


def parse(documents: Sequence[Mapping[str, Any]], lists: Lists) -> tuple[Pack, ...]:
    """All packs of all documents; raises Invalid `pack.malformed` with where and what was expected."""
    by_name = {str(document["jurisdiction"]): document for document in documents}
    return tuple(pack for document in documents for pack in _packs(document, by_name, lists))


def _packs(document: Mapping[str, Any], by_name: Mapping[str, Mapping[str, Any]], lists: Lists) -> Iterator[Pack]:
    name = str(document["jurisdiction"])
    known(document, DOCUMENT_FIELDS, name)
    rules = tuple(_rule(raw, source, lists) for source in _sources(document, by_name) for raw in source["rules"])
    if len({rule.id for rule in rules}) != len(rules):
        raise Invalid("pack.malformed", where=name, expected="rule ids that are unique")
    zones = _zones(document, name)
    categories = {**lists.categories, **_named([*by_name.values()]), **_named(_sources(document, by_name))}
    for version in document["versions"]:
        yield Pack(
            f"{name}@{version['from']}",
            name,
            zones,
            _date(version["from"]),
            _end(version.get("to")),
            rules,
            _labels(document["labels"], name),
            categories,
            lists.folding,
        )


def _zones(document: Mapping[str, Any], name: str) -> dict[str, ZoneInfo]:
    """The time zone of the jurisdiction and of each of its aliases."""
    named = {name: document["timezone"], **(document.get("aliases") or {})}
    try:
        return {place: ZoneInfo(str(zone)) for place, zone in named.items()}
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise Invalid("pack.malformed", where=name, expected="IANA time zones") from error


def _sources(document: Mapping[str, Any], by_name: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    base = document.get("extends")
    return [by_name[base], document] if base else [document]


def _named(sources: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The word of a category by each of its names; where sources differ the last one says it."""
    named: dict[str, str] = {}
    for source in sources:
        for word, aliases in source.get("categories", {}).items():
            named.update({category_key(alias): str(word) for alias in (word, *texts(aliases, f"categories.{word}"))})
    return named


def _rule(raw: Mapping[str, Any], document: Mapping[str, Any], lists: Lists) -> Rule:
    where = str(raw.get("id", "a rule without id"))
    known(raw, RULE_FIELDS, where)
    categories = texts(raw.get("categories"), where)
    try:
        return Rule(
            where, str(document["jurisdiction"]), raw["law"], raw["article"], Severity(raw["severity"]), raw["why"], raw["fix"],
            _date(raw["valid_from"]), _end(raw.get("valid_to")),
            frozenset(categories), frozenset(texts(raw.get("except_categories"), where)), bool(raw.get("needs_category")),
            bool(raw.get("adverts_only", True)),
            KINDS[raw["kind"]](raw.get("params") or {}, lists),
            _examples(raw, "fires", document), _examples(raw, "silent", document), str(document.get("language", "en")),
        )  # fmt: skip
    except (KeyError, ValueError) as error:
        raise Invalid("pack.malformed", where=where, expected=str(error)) from error


def _examples(raw: Mapping[str, Any], name: str, document: Mapping[str, Any]) -> tuple[Content, ...]:
    """Examples are texts, or mappings of Content's fields; their category is the rule's first unless they name one."""
    categories = raw.get("categories") or [""]
    return tuple(_example(item, str(document["jurisdiction"]), str(categories[0])) for item in raw.get(name, []))


def _example(item: str | Mapping[str, Any], jurisdiction: str, category: str) -> Content:
    given: dict[str, Any] = {"text": item} if isinstance(item, str) else dict(item)
    given["evidence"] = tuple(Evidence(**entry) for entry in given.get("evidence", []))
    given |= {name: texts(given[name], name) for name in ("tags", "links", "codes") if name in given}
    fields: dict[str, Any] = {"compensation": "fixed", "product_category": category, **given}
    return Content(jurisdiction=jurisdiction, **fields)


def _labels(raw: Mapping[str, Any], name: str) -> LabelLaw:
    known(raw, ("attach", "accepted", "weak"), f"{name}.labels")
    attach = tuple(
        Label(jurisdiction=name, **{key: str(value) for key, value in item.items()}) for item in raw["attach"]
    )
    if not any(label.platform == label.format == "*" for label in attach):
        raise Invalid("pack.malformed", where=f"{name}.labels", expected="one label for every platform and format")
    return LabelLaw(attach, texts(raw["accepted"], name), texts(raw["weak"], name))


def _date(value: object) -> date:
    return date.fromisoformat(str(value))


def _end(value: object) -> date | None:
    return None if value is None else _date(value)
