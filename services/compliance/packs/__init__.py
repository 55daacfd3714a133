"""Reads the rule packs that the product ships; the domain gets them as data."""

import csv
import re
import string
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from confusable_homoglyphs.confusables import confusables_data

from services.compliance.domain.findings import Severity
from services.compliance.domain.heads import heads_of
from services.compliance.domain.health import Health, register_of
from services.compliance.domain.packs import Pack, category_key, parse
from services.compliance.domain.rules.case import Lists
from services.compliance.domain.spelled import spelling
from services.compliance.domain.text import Folding, Matcher

CHINESE = re.compile("[\u2e80-\u9fff]")
HERE = Path(__file__).parent
PATTERNS = ("heals", "helps", "healed", "denied", "another_word", "about_something_else")
SINGLE = ("taken", "pronoun", "somebody", "about_a_day")
SOUND_LETTERS = 0xE000
"""Syllables are written as letters of Unicode's private use area, from here on."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a rule says in one language ("zh", "en")."""

    language: str
    law: str
    article: str
    why: str
    fix: str


@cache
def in_other_words() -> dict[str, tuple[Told, ...]]:
    """By rule id, what a rule says in languages that are not its pack's."""
    found: dict[str, list[Told]] = defaultdict(list)
    for row in _rows("told.tsv"):
        found[row.pop("rule")].append(Told(**row))
    return {rule: tuple(texts) for rule, texts in found.items()}


@cache
def shipped_packs() -> tuple[Pack, ...]:
    """All packs of packs/*.yaml, parsed; raises Invalid `pack.malformed` when one is not well formed."""
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("*.yaml"))]
    return parse(documents, shipped_lists())


@cache
def shipped_lists() -> Lists:
    """Term lists, harmless phrases and the folding of packs/*.tsv."""
    terms: dict[str, dict[str, Severity]] = defaultdict(dict)
    for row in _rows("cn_terms.tsv"):
        terms[row["list"]][row["term"]] = Severity(row["severity"])
    harmless: dict[str, list[str]] = defaultdict(list)
    for row in _rows("cn_harmless.tsv"):
        harmless[row["list"]].append(row["phrase"])
    folding = _folding(
        [*(term for each in terms.values() for term in each), *(row["term"] for row in _rows("cn_spelled.tsv"))]
    )
    heads = heads_of([(row["kind"], row["head"]) for row in _rows("cn_heads.tsv")])
    plain = {name: tuple(phrases) for name, phrases in harmless.items()}
    return Lists(terms, plain, folding, heads, _health(folding), ordinary_categories())


def ordinary_categories() -> dict[str, str]:
    """Categories that no rule speaks of, by each of their names."""
    rows = [(row["category"], row["names"].split(";")) for row in _rows("categories.tsv")]
    return {category_key(name): word for word, names in rows for name in (word, *names) if name}


def _health(folding: Folding) -> Health:
    words = yaml.safe_load((HERE / "health" / "words.yaml").read_text(encoding="utf-8"))
    return Health(
        diseases=Matcher((row["term"] for row in _rows("health/diseases.tsv")), (), folding),
        promises=re.compile(
            f"{words['promotes']}{words['body']}|\\b{words['body']} (?:relief|support|booster|boost)\\b"
        ),
        permitted=register_of(_rows("health/register.tsv"), _rows("health/functions.tsv"), folding),
        **{name: re.compile("|".join(f"(?:{each})" for each in words[name])) for name in PATTERNS},
        **{name: re.compile(words[name]) for name in SINGLE},
    )


def _look_alikes() -> dict[int, str]:
    """Characters that look like a Latin letter or a digit, by the confusables of UTS 39; what is one by NFKD is folded anyway."""
    found: dict[int, str] = {}
    for plain in "0123456789" + string.ascii_lowercase + string.ascii_uppercase:
        for other in confusables_data.get(plain, ()):
            if len(other["c"]) == 1 and not other["c"].isascii() and not CHINESE.match(other["c"]):
                found[ord(other["c"])] = plain.lower()
    return found


def _folding(terms: Iterable[str]) -> Folding:
    rows = [*_rows("traditional.tsv"), *_rows("lookalikes.tsv")]
    simplified = _look_alikes() | {ord(other): row["plain"] for row in rows for other in row["written"]}
    named = [(row["syllable"], row["characters"]) for row in _rows("syllables.tsv")]
    syllables = {ord(c): chr(SOUND_LETTERS + n) for n, (_, characters) in enumerate(named) for c in characters}
    spelled = spelling(terms, {c: syllable for syllable, characters in named for c in characters})
    return Folding(simplified, syllables, spelled)


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))
